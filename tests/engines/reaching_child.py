"""A process that gives up its reach as a worker does, then reaches for what it should not.

    reaching_child.py [--as-nobody] [--guarded] [--free | --without BELT | --readable FOLDER] OUTSIDE

The parent is what a server is to its worker: of the same user, with a secret in its memory. The child confines itself
and tries all of `attempts`; a line of JSON says what came of it, {"belts": [...], "wrong": [names]}.
OUTSIDE is a folder with a file "file" in it, both for everyone to write.
"""

import argparse
import ctypes
import json
import mmap
import os
import platform
import resource
import signal
import socket
import sys
import threading
from pathlib import Path

from voice_trio.workers import confinement, landlock, seccomp

LIBC = ctypes.CDLL(None, use_errno=True)
SECRET = ctypes.create_string_buffer(b"parents-secret-token")
NOBODY = 65_534
X86 = platform.machine() == "x86_64"


def call(name, *arguments):
    """Call a function of the C library, and fail as it does."""
    LIBC[name].restype = ctypes.c_long
    result = LIBC[name](*[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result


def system_call(x86_64, arm64, *arguments):
    return call("syscall", x86_64 if X86 else arm64, *arguments)


class Piece(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))


def pieces(start):
    return ctypes.byref(Piece(start, len(SECRET)))


def abstract_socket():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("\0nobody-listens")


def writable_then_executable():
    return call("mprotect", call("mmap", 0, 4096, 3, 0x22, -1, 0), 4096, 5)


def attempts(parent, outside):
    """Return what is tried, by name: every one of them fails in a process that is held."""
    file, other = bytes(outside / "file"), bytes(outside / "other")
    local = ctypes.create_string_buffer(4096)
    path = ctypes.c_char_p(file)
    room = ctypes.addressof(local)
    return {
        "read the parent's memory": lambda: call(
            "process_vm_readv", parent, pieces(room), 1, pieces(ctypes.addressof(SECRET)), 1, 0
        ),
        "write the parent's memory": lambda: call(
            "process_vm_writev", parent, pieces(room), 1, pieces(ctypes.addressof(SECRET)), 1, 0
        ),
        "open the parent's memory": lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY),
        "read the parent's environment": lambda: os.open(f"/proc/{parent}/environ", os.O_RDONLY),
        "trace the parent": lambda: call("ptrace", 16, parent, 0, 0),
        "signal the parent": lambda: os.kill(parent, 0),
        "signal its group": lambda: os.killpg(os.getpgid(0), signal.SIGCONT),
        "queue a signal to the parent": lambda: call("sigqueue", parent, 0, 0),
        "signal a thread of the parent": lambda: system_call(234, 131, parent, parent, 0),
        "hold the parent": lambda: system_call(434, 434, parent, 0),
        "limit the parent": lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE),
        "limit itself otherwise": lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)),
        "slow the parent": lambda: os.setpriority(os.PRIO_PROCESS, parent, 10),
        "move the parent": lambda: os.sched_setaffinity(parent, {0}),
        "be told to the parent": lambda: call("fcntl", 0, 8, parent),
        "read a file": lambda: os.open(file, os.O_RDONLY),
        "write a file": lambda: os.open(file, os.O_WRONLY),
        "make a file": lambda: os.open(other, os.O_RDWR | os.O_CREAT),
        "make a file without a name": lambda: os.open(outside, os.O_WRONLY | os.O_TMPFILE),
        "rename a file": lambda: os.rename(file, other),
        "link a file": lambda: os.link(file, other),
        "link to a file": lambda: os.symlink(file, other),
        "shorten a file": lambda: os.truncate(file, 0),
        "change a file's mode": lambda: os.chmod(file, 0o600),
        "change a file's owner": lambda: os.chown(file, os.getuid(), -1),
        "change a file's times": lambda: os.utime(file),
        "give a file an attribute": lambda: os.setxattr(file, "user.a", b"b"),
        "open a file by its handle": lambda: system_call(303, 264, -100, path, local, room + 200, 0),
        "make a folder": lambda: os.mkdir(other),
        "make a pipe with a name": lambda: os.mkfifo(other),
        "list a folder": lambda: os.listdir(outside),
        "change folder": lambda: os.chdir(outside),
        "change root": lambda: os.chroot(outside),
        "watch a folder": lambda: call("inotify_init"),
        "delete a file": lambda: os.unlink(file),
        "open a socket": socket.socket,
        "open a pair of sockets": socket.socketpair,
        "connect to an abstract socket": abstract_socket,
        "open a pipe": os.pipe,
        "copy a descriptor": lambda: os.dup(1),
        "make a file in memory": lambda: os.memfd_create("a"),
        "share memory": lambda: call("shmctl", call("shmget", 0, 4096, 0o1600), 0, 0),
        "send messages": lambda: call("msgctl", call("msgget", 0, 0o1600), 0, 0),
        "ask for keys": lambda: system_call(250, 219, 0, -3, 1),
        "use a ring": lambda: system_call(425, 425, 1, local),
        "load a program into the kernel": lambda: system_call(321, 280, 0, local, 72),
        "handle page faults": lambda: system_call(323, 282, 1),
        "count events": lambda: system_call(298, 241, local, 0, -1, -1, 0),
        "start a process": os.fork,
        "start a thread": lambda: threading.Thread(target=int).start(),
        "become another program": lambda: os.execv("/bin/true", ["true"]),
        "become an open program": lambda: system_call(322, 281, 0, b"", None, None, 0x1000),
        "run new memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
        "run written memory": writable_then_executable,
        "have memory run that is read": lambda: call("personality", 0x0400000),
        "have namespaces": lambda: call("unshare", 0x10000000),
        "change user": lambda: os.setresuid(1, 1, 1),
        "be dumpable": lambda: call("prctl", 4, 1, 0, 0, 0),
        "filter its own calls": lambda: system_call(317, 277, 2, 0, local),
    }


