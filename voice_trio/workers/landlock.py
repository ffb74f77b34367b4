"""Landlock, where the kernel has it (Linux 5.13 and later): which files a process reaches, and whom it can signal.

It asks no privilege, and what it takes away does not come back. See the kernel's
Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls, of these numbers on every machine."""
_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3

_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""Version -> how many rights on files it knows; the lowest bits of a mask."""
_NET_SINCE, _NET_RIGHTS = 4, 0b11
"""Binding and connecting by TCP."""
_SCOPES_SINCE, _SCOPES = 6, 0b11
"""Connecting to abstract sockets, and signalling, outside of what is confined."""


def restrict(readable: Path | None) -> None:
    """Leave this thread, and what it starts, no file and no signal to others; ``readable`` is a folder it may read.

    Needs PR_SET_NO_NEW_PRIVS. Raises `OSError` where the kernel has no Landlock.
    """
    if sys.platform != "linux":
        raise OSError("there is no Landlock here")
    version = _syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    attributes = struct.pack(
        "=QQQ",
        (1 << max(count for since, count in _FILE_RIGHTS.items() if since <= version)) - 1,
        _NET_RIGHTS if version >= _NET_SINCE else 0,
        _SCOPES if version >= _SCOPES_SINCE else 0,
    )
    ruleset = _syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    try:
        if readable is not None:
            folder = os.open(readable, os.O_PATH | os.O_CLOEXEC)
            try:
                rule = struct.pack("=Qi", _READ_FILE | _READ_DIR, folder)
                _syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
            finally:
                os.close(folder)
        _syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _syscall(number: int, *arguments: object) -> int:
    result: int = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
