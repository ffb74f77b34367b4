"""A form in parts (multipart/form-data): its fields, and the one file that counts."""

from __future__ import annotations

import re
from typing import Final

import trio
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from voice_trio.server.openai.errors import BAD_REQUEST, ApiError

_MOST_PARTS: Final = 50
_MOST_CHARS: Final = 10_000
"""Of a field. Most have a dozen, and a prompt a few hundred."""

_HEAD_BYTES: Final = 4_096
"""Of a part: its name, its file's name and type."""

_STEP_BYTES: Final = 65_536
"""So much is taken apart at a time, in which the server does nothing else."""


class _Decoder(MultipartDecoder):
    """Takes no part with a head that takes long to read."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        if len(data) > _HEAD_BYTES:
            raise ValueError("the head of a part is too large")
        return super()._parse_headers(data)


class Form:
    """What a form holds."""

    def __init__(self) -> None:
        self.fields: MultiDict[str, str] = MultiDict()
        """Name -> values, in order."""
        self.files: dict[str, bytes] = {}
        """Name -> the first file of that name."""

    def one(self, name: str) -> str | None:
        """Return the value of a field that counts once; None where it is missing or empty."""
        return self.fields.get(name) or None

    def flag(self, name: str) -> bool:
        """Return what a field says that is true or false; false where it is missing. Raises `ApiError`."""
        said = (self.one(name) or "false").lower()
        if said not in ("true", "false", "1", "0"):
            raise ApiError(BAD_REQUEST, f"{name} is to be true or false.", param=name)
        return said in ("true", "1")


async def read_form(body: bytes, boundary: str | None) -> Form:
    """Return what ``body`` holds, whose parts lie between ``boundary``. Raises `ApiError`."""
    if not boundary or not boundary.isascii():
        raise _no_form()
    # What could stand before the first boundary is looked through again and again while it comes.
    if re.match(rb"(?:\r\n)?--%s[ \t]{0,64}\r?\n" % re.escape(boundary.encode()), body) is None:
        raise _no_form()
    decoder = _Decoder(boundary.encode(), max_parts=_MOST_PARTS)
    form = Form()
    part = _Part(form)
    try:
        for at in range(0, len(body), _STEP_BYTES):
            decoder.receive_data(body[at : at + _STEP_BYTES])
            while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
                part.take(event)
            await trio.lowlevel.checkpoint()
        decoder.receive_data(None)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            part.take(event)
    except ApiError:
        raise
    except Exception as error:  # Werkzeug raises ValueError, and its own for too many parts.
        raise _no_form() from error
    return form


class _Part:
    """The part that is being read."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._name = ""
        self._is_file = False
        self._data = bytearray()

    def take(self, event: object) -> None:
        match event:
            case Field(name=name) | File(name=name):
                self._name, self._is_file, self._data = name or "", isinstance(event, File), bytearray()
            case Data(data=data, more_data=more):
                self._data += data
                if not self._is_file and len(self._data) > _MOST_CHARS:
                    name = self._name[:64]
                    message = f"A field may have {_MOST_CHARS:,} bytes; {name} has more."
                    raise ApiError(BAD_REQUEST, message, param=name, code="string_above_max_length")
                if not more:
                    self._end()

    def _end(self) -> None:
        if self._is_file:
            self._form.files.setdefault(self._name, bytes(self._data))
        else:
            self._form.fields.add(self._name, self._data.decode("utf-8", "replace"))


def _no_form() -> ApiError:
    message = f"The body is to be a form in parts (multipart/form-data), of at most {_MOST_PARTS} parts."
    return ApiError(BAD_REQUEST, message)
