"""A proxy that serves a whole server under a path.

It is what ``location /voice/ { proxy_pass http://127.0.0.1:8765/; }`` makes of nginx. Beside Host, which it hands on,
it knows nothing of what passes.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer

_PIECE = 65_536


@dataclass
class Proxy:
    """One that runs."""

    url: str
    """Of what is served, without a slash at its end."""
    asked: list[str] = field(default_factory=list)
    """Every path, without a query."""
    upgraded: list[socket.socket] = field(default_factory=list)
    """Both ends of each WebSocket."""
    is_down: bool = False
    """Whether it takes nothing more."""

    def cut(self) -> None:
        """Break every WebSocket, as a network does that is gone."""
        for one in self.upgraded:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.upgraded.clear()


@contextmanager
def under_a_path(port: int, path: str) -> Iterator[Proxy]:
    """Serve what listens at ``port`` under ``path``."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            if proxy.is_down:
                return
            while b"\r\n\r\n" not in head:
                piece = self.request.recv(_PIECE)
                if not piece:
                    return
                head += piece
            lines, _, rest = head.partition(b"\r\n\r\n")
            request, *headers = lines.split(b"\r\n")
            method, asked, version = request.split(b" ")
            proxy.asked.append(asked.partition(b"?")[0].decode())
            beyond = asked.removeprefix(path.encode())
            if asked == path.encode():
                self._answer(f"301 Moved Permanently\r\nLocation: {path}/")
            elif beyond == asked or not beyond.startswith(b"/"):
                self._answer("404 Not Found")
            else:
                is_upgrade = any(one.lower().startswith(b"upgrade:") for one in headers)
                if not is_upgrade:
                    # A request has a connection of its own, so that nothing but the first head has to be understood.
                    headers = [one for one in headers if not one.lower().startswith(b"connection:")]
                    headers.append(b"Connection: close")
                with socket.create_connection(("127.0.0.1", port)) as server:
                    if is_upgrade:
                        proxy.upgraded += [self.request, server]
                    server.sendall(b"\r\n".join([b" ".join([method, beyond, version]), *headers, b"", rest]))
                    there = threading.Thread(target=_pass_on, args=(self.request, server))
                    there.start()
                    _pass_on(server, self.request)
                    there.join()

        def _answer(self, said: str) -> None:
            self.request.sendall(f"HTTP/1.1 {said}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    class Server(ThreadingTCPServer):
        daemon_threads = False

    with Server(("127.0.0.1", 0), Handler) as listening:
        proxy = Proxy(f"http://127.0.0.1:{listening.server_address[1]}{path}")
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            listening.shutdown()
            thread.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
