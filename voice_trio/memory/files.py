"""The files of a database, and whether they are still those that were opened.

One look costs four calls of the kernel, which is nothing beside the sync of a commit.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

SUFFIXES = ("-wal", "-shm", "-journal")
"""What SQLite names its other files by; the last one is there in a transaction only."""

_LASTING = ("", "-wal", "-shm")
"""The files that stay for as long as a connection is open, where the file system can share memory."""


class _Look(NamedTuple):
    which: tuple[tuple[int, int] | None, ...]
    """Device and inode of each file that stays."""
    content: tuple[int, int] | None
    """Size and time of the last change of the database itself."""


class Files:
    """The files of the database at ``path``, which was just opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._look()
        shared = _stat(self._name("-shm"))
        self._shared_bytes = 0 if shared is None else shared.st_size

    def note(self) -> None:
        """Take what is there for ours: nobody but us has been at it since it was last looked at."""
        self._known = self._known._replace(content=self._look().content)

    def replaced(self) -> bool:
        """Return whether any of the files is another one, or gone: what is written to ours will not be found."""
        return self._look().which != self._known.which

    def elsewhere(self) -> bool:
        """Return whether the database itself is another one, or gone."""
        return self._look().which[0] != self._known.which[0]

    def touched(self) -> bool:
        """Return whether another process wrote into the database: what is remembered of its pages may not hold."""
        return self._look().content != self._known.content

    def mend(self) -> None:
        """Give the shared memory its length back, if it was cut: to read beyond its end would kill the process.

        SQLite takes the zeros for an index that was never made, and makes it anew from the log.
        """
        found = _stat(self._name("-shm"))
        if found is not None and found.st_size < self._shared_bytes:
            with suppress(OSError):
                os.truncate(self._name("-shm"), self._shared_bytes)

    def discard_log(self) -> None:
        """Delete the log and the shared memory of a database that is not at its place any more.

        SQLite would take them for those of the database that is there instead.
        """
        if self.elsewhere():
            for suffix, there, ours in zip(_LASTING, self._look().which, self._known.which, strict=True):
                if there is not None and there == ours:
                    with suppress(OSError):
                        os.unlink(self._name(suffix))

    def _look(self) -> _Look:
        stats = [_stat(self._name(suffix)) for suffix in _LASTING]
        return _Look(
            which=tuple(None if found is None else (found.st_dev, found.st_ino) for found in stats),
            content=None if stats[0] is None else (stats[0].st_size, stats[0].st_mtime_ns),
        )

    def _name(self, suffix: str) -> str:
        return f"{self._path}{suffix}"


def _stat(name: str) -> os.stat_result | None:
    try:
        return os.stat(name)
    except OSError:
        # Whatever keeps us from looking keeps everybody else from finding it.
        return None
