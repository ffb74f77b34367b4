"""Two servers behind HAProxy and behind nginx, each with the file that deploy/ has for it."""

import json
import re
import subprocess
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import trio

from tests.server.serving import UPGRADE, certified, closing, serving
from tools import proxies
from tools.free_port import free_port
from tools.proxies import Behind
from tools.raw_websocket import read_head
from voice_trio.client import ServerBusy, connect, trusting
from voice_trio.core import messages as m
from voice_trio.server.sessions import NO_ROOM

pytestmark = pytest.mark.real

PROXIES = {"haproxy": proxies.haproxy, "nginx": proxies.nginx}


def need(name):
    found = proxies.haproxy_command() if name == "haproxy" else proxies.nginx_command()
    if not found or "/" not in found:
        pytest.skip(f"the tests behind {name} were left out: it is not here (on Debian: apt-get install {name})")


@pytest.fixture(params=PROXIES)
def name(request):
    need(request.param)
    return request.param


class House:
    """Two servers and what stands before them."""

    def __init__(self, servers, proxy):
        self.servers = servers
        self.proxy = proxy

    @property
    def sessions(self):
        return [len(server.sessions) for server in self.servers]


@asynccontextmanager
async def house(name, folder, places=(32, 32), *, under_a_path=False, certificate=None, **settings):
    """Two servers with so many ``places``, behind the proxy ``name``."""
    async with AsyncExitStack() as stack:
        servers, behind = [], []
        for most in places:
            agent_port = free_port()
            server = await stack.enter_async_context(
                serving(agent_port=agent_port, trusted_proxies="127.0.0.1", max_sessions=most, **settings)
            )
            servers.append(server)
            behind.append(Behind(urlsplit(server.url).port, agent_port))
        how = {"under_a_path": under_a_path, "certificate": certificate}
        proxy = await stack.enter_async_context(PROXIES[name](folder, behind, **how))
        yield House(servers, proxy)


async def asked(url, head=""):
    """Return the status, the headers by their small names, and the body of a GET."""
    parts = urlsplit(url)
    async with await trio.open_tcp_stream(parts.hostname, parts.port) as stream:
        lines = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n{head}\r\n"
        await stream.send_all(lines.encode())
        answer = b"".join([data async for data in stream])
    top, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = top.decode().split("\r\n")
    return int(first.split()[1]), {one.lower(): value for one, value in (line.split(": ", 1) for line in rest)}, body


async def shaken(url, stream, more=""):
    """Shake hands for a WebSocket at ``url`` over ``stream``, which is not connected yet; return the answer's head."""
    where = urlsplit(url)
    await stream.socket.connect((where.hostname, where.port))
    upgrade = UPGRADE.replace("/ws", f"{where.path}/ws", 1).replace("Host: 127.0.0.1", f"Host: {where.netloc}")
    await stream.send_all(f"{upgrade}{more}\r\n".encode())
    return (await read_head(stream)).decode()


