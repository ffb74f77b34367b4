"""What a voice on another machine is asked for one text, and how its sound comes back."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, Protocol

from voice_trio.engines.remote.address import is_wyoming
from voice_trio.engines.remote.ends import FarEnd, FarEndFailed
from voice_trio.engines.remote.http import Http

_PATH: Final = "/v1/audio/speech"
_MIMETYPES: Final = ("audio/", "application/octet-stream")
_CONTAINERS: Final = {b"RIFF": "a WAV file", b"ID3": "an MP3 file", b"OggS": "an Ogg file", b"fLaC": "a FLAC file"}
"""How a file begins -> what it is. Sound that is none has no such beginning."""


class Body(Protocol):
    """Sound on its way."""

    async def next(self) -> bytes | None:
        """Return some more of it, s16le mono cut anywhere; None at its end. Raises `FarEndFailed`."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A text that a far end has begun to say."""

    end: FarEnd
    first: bytes
    body: Body
    """What comes after that."""
    open: AsyncExitStack
    """Leaving it ends the work."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is to be said."""

    text: str
    voice: str
    speed: float
    """0.5 to 2.0."""


class Sayer(Protocol):
    """How a text gets to a far end."""

    async def begin(self, end: FarEnd, saying: Saying) -> Sound:
        """Have ``end`` begin, and return when there is sound of it. Raises `FarEndFailed`."""


@dataclass(frozen=True, slots=True)
class EitherSayer:
    """Asks each far end in the way that its address says."""

    http: Sayer
    wyoming: Sayer

    async def begin(self, end: FarEnd, saying: Saying) -> Sound:
        """Have ``end`` begin. Raises `FarEndFailed`."""
        return await (self.wyoming if is_wyoming(end) else self.http).begin(end, saying)


class HttpSayer:
    """Asks servers that have OpenAI's API for audio for a stream of samples."""

    def __init__(self, http: Http, model: str) -> None:
        self._http = http
        self._model = model

    async def begin(self, end: FarEnd, saying: Saying) -> Sound:
        """Have ``end`` begin. Raises `FarEndFailed`."""
        asked: dict[str, Any] = {
            "model": self._model,
            "input": saying.text,
            "voice": saying.voice,
            "response_format": "pcm",
        }
        if saying.speed != 1.0:
            # A server whose voice has one speed may refuse the field.
            asked["speed"] = saying.speed
        async with AsyncExitStack() as opening:
            body = await opening.enter_async_context(self._http.post(end, _PATH, _MIMETYPES, json=asked))
            first = await body.next()
            if first is None:
                raise FarEndFailed(f"{end.place} made no sound.")
            for begins, kind in _CONTAINERS.items():
                if first.startswith(begins):
                    raise FarEndFailed(f"{end.place} sends {kind} where pcm was asked for.", again=False)
            return Sound(end, first, body, opening.pop_all())
