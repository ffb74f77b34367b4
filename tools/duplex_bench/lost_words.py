"""Which of a person's words a server never had, by its transcripts. These figures need an adapter's log.

The words of a session and of its finals are aligned with the fewest changes (Levenshtein's distance, traced back),
where no word is found in a final that came before it was said. What is missing is lost or only misheard: a recognizer
leaves out a word here and there, a server that does not listen the words of a stretch of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.duplex_bench.alignment import spelled
from tools.duplex_bench.recording import Entry
from tools.duplex_bench.script import Word

_PAUSE_S = 0.25
"""Words this far apart are not said in one breath."""
_LATE_S = 0.1
"""By so much a word may end, as aligned, after its transcript came."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What became of the words of a line."""

    lost: int
    misheard: int
    first_kept: bool
    """Whether the first word is there, right or wrong."""


def finals(log: Sequence[Entry]) -> list[tuple[float, str]]:
    """Return when the words of each turn came, and the words: of a turn that had several finals, the last."""
    latest = {entry["turn"]: (entry["at"], entry["text"]) for entry in log if entry["kind"] == "final"}
    return sorted(latest.values())


def missing(lines: Sequence[tuple[Sequence[Word], bool]], log: Sequence[Entry]) -> list[Missing]:
    """Return what became of each of ``lines``: its words, and whether somebody may have stopped listening in it.

    Lost are two words or more in a row, and one that is said in a breath of its own; where one may have stopped
    listening, also one beside a pause, at the beginning or at the end.
    """
    heard = [(at, word) for at, text in finals(log) for word in spelled(text)]
    said = [word for words, _ in lines for word in words]
    found = iter(_aligned(said, heard))
    return [_judged(words, [next(found) for _ in words], cut) for words, cut in lines]


def _judged(words: Sequence[Word], found: Sequence[str | None], cut: bool) -> Missing:
    lost = 0
    for begin, end in _absent(found):
        opens = begin == 0 or words[begin].begin_s - words[begin - 1].end_s > _PAUSE_S
        closes = end == len(words) or words[end].begin_s - words[end - 1].end_s > _PAUSE_S
        if end - begin > 1 or (opens and closes) or (cut and (opens or closes)):
            lost += end - begin
    wrong = sum(word.text != other for word, other in zip(words, found, strict=True))
    return Missing(lost, wrong - lost, first_kept=bool(found) and found[0] is not None)


def _absent(found: Sequence[str | None]) -> Iterator[tuple[int, int]]:
    """Yield where each run of missing words begins and ends."""
    begin = None
    for place, other in enumerate([*found, ""]):
        if other is None:
            begin = place if begin is None else begin
        elif begin is not None:
            yield begin, place
            begin = None


def _aligned(said: Sequence[Word], heard: Sequence[tuple[float, str]]) -> list[str | None]:
    """Return for each word that was said the one that was understood for it, or None."""
    costs = [[float(column) for column in range(len(heard) + 1)]]
    for word in said:
        above, row = costs[-1], [costs[-1][0] + 1]
        for column, (at, other) in enumerate(heard, 1):
            change = above[column - 1] + (word.text != other) if word.end_s <= at + _LATE_S else float("inf")
            row.append(min(above[column] + 1, row[-1] + 1, change))
        costs.append(row)
    found: list[str | None] = [None] * len(said)
    row_at, column = len(said), len(heard)
    while row_at and column:
        here = costs[row_at][column]
        at, other = heard[column - 1]
        word = said[row_at - 1]
        if word.end_s <= at + _LATE_S and here == costs[row_at - 1][column - 1] + (word.text != other):
            row_at, column = row_at - 1, column - 1
            found[row_at] = other
        elif here == costs[row_at - 1][column] + 1:
            row_at -= 1
        else:
            column -= 1
    return found
