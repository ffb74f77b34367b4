"""What a worker process gives up before it reads untrusted bytes, and what the server keeps from other processes.

A library that reads untrusted bytes may have a fault by which their sender takes the process over. So once all is
loaded, the process gives up, for good, what its work does not need. There are several belts, since not every kernel
has each, and what one lets through another holds. A belt that cannot be had is left out and said (`confine` returns
those that hold, ``voice-trio doctor`` prints them): a server on an old kernel is better than none.

Namespaces of its own would need to be allowed by the kernel's settings and by the container, and would add nothing to
a list of system calls that has none to name a file, a process or a socket. PR_SET_PDEATHSIG means the *thread* that
started the process, and those of Trio end when they are idle; a child whose parent is gone reads the end of its pipe.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from voice_trio.workers import landlock, seccomp

LIMITS: Final = "resource limits"
PRIVILEGES: Final = "no privileges"
FILES: Final = "Landlock"
CALLS: Final = "seccomp"
BELTS: Final = (LIMITS, PRIVILEGES, FILES, CALLS)

NOTHING: Final = {
    resource.RLIMIT_NOFILE: 0,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NPROC: 0,
    resource.RLIMIT_CORE: 0,
}
"""Limits for a process that opens no file, no socket and no process. What is open stays open."""

_SET_DUMPABLE, _SET_NO_NEW_PRIVS = 4, 38
"""prctl(2)"""
_CAPABILITIES_V3: Final = 0x20080522
_DAC_READ_SEARCH: Final = 1 << 2
"""Root reads files of others by it."""


def confine(limits: Mapping[int, int], *, readable: Path | None = None) -> list[str]:
    """Give up, for good, all but computing, answering, and reading below ``readable``; return the belts that hold.

    ``limits`` are those of `resource`. To be called when everything is loaded and the process has one thread.
    """
    holding = [LIMITS]
    if sys.platform == "linux":
        _prctl(_SET_NO_NEW_PRIVS, 1)
        with suppress(OSError):
            landlock.restrict(readable)
            holding.append(FILES)
        with suppress(OSError):
            _drop_capabilities(keep=0 if readable is None else _DAC_READ_SEARCH)
            holding.append(PRIVILEGES)
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    with suppress(OSError):
        seccomp.restrict(seccomp.COMPUTING if readable is None else seccomp.COMPUTING | seccomp.READING)
        holding.append(CALLS)
    return [belt for belt in BELTS if belt in holding]


def guard_memory() -> bool:
    """Let no process of the same user read this one's memory and environment, and no core dump keep them.

    Root still can. Debuggers of the same user cannot attach either, and the process's files under /proc are root's.
    Return whether it could be done.
    """
    if sys.platform != "linux":
        return False
    try:
        _prctl(_SET_DUMPABLE, 0)
    except OSError:
        return False
    return True


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # The call takes longs, and some options want the rest to be 0.
    if libc.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _drop_capabilities(*, keep: int) -> None:
    """Give up what root can do beyond its own files; an ordinary user has none of it."""
    libc = ctypes.CDLL(None, use_errno=True)
    head = struct.pack("=Ii", _CAPABILITIES_V3, 0)
    data = ctypes.create_string_buffer(24)
    if not libc.capget(head, data):
        # Effective, permitted, inheritable: the lower 32 of each, then the upper.
        _, permitted, *_ = struct.unpack("=6I", data.raw)
        if not libc.capset(head, struct.pack("=6I", permitted & keep, permitted & keep, 0, 0, 0, 0)):
            return
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))
