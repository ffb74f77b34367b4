"""Voice servers of Home Assistant as far ends: one connection a question, which is closed when nobody waits any more.

They have one model, and no keys: nothing of that is sent. A voice is asked for by name where the settings name any.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from math import inf
from typing import Final
from urllib.parse import urlsplit

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.languages import language_of
from voice_trio.core.wyoming import BadEvent, WyomingEvent, WyomingReader
from voice_trio.engines.base import Transcript
from voice_trio.engines.remote.ends import FarEnd, FarEndFailed
from voice_trio.engines.remote.sayings import Saying, Sound

_CHUNK_BYTES: Final = 32_000
_READ_BYTES: Final = 65_536
_MOST_BYTES: Final = 256_000
"""Of what a recognizer says to one utterance."""
_FORMAT: Final = {"rate": SAMPLE_RATE, "width": BYTES_PER_SAMPLE, "channels": 1}


class _Connection:
    """One question and its answer."""

    def __init__(self, stream: trio.abc.Stream, end: FarEnd, most: float) -> None:
        self._stream = stream
        self._end = end
        self._left = most
        self._reader = WyomingReader()
        self._events: deque[WyomingEvent] = deque()

    async def say(self, *events: WyomingEvent) -> None:
        """Send ``events``. Raises `FarEndFailed`."""
        with _told(self._end):
            await self._stream.send_all(b"".join(event.written() for event in events))

    async def hear(self) -> WyomingEvent:
        """Return the next event that is no error. Raises `FarEndFailed`."""
        with _told(self._end):
            while not self._events:
                data = await self._stream.receive_some(_READ_BYTES)
                self._left -= len(data)
                if not data:
                    raise FarEndFailed(f"{self._end.place} broke off.")
                if self._left < 0:
                    raise FarEndFailed(f"{self._end.place} answers with more than any answer has.")
                self._events.extend(self._reader.push(data))
        event = self._events.popleft()
        if event.type == "error":
            raise FarEndFailed(f"{self._end.place} has a fault.")
        return event


class WyomingHearer:
    """Asks servers such as wyoming-faster-whisper for the words of an utterance."""

    async def hear(self, end: FarEnd, pcm: bytes, language: str | None) -> Transcript:
        """Return what ``pcm`` (16 kHz s16le mono) says. Raises `FarEndFailed`."""
        async with _connected(end, _MOST_BYTES) as far:
            await far.say(
                WyomingEvent("transcribe", {} if language is None else {"language": language}),
                WyomingEvent("audio-start", _FORMAT),
                *(
                    WyomingEvent("audio-chunk", _FORMAT, pcm[at : at + _CHUNK_BYTES])
                    for at in range(0, len(pcm), _CHUNK_BYTES)
                ),
                WyomingEvent("audio-stop"),
            )
            while (event := await far.hear()).type != "transcript":
                pass
        text, found = event.data.get("text"), event.data.get("language")
        if not isinstance(text, str):
            raise FarEndFailed(f"{end.place} answers without a text.")
        return Transcript(text.strip(), language or (language_of(found) if isinstance(found, str) else None))


class WyomingSayer:
    """Asks servers such as wyoming-piper to say a text, at the one speed that they have."""

    def __init__(self, sample_rate: int, *, names_voices: bool) -> None:
        self._sample_rate = sample_rate
        self._names_voices = names_voices

    async def begin(self, end: FarEnd, saying: Saying) -> Sound:
        """Have ``end`` begin, and return when there is sound of it. Raises `FarEndFailed`."""
        async with AsyncExitStack() as opening:
            # How long its sound may be, and with it how much may come, is known where it is passed on.
            far = await opening.enter_async_context(_connected(end, inf))
            voice = {"voice": {"name": saying.voice}} if self._names_voices else {}
            await far.say(WyomingEvent("synthesize", {"text": saying.text, **voice}))
            body = _Body(far, end, self._sample_rate)
            first = await body.next()
            if first is None:
                raise FarEndFailed(f"{end.place} made no sound.")
            return Sound(end, first, body, opening.pop_all())


class _Body:
    """The sound of one text."""

    def __init__(self, far: _Connection, end: FarEnd, sample_rate: int) -> None:
        self._far = far
        self._end = end
        self._sample_rate = sample_rate

    async def next(self) -> bytes | None:
        """Return some more of it; None at its end. Raises `FarEndFailed`."""
        while (event := await self._far.hear()).type != "audio-stop":
            if event.type in ("audio-start", "audio-chunk"):
                self._check(event)
            if event.type == "audio-chunk" and event.payload:
                return event.payload
        return None

    def _check(self, event: WyomingEvent) -> None:
        form = tuple(event.data.get(name) for name in ("rate", "width", "channels"))
        if form == (self._sample_rate, BYTES_PER_SAMPLE, 1):
            return
        place, rate = self._end.place, form[0]
        if form[1:] == (BYTES_PER_SAMPLE, 1) and isinstance(rate, int):
            text = f"{place} speaks at {rate} Hz: set STREAM_REMOTE_RATE={rate}."
        else:
            text = f"{place} speaks in a form that is not played here: it is to be 16 bit, mono."
        raise FarEndFailed(text, again=False)


@asynccontextmanager
async def _connected(end: FarEnd, most: float) -> AsyncIterator[_Connection]:
    """Have a connection to ``end``, from which ``most`` bytes are read, closed at once on leaving."""
    address = urlsplit(end.url)
    try:
        stream = await end.through(partial(trio.open_tcp_stream, address.hostname or "", address.port or 0))
    except OSError:
        raise FarEndFailed(f"{end.place} cannot be reached.") from None
    try:
        yield _Connection(stream, end, most)
    finally:
        await trio.aclose_forcefully(stream)


@contextmanager
def _told(end: FarEnd) -> Iterator[None]:
    try:
        yield
    except trio.BrokenResourceError:
        raise FarEndFailed(f"{end.place} broke off.") from None
    except BadEvent as error:
        raise FarEndFailed(f"{end.place} does not speak the Wyoming protocol: {error}.") from None
