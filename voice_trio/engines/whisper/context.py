"""How much audio a model must be given at a time, measured once for each model.

Whisper was trained on 30 s, padded. Weights differ in what they make of less: some lose nothing, some loop or invent.
Short contexts are most of what makes partials cheap, so it is worth finding out: recordings of a second to eight are
decoded padded, and in ever longer contexts, until one gives the same words and does not trip. The answer is kept beside
the model, and trips are counted while it serves.
"""

from __future__ import annotations

import json
import unicodedata
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, Self

import structlog
import trio

from voice_trio import installation as assets, sound_file
from voice_trio.engines.decoding.recognizer import DECODE_ERRORS
from voice_trio.engines.decoding.scheduler import Job, Rank, Scheduler
from voice_trio.engines.whisper.decode import FLOOR_S, PADDED_S, Asked, floats

if TYPE_CHECKING:
    from voice_trio.engines.whisper.decode import Decoded, WhisperDecoder

log = structlog.get_logger("voice_trio")

BUCKETS_S: Final = (FLOOR_S, 15.0, PADDED_S)
"""Contexts that are tried, the shortest first. Less than the first, stock weights loop in."""
AGREE: Final = 0.05
"""Share of the words that may differ from those of the padded decodes."""
TRIPS: Final = 0.02
"""Share of the decodes that may trip, whatever their words."""
_FINAL_S: Final = 15.0
"""What finals are given where it fits the time: some words are right in it that are wrong in 10 s."""
_FITS_S: Final = 0.6
"""Longest decode, in seconds, that is over before the silence that ends an utterance is, or hardly after."""

_FILE = "voice_trio_context.json"
_VERSION = 2

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
        if setting == "short":
            return cls(0.0, 0.0)
        # A wrong word in a partial is gone with the next one; a final has to be right.
        return cls(FLOOR_S, PADDED_S, undecided=setting == "auto")

    @property
    def grown(self) -> Self:
        """The next longer one."""

        def next_s(least_s: float) -> float:
            return min((bucket for bucket in BUCKETS_S if bucket > least_s), default=PADDED_S)

        return replace(self, partial_s=next_s(self.partial_s), final_s=next_s(self.final_s))


class Trips:
    """Counts how often decodes trip, of the last hundred or so."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=100)

    def count(self, tripped: bool) -> bool:
        """Take one decode; return whether too many of late have tripped, and begin anew if so."""
        self._last.append(tripped)
        # One is no share of anything: more than two of a hundred, and as many where there were fewer decodes yet.
        if sum(self._last) <= TRIPS * (self._last.maxlen or 0):
            return False
        self._last.clear()
        return True


def recall(folder: Path) -> Context | None:
    """Return what was found out about the model in ``folder``, or None."""
    try:
        kept = json.loads((folder / _FILE).read_text())
        if kept["version"] != _VERSION:
            return None
        found = Context(float(kept["partial_s"]), float(kept["final_s"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if {found.partial_s, found.final_s} <= set(BUCKETS_S) else None


def remember(folder: Path, context: Context) -> bool:
    """Keep ``context`` beside the model in ``folder``; return whether that could be done."""
    part = folder / f"{_FILE}.part"
    kept = {"version": _VERSION, "partial_s": context.partial_s, "final_s": context.final_s}
    try:
        part.write_text(json.dumps(kept) + "\n")
        part.replace(folder / _FILE)
    except OSError:
        return False
    return True


async def find(scheduler: Scheduler, decoder: WhisperDecoder, folder: Path, guess: Context) -> Context:
    """Return what is remembered of the model in ``folder``, or what `calibrate` finds; ``guess`` where it fails."""
    known = await trio.to_thread.run_sync(recall, folder)
    if known is not None:
        return known
    try:
        known = await calibrate(scheduler, decoder)
    except DECODE_ERRORS as error:
        # The guess is right for any model; only slow.
        log.warning("asr_context unknown", model=folder.name, error=str(error))
        return guess
    kept = await trio.to_thread.run_sync(remember, folder, known)
    log.info("asr_context", model=folder.name, partial_s=known.partial_s, final_s=known.final_s, remembered=kept)
    return known


async def calibrate(scheduler: Scheduler, decoder: WhisperDecoder, say: Progress = lambda line: None) -> Context:
    """Return the shortest contexts with which ``decoder`` gives the words that it gives padded, and hardly ever trips.

    Each decode is a ticket of its own and begins only when nothing else runs, so that talking goes on meanwhile.
    """
    recordings = await trio.to_thread.run_sync(_recordings)

    async def tried(least_s: float) -> list[Decoded]:
        return [await scheduler.run(_job(decoder, pcm, least_s), Rank.HOUSEKEEPING) for pcm in recordings]

    padded = _words(await tried(PADDED_S))
    # Where nothing was heard, nothing can be compared.
    for least_s in BUCKETS_S[:-1] if padded else ():
        found = await tried(least_s)
        differ, trips = difference(padded, _words(found)), sum(one.tripped for one in found) / len(found)
        took_s = median(one.compute_s for one in found)
        say(f"context of {least_s:g} s: {differ:.0%} of the words differ from those of 30 s, {trips:.0%} trip")
        if differ <= AGREE and trips <= TRIPS:
            # The cost is nearly that of the encoder, which grows with the context.
            fits = took_s * _FINAL_S / least_s <= _FITS_S
            return Context(least_s, max(_FINAL_S, least_s) if fits else least_s)
    return Context(PADDED_S, PADDED_S)


def _words(decoded: Sequence[Decoded]) -> list[str]:
    return [word for one in decoded for word in spoken(one.text)]


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
    return lambda: lambda: decoder.decode_batch([Asked(floats(pcm), "en", least_s, again=False)])[0]
