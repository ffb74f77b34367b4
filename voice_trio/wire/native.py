"""How /ws spells the vocabulary: JSON text objects with a ``type``, and binary messages for audio.

`NativeCodec` is the server's side; clients, and session logs, use the functions. Unknown fields are ignored in both
directions, and unknown events by a client, so that either side may be newer.
"""

from __future__ import annotations

import json
import struct
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, get_args

from pydantic import TypeAdapter, ValidationError

from voice_trio.core import messages as m
from voice_trio.core.strange_text import parse
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Malformed
from voice_trio.wire.codec import CLOSE_CODES
from voice_trio.wire.opus.sound import Sound

COMMANDS: Final[dict[str, type]] = {
    kind.name: kind
    for kind in (m.Start, m.Text, m.Stop, m.Cancel, m.Played, m.Sounding, m.Mark, m.CancelTimer, m.Resume)
}
EVENTS: Final[dict[str, type]] = {
    "session": m.SessionOpened,
    "state": m.StateChanged,
    "reopened": m.Reopened,
    "hold": m.Hold,
    "release": m.Release,
    "partial": m.Partial,
    "final": m.Final,
    "token": m.Token,
    "tool": m.ToolCalled,
    "tts_phrase": m.TtsPhrase,
    "tts_words": m.TtsWords,
    "tts_phrase_done": m.TtsPhraseDone,
    "done": m.Done,
    "timers": m.Timers,
    "error": m.Error,
    "info": m.Info,
}
OTHERS: Final[dict[str, type]] = {
    kind.name: kind for kind in get_args(m.Command) if kind is not m.Audio and kind not in COMMANDS.values()
}
"""What a client of another wire can ask, spelled alike for session logs; no server of /ws reads it."""
_EVENT_NAMES: Final = {cls: name for name, cls in EVENTS.items()}

CHUNK_HEADER: Final = struct.Struct("<BBHIII")
"""version, kind, phrase, turn, seq, first_sample: 16 bytes before a `TtsChunk`'s audio."""
_CHUNK_VERSION: Final = 1
_CHUNK_KIND_SPEECH: Final = 1


class NativeCodec:
    """A connection of /ws, from the server's side. It remembers how sound is coded, and nothing else."""

    def __init__(self) -> None:
        self.sound = Sound()

    def decode(self, data: str | bytes) -> Sequence[m.Command]:
        """Return what the client asks with one message. Raises `Malformed`, and `Unprepared` for the first Opus."""
        if isinstance(data, bytes) and self.sound.hearing is not None:
            return (self.sound.hearing.take(data),)
        command = decode_command(data)
        return () if command is None else (self.sound.asked(command),)

    def encode(self, event: m.Event) -> Sequence[str | bytes]:
        """Return the message that says ``event``, which may be none."""
        said = self.sound.said(event)
        if isinstance(said, bytes):
            return (said,)
        return () if is_unsaid(said) else (encode_event(said),)

    def close_code(self, farewell: Farewell) -> int:
        """Return the number that a WebSocket is closed with."""
        return CLOSE_CODES[farewell]


def prepare() -> None:
    """Make now what the first message of each kind would wait for, up to 60 ms."""
    for cls in COMMANDS.values():
        _adapter(cls)


# --- a client's words -----------------------------------------------------------------------------------------------


def decode_command(data: str | bytes) -> m.Command | None:
    """Read one message of a client; None for an empty binary one, which says nothing.

    Raises `Malformed`, whose message names the field and what is allowed.
    """
    size = len(data) if isinstance(data, bytes) else len(data.encode())
    if size > m.MAX_MESSAGE_BYTES:
        raise Malformed(f"message of {size} bytes; at most {m.MAX_MESSAGE_BYTES} are allowed", Farewell.TOO_LARGE)
    if isinstance(data, bytes):
        if len(data) % 2:
            raise Malformed(f"audio of {len(data)} bytes; s16le samples need an even number", Farewell.BAD_DATA)
        return m.Audio(data) if data else None
    return decode_text(data, COMMANDS)


def decode_text(text: str, known: Mapping[str, type]) -> m.Command:
    """Read a command in JSON, one of ``known`` by its name, however long. Raises `Malformed`."""
    name, body = _json_object(text)
    if name not in known:
        names = ", ".join(known)
        raise Malformed(f"unknown message type {name[:40]!r}; known are {names}", Farewell.UNSUPPORTED)
    command: m.Command = _build(known[name], name, body)
    return command


