"""Which live session has which conversation, and which process, where several use one data folder.

# Theory

Within a process a table says which session has it. Between processes each conversation is one byte of a file that is
always empty, at an offset drawn from its id, and the process that has it has a lock on that byte (POSIX advisory locks,
``fcntl``). The kernel drops the locks of a process with the process, so a kill -9 leaves none behind, nothing has to be
renewed, and nothing is ever written. Two ids share a byte with a chance of one in 2**62. Closing any descriptor of the
file drops all locks of the process: it is opened once, and only here.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path

import structlog

from voice_trio import private_files
from voice_trio.memory.base import CannotRemember, Holds

log = structlog.get_logger()

_TAKEN = (errno.EACCES, errno.EAGAIN)
"""What the kernel answers where another process has the lock."""


class Claims:
    """A conversation belongs to one live session at a time: two would remember each other's turns out of order."""

    def __init__(self, holds: Holds | None = None) -> None:
        """``holds`` keeps other processes away from what is claimed here; without it, there are none."""
        self._holders: dict[str, str] = {}
        self._holds = holds

    async def claim(self, conversation: str, session: str) -> bool:
        """Give ``conversation`` to ``session`` until it releases; False where another has it, in whatever process.

        Whoever reads what is remembered of one claims it first, or it might go on elsewhere in between. It takes a
        checkpoint only where a database has to be asked. Raises `StoreError` where that cannot be.
        """
        had = self.has(conversation, session)
        if self._holders.setdefault(conversation, session) != session:
            return False
        granted: bool | None = None
        try:
            granted = self._holds is None or await self._holds.hold(conversation)
        finally:
            # Where it was refused, it is lost; where nobody could tell, it is as it was.
            if (granted is False or (granted is None and not had)) and self.has(conversation, session):
                del self._holders[conversation]
        # Another task of the session may have asked as well, and given up, while this one waited.
        return granted and self._holders.setdefault(conversation, session) == session

    def has(self, conversation: str, session: str) -> bool:
        """Return whether ``session`` has claimed ``conversation``. Never waits."""
        return self._holders.get(conversation) == session

    def give_back(self, conversation: str, session: str) -> None:
        """Take ``conversation`` back from ``session``, if it has it. Never waits."""
        if self.has(conversation, session):
            del self._holders[conversation]
            if self._holds is not None:
                self._holds.let_go(conversation)

    def release(self, session: str) -> None:
        """Take back all that ``session`` has. Never waits."""
        for conversation in [key for key, holder in self._holders.items() if holder == session]:
            self.give_back(conversation, session)


class FileHolds:
    """What this process has by the file at ``path``; one object a process and path."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it if it is missing; raises `CannotRemember`."""
        self._path = path
        self._held: set[str] = set()
        self._works = True
        try:
            self._file = self._open()
        except OSError as error:
            raise CannotRemember(
                f"The conversations in {path.parent} cannot be kept apart from other servers': "
                f"{error.strerror or error}. Choose another folder with STREAM_DATA_DIR."
            ) from error

    def close(self) -> None:
        """Let go of everything."""
        self._held.clear()
        os.close(self._file)

    async def hold(self, conversation: str) -> bool:
        """Have ``conversation`` until it is let go, or the process ends; False where another process has it."""
        self._follow()
        if conversation not in self._held and self._lock(conversation):
            self._held.add(conversation)
        return conversation in self._held

    def let_go(self, conversation: str) -> None:
        """Leave ``conversation`` to others; one that is not held is no matter."""
        if conversation in self._held:
            self._held.discard(conversation)
            with suppress(OSError):
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _offset(conversation))

    def _open(self) -> int:
        private_files.make_folder(self._path.parent)
        private_files.make_file(self._path)
        return os.open(self._path, os.O_RDWR)

    def _follow(self) -> None:
        """Lock in another file what we have, if the file was deleted or replaced: that is where others look."""
        with suppress(OSError):
            if os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                return
        try:
            new = self._open()
        except OSError as error:
            log.warning("other servers cannot see what is in use", file=str(self._path), reason=error.strerror)
            return
        os.close(self._file)
        self._file = new
        self._held = {conversation for conversation in self._held if self._lock(conversation)}

    def _lock(self, conversation: str) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _offset(conversation))
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            if self._works:
                log.warning("this file system has no locks: let no other server use the folder", file=str(self._path))
            self._works = False
        return True


def _offset(conversation: str) -> int:
    digest = hashlib.blake2b(conversation.encode(errors="replace"), digest_size=8).digest()
    # A lock must end below 2**63.
    return int.from_bytes(digest, "big") >> 2
