"""Whole replies of language models."""

from voice_trio.engines.base import Finish, ReplyEvent, Stream


class events_of:  # noqa: N801 - it is used as a function
    """Yields what ``stream`` gives, its `Finish` included. Not a generator, so that nothing is left to close."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._finished = False

    def __aiter__(self) -> "events_of":
        return self

    async def __anext__(self) -> ReplyEvent:
        if self._finished:
            raise StopAsyncIteration
        event = await self._stream.receive()
        self._finished = isinstance(event, Finish)
        return event
