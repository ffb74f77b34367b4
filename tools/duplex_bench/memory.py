"""What a server remembers of replies that were cut off, against what was played of them: by an adapter's log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tools.duplex_bench.recording import Entry

_CUT = ("cancelled", "interrupted")


@dataclass(frozen=True, slots=True)
class Remembered:
    """Of replies that were cut off, words that the server and the player do not agree on."""

    replies: int
    unheard: int
    """Remembered, and not begun to be played."""
    forgotten: int
    """Played whole, and not remembered."""


def remembered(log: Sequence[Entry]) -> Remembered:
    """Compare the two for every reply whose words are known."""
    replies = unheard = forgotten = 0
    for done in log:
        if done["kind"] != "done" or done["outcome"] not in _CUT or done.get("remembered") is None:
            continue
        words = _words(log, done["turn"])
        if not words:
            continue
        played = max((entry["source_end"] for entry in _of(log, "heard", done["turn"])), default=0)
        replies += 1
        unheard += sum(place < done["remembered"] and begin >= played for begin, place in words)
        forgotten += sum(place >= done["remembered"] and end <= played for (_, place), (end, _) in pairwise(words))
    return Remembered(replies, unheard, forgotten)


def _words(log: Sequence[Entry], turn: int) -> list[tuple[int, int]]:
    """Return the sample and the place of each word of a turn's reply, in order."""
    return sorted(
        pair for entry in _of(log, "words", turn) for pair in zip(entry["samples"], entry["places"], strict=True)
    )


def _of(log: Sequence[Entry], kind: str, turn: int) -> list[Entry]:
    return [entry for entry in log if entry["kind"] == kind and entry["turn"] == turn]
