"""Measures, in a stereo recording of a conversation, how long each answer was waited for.

    python tools/response_gap.py conversation.wav

Left is what was said to the machine, right what it said. It knows nothing but the sound: from the last voiced moment
on the left to the first audible one on the right. Voiced is a stretch of `WINDOW_MS` above `LOUD_DB` of full scale.
One line a turn: when it ended, in seconds from the beginning of the recording, and the gap in ms.
"""

from __future__ import annotations

import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

WINDOW_MS = 5
LOUD_DB = -50.0


@dataclass(frozen=True, slots=True)
class Gap:
    """One wait: the last voiced moment at ``at_s`` of the recording, and how long after it the answer began."""

    at_s: float
    ms: float


def loud(samples: Any, sample_rate: int) -> Any:
    """Return, for each window of s16 ``samples``, whether it is voiced."""
    size = sample_rate * WINDOW_MS // 1000
    windows = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64) / 32768
    power = np.sqrt(np.mean(windows**2, axis=1))
    return power > 10 ** (LOUD_DB / 20)


def voiced_span_ms(pcm: bytes, sample_rate: int) -> tuple[float, float]:
    """Return where, in ms, the voice in mono s16le ``pcm`` begins and ends. Raises ValueError where there is none."""
    windows = np.flatnonzero(loud(np.frombuffer(pcm, "<i2"), sample_rate))
    if not len(windows):
        raise ValueError("no voice in it")
    return float(windows[0] * WINDOW_MS), float((windows[-1] + 1) * WINDOW_MS)


def gaps(left: Any, right: Any, sample_rate: int) -> list[Gap]:
    """Return every wait of the left for the right."""
    found = []
    spoke: int | None = None
    for window, (said, answered) in enumerate(zip(loud(left, sample_rate), loud(right, sample_rate), strict=True)):
        if answered and spoke is not None and not said:
            found.append(Gap(spoke * WINDOW_MS / 1000, float((window - spoke) * WINDOW_MS)))
            spoke = None
        if said:
            # What is said after the answer began is the next turn's, and its last voiced moment counts.
            spoke = window + 1
    return found


def read(path: Path) -> tuple[Any, Any, int]:
    """Return both channels of the s16 stereo WAV at ``path``, and its rate. Raises ValueError for any other."""
    with wave.open(str(path), "rb") as file:
        if file.getnchannels() != 2 or file.getsampwidth() != 2:
            raise ValueError(f"{path} is not stereo of 16 bits a sample")
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        return both[:, 0], both[:, 1], file.getframerate()


@click.command()
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(recording: Path) -> None:
    """Print how long each answer in a stereo RECORDING was waited for."""
    try:
        left, right, sample_rate = read(recording)
    except (ValueError, wave.Error, EOFError) as error:
        raise click.ClickException(str(error)) from None
    found = gaps(left, right, sample_rate)
    for gap in found:
        click.echo(f"{gap.at_s:8.3f} s  {gap.ms:7.0f} ms")
    sys.exit(0 if found else 1)


if __name__ == "__main__":
    main()
