"""A session as two ears had it, with what the person said when, and what the adapter saw; in memory and as files.

The sound is a stereo WAV, left the person alone, right the assistant. What was said is the script as it was performed.
The log is what the server told its client, and no part of what was heard: figures that need it say so.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.noise import Signal, to_pcm
from tools.duplex_bench.script import Kind, Word
from tools.response_gap import read as read_stereo
from voice_trio import sound_file
from voice_trio.core.audio import SAMPLE_RATE

SCRIPT = ".script.json"
"""How the name of a script's file ends."""

Entry = Mapping[str, Any]
"""One line of a log: ``at``, in s on the recording, ``kind``, and what else belongs to it; see `adapter`."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line as it was performed; times in s on the recording."""

    kind: Kind
    begin_s: float
    end_s: float
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """One session."""

    script: str
    group: str
    server: str
    left: Signal
    right: Signal
    """As long as the left; both 16 kHz, full scale 1.0."""
    microphone: Signal
    """What the server was sent: the left with noise and echo."""
    said: Sequence[Said]
    left_out: int = 0
    """Lines that were not said, for want of a reply to say them into."""
    log: Sequence[Entry] = ()

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.left) / SAMPLE_RATE

    def entries(self, kind: str) -> list[Entry]:
        """Return the entries of that kind, in order."""
        return [entry for entry in self.log if entry["kind"] == kind]

    def write(self, folder: Path) -> None:
        """Write it as four files named after server and script. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / f"{self.server}-{self.script}"
        with wave.open(f"{stem}.wav", "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(to_pcm(np.stack([self.left, self.right], axis=1)))
        sound_file.write(Path(f"{stem}.mic.wav"), to_pcm(self.microphone), SAMPLE_RATE)
        head = {"script": self.script, "group": self.group, "server": self.server, "left_out": self.left_out}
        said = [asdict(line) for line in self.said]
        Path(f"{stem}{SCRIPT}").write_text(json.dumps(head | {"said": said}, indent=1))
        Path(f"{stem}.log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in self.log))


def read(script: Path) -> Recording:
    """Return what was written, by the file of its script; microphone and log may be missing.

    Raises OSError, and ValueError for files that are not such.
    """
    head = json.loads(script.read_text())
    wav, microphone, log = (
        script.with_name(script.name.removesuffix(SCRIPT) + ending) for ending in (".wav", ".mic.wav", ".log.jsonl")
    )
    left, right, rate = read_stereo(wav)
    if rate != SAMPLE_RATE:
        raise ValueError(f"{wav} has {rate} samples a second and not {SAMPLE_RATE}")
    return Recording(
        head["script"],
        head["group"],
        head["server"],
        left / 32768,
        right / 32768,
        np.frombuffer(sound_file.read(microphone), "<i2") / 32768 if microphone.exists() else left / 32768,
        [
            Said(Kind(line["kind"]), line["begin_s"], line["end_s"], tuple(Word(**word) for word in line["words"]))
            for line in head["said"]
        ],
        head["left_out"],
        [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else (),
    )
