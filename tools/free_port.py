"""A port for a program that cannot be told to take any that is free."""

from __future__ import annotations

import random
import socket
from typing import Final

_PORTS: Final = range(20_000, 32_000)
"""Below those that systems give to who asks for any: until it is used, it is given to nobody else."""
_random = random.SystemRandom()


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    while True:
        port = _random.choice(_PORTS)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            # Somebody has it.
            continue
