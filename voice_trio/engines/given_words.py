"""A language model that says what it was given, word for word: what the server itself has to say."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager

import trio

from voice_trio.engines.base import Finish, Prompt, ReplyEvent, Stream, TextDelta

_SENTENCE = re.compile(r".+?(?:[.!?]\s+|\Z)", re.DOTALL)


class GivenWords:
    """Says ``words``, whatever it is asked."""

    name = "given words"
    synthetic = True

    def __init__(self, words: str) -> None:
        self._words = words

    @asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[Stream]:
        """Begin to say them."""
        yield Events(spelled(self._words))


def spelled(text: str) -> Iterator[ReplyEvent]:
    """Yield ``text`` as a reply, a sentence at a time."""
    yield from map(TextDelta, _SENTENCE.findall(text))
    yield Finish("stop")


class Events:
    """A reply that is there all at once, given an event at a time."""

    def __init__(self, events: Iterable[ReplyEvent]) -> None:
        self._left = deque(events)

    async def receive(self) -> ReplyEvent:
        """Return the next event."""
        await trio.lowlevel.checkpoint()
        return self._left.popleft()