def decode_options(options: Mapping[str, str]) -> m.Start:
    """Read the options of a `Start` spelled as text, as in a query; those that are unknown are ignored.

    Raises `Malformed`, as for the same in JSON.
    """
    known = {f.name for f in fields(m.Start)}
    try:
        start: m.Start = _adapter(m.Start).validate_python({k: v for k, v in options.items() if k in known})
    except ValidationError as error:
        raise Malformed(f"start: {_first_complaint(error)}", Farewell.BAD_DATA) from None
    return start


def encode_command(command: m.Command) -> str | bytes:
    """Spell what a client asks, also what no server of /ws reads: see `OTHERS`."""
    if isinstance(command, m.Audio):
        return command.pcm
    return _dump(command.name, command)


# --- a session's words ----------------------------------------------------------------------------------------------


def is_unsaid(event: m.Event) -> bool:
    """Return whether /ws has no message for ``event``."""
    return isinstance(event, m.Aside)


def encode_event(event: m.Event) -> str | bytes:
    """Spell what a session says."""
    if isinstance(event, m.TtsChunk):
        header = CHUNK_HEADER.pack(
            _CHUNK_VERSION, _CHUNK_KIND_SPEECH, event.phrase, event.turn, event.seq, event.first_sample
        )
        return header + event.pcm
    return _dump(_EVENT_NAMES[type(event)], event)


def decode_event(data: str | bytes) -> m.Event | None:
    """Read one message of a server; None for an event or kind of audio that this version does not know.

    Raises `Malformed` for what is no message of /ws at all.
    """
    if isinstance(data, bytes):
        if len(data) < CHUNK_HEADER.size:
            raise Malformed(f"binary message of {len(data)} bytes has no whole header", Farewell.BAD_DATA)
        version, kind, phrase, turn, seq, first = CHUNK_HEADER.unpack_from(data)
        if (version, kind) != (_CHUNK_VERSION, _CHUNK_KIND_SPEECH):
            return None
        return m.TtsChunk(turn=turn, phrase=phrase, seq=seq, first_sample=first, pcm=data[CHUNK_HEADER.size :])
    name, body = _json_object(data)
    if name not in EVENTS:
        return None
    event: m.Event = _build(EVENTS[name], name, body)
    return event


# --- shared ---------------------------------------------------------------------------------------------------------


def _json_object(data: str) -> tuple[str, dict[str, Any]]:
    try:
        body = parse(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON", Farewell.BAD_DATA) from error
    if not isinstance(body, dict):
        raise Malformed("not a JSON object", Farewell.BAD_DATA)
    name = body.pop("type", None)
    if not isinstance(name, str):
        raise Malformed("the object has no 'type' string", Farewell.BAD_DATA)
    return name, body


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


@cache
def _adapter(cls: type) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _build(cls: type, name: str, body: dict[str, Any]) -> Any:
    known = {f.name for f in fields(cls)}
    try:
        # From JSON, not from Python: in strict mode only JSON input may stand for an enum or a tuple.
        text = json.dumps({key: value for key, value in body.items() if key in known}, ensure_ascii=False)
        return _adapter(cls).validate_json(text.encode(), strict=True)
    except (ValidationError, UnicodeEncodeError) as error:
        raise Malformed(f"{name}: {_first_complaint(error)}", Farewell.BAD_DATA) from None


def _first_complaint(error: ValidationError | UnicodeEncodeError) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "text holds a lone surrogate"
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part)[:40] for part in first["loc"])
    return f"field {place!r}: {first['msg']}"


def _dump(name: str, value: Any) -> str:
    return json.dumps({"type": name, **plain(value)}, ensure_ascii=False, separators=(",", ":"))


def plain(value: Any) -> dict[str, Any]:
    """Return the fields of a message as JSON has them.

    An optional one that is None is left out; one that always has an answer is null there. A `Latency` is kept whole.
    """
    keep_none = isinstance(value, m.Latency)
    found: dict[str, Any] = {}
    for f in fields(value):
        item = getattr(value, f.name)
        if item is None and f.default is None and not keep_none:
            continue
        found[f.name] = _plain(item)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return b2a_base64(value, newline=False).decode("ascii")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return plain(value) if is_dataclass(value) else str(value) if isinstance(value, StrEnum) else value


assert {*EVENTS.values(), m.TtsChunk, *get_args(m.Aside)} == set(get_args(m.Event))
