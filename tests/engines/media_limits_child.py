"""A decoder's process in which something else than decoding is tried: whatever the kind of the recording names."""

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from voice_trio.engines import media_child
from voice_trio.workers.main import serve

media_child.CPU_S = 1


def spin():
    while True:
        pass


ATTEMPTS: dict[str, Callable[[], object]] = {
    "read a file": lambda: os.open("/etc/hosts", os.O_RDONLY),
    "write a file": lambda: os.open("/dev/null", os.O_WRONLY),
    "open a socket": socket.socket,
    "start a process": lambda: subprocess.run([sys.executable, "-V"]),
    "duplicate a pipe": lambda: os.dup(0),
    "take much memory": lambda: bytearray(1 << 30),
    "compute for long": spin,
    "sleep": lambda: time.sleep(60),
    # A process that may send no signal can still follow a wrong pointer.
    "die": lambda: ctypes.string_at(0),
}


def load():
    info, decode = media_child.load()

    def handle(fields, body):
        if fields["kind"] not in ATTEMPTS:
            return decode(fields, body)
        try:
            ATTEMPTS[fields["kind"]]()
        except (OSError, MemoryError) as error:
            return {"refused": type(error).__name__}, b""
        return {"cut": False}, b"it worked"

    return info, handle


serve(load)
