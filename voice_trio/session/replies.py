"""What a conversation's replies sound like, also when they are over: a client may say at any time what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_trio.core.heard import SpokenPhrase, evenly, heard_text
from voice_trio.core.items import Item, Items, NoSound, Words
from voice_trio.session.reply import Reply

MARKED_CHARS = 20_000
"""Of replies whose words have their places in the sound. Of older ones the pace is taken as even."""


class Replies:
    """Those of one conversation, by their items' ids."""

    def __init__(self) -> None:
        self._under_way: dict[str, Reply] = {}
        self._phrases: dict[str, Sequence[SpokenPhrase]] = {}
        """Of those that are over, if they were spoken."""

    def begin(self, key: str, reply: Reply) -> None:
        """``reply`` is on its way."""
        self._under_way[key] = reply

    def is_under_way(self, key: str) -> bool:
        """Return whether that reply is."""
        return key in self._under_way

    def end(self, key: str, items: Items) -> None:
        """It is over. Of what is not among ``items`` any more, nothing is kept."""
        reply = self._under_way.pop(key, None)
        if reply is not None and reply.aloud and key in items:
            self._keep(key, reply.phrases, items)

    def forget(self, key: str) -> None:
        """It is no item any more."""
        self._under_way.pop(key, None)
        self._phrases.pop(key, None)

    def by_now(self, item: Item) -> Item:
        """Return ``item`` with the words that it has by now, where it is a reply on its way."""
        reply = self._under_way.get(item.id)
        return replace(item, text=reply.text) if reply is not None and isinstance(item, Words) else item

    def heard(self, words: Words, samples: int) -> int | None:
        """Return how many code points of ``words`` are heard in the first ``samples``; None where that is all of them.

        Raises `NoSound`.
        """
        reply, phrases, text = self._under_way.get(words.id), self._phrases.get(words.id), words.text or ""
        if reply is not None and reply.aloud:
            return heard_text(reply.phrases, text, samples)
        if phrases is None:
            raise NoSound(words.id)
        length = max((phrase.first_sample + phrase.samples for phrase in phrases), default=1)
        return heard_text(phrases, text, samples) if samples < length else None

    def _keep(self, key: str, phrases: Sequence[SpokenPhrase], items: Items) -> None:
        self._phrases[key] = tuple(phrases)
        chars = 0
        for older in reversed([*self._phrases]):
            if older not in items:
                del self._phrases[older]
                continue
            if chars > MARKED_CHARS:
                self._phrases[older] = evenly(self._phrases[older])
            chars += sum(phrase.end - phrase.start for phrase in self._phrases[older])
