"""What the server tells whoever supervises it: systemd, or what else speaks the protocol of sd_notify(3).

The supervisor names a datagram socket in ``NOTIFY_SOCKET``. It learns when the server takes sessions and when it stops;
and, where it asks for that in ``WATCHDOG_USEC``, it is told in time that the event loop still turns. A server that does
not say so any more hangs, and is started anew.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

import structlog
import trio

log = structlog.get_logger()

_PINGS = 2
"""Within the time in which one has to come."""


class Supervisor:
    """Whoever started the server, if it wants to be told anything."""

    def __init__(self, environ: MutableMapping[str, str] | None = None) -> None:
        """Take what is meant for this process out of ``environ``, so that no process of ours takes it for its own."""
        given = os.environ if environ is None else environ
        self._address = given.pop("NOTIFY_SOCKET", "")
        watchdog_us, watched = given.pop("WATCHDOG_USEC", ""), given.pop("WATCHDOG_PID", str(os.getpid()))
        wanted = self._address and watchdog_us.isdecimal() and watched == str(os.getpid())
        self._ping_s = int(watchdog_us) / 1_000_000 / _PINGS if wanted else 0.0

    def ready(self) -> None:
        """The server takes sessions."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """It is about to let replies finish, and then to end."""
        self._tell("STOPPING=1")

    async def reassure(self) -> None:
        """Tell that the event loop turns, as often as it is asked for, until cancelled."""
        while self._ping_s:
            self._tell("WATCHDOG=1")
            await trio.sleep(self._ping_s)

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        # A name that begins with @ is no file, but one of Linux' own.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto(state.encode(), address)
        except OSError as error:
            log.warning("the supervisor cannot be told", state=state, reason=error.strerror)
            self._address = ""
