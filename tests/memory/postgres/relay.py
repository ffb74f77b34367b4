"""What stands between a server and its PostgreSQL, and cuts them off at the worst moment."""

from contextlib import asynccontextmanager

import trio


class Relay:
    """Passes everything on, until it is told to lose the answers."""

    def __init__(self, port):
        self._to = port
        self._scopes = set()
        self._listening = trio.CancelScope()
        self.port = 0
        self.connections = 0
        self.is_deaf = False
        """Whether what PostgreSQL says does not come back; what it is told still gets there."""
        self.answered = trio.Event()
        """Set when it has said something that did not come back."""

    async def serve(self, task_status):
        with self._listening:
            async with trio.open_nursery() as nursery:
                [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
                self.port = listener.socket.getsockname()[1]
                task_status.started()
                await trio.serve_listeners(self._relay, [listener], handler_nursery=nursery)

    def cut(self):
        """End all connections there are."""
        for scope in self._scopes:
            scope.cancel()

    def close(self):
        """Let nobody in any more, either."""
        self._listening.cancel()

    async def _relay(self, near):
        self.connections += 1
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            async with near, await trio.open_tcp_stream("127.0.0.1", self._to) as far, trio.open_nursery() as nursery:
                nursery.start_soon(self._pass_on, near, far, scope)
                nursery.start_soon(self._pass_on, far, near, scope)
        self._scopes.discard(scope)

    async def _pass_on(self, one, other, scope):
        is_answer = one.socket.getpeername()[1] == self._to
        try:
            async for data in one:
                if is_answer and self.is_deaf:
                    self.answered.set()
                else:
                    await other.send_all(data)
        except trio.BrokenResourceError:
            pass
        scope.cancel()


@asynccontextmanager
async def relay_to(port):
    relay = Relay(port)
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.serve)
        yield relay
        relay.close()
