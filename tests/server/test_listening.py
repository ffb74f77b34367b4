"""Where the server listens for each way to say so, and that what it prints answers."""

import errno
import socket
from contextlib import ExitStack
from typing import Any

import pytest
import trio
from structlog.testing import capture_logs

from tests.server.serving import scripted
from voice_trio import config
from voice_trio.server import listening
from voice_trio.server.listening import CannotListen, listen
from voice_trio.server.run import open_server

pytestmark = pytest.mark.real


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


def bound(host, port=0, **settings):
    """Return where sockets are bound for ``host``, once they have shown that they listen at one port."""
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(one) for one in listen(config.load(host=host, port=port, insecure=True, **settings))
        ]
        names = [one.getsockname() for one in sockets]
        assert len({name[1] for name in names}) == 1
        return [name[0] for name in names]


def resolving(*found):
    """Return a resolver that knows one name, for these addresses."""

    def getaddrinfo(host, port, **options):
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (one, port, 0, 0))
            if ":" in one
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in found
        ]

    return getaddrinfo


@pytest.mark.parametrize(
    ("host", "where"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("0.0.0.0", ["0.0.0.0"]),
        ("::ffff:127.0.0.1", ["127.0.0.1"]),
        ("::ffff:0.0.0.0", ["0.0.0.0"]),
        pytest.param("::", ["::", "0.0.0.0"], marks=needs_ipv6),
        pytest.param("[::]", ["::", "0.0.0.0"], marks=needs_ipv6),
        pytest.param("0:0::0", ["::", "0.0.0.0"], marks=needs_ipv6),
        pytest.param("::1", ["::1"], marks=needs_ipv6),
        pytest.param("[::1]", ["::1"], marks=needs_ipv6),
    ],
)
def test_where_it_listens(host, where):
    assert bound(host) == where


@pytest.mark.parametrize(
    ("found", "where"),
    [
        pytest.param(["::1", "127.0.0.1"], ["::1", "127.0.0.1"], marks=needs_ipv6),
        (["127.0.0.1", "127.0.0.1"], ["127.0.0.1"]),
        # A name that is also somebody else's: what is ours is listened at.
        (["203.0.113.1", "127.0.0.1"], ["127.0.0.1"]),
    ],
)
def test_a_name_is_all_of_its_addresses_that_are_here(monkeypatch, found, where):
    monkeypatch.setattr(socket, "getaddrinfo", resolving(*found))
    with capture_logs() as lines:
        assert bound("a.name") == where
    assert len(lines) == ("203.0.113.1" in found)


@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
@pytest.mark.parametrize("found", [["::"], ["::1", "127.0.0.1"]])
def test_without_ipv6_the_rest_is_listened_at_and_it_is_said(monkeypatch, number, found):
    create_server = socket.create_server

    def without_ipv6(address, *, family):
        if family == socket.AF_INET6:
            raise OSError(number, "no")
        return create_server(address, family=family)

    monkeypatch.setattr(socket, "getaddrinfo", resolving(*found))
    monkeypatch.setattr(socket, "create_server", without_ipv6)
    with capture_logs() as lines:
        assert bound("a.name") == ["0.0.0.0" if found == ["::"] else "127.0.0.1"]
    assert [line["address"] for line in lines] == found[:1]
    monkeypatch.setattr(socket, "getaddrinfo", resolving("::1"))
    with pytest.raises(CannotListen, match="Choose another address"):
        bound("::1")


@needs_ipv6
def test_a_port_that_is_taken_in_one_family_is_taken():
    with (
        socket.create_server(("0.0.0.0", 0)) as other,
        pytest.raises(CannotListen, match=r"in use.*or end the program"),
    ):
        bound("::", other.getsockname()[1])


@needs_ipv6
def test_a_free_port_is_free_in_both_families(monkeypatch):
    """The port that the first socket was given is another program's in the other family, twice."""
    create_server = socket.create_server
    tried: list[Any] = []

    def crowded(address, *, family):
        if family == socket.AF_INET and len(tried) < 2:
            tried.append(address)
            raise OSError(errno.EADDRINUSE, "in use")
        return create_server(address, family=family)

    monkeypatch.setattr(socket, "create_server", crowded)
    assert bound("::") == ["::", "0.0.0.0"]
    assert len(tried) == 2


@pytest.mark.parametrize("found", [["127.0.0.1", "192.0.2.1"], ["::ffff:192.0.2.1"], ["fe80::1%lo"]])
def test_one_address_that_others_reach_takes_a_token(monkeypatch, found):
    monkeypatch.setattr(socket, "getaddrinfo", resolving(*found))
    with pytest.raises(CannotListen, match="without a token"):
        listen(config.load(host="a.name", port=0))


@pytest.mark.parametrize("host", ["no.such.invalid", "192.0.2.1", "::1%nowhere"])
def test_what_is_no_address_is_one_sentence(host):
    with pytest.raises(CannotListen, match=r"^Cannot listen on .*STREAM_HOST and STREAM_PORT\.$"):
        bound(host)


def link_local():
    """Return an address of this machine that says nothing without its link; None if it has none."""
    try:
        with open("/proc/net/if_inet6") as table:
            rows = [line.split() for line in table]
    except OSError:
        return None
    for digits, *_, name in rows:
        if digits.startswith("fe80"):
            return f"{socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))}%{name}"
    return None


@pytest.mark.parametrize("host", ["::", "0.0.0.0", "localhost", "::1", "::ffff:127.0.0.1", link_local()])
async def test_what_is_printed_answers_and_so_does_every_family(host):
    if host is None or (":" in host and not has_ipv6()):
        pytest.skip("this machine has no such address")
    with trio.fail_after(60):
        async with open_server(config.load(host=host, port=0, auth_token="x"), scripted) as running:
            printed, _, port = running.url.removeprefix("http://").rpartition(":")
            local = ["127.0.0.1", "::1"] if host == "::" else []
            for one in [printed.strip("[]").replace("%25", "%"), *local]:
                async with await trio.open_tcp_stream(one, int(port)) as stream:
                    await stream.send_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")


def test_every_listening_socket_hands_its_time_limit_on():
    with ExitStack() as stack:
        for one in listen(config.load(host="::", port=0, insecure=True)):
            stack.enter_context(one)
            assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == listening._UNACKNOWLEDGED_MS
