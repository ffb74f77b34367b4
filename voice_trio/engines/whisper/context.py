"""How much audio a model must be given at a time, measured once for each model.

Whisper was trained on 30 s, padded. Weights differ in what they make of less: some lose nothing, some loop or invent.
Short contexts are most of what makes partials cheap, so it is worth finding out: some recordings are decoded padded,
and in ever longer contexts, until one gives the same words. The answer is kept beside the model.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import trio

from voice_trio import installation as assets
from voice_trio import sound_file
from voice_trio.engines.decoding.scheduler import Job, Rank, Scheduler
from voice_trio.engines.whisper.decode import PADDED_S, floats

if TYPE_CHECKING:
    from voice_trio.engines.whisper.decode import Decoded, WhisperDecoder

BUCKETS_S: Final = (0.0, 10.0, 15.0, 20.0)
"""Contexts that are tried, the shortest first; 0 is the audio and its margin alone."""
AGREE: Final = 0.05
"""Share of the words that may differ from those of the padded decodes."""

_FILE = "voice_trio_context.json"
_VERSION = 1

Progress = Callable[[str], None]
"""Told in words what was found, a line at a time."""


@dataclass(frozen=True, slots=True)
class Context:
    """The shortest audio that decodes are given, silence included: 0 to 30 seconds."""

    partial_s: float
    final_s: float
    undecided: bool = False
    """Whether it is a guess that a measurement should replace."""

    @classmethod
    def of(cls, setting: str) -> Self:
        """Return what STREAM_ASR_CONTEXT means: ``short``, ``padded``, or a guess for ``auto``."""
        if setting == "auto":
            # A wrong word in a partial is gone with the next one; a final has to be right.
            return cls(0.0, PADDED_S, undecided=True)
        least = 0.0 if setting == "short" else PADDED_S
        return cls(least, least)


def recall(folder: Path) -> Context | None:
    """Return what was found out about the model in ``folder``, or None."""
    try:
        kept = json.loads((folder / _FILE).read_text())
        least = float(kept["context_s"]) if kept["version"] == _VERSION else -1.0
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Context(least, least) if 0 <= least <= PADDED_S else None


def remember(folder: Path, context: Context) -> bool:
    """Keep ``context`` beside the model in ``folder``; return whether that could be done."""
    part = folder / f"{_FILE}.part"
    try:
        part.write_text(json.dumps({"version": _VERSION, "context_s": context.final_s}) + "\n")
        part.replace(folder / _FILE)
    except OSError:
        return False
    return True


async def calibrate(scheduler: Scheduler, decoder: WhisperDecoder, say: Progress = lambda line: None) -> Context:
    """Return the shortest context with which ``decoder`` gives the words that it gives padded.

    Each decode is a ticket of its own and begins only when nothing else runs, so that talking goes on meanwhile.
    """
    recordings = await trio.to_thread.run_sync(_recordings)

    async def words(least_s: float) -> list[str]:
        found: list[str] = []
        for pcm in recordings:
            decoded = await scheduler.run(_job(decoder, pcm, least_s), Rank.HOUSEKEEPING)
            # Padded again because the short context failed: that context is no use, whatever the words.
            found += [] if decoded.padded and least_s < PADDED_S else spoken(decoded.text)
        return found

    padded = await words(PADDED_S)
    # Where nothing was heard, nothing can be compared.
    for least_s in BUCKETS_S if padded else ():
        differ = difference(padded, await words(least_s))
        say(f"context of {least_s:g} s: {differ:.0%} of the words differ from those of 30 s")
        if differ <= AGREE:
            return Context(least_s, least_s)
    return Context(PADDED_S, PADDED_S)


def spoken(text: str) -> list[str]:
    """Return the words of ``text`` without case and punctuation."""
    kept = (char if unicodedata.category(char)[0] in "LMN" else " " for char in text.casefold())
    return "".join(kept).split()


def difference(expected: Sequence[str], found: Sequence[str]) -> float:
    """Return the share of words that are not the same in both, in order: 0.0 to 1.0. Two empty texts are the same."""
    longest = max(len(expected), len(found))
    if not longest:
        return 0.0
    same = sum(block.size for block in SequenceMatcher(None, expected, found, autojunk=False).get_matching_blocks())
    return 1 - same / longest


def _recordings() -> list[bytes]:
    return [sound_file.read(file) for file in sorted(assets.clips_dir().glob("*.flac"))]


def _job(decoder: WhisperDecoder, pcm: bytes, least_s: float) -> Callable[[], Job[Decoded]]:
    return lambda: lambda: decoder.decode(floats(pcm), language="en", least_s=least_s)
