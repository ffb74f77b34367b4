"""Which sentence was said, and what stood in its slots.

# Theory

A sentence is held against the words from left to right. For each place that was reached the best way there is kept
and no other, so a sentence with many choices takes no longer than the product of its parts and the words heard.

All of what was heard has to be covered, politeness aside, so that a sentence of which a grammar knows a part is left
alone. What a recognizer gets wrong is borne within limits: a fixed word that is a letter off, or a light word ("the",
"my") that is missing or too many, is an error each, and a sentence of few fixed words may have none.

Where several sentences match, the one with the fewest errors is taken; then the one with the fewest words in slots of
free text; then the one with the most fixed words; then the one that stands first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from voice_trio.core.grammar import politeness
from voice_trio.core.grammar.near import Vocabulary
from voice_trio.core.grammar.sentences import Choice, Row, Sentence, Slot, Word, parse, slots_of, words_of
from voice_trio.core.grammar.tokens import Token, tokens

TEXT: Final = "text"
"""The kind of a slot that takes any words, as they were written."""
_LONGEST_TEXT: Final = 25

_LIGHT: Final = frozenset(["the", "a", "an", "of", "to", "my", "is", "it", "me", "that", "this", "your", "some"])

_FREE_OF_ERROR: Final = 3
_ERROR_EACH: Final = 3
"""Of so many fixed words one may be wrong."""

Kind = Callable[[Sequence[Token], int], Iterable[tuple[int, Any]]]
"""Yields each thing of a kind that begins at a token, with the token that it ends before. A mapping is arguments."""


@dataclass(frozen=True, slots=True)
class Match:
    """What was meant."""

    name: str
    arguments: dict[str, Any]


class _Way(NamedTuple):
    """How a place was reached; the least is the best."""

    errors: int
    free: int
    """Words in slots of free text."""
    fixed: int
    """Less one for each fixed word."""
    slots: tuple[tuple[str, Any], ...] = ()

    @property
    def cost(self) -> tuple[int, int, int]:
        return self.errors, self.free, self.fixed


@dataclass(frozen=True, slots=True)
class _Ready:
    """A sentence that can be matched."""

    name: str
    row: Row
    arguments: Mapping[str, Any]
    needs: frozenset[str]
    """Words without which it cannot be meant."""


class Grammar:
    """Sentences by the name of what is meant by them."""

    def __init__(self, sentences: Iterable[tuple[str, Sentence]], kinds: Mapping[str, Kind]) -> None:
        """Raises `ValueError` for a sentence that is not well formed, or has a slot of no kind."""
        self._kinds = kinds
        self._sentences = [_ready(name, sentence) for name, sentence in sentences]
        self._vocabulary = Vocabulary(word for one in self._sentences for word in words_of(one.row))
        unknown = {slot.kind for one in self._sentences for slot in slots_of(one.row)} - {*kinds, TEXT}
        if unknown:
            raise ValueError(f"there are slots of no kind: {', '.join(sorted(unknown))}")

    def match(self, text: str, names: Iterable[str] | None = None) -> Match | None:
        """Return what is meant by ``text``, among ``names`` if they are given; None where it is no sentence of ours."""
        heard = tokens(text)
        if not heard:
            return None
        wanted = None if names is None else frozenset(names)
        attempt = _Attempt(text, heard, self._vocabulary, self._kinds)
        best: tuple[tuple[int, int, int], _Ready, _Way] | None = None
        for sentence in self._sentences:
            if (wanted is None or sentence.name in wanted) and sentence.needs <= attempt.present:
                way = attempt.at(sentence.row)
                if way is not None and (best is None or way.cost < best[0]):
                    best = way.cost, sentence, way
        if best is None:
            return None
        _, sentence, way = best
        arguments: dict[str, Any] = {**sentence.arguments}
        for name, value in way.slots:
            arguments.update(value if isinstance(value, Mapping) else {name: value})
        return Match(sentence.name, arguments)


class _Attempt:
    """One text, held against sentences."""

    def __init__(self, text: str, heard: list[Token], vocabulary: Vocabulary, kinds: Mapping[str, Kind]) -> None:
        self._text = text
        self._heard = heard
        self._kinds = kinds
        self._meant = [vocabulary.meant(token.word) for token in heard]
        self._begin = politeness.beginnings(heard)
        self._end = politeness.ends(heard)
        self._in_slot: dict[tuple[str, int], list[tuple[int, Any]]] = {}
        self.present = frozenset(word for words in self._meant for word in words)

    def at(self, row: Row) -> _Way | None:
        """Return the best way in which all that counts is ``row``."""
        reached = self._row(row, {at: _Way(0, 0, 0) for at in self._begin})
        ways = [way for at, way in reached.items() if at in self._end and _is_bearable(way)]
        return min(ways, key=lambda way: way.cost, default=None)

    def _row(self, row: Row, ways: dict[int, _Way]) -> dict[int, _Way]:
        for part in row:
            after: dict[int, _Way] = {}
            match part:
                case Word(word):
                    self._word(word, ways, after)
                case Choice(rows):
                    for one in rows:
                        for at, way in self._row(one, ways).items():
                            _keep(after, at, way)
                case Slot():
                    self._slot(part, ways, after)
            ways = after
            if not ways:
                break
        return ways

    def _word(self, word: str, ways: dict[int, _Way], after: dict[int, _Way]) -> None:
        for at, way in ways.items():
            for skipped in (0, 1):
                here = at + skipped
                if here < len(self._heard) and word in self._meant[here]:
                    errors = way.errors + self._meant[here][word] + skipped
                    _keep(after, here + 1, way._replace(errors=errors, fixed=way.fixed - 1))
                if here >= len(self._heard) or self._heard[here].word not in _LIGHT:
                    break
            if word in _LIGHT:
                _keep(after, at, way._replace(errors=way.errors + 1))

    def _slot(self, slot: Slot, ways: dict[int, _Way], after: dict[int, _Way]) -> None:
        for at, way in ways.items():
            if at >= len(self._heard):
                continue
            for end, value in self._values(slot.kind, at):
                free = way.free + (end - at if slot.kind == TEXT else 0)
                _keep(after, end, way._replace(free=free, slots=(*way.slots, (slot.name, value))))

    def _values(self, kind: str, at: int) -> list[tuple[int, Any]]:
        if (kind, at) not in self._in_slot:
            found = self._words(at) if kind == TEXT else self._kinds[kind](self._heard, at)
            self._in_slot[kind, at] = [*found]
        return self._in_slot[kind, at]

    def _words(self, at: int) -> Iterable[tuple[int, str]]:
        start = self._heard[at].start
        for end in range(at + 1, min(len(self._heard), at + _LONGEST_TEXT) + 1):
            yield end, self._text[start : self._heard[end - 1].end]


def _keep(ways: dict[int, _Way], at: int, way: _Way) -> None:
    if way.errors <= 2 and (at not in ways or way.cost < ways[at].cost):
        ways[at] = way


def _is_bearable(way: _Way) -> bool:
    """Return whether there are few enough errors for as many fixed words."""
    return way.errors == 0 or way.errors <= (-way.fixed - _FREE_OF_ERROR) // _ERROR_EACH + 1


def _ready(name: str, sentence: Sentence) -> _Ready:
    row = parse(sentence.pattern)
    needs = frozenset(part.word for part in row if isinstance(part, Word) and part.word not in _LIGHT)
    return _Ready(name, row, sentence.arguments, needs)
