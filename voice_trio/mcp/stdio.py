"""An MCP server that is a program: messages go through its standard input and output, one a line.

The official package has such a transport as well. This one holds no more of a line than `MOST_BYTES`, reads no faster
than messages can be meant, takes what the program writes to its standard error line by line, and says why the program
is gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio
import structlog
import trio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from voice_trio.mcp.base import MOST_BYTES, Lost
from voice_trio.mcp.config import Command

log = structlog.get_logger("voice_trio")

KEPT_VARIABLES: Final = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
)
"""What of our environment a program gets, as the official package gives it, with what says where and in which language
it runs. All others may hold keys."""

WRITE_S: Final = 30.0
"""How long a program may leave a message of ours unread."""
LAST_WORDS_S: Final = 1.0
"""How long is waited at most, at a program's end, for what it wrote before, and for its status."""
GRACE_S: Final = 2.0
"""How long a program may take to end, first when its input has, then when it is told to."""

LINES_AT_ONCE: Final = 200
PACE_S: Final = 0.1
"""So many lines, or as many times 8 KB, are read in no less time: whoever floods us waits, and takes no time from those
who talk."""

_READ_BYTES: Final = 65_536
_SHOWN: Final = 1000

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]
Kill = Callable[[], None]
"""Kills a program, and what it started."""


class Lines:
    """Reads a stream line by line, no faster than `PACE_S` lets it."""

    def __init__(self, stream: trio.abc.ReceiveStream, most: int, *, cut: bool) -> None:
        """With ``cut``, a line goes on as another after ``most`` bytes; else what is longer is an error."""
        self._stream = stream
        self._most = most
        self._cut = cut
        self._held = bytearray()
        self._searched = 0
        self._since = trio.current_time()
        self._lines = 0.0

    async def next(self) -> bytes | None:
        """Return the next line without its end, the last one too if it has none; None at the end. Raises `Lost`."""
        await self._wait()
        while (end := self._held.find(b"\n", self._searched)) < 0:
            self._searched = len(self._held)
            if self._searched > self._most:
                if self._cut:
                    return self._take(self._most, self._most)
                raise Lost(f"it wrote a message of more than {self._most // 1_000_000} MB")
            try:
                data = await self._stream.receive_some(_READ_BYTES)
            except trio.BrokenResourceError:
                data = b""
            if not data:
                return self._take(len(self._held), len(self._held)) if self._held else None
            self._held += data
        return self._take(end, end + 1)

    async def _wait(self) -> None:
        if self._lines >= LINES_AT_ONCE:
            await trio.sleep_until(self._since + PACE_S * self._lines / LINES_AT_ONCE)
            self._since, self._lines = trio.current_time(), 0.0

    def _take(self, length: int, with_end: int) -> bytes:
        self._lines += 1 + length / 8192
        line = bytes(self._held[:length])
        del self._held[:with_end]
        self._searched = 0
        return line


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program that is given ``own`` variables."""
    return {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | dict(own)


@asynccontextmanager
async def open_stdio(name: str, command: Command) -> AsyncIterator[tuple[Streams, Kill]]:
    """Start the program of server ``name``; yield what its session reads and writes, and what kills it.

    At the end it is gone.

    What ends it or the talk with it is raised in the block's place, in a group: `Lost`.
    """
    try:
        process = await trio.lowlevel.open_process(
            list(command.argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(command.env),
            cwd=command.cwd,
            # What it starts in turn ends with it.
            start_new_session=True,
        )
    except OSError as error:
        raise Lost(f"it cannot be started: {error.filename or command.argv[0]}: {error.strerror}") from error
    heard, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, said = anyio.create_memory_object_stream[SessionMessage](0)
    program = _Program(name, process)
    with heard, read, write, said:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(program.listen, heard)
                nursery.start_soon(program.speak, said)
                nursery.start_soon(program.complain)
                nursery.start_soon(program.watch)
                yield (read, write), program.kill
                nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await program.end()


class _Program:
    """A program that was started, and the four who have to do with it."""

    def __init__(self, name: str, process: trio.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._name = name
        self._process = process
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._last_words = ""
        self._silent = trio.Event()

    async def listen(self, heard: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
        """Read its messages; what is none is passed over. Raises `Lost` at the end of its output."""
        lines = Lines(self._stdout, MOST_BYTES, cut=False)
        while (line := await lines.next()) is not None:
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                log.debug("an MCP server wrote what is no message", server=self._name, line=shown(line))
                continue
            try:
                await heard.send(SessionMessage(message))
            except anyio.BrokenResourceError:
                return  # the session is over
        await self._gone("it closed its output")

    async def speak(self, said: MemoryObjectReceiveStream[SessionMessage]) -> None:
        """Write the session's messages to it. Raises `Lost` if it does not read them."""
        async for message in said:
            data = message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
            try:
                with trio.fail_after(WRITE_S):
                    await self._stdin.send_all(data)
            except trio.TooSlowError:
                raise Lost(f"it read nothing for {WRITE_S:g} s") from None
            except trio.BrokenResourceError:
                await self._gone("it closed its input")

    async def complain(self) -> None:
        """Log what it writes to its standard error."""
        lines = Lines(self._stderr, _SHOWN, cut=True)
        while (line := await lines.next()) is not None:
            if text := shown(line).strip():
                self._last_words = text
                log.debug("an MCP server says", server=self._name, line=text)
        self._silent.set()

    async def watch(self) -> None:
        """Notice its end, though what it started may still have its output open. Raises `Lost`."""
        await self._process.wait()
        await trio.sleep(LAST_WORDS_S)
        await self._gone("it ended")

    async def _gone(self, otherwise: str) -> None:
        with trio.move_on_after(LAST_WORDS_S):
            await self._process.wait()
            await self._silent.wait()
        status = self._process.returncode
        last = f": {self._last_words[:200]}" if self._last_words else ""
        raise Lost(f"{otherwise if status is None else _ended(status)}{last}")

    def kill(self) -> None:
        """Have it end at once: it, and what it started in its session."""
        self._signal(signal.SIGKILL)

    async def end(self) -> None:
        """Have it end, in at most a few seconds: it, and what it started in its session."""
        async with trio.open_nursery() as nursery:
            # One that cannot write does not come to read that it is over.
            nursery.start_soon(_drain, self._stdout)
            nursery.start_soon(_drain, self._stderr)
            await self._stdin.aclose()
            for number in (signal.SIGTERM, signal.SIGKILL):
                with trio.move_on_after(GRACE_S):
                    await self._process.wait()
                    break
                self._signal(number)
            with trio.move_on_after(GRACE_S):
                await self._process.wait()
            nursery.cancel_scope.cancel()
        self.kill()
        await self._stdout.aclose()
        await self._stderr.aclose()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


async def _drain(stream: trio.abc.ReceiveStream) -> None:
    with suppress(trio.BrokenResourceError):
        while await stream.receive_some(_READ_BYTES):
            pass


def _ended(status: int) -> str:
    if status >= 0:
        return f"it ended with status {status}"
    with suppress(ValueError):
        return f"it was ended by {signal.Signals(-status).name}"
    return f"it was ended by signal {-status}"


def shown(line: bytes) -> str:
    """Return a line of a program's as a log shows it: not all of it if it is long, and no character that acts."""
    text = line[:_SHOWN].decode(errors="replace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
