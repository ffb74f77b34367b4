"""A WebSocket by hand, for clients that do not do as they should."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import trio
from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode

from voice_trio.core import messages as m
from voice_trio.wire import native

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
)
"""A handshake but for the empty line that ends it."""


def frame(opcode: int, payload: bytes = b"", first: int = 0x80) -> bytes:
    """Return a masked frame; ``first`` are the upper bits of its first byte."""
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", first | opcode, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack(">BBH", first | opcode, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", first | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


def spelled(command: m.Command) -> bytes:
    """Return the frame of ``command``."""
    data = native.encode_command(command)
    return frame(Opcode.BINARY, data) if isinstance(data, bytes) else frame(Opcode.TEXT, data.encode())


class Refused(Exception):
    """The server did not take the session."""


class NoRoom(Refused):
    """It has no room for a session now."""


@dataclass
class RawSession:
    """A session whose client sends what it likes, and reads when it likes."""

    stream: trio.SocketStream
    heard: list[m.Event] = field(default_factory=list)
    end: str | None = None
    """How the server ended it: ``closed CODE REASON``, ``ended`` without a close, or ``cut off``."""
    _frames: FrameProtocol = field(default_factory=lambda: FrameProtocol(client=True, extensions=[]))
    _text: str = ""

    async def send(self, data: bytes) -> bool:
        """Send bytes; False if the connection is no more."""
        try:
            await self.stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return True

    async def ask(self, *commands: m.Command) -> bool:
        """Send ``commands``, each in a frame of its own."""
        return await self.send(b"".join(map(spelled, commands)))

    async def hear(self, seconds: float, enough: Callable[[m.Event], bool] = lambda event: False) -> None:
        """Read until an event is ``enough``, the server ends it, or ``seconds`` have passed. Answers no ping."""
        with trio.move_on_after(seconds):
            while self.end is None:
                # One event at a time: those behind it wait in the protocol's buffer.
                for event in self._read():
                    self.heard.append(event)
                    if enough(event):
                        return
                if self.end is None:
                    await self._receive()

    async def _receive(self) -> None:
        try:
            data = await self.stream.receive_some()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.end = "cut off"
            return
        if data:
            self._frames.receive_bytes(data)
        else:
            self.end = "ended"

    def _read(self) -> Iterator[m.Event]:
        for part in self._frames.received_frames():
            if part.opcode is Opcode.CLOSE:
                assert isinstance(part.payload, tuple)
                code, reason = part.payload
                name = code.value if isinstance(code, CloseReason) else code
                self.end = f"closed {name} {reason or ''}".rstrip()
                return
            event = None
            if part.opcode is Opcode.TEXT:
                assert isinstance(part.payload, str)
                self._text += part.payload
                if part.message_finished:
                    event, self._text = native.decode_event(self._text), ""
            if event is not None:
                yield event


async def read_head(stream: trio.SocketStream) -> bytes:
    """Return the head of an HTTP answer, or what there was of it: by the byte, so that nothing behind it is read."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = await stream.receive_some(1)
        if not byte:
            break
        head += byte
    return head


@asynccontextmanager
async def raw_session(
    url: str, token: str | None = None, *, receive_buffer: int | None = None
) -> AsyncIterator[RawSession]:
    """Open a session with the server at ``url`` (``ws://host:port/ws``). Raises `Refused`, and `OSError`."""
    parts = urlsplit(url)
    if parts.scheme != "ws" or not parts.hostname:
        raise Refused(f"{url} is no address of the form ws://host:port/ws")
    stream = trio.SocketStream(trio.socket.socket())
    async with stream:
        if receive_buffer is not None:
            stream.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, receive_buffer)
        await stream.socket.connect((parts.hostname, parts.port or 80))
        bearer = b"" if token is None else b"Authorization: Bearer " + token.encode() + b"\r\n"
        await stream.send_all(UPGRADE.replace(b"/ws", (parts.path or "/ws").encode(), 1) + bearer + b"\r\n")
        head = await read_head(stream)
        status = head.split(b"\r\n")[0].decode(errors="replace")
        if " 101 " not in status:
            why = f"{url} refused the session: {status or 'it closed'}"
            raise NoRoom(why) if " 503 " in status else Refused(why)
        with suppress(trio.BrokenResourceError):
            yield RawSession(stream)
