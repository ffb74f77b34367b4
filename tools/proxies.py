"""HAProxy and nginx before servers of ours, each as the file in deploy/ has it, on free ports of loopback.

    async with haproxy(folder, [Behind(8765, agent_port=9765), Behind(8766, agent_port=9766)]) as proxy:
        async with connect(proxy.url) as client: ...

Only addresses, ports and places of files are others than in the file; with ``under_a_path``, or a ``certificate``, what
the file says for that is no comment any more.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from tools.free_port import free_port

DEPLOY: Final = Path(__file__).parent.parent / "deploy"

UNDER: Final = "/voice"
"""The path that both files have in their comments."""

_PORTS: Final = (8765, 8766)
"""Of the servers, in both files; an agent's is a thousand more."""

_CERTIFICATE: Final = {
    "haproxy": "/etc/haproxy/certs/voice.example.org.pem",
    "nginx": "/etc/nginx/certs/voice.example.org.pem",
}
"""Where their files have one, its key beside it."""

_START_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Behind:
    """A server that a proxy stands before, on loopback."""

    port: int
    agent_port: int


class Proxy:
    """One that runs."""

    def __init__(self, url: str, control: Path | None = None) -> None:
        self.url = url
        """Of the page, without a slash at its end."""
        self._control = control

    async def states(self) -> list[tuple[str, int]]:
        """Return, for each server, what HAProxy thinks of it (UP, DRAIN, DOWN and more) and its weight."""
        assert self._control is not None
        async with await trio.open_unix_socket(self._control) as stream:
            await stream.send_all(b"show stat\n")
            said = b"".join([data async for data in stream]).decode()
        head, *rows = [line.split(",") for line in said.removeprefix("# ").splitlines() if line]
        found = [dict(zip(head, row, strict=False)) for row in rows]
        return [(one["status"], int(one["weight"])) for one in found if one["svname"] in ("one", "two")]

    async def wait_until(self, state: Callable[[list[tuple[str, int]]], bool]) -> None:
        """Wait until what `states` returns is such a ``state``."""
        # HAProxy tells of no change, it has to be asked.
        while not state(await self.states()):  # noqa: ASYNC110
            await trio.sleep(0.05)


def haproxy_config(
    folder: Path, port: int, servers: Sequence[Behind], *, under_a_path: bool = False, certificate: Path | None = None
) -> str:
    """Return deploy/haproxy.cfg for these two ``servers``, listening at ``port``."""
    text = _with_servers((DEPLOY / "haproxy.cfg").read_text(), servers)
    if certificate is None:
        text = _replaced(text, "bind :80", f"bind 127.0.0.1:{port}")
    else:
        text = _replaced(text, "    bind :80\n", "")
        text = _replaced(
            text,
            f"    #   bind :443 ssl crt {_CERTIFICATE['haproxy']}",
            f"    bind 127.0.0.1:{port} ssl crt {certificate}",
        )
    text = _replaced(text, "/run/haproxy/voice-trio.sock", str(folder / "control"))
    return text.replace("    #   http-request", "    http-request") if under_a_path else text


def nginx_config(
    folder: Path, port: int, servers: Sequence[Behind], *, under_a_path: bool = False, certificate: Path | None = None
) -> str:
    """Return deploy/nginx.conf inside of what Debian has around it, for these two ``servers``, at ``port``."""
    site = _with_servers((DEPLOY / "nginx.conf").read_text(), servers)
    if certificate is None:
        site = _replaced(site, "listen 80;", f"listen 127.0.0.1:{port};")
    else:
        site = _replaced(site, "    listen 80;\n", "")
        site = _replaced(site, "    #   listen 443 ssl;", f"    listen 127.0.0.1:{port} ssl;")
        for line in ("ssl_certificate", "ssl_certificate_key"):
            site = _replaced(site, f"    #   {line} {_CERTIFICATE['nginx']};", f"    {line} {certificate};")
    if under_a_path:
        site = _replaced(site, "    location / {\n        proxy_pass http://voice_trio;\n", "")
        for line in ("location = /voice", "location /voice/", "    proxy_pass http://voice_trio/"):
            site = _replaced(site, f"    #   {line}", f"    {line}")
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"    {one}_temp_path {folder / one};\n" for one in places)
    return (
        f"daemon off;\nmaster_process off;\npid {folder / 'pid'};\nerror_log stderr;\nevents {{}}\n"
        f"http {{\n    access_log off;\n{temporary}{site}}}\n"
    )


@asynccontextmanager
async def haproxy(
    folder: Path, servers: Sequence[Behind], *, under_a_path: bool = False, certificate: Path | None = None
) -> AsyncIterator[Proxy]:
    """Run HAProxy before ``servers``, with what it needs in ``folder``, and wait until it takes them for ready."""
    port = free_port()
    config = folder / "haproxy.cfg"
    config.write_text(haproxy_config(folder, port, servers, under_a_path=under_a_path, certificate=certificate))
    url = _url(port, under_a_path=under_a_path, tls=certificate is not None)
    proxy = Proxy(url, folder / "control")
    async with _running([haproxy_command() or "haproxy", "-db", "-f", str(config)], folder / "haproxy.log", port):
        with trio.fail_after(_START_S):
            # It opens its ports a moment before it can be asked.
            while not await trio.Path(folder / "control").exists():  # noqa: ASYNC110
                await trio.sleep(0.02)
            await proxy.wait_until(lambda states: all(state.startswith("UP") for state, _ in states))
        yield proxy


@asynccontextmanager
async def nginx(
    folder: Path, servers: Sequence[Behind], *, under_a_path: bool = False, certificate: Path | None = None
) -> AsyncIterator[Proxy]:
    """Run nginx before ``servers``, with what it needs in ``folder``."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(nginx_config(folder, port, servers, under_a_path=under_a_path, certificate=certificate))
    command = [nginx_command(), "-e", "stderr", "-p", str(folder), "-c", str(config)]
    async with _running(command, folder / "nginx.log", port):
        yield Proxy(_url(port, under_a_path=under_a_path, tls=certificate is not None))


def _url(port: int, *, under_a_path: bool, tls: bool) -> str:
    return f"http{'s' * tls}://127.0.0.1:{port}{UNDER * under_a_path}"


def haproxy_command() -> str | None:
    """Return where HAProxy is, if it is here."""
    return _found("haproxy")


def nginx_command() -> str:
    """Return where nginx is; "nginx" where it is not here."""
    return _found("nginx") or "nginx"


def _found(name: str) -> str | None:
    # Debian has them where only root's shell looks.
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def _running(command: list[str], log: Path, port: int) -> AsyncIterator[None]:
    with log.open("wb") as output:
        process = await trio.lowlevel.open_process(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        with trio.fail_after(_START_S):
            while not await _listens(port):
                if process.poll() is not None:
                    raise RuntimeError(f"{command[0]} ended: {await trio.Path(log).read_text()}")
                await trio.sleep(0.02)
        yield
    finally:
        process.terminate()
        with trio.CancelScope(shield=True):
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
    except OSError:
        return False
    return True


def _with_servers(text: str, servers: Sequence[Behind]) -> str:
    for port, server in zip(_PORTS, servers, strict=True):
        text = _replaced(text, f"127.0.0.1:{port}", f"127.0.0.1:{server.port}")
        if f"agent-port {port + 1000}" in text:
            text = _replaced(text, f"agent-port {port + 1000}", f"agent-port {server.agent_port}")
    return text


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"the file in deploy/ has {old!r} {text.count(old)} times, and not once")
    return text.replace(old, new)
