"""The child's side of a worker process: frames in, frames out, one after another.

A frame is a fixed head (`HEAD`: request id, length of the fields, length of the body), the fields as JSON, and the body
as bytes. The first frame a child sends has id 0 and says that it is ready; from then on it answers every request, in
order, under the request's own id. A request with id 0 asks whether it is still ready, which the same frame answers.

A child is started for its work alone, so nothing here imports Trio: it is ready as fast as its model loads.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

HEAD = struct.Struct(">4sIII")
"""Magic, request id, bytes of fields, bytes of body."""

MAGIC = b"vtw1"
READY_ID = 0
_NICENESS = 5
LONG_WORK_NICENESS = 10
"""Of a worker whose calls take seconds, so that those of the others, which take a moment, come first."""

MAX_FIELDS = 1 << 20
MAX_BODY = 1 << 26
"""Limits in bytes. No caller comes near them; a length above is a stream out of step, not a large message."""

Fields = dict[str, Any]
Handler = Callable[[Fields, bytes], tuple[Fields, bytes]]
"""Answers one request (fields, body) with a reply (fields, body). An exception becomes the request's failure."""


class FrameError(Exception):
    """What came through the pipe is not a frame."""


def pack(request_id: int, fields: Fields, body: bytes = b"") -> bytes:
    """Return the frame of a message, head included."""
    encoded = json.dumps(fields, separators=(",", ":")).encode()
    if len(encoded) > MAX_FIELDS or len(body) > MAX_BODY:
        raise FrameError("message too large for a frame")
    return HEAD.pack(MAGIC, request_id, len(encoded), len(body)) + encoded + body


def unpack_head(head: bytes) -> tuple[int, int, int]:
    """Return the request id and the lengths of fields and body that ``head`` (`HEAD.size` bytes) announces."""
    magic, request_id, fields, body = HEAD.unpack(head)
    if magic != MAGIC or fields > MAX_FIELDS or body > MAX_BODY:
        raise FrameError("not a frame")
    return request_id, fields, body


def unpack_fields(encoded: bytes) -> Fields:
    """Return the fields of a frame."""
    try:
        fields = json.loads(encoded)
    except ValueError:
        raise FrameError("fields are not JSON") from None
    if not isinstance(fields, dict):
        raise FrameError("fields are not an object")
    return fields


def serve(load: Callable[[], tuple[Fields, Handler]], niceness: int = _NICENESS) -> None:
    """Be a worker: call ``load`` for what it tells about itself and its handler, then answer until the pipe closes.

    ``niceness`` is how far the worker stands back from processes that have as much to do.
    """
    # Ctrl-C and a service manager's stop go to every process of the group. The parent decides when a child ends, or a
    # reply that it wants to let finish would be cut off; a parent that is gone closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # With more work than cores, the loop that serves everybody comes first.
    os.nice(niceness)
    requests, replies = _private_pipes()
    info, handler = load()
    # A parent that is gone is the usual end, and nobody is left to read a traceback.
    with suppress(BrokenPipeError):
        _send(replies, pack(READY_ID, info))
        while (request := _receive(requests)) is not None:
            request_id, fields, body = request
            ready = request_id == READY_ID
            _send(replies, pack(READY_ID, info) if ready else _answer(handler, request_id, fields, body))


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the protocol off descriptors 0 and 1: drivers print, and a library may read its standard input."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(requests, "rb"), os.fdopen(replies, "wb", buffering=0)


def _answer(handler: Handler, request_id: int, fields: Fields, body: bytes) -> bytes:
    try:
        answer, payload = handler(fields, body)
        return pack(request_id, {"ok": answer}, payload)
    except Exception as error:
        # Where it failed, but not what the exception says: its message may quote what a person said.
        frames = "".join(traceback.format_tb(error.__traceback__))
        print(f"{frames}{type(error).__name__}", file=sys.stderr, flush=True)
        return pack(request_id, {"error": type(error).__name__})


def _send(replies: BinaryIO, frame: bytes) -> None:
    view = memoryview(frame)
    while view:
        view = view[replies.write(view) :]


def _receive(requests: BinaryIO) -> tuple[int, Fields, bytes] | None:
    """Return the next request, or None when the parent has closed the pipe or is gone."""
    head = requests.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    request_id, length, size = unpack_head(head)
    encoded, body = requests.read(length), requests.read(size)
    if len(encoded) < length or len(body) < size:
        return None
    return request_id, unpack_fields(encoded), body
