"""Where the words of replies that are over stand in their sound: a client may say at any time how much was heard."""

from __future__ import annotations

from collections.abc import Sequence

from voice_trio.core.heard import SpokenPhrase, evenly
from voice_trio.core.items import Items

_MARKED_CHARS = 20_000
"""Of replies whose words have their places. Of older ones the pace is taken as even."""


class Marks:
    """Those of one conversation, by the replies' ids."""

    def __init__(self) -> None:
        self._phrases: dict[str, Sequence[SpokenPhrase]] = {}

    def of(self, key: str) -> Sequence[SpokenPhrase] | None:
        """Return what the reply of that id sounded like; None where it was not spoken, or is no item any more."""
        return self._phrases.get(key)

    def keep(self, key: str, phrases: Sequence[SpokenPhrase], items: Items) -> None:
        """Note what a reply sounded like; of those that are none of ``items`` any more nothing is kept."""
        self._phrases[key] = tuple(phrases)
        chars = 0
        for older in reversed([*self._phrases]):
            if older not in items:
                del self._phrases[older]
                continue
            if chars > _MARKED_CHARS:
                self._phrases[older] = evenly(self._phrases[older])
            chars += sum(phrase.end - phrase.start for phrase in self._phrases[older])

    def drop(self, key: str) -> None:
        """Keep nothing of the reply of that id, if there was one."""
        self._phrases.pop(key, None)
