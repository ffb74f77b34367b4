"""What a request to /v1/audio/transcriptions asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voice_trio.core.languages import language_of
from voice_trio.server.openai.errors import BAD_REQUEST, ApiError
from voice_trio.server.openai.form import Form

FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt")
_STREAMED: Final = ("json", "text")
_GRANULARITIES: Final = ("segment", "word")

_RECORDINGS: Final = "WAV, MP3, FLAC, Ogg, WebM, MP4 (M4A) or AAC"


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """One of them, without its file."""

    language: str | None
    """ISO 639-1; None for whatever is spoken."""
    format: str
    """One of `FORMATS`."""
    stream: bool


def transcription_request(form: Form) -> TranscriptionRequest:
    """Return what ``form`` asks for. Raises `ApiError`. A field that is not known is passed over."""
    form_at = form.one("response_format") or "json"
    if form_at not in FORMATS:
        raise ApiError(BAD_REQUEST, f"response_format is to be one of {', '.join(FORMATS)}.", param="response_format")
    stream = form.flag("stream")
    if stream and form_at not in _STREAMED:
        raise ApiError(BAD_REQUEST, f"With stream, response_format is to be {' or '.join(_STREAMED)}.", param="stream")
    _check_temperature(form.one("temperature"))
    for name in ("timestamp_granularities[]", "timestamp_granularities"):
        if any(one not in _GRANULARITIES for one in form.fields.getlist(name)):
            raise ApiError(BAD_REQUEST, f"{name} is to be segment or word.", param=name)
    return TranscriptionRequest(_language(form.one("language")), form_at, stream)


def recording_in(form: Form) -> tuple[bytes, str]:
    """Return the recording, and which of `media.KINDS` it is, by its content. Raises `ApiError`."""
    data = form.files.get("file")
    if data is None:
        message = "The form has no file: the recording goes into the part named file, which has a filename."
        raise ApiError(BAD_REQUEST, message, param="file", code="missing_required_parameter")
    if not data:
        raise ApiError(BAD_REQUEST, "The file is empty.", param="file")
    if (kind := kind_of(data)) is None:
        raise ApiError(BAD_REQUEST, f"The file is no recording that is read here: {_RECORDINGS}.", param="file")
    return data, kind


def kind_of(data: bytes) -> str | None:
    """Return which of `media.KINDS` ``data`` seems to be by its first bytes, whatever its name or its type."""
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "wav"
    for kind, beginning in (("ogg", b"OggS"), ("flac", b"fLaC"), ("webm", b"\x1aE\xdf\xa3"), ("mp3", b"ID3")):
        if data.startswith(beginning):
            return kind
    if data[4:8] == b"ftyp":
        return "mp4"
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        # Twelve bits begin a frame of either, and MPEG's layer is never 0 in one of its own.
        return "mp3" if data[1] & 0x06 else "aac"
    return None


def _language(said: str | None) -> str | None:
    """Return the language, given as ISO 639-1 or as a locale. Raises `ApiError`."""
    if said is None:
        return None
    language = language_of(said)
    if language is None:
        raise ApiError(BAD_REQUEST, "language is to be a code of ISO 639-1, such as en.", param="language")
    return language


def _check_temperature(said: str | None) -> None:
    """Raise `ApiError` where it is none; the recognizers here draw nothing by lot, so it changes nothing."""
    try:
        good = said is None or 0.0 <= float(said) <= 1.0
    except ValueError:
        good = False
    if not good:
        raise ApiError(BAD_REQUEST, "temperature is to be a number from 0 to 1.", param="temperature")
