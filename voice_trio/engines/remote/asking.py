"""What a recognizer on another machine is asked for one utterance, and how its answer is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final, Protocol

from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.core.languages import language_of
from voice_trio.engines.base import Transcript
from voice_trio.engines.remote.address import is_wyoming
from voice_trio.engines.remote.ends import FarEnd, FarEndFailed
from voice_trio.engines.remote.http import Http

_PATH: Final = "/v1/audio/transcriptions"
_MOST_BYTES: Final = 256_000
"""Of an answer. Five minutes of speech have some 5,000 characters."""


class Hearer(Protocol):
    """How an utterance gets to a far end."""

    async def hear(self, end: FarEnd, pcm: bytes, language: str | None) -> Transcript:
        """Return what ``pcm`` (16 kHz s16le mono) says, as ``end`` hears it. Raises `FarEndFailed`."""


@dataclass(frozen=True, slots=True)
class EitherHearer:
    """Asks each far end in the way that its address says."""

    http: Hearer
    wyoming: Hearer

    async def hear(self, end: FarEnd, pcm: bytes, language: str | None) -> Transcript:
        """Return what ``pcm`` says. Raises `FarEndFailed`."""
        return await (self.wyoming if is_wyoming(end) else self.http).hear(end, pcm, language)


class HttpHearer:
    """Asks servers that have OpenAI's API for audio for the words of a WAV file."""

    def __init__(self, http: Http, model: str) -> None:
        self._http = http
        self._model = model

    async def hear(self, end: FarEnd, pcm: bytes, language: str | None) -> Transcript:
        """Return what ``pcm`` says. Raises `FarEndFailed`."""
        fields = {"model": self._model, "response_format": "json"}
        if language is not None:
            fields["language"] = language
        content, mimetype = form_of(fields, wav_of(pcm, SAMPLE_RATE))
        headers = {"Content-Type": mimetype}
        async with self._http.post(end, _PATH, ("application/json",), content=content, headers=headers) as body:
            return transcript_of(await body.read(_MOST_BYTES), end, language)


def form_of(fields: Mapping[str, str], wav: bytes) -> tuple[bytes, str]:
    """Return a form in parts with ``fields`` and the file ``wav``, and its media type.

    In one piece: the HTTP client would write it in twenty, which takes twice as long for a few seconds of speech.
    """
    boundary = token_hex(16)
    begin = f"--{boundary}\r\nContent-Disposition: form-data; name="
    parts = [f'{begin}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    file = f'{begin}"file"; filename="speech.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    content = b"".join(("".join(parts).encode(), file.encode(), wav, f"\r\n--{boundary}--\r\n".encode()))
    return content, f"multipart/form-data; boundary={boundary}"


def transcript_of(body: bytes, end: FarEnd, language: str | None) -> Transcript:
    """Return what the JSON ``body`` says, of speech in ``language``, if that is known. Raises `FarEndFailed`."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    text = said.get("text") if isinstance(said, dict) else None
    if not isinstance(text, str):
        raise FarEndFailed(f"{end.place} answers without a text.")
    if language is None:
        found = said.get("language")
        language = language_of(found) if isinstance(found, str) and len(found) == len("en") else None
    return Transcript(text.strip(), language)
