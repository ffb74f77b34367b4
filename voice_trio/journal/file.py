"""How a file spells a session log, one JSON object a line, a header first; and one on its way to the disk.

What stands in a line is held against the types of `voice_trio.journal.entries`, to the letter: anybody may have written
it, and a reader looks at none of it again.

The disk may be slow, full or broken, and must not be felt in the session.

Lines wait in a bounded queue, which a task empties ten times a second, in a thread: a write takes 3 us, but now and
then 8 ms, and on a bad disk for ever. Whatever goes wrong ends the session log with one line in the log, nothing else.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import structlog
import trio
from pydantic import Field, TypeAdapter, ValidationError

from voice_trio.journal.entries import Entry, Header, Stopped

log = structlog.get_logger()

LONGEST_BYTES: Final = 64 * 2**20
"""Of one session log: some twenty minutes of talking without a pause."""

QUEUE_BYTES: Final = 4 * 2**20
"""What may wait for the disk."""

LEAST_FREE_BYTES: Final = 2**30
"""What is left free for what matters more: on a full disk no turn would be remembered."""

_EVERY_S = 0.1
_LAST_WORDS_S = 1.0
"""How long a session that is over may take to write what is queued."""


_ENTRY: Final[TypeAdapter[Header | Entry]] = TypeAdapter(Annotated[Header | Entry, Field(discriminator="kind")])
_KINDS: Final[dict[type, TypeAdapter[Any]]] = {kind: TypeAdapter(kind) for kind in get_args(Header | Entry)}


class NotAnEntry(Exception):
    """A line is no entry of a session log; the message says why."""


def spell(entry: Header | Entry) -> bytes:
    """Return ``entry`` as a line."""
    return _KINDS[type(entry)].dump_json(entry, exclude_none=True) + b"\n"


def entry_in(line: bytes) -> Header | Entry:
    """Return the entry in ``line``. Raises `NotAnEntry`."""
    try:
        return _ENTRY.validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"])
        raise NotAnEntry(f"{place}: {first['msg']}" if place else first["msg"]) from None


class SessionLogFile:
    """One session log, in a new file at ``path``. It takes entries while `keep` is open."""

    def __init__(self, path: Path, *, one_thread: trio.CapacityLimiter, longest_bytes: int = LONGEST_BYTES) -> None:
        """``one_thread`` is shared by all who write to the same disk."""
        self._path = path
        self._one_thread = one_thread
        self._longest_bytes = longest_bytes
        self._queue: deque[bytes] = deque()
        self._noted_bytes = 0
        self._written_bytes = 0
        """Changed by the thread alone, as `_noted_bytes` is by the event loop alone."""
        self._arrivals = trio.Event()
        self._stopped = False
        self._file: int | None = None

    def note(self, entry: Header | Entry) -> None:
        """Take ``entry``. Never waits, never raises."""
        if self._stopped:
            return
        try:
            line = spell(entry)
        except Exception as error:
            # None that we know of; but a session must not end because of its log.
            self._stop(f"{entry.kind} cannot be spelled: {type(error).__name__}")
            return
        if self._noted_bytes + len(line) > self._longest_bytes:
            why = f"it is {self._longest_bytes / 2**20:g} MiB long"
            self._stop(why)
            line = b"" if isinstance(entry, Header) else spell(Stopped(at=entry.at, why=why))
        elif self._noted_bytes - self._written_bytes + len(line) > QUEUE_BYTES:
            self._stop("the disk is too slow")
            return
        self._noted_bytes += len(line)
        self._queue.append(line)
        self._arrivals.set()

    @asynccontextmanager
    async def keep(self) -> AsyncIterator[None]:
        """Write what is noted meanwhile."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write_often)
            try:
                yield
            finally:
                with trio.move_on_after(_LAST_WORDS_S, shield=True) as limit:
                    await self._in_thread(self._finish)
                if limit.cancelled_caught:
                    self._stop("the disk is too slow")
                nursery.cancel_scope.cancel()

    async def _write_often(self) -> None:
        while True:
            await self._arrivals.wait()
            self._arrivals = trio.Event()
            await self._in_thread(self._write)
            await trio.sleep(_EVERY_S)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        try:
            # Cancelling leaves the thread to itself; it has the place to itself until it is done, too.
            await trio.to_thread.run_sync(work, limiter=self._one_thread, abandon_on_cancel=True)
        except OSError as error:
            self._stop(error.strerror or type(error).__name__)

    def _stop(self, why: str) -> None:
        if not self._stopped:
            self._stopped = True
            log.warning("a session log ends before its session does", file=str(self._path), reason=why)

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        lines = []
        while self._queue:
            lines.append(self._queue.popleft())
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        disk = os.fstatvfs(self._file)
        if disk.f_bavail * disk.f_frsize < LEAST_FREE_BYTES:
            raise OSError(errno.ENOSPC, f"less than {LEAST_FREE_BYTES / 2**30:g} GiB is free")
        rest = memoryview(b"".join(lines))
        while rest:
            written = os.write(self._file, rest)
            self._written_bytes += written
            rest = rest[written:]

    def _finish(self) -> None:
        try:
            if self._queue:
                self._write()
        finally:
            if self._file is not None:
                os.close(self._file)
                self._file = None