def readings(readable, outside):
    """Return what is tried by who may read a folder, by name, each with whether it is allowed."""
    return {
        "read what is readable": (lambda: readable.joinpath("file").read_bytes(), True),
        "list what is readable": (lambda: os.listdir(readable), True),
        "write what is readable": (lambda: os.open(readable / "file", os.O_WRONLY), False),
        "append to what is readable": (
            lambda: os.open(readable / "file", os.O_RDONLY | os.O_APPEND | os.O_CREAT),
            False,
        ),
        "shorten what is readable": (lambda: os.open(readable / "file", os.O_RDONLY | os.O_TRUNC), False),
        "leave what is readable": (lambda: os.open(readable / ".." / outside.name / "file", os.O_RDONLY), False),
    }


def works(attempt):
    try:
        attempt()
    except (OSError, RuntimeError, ValueError):
        # RuntimeError and ValueError are what `threading` and `resource` make of EPERM.
        return False
    return True


def works_apart(attempt, outside):
    """Return the same of an attempt that may be the end of who makes it, or of what the next one needs."""
    file, other = outside / "file", outside / "other"
    if other.is_dir():
        other.rmdir()
    for path in (file, other):
        path.unlink(missing_ok=True)
    file.touch()
    child = os.fork()
    if child == 0:
        os._exit(0 if works(attempt) else 1)
    return os.waitpid(child, 0)[1] == 0


def missing(*arguments):
    raise OSError("this kernel has none")


LANDLOCKED = (
    "read a file",
    "write a file",
    "make a file",
    "rename a file",
    "link to a file",
    "delete a file",
    "make a folder",
    "make a pipe with a name",
    "list a folder",
)
"""What no version of Landlock lets through."""


def report(options, parent):
    tried = {name: (attempt, False) for name, attempt in attempts(parent, options.outside).items()}
    if options.free:
        return {"belts": [], "allowed": [name for name in tried if works_apart(tried[name][0], options.outside)]}
    if options.without == confinement.CALLS:
        seccomp.restrict = missing
        tried = {name: tried[name] for name in LANDLOCKED}
    if options.without == confinement.FILES:
        landlock.restrict = missing
    limits = dict(confinement.NOTHING)
    if options.readable is not None:
        limits[resource.RLIMIT_NOFILE] = 32
        tried |= readings(options.readable, options.outside)
    belts = confinement.confine(limits, readable=options.readable)
    return {
        "belts": belts,
        "wrong": [name for name, (attempt, allowed) in tried.items() if works(attempt) is not allowed],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--as-nobody", action="store_true")
    parser.add_argument("--free", action="store_true", help="give nothing up, and say what is allowed then")
    parser.add_argument("--guarded", action="store_true", help="guard the parent's memory")
    parser.add_argument("--readable", type=Path)
    parser.add_argument("--without", choices=confinement.BELTS)
    parser.add_argument("outside", type=Path)
    options = parser.parse_args()
    if options.as_nobody:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        # As a process is that began as an ordinary user's.
        call("prctl", 4, 1, 0, 0, 0)
    if options.guarded:
        assert confinement.guard_memory()
    parent = os.getpid()
    answers, words = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(answers)
        ctypes.memset(SECRET, 0, len(SECRET))
        os.write(words, json.dumps(report(options, parent)).encode())
        os._exit(0)
    os.close(words)
    with open(answers, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    sys.stdout.write(said.decode())


main()
