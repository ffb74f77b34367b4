"""The list of system calls that a confined process may still make: a seccomp filter, for Linux on x86-64 and arm64.

What is not on the list is refused with EPERM and never carried out: opening and naming files, sockets, processes,
signals, other processes' memory, and whatever a later kernel comes to know. The filter is a BPF program as in the
kernel's Documentation/userspace-api/seccomp_filter.rst; libseccomp, which would write it, is no part of the wheels
that this project installs from.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import Final, NamedTuple

_NR, _ARCH, _ARGS = 0, 4, 16
"""Offsets in struct seccomp_data; every argument has 8 bytes, of which the lower 4 come first."""
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
"""BPF_LD|W|ABS, BPF_ALU|AND|K, BPF_JMP|JEQ|K, BPF_JMP|JGE|K, BPF_RET|K."""
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM
_X32: Final = 0x40000000
"""From here on x86-64 numbers the calls of another ABI."""
_SET_MODE_FILTER, _EVERY_THREAD = 1, 1

_FIOCLEX: Final = 0x5451
_PROT_EXEC: Final = 4
_NOT_FOR_READING: Final = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND
"""A file without a name, O_TMPFILE, has to be opened for writing."""


class Only(NamedTuple):
    """The calls of a kind that are allowed: those whose argument ``place``, from 0,, masked, equals ``value``."""

    place: int
    mask: int
    value: int


class Call(NamedTuple):
    """A system call's numbers; None where the machine has none."""

    x86_64: int | None
    arm64: int | None
    only: Only | None = None


COMPUTING: Final = {
    # What is open already: the pipes. Nothing can be added to them.
    "read": Call(0, 63),
    "readv": Call(19, 65),
    "write": Call(1, 64),
    "writev": Call(20, 66),
    "lseek": Call(8, 62),
    "fstat": Call(5, 80),
    "close": Call(3, 57),
    "ioctl": Call(16, 29, Only(1, 0xFFFFFFFF, _FIOCLEX)),
    # Memory of its own, never to be run as a program.
    "mmap": Call(9, 222, Only(2, _PROT_EXEC, 0)),
    "mprotect": Call(10, 226, Only(2, _PROT_EXEC, 0)),
    "munmap": Call(11, 215),
    "mremap": Call(25, 216),
    "madvise": Call(28, 233),
    "brk": Call(12, 214),
    # Its own signals, locks and end.
    "rt_sigaction": Call(13, 134),
    "rt_sigprocmask": Call(14, 135),
    "rt_sigreturn": Call(15, 139),
    "sigaltstack": Call(131, 132),
    "restart_syscall": Call(219, 128),
    "futex": Call(202, 98),
    "sched_yield": Call(24, 124),
    "sched_getaffinity": Call(204, 123),
    "getpid": Call(39, 172),
    "gettid": Call(186, 178),
    "exit": Call(60, 93),
    "exit_group": Call(231, 94),
    # Time and chance.
    "clock_gettime": Call(228, 113),
    "clock_getres": Call(229, 114),
    "clock_nanosleep": Call(230, 115),
    "nanosleep": Call(35, 101),
    "gettimeofday": Call(96, 169),
    "getrandom": Call(318, 278),
    "getrusage": Call(98, 165),
}
"""What it takes to compute: bytes in, bytes out, memory."""

READING: Final = {
    "open": Call(2, None, Only(1, _NOT_FOR_READING, 0)),
    "openat": Call(257, 56, Only(2, _NOT_FOR_READING, 0)),
    "stat": Call(4, None),
    "lstat": Call(6, None),
    "newfstatat": Call(262, 79),
    "access": Call(21, None),
    "faccessat": Call(269, 48),
    "getdents64": Call(217, 61),
    "pread64": Call(17, 67),
}
"""What it takes to read files as well."""


class _Machine(NamedTuple):
    arch: int
    """AUDIT_ARCH_*"""
    seccomp: int
    """The number of seccomp(2)."""


_MACHINES: Final = {"x86_64": _Machine(0xC000003E, 317), "aarch64": _Machine(0xC00000B7, 277)}


def program(machine: str, calls: dict[str, Call]) -> bytes:
    """Return the filter for ``machine``, "x86_64" or "aarch64", as the kernel's instructions of 8 bytes each."""
    steps: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, _MACHINES[machine].arch),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _NR),
    ]
    if machine == "x86_64":
        steps += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _REFUSE)]
    for call in calls.values():
        number = call.x86_64 if machine == "x86_64" else call.arm64
        if number is None:
            continue
        if call.only is None:
            steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
        else:
            steps += [
                (_EQUAL, 0, 5, number),
                (_LOAD, 0, 0, _ARGS + 8 * call.only.place),
                (_AND, 0, 0, call.only.mask),
                (_EQUAL, 0, 1, call.only.value),
                (_RETURN, 0, 0, _ALLOW),
                (_RETURN, 0, 0, _REFUSE),
            ]
    steps.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def restrict(calls: dict[str, Call]) -> None:
    """Allow every thread of this process nothing but ``calls``, for good.

    Needs PR_SET_NO_NEW_PRIVS. Raises `OSError` where the kernel or the machine has no such filter.
    """
    machine = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None:
        raise OSError(errno.ENOSYS, "no filter for this machine")
    steps = program(platform.machine(), calls)
    wanted = _Filter(len(steps) // 8, steps)
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.syscall(machine.seccomp, _SET_MODE_FILTER, _EVERY_THREAD, ctypes.byref(wanted))
    if done:
        # Above 0 it is a thread that has a filter of its own.
        raise OSError(ctypes.get_errno() if done < 0 else errno.EBUSY, "the filter is refused")
