"""What a request to /api/utterance asks for, and the upload that it brings, both within limits."""

from __future__ import annotations

from dataclasses import replace

import trio
from quart.wrappers import Request
from werkzeug.exceptions import RequestEntityTooLarge

from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.server.json_http import HttpError, refusal
from voice_trio.session.link import Malformed
from voice_trio.wire import native

_BAD_REQUEST = 400
_TIMEOUT = 408
_TOO_LARGE = 413
_UNSUPPORTED = 415

KINDS = {
    "audio/webm": "webm",
    "video/webm": "webm",
    "audio/ogg": "ogg",
    "audio/mp4": "mp4",
    "audio/x-m4a": "mp4",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/aac": "aac",
}
"""Media type -> kind of upload."""

OPTIONS = ("conversation", "language", "locale", "voice", "speed")
"""What of a `Start` the query may say."""

_MOST_FIELDS = 50


def kind_of(request: Request) -> str:
    """Return the kind of upload that the request says it brings. Raises `HttpError`."""
    try:
        return KINDS[request.mimetype]
    except KeyError:
        known = ", ".join(KINDS)
        raise refusal(_UNSUPPORTED, f"The recording has to be one of {known}.") from None


def start_of(request: Request) -> m.Start:
    """Return the beginning of a turn as the query wants it. Raises `HttpError`."""
    if request.query_string.count(b"&") >= _MOST_FIELDS:
        # Before they are taken apart, which takes 20 ms for 5,000 of them.
        raise refusal(_BAD_REQUEST, f"The query has more than {_MOST_FIELDS} fields; known are {', '.join(OPTIONS)}.")
    # A form that is not filled in sends its fields all the same.
    options = {name: value for name in OPTIONS if (value := request.args.get(name))}
    try:
        return replace(native.decode_options(options), mode="hold")
    except Malformed as malformed:
        raise refusal(_BAD_REQUEST, malformed.message) from None


def check_size(request: Request, settings: Settings) -> None:
    """Raise `HttpError` for a body that says itself that it is too large."""
    if (request.content_length or 0) > settings.max_upload_bytes:
        raise _too_large(settings)


async def read(request: Request, settings: Settings) -> bytes:
    """Return the request's body. Raises `HttpError` for too large a one, and when it takes too long."""
    limit_s = settings.upload_timeout_s
    try:
        with trio.fail_after(limit_s):
            data: bytes = await request.body
            request.body.clear()
    except RequestEntityTooLarge:
        raise _too_large(settings) from None
    except trio.TooSlowError:
        raise refusal(_TIMEOUT, f"The recording did not arrive within {limit_s:g} seconds.") from None
    return data


def check_there(data: bytes) -> None:
    """Raise `HttpError` for a body that is empty, and so no recording."""
    if not data:
        raise refusal(_BAD_REQUEST, "The request holds no recording: it is to be the body, as it is.")


def _too_large(settings: Settings) -> HttpError:
    return refusal(_TOO_LARGE, f"A recording may have {settings.max_upload_bytes:,} bytes.")
