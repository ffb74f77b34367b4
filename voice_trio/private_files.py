"""Files that nobody else may read: what people said, in words and in voices.

A folder of ours is made for its owner alone, and so is each file in it. One that is there already is tightened where
it is ours to tighten, and refused where it is not: another user's, or a name that leads away from where we look. What
lies above the folder is its owner's business.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import structlog

log = structlog.get_logger()

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class NotPrivate(OSError):
    """What is there cannot be made ours alone; ``strerror`` is the reason, in the middle of a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(None, reason)


def make_folder(folder: Path) -> None:
    """Make ``folder``, if it is missing, and let nobody else change what is in it.

    Raises `NotPrivate`, and `OSError` where it cannot be made.
    """
    if folder.is_symlink() and not folder.exists():
        raise NotPrivate(f"it is a link to {os.readlink(folder)}, where there is nothing")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid not in (os.geteuid(), 0):
        raise NotPrivate(f"the folder belongs to another user (id {found.st_uid})")
    if not found.st_mode & _OTHERS_WRITE:
        return
    # A folder that everybody may use by intention, /tmp for one, is not ours to close.
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX:
        raise NotPrivate("others may write to that folder (a new folder inside it will do)")
    folder.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS_WRITE)
    log.warning("others could write to a folder of ours, and cannot any more", folder=str(folder))


def make_file(path: Path) -> None:
    """Make the file ``path``, if it is missing, as `tighten` leaves it. Raises `NotPrivate` and `OSError`."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        tighten(path)


def tighten(path: Path) -> None:
    """Let nobody else read the file ``path``; where there is none, do nothing. Raises `NotPrivate` and `OSError`.

    It is never opened: a pipe would keep us waiting, and closing a file drops the locks that this process has on it.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise NotPrivate(f"{path.name} is a link to {os.readlink(path)} (the file itself must be there)")
    if not stat.S_ISREG(found.st_mode):
        raise NotPrivate(f"{path.name} is {_kind(found.st_mode)}, not a file")
    if found.st_uid != os.geteuid():
        raise NotPrivate(f"{path.name} belongs to another user (id {found.st_uid})")
    if found.st_nlink > 1:
        raise NotPrivate(f"{path.name} is also found under another name (a hard link)")
    if found.st_mode & _OTHERS:
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
        log.warning("others could use a file of ours, and cannot any more", file=str(path))


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
