"""A far end that costs next to nothing, in a process of its own: what is left is the way there and back.

It answers each transcription with the same words, or not at all, and writes lines of JSON: its port, and then, for each
that it does not answer, when it had come and when its client left, by `time.monotonic`, which is the same for all
processes.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from functools import partial

import h11
import trio

WORDS = "It is noon."


def _tell(said: float) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


async def _answer(stream: trio.SocketStream, *, hangs: bool) -> None:
    body = json.dumps({"text": WORDS}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    http = h11.Connection(h11.SERVER)
    async with stream:
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await stream.receive_some())
            elif isinstance(event, h11.EndOfMessage):
                if hangs:
                    _tell(time.monotonic())
                    with suppress(trio.BrokenResourceError):
                        await stream.receive_some()
                    _tell(time.monotonic())
                    return
                head = http.send(h11.Response(status_code=200, headers=headers)) or b""
                await stream.send_all(head + (http.send(h11.Data(data=body)) or b""))
                http.send(h11.EndOfMessage())
                http.start_next_cycle()
            elif isinstance(event, h11.ConnectionClosed):
                return


async def serve(*, hangs: bool) -> None:
    """Answer on a free port of loopback until standard input ends."""
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        _tell(listeners[0].socket.getsockname()[1])
        nursery.start_soon(trio.serve_listeners, partial(_answer, hangs=hangs), listeners)
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(partial(serve, hangs=sys.argv[1:] == ["--hang"]))