def test_haproxy_takes_its_file():
    need("haproxy")
    done = subprocess.run(
        [proxies.haproxy_command(), "-c", "-f", str(proxies.DEPLOY / "haproxy.cfg")],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_nginx_takes_its_file(tmp_path):
    need("nginx")
    file = tmp_path / "nginx.conf"
    for under_a_path in (False, True):
        servers = [Behind(8765, 0), Behind(8766, 0)]
        file.write_text(proxies.nginx_config(tmp_path, free_port(), servers, under_a_path=under_a_path))
        command = [proxies.nginx_command(), "-t", "-e", "stderr", "-p", str(tmp_path), "-c", str(file)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr


async def test_who_finds_one_server_full_is_let_in_by_the_other(name, tmp_path):
    with trio.fail_after(60):
        async with house(name, tmp_path, (1, 5)) as found, AsyncExitStack() as stack:
            for _ in range(6):
                client = await stack.enter_async_context(connect(found.proxy.url))
                await client.wait_for(m.SessionOpened)
            assert found.sessions == [1, 5]
            assert found.servers[0].sessions.refused > 0, "it was asked"
            with pytest.raises(ServerBusy) as caught:
                async with connect(found.proxy.url):
                    pass
            assert (str(caught.value), caught.value.retry_after_s) == (NO_ROOM, 15)
            status, headers, body = await asked(f"{found.proxy.url}/api/room")
            assert (status, headers["retry-after"]) == (503, "15")
            assert json.loads(body)["error"]["code"] == "SERVER_BUSY"
            # The page is to be had all the same.
            assert (await asked(f"{found.proxy.url}/"))[0] == 200


async def test_a_server_that_stops_loses_nobody(name, tmp_path):
    with trio.fail_after(60):
        async with house(name, tmp_path) as found, connect(found.proxy.url) as client:
            await client.ask(m.Text(text="hello"))
            await client.wait_for(m.TtsChunk)
            idle = found.servers[found.sessions.index(0)]
            # It is the one that a proxy would choose, and none has noticed yet.
            idle.sessions.draining = True
            for _ in range(3):
                async with connect(found.proxy.url) as other:
                    await other.wait_for(m.SessionOpened)
                    assert sorted(found.sessions) == [0, 2]
            assert idle.sessions.refused > 0, "it was asked"
            await client.ask(m.Cancel())
            assert await client.wait_for(m.Done)


async def test_a_client_counts_for_the_address_that_it_comes_from(name, tmp_path):
    with trio.fail_after(60):
        async with house(name, tmp_path, max_connections_per_address=1) as found, AsyncExitStack() as stack:
            for address, heads in {"127.0.0.9": ["101", "101", "503"], "127.0.0.10": ["101"]}.items():
                for status in heads:
                    stream = trio.SocketStream(trio.socket.socket())
                    await stack.enter_async_context(stream)
                    await stream.socket.bind((address, 0))
                    assert (await shaken(found.proxy.url, stream)).split()[1] == status


async def test_haproxy_is_told_how_much_room_there_is_and_when_to_send_nobody(tmp_path):
    need("haproxy")
    with trio.fail_after(60):
        async with house("haproxy", tmp_path, (4, 4)) as found, AsyncExitStack() as stack:
            for _ in range(6):
                client = await stack.enter_async_context(connect(found.proxy.url))
                await client.wait_for(m.SessionOpened)
            assert found.sessions == [3, 3]
            await found.proxy.wait_until(lambda states: states == [("UP", 25)] * 2)
            found.servers[0].sessions.leaving = True
            await found.proxy.wait_until(lambda states: "DRAIN" in states[0][0] or "DOWN" in states[0][0])
            await client.ask(m.Text(text="hello"))
            await client.wait_for(m.TtsChunk)
            found.servers[0].sessions.leaving = False
            # The process that has the port next takes the drain back.
            await found.proxy.wait_until(lambda states: states == [("UP", 25)] * 2)


async def test_haproxy_brings_a_browser_back_to_the_server_that_it_had(tmp_path):
    need("haproxy")
    with trio.fail_after(60):
        async with house("haproxy", tmp_path) as found, AsyncExitStack() as stack:
            _, headers, _ = await asked(f"{found.proxy.url}/")
            cookie = headers["set-cookie"].partition(";")[0]
            assert cookie in ("voice-trio-server=one", "voice-trio-server=two")
            for n in range(1, 4):
                stream = await stack.enter_async_context(trio.SocketStream(trio.socket.socket()))
                assert " 101 " in await shaken(found.proxy.url, stream, f"Cookie: {cookie}\r\n")
                assert sorted(found.sessions) == [0, n]


async def test_under_a_path_everything_is_found_beside_the_page(name, tmp_path):
    with trio.fail_after(60):
        async with house(name, tmp_path, under_a_path=True) as found:
            url = found.proxy.url
            status, headers, _ = await asked(url)
            assert (status, urljoin(url, headers["location"]).partition(urlsplit(url).netloc)[2]) == (301, "/voice/")
            status, _, page = await asked(f"{url}/")
            assert status == 200
            links = re.findall(r'(?:href|src)="([^"#]+)"', page.decode())
            assert {"static/manifest.webmanifest", "static/js/main.js"} <= set(links)
            for link in links:
                there = urljoin(f"{url}/", link)
                assert there.startswith(f"{url}/")
                assert (await asked(there))[0] == 200, link
            base = f"{url}/static/manifest.webmanifest"
            manifest = json.loads((await asked(base))[2])
            assert {urljoin(base, manifest[name]) for name in ("id", "start_url", "scope")} == {f"{url}/"}
            assert [(await asked(urljoin(base, one["src"])))[0] for one in manifest["icons"]] == [200] * 4
            status, headers, worker = await asked(f"{url}/worker.js")
            assert (status, headers.get("service-worker-allowed")) == (200, None), "its scope is where it lies"
            files = json.loads(re.search(rb"FILES = (\[.*?\]);", worker)[1])
            for file in files:
                assert (await asked(f"{url}/static/{file}"))[0] == 200, file
            assert (await asked(f"{url}/api/engines"))[0] == 200
            for origin, status in ((url.removesuffix("/voice"), "101"), ("http://evil.example", "403")):
                async with trio.SocketStream(trio.socket.socket()) as stream:
                    head = await shaken(url, stream, f"Origin: {origin}\r\n")
                    assert head.split()[1] == status, "the proxy hands on what the page's host is called"
            async with connect(f"{url}/") as client:
                await client.ask(m.Text(text="hello"))
                await client.wait_for(m.TtsChunk)
                await client.ask(m.Cancel())
                await client.wait_for(m.Done)


@pytest.fixture
def certificate(tmp_path):
    """A file with a certificate and its key, as both proxies take it, and one with who signed it."""
    signer, files = certified(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(Path(files[one]).read_bytes() for one in ("certfile", "keyfile")))
    return both, signer


async def test_with_a_certificate_it_is_the_same_in_tls(name, tmp_path, certificate):
    both, signer = certificate
    with trio.fail_after(60):
        async with (
            house(name, tmp_path, under_a_path=True, certificate=both) as found,
            connect(found.proxy.url, ssl_context=trusting(signer)) as client,
        ):
            assert found.proxy.url.startswith("https://")
            await client.ask(m.Text(text="hello"))
            await client.wait_for(m.TtsChunk)
            await client.ask(m.Cancel())
            await client.wait_for(m.Done)


async def test_a_client_hears_from_a_proxy_that_has_no_server_what_it_can_know(tmp_path):
    need("haproxy")
    with trio.fail_after(60):
        async with AsyncExitStack() as stack:
            found = await stack.enter_async_context(house("haproxy", tmp_path))
            for server in found.servers:
                server.sessions.leaving = True
            await found.proxy.wait_until(lambda states: all("UP" not in state for state, _ in states))
            with pytest.raises(ServerBusy, match="has no server free for a session now") as caught:
                async with connect(found.proxy.url):
                    pass
            assert caught.value.retry_after_s is None


async def test_a_session_through_a_proxy_is_told_goodbye_as_one_without(name, tmp_path):
    with trio.fail_after(60):
        async with house(name, tmp_path, idle_timeout_s=0.5) as found, connect(found.proxy.url) as client:
            assert await client.wait_for(m.Info, code=m.InfoCode.IDLE_TIMEOUT)
            assert await closing(client) == 1000
