"""What HAProxy's `agent-check` is told: a line to whoever connects, about how much there is still room for.

``ready up 73%`` is the share of the server's weight that counts; ``drain`` asks for no new clients. A server that is
full still says 1 %: it refuses sessions by itself, and the page is to be had all the same. ``ready`` takes back the
``drain`` of a process that had the port before. See "agent-check" in HAProxy's manual.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import trio

from voice_trio.config import Settings
from voice_trio.server.listening import listen
from voice_trio.server.sessions import Sessions

_ANSWER_S: Final = 1.0
"""How long one who connects has to take the line."""

_AT_ONCE: Final = 64
"""More are hung up on: a proxy has one connection for a moment, every other second."""


def said_of(sessions: Sessions) -> bytes:
    """Return the line about ``sessions``."""
    if sessions.leaving or sessions.draining:
        return b"drain\n"
    free = max(sessions.most - len(sessions), 0)
    return b"ready up %d%%\n" % max(100 * free // sessions.most, 1)


async def serve_agent(
    settings: Settings,
    port: int,
    sessions: Sessions,
    stopped: Callable[[], Awaitable[None]],
    task_status: trio.TaskStatus[None],
) -> None:
    """Tell whoever connects to ``port`` of ``sessions``, until ``stopped`` returns. Raises `CannotListen`.

    It asks for no token and speaks no TLS: whoever sets the port says who can reach it.
    """
    at = settings.model_copy(update={"port": port, "insecure": True})
    sockets = map(trio.socket.from_stdlib_socket, listen(at, "STREAM_AGENT_PORT"))
    listeners = [*map(trio.SocketListener, sockets)]
    here = trio.CapacityLimiter(_AT_ONCE)

    async def answer(stream: trio.SocketStream) -> None:
        with suppress(trio.WouldBlock, trio.BrokenResourceError), trio.move_on_after(_ANSWER_S):
            here.acquire_nowait()
            try:
                await stream.send_all(said_of(sessions))
                await stream.send_eof()
                # What was sent to us is read, or closing would reset the connection and destroy the line.
                while await stream.receive_some():
                    pass
            finally:
                here.release()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, answer, listeners)
        task_status.started()
        await stopped()
        nursery.cancel_scope.cancel()
