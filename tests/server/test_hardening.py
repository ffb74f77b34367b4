"""Each override of Hypercorn, and that its test fails when the override is taken out."""

import importlib
import struct
from contextlib import contextmanager

import pytest
import trio
from h11._receivebuffer import ReceiveBuffer
from hypercorn.protocol.ws_stream import WebsocketBuffer

from tests.server.serving import (
    BINARY,
    CONTINUATION,
    PING,
    TEXT,
    UPGRADE,
    dial,
    eventually,
    frame,
    get,
    open_files,
    read_to_end,
    serving,
    until_none,
    upgrade,
)
from voice_trio.server import allowance, socket_link
from voice_trio.server.allowance import Allowance
from voice_trio.server.hypercorn import connection, http, install, websocket
from voice_trio.server.hypercorn.connection import HardTaskGroup, HardTCPServer
from voice_trio.server.hypercorn.http import HardH11Protocol, HardHTTPStream
from voice_trio.server.hypercorn.websocket import HardWSStream

pytestmark = pytest.mark.real

SEND_TIMEOUT_S = 0.5
CLOSE_1009 = b"\x88" + struct.pack(">BH", 2, 1009)


async def a_malformed_request_ends_nobody_else(running):
    stream = await dial(running)
    await stream.send_all(b"POST /ws HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    await read_to_end(stream)
    # What the server itself raises on a rule broken is met by the same fence.
    stream, _ = await upgrade(running, "Sec-WebSocket-Version: 12\r\n")
    await read_to_end(stream)
    assert (await get(running.url, "/livez"))[0].startswith("HTTP/1.1 200")


async def a_peer_that_does_not_read_is_cut_off(running):
    stream, _ = await upgrade(running, SO_RCVBUF=4096)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ping_without_end, stream)
        await until_none(running)
        nursery.cancel_scope.cancel()
    assert running.connections.incidents["stuck"] == 1
    assert len(running.sessions) == 0
    assert (await get(running.url, "/livez"))[0].startswith("HTTP/1.1 200")


async def ping_without_end(stream):
    pings = 100 * frame(PING, bytes(125))
    try:
        while True:
            await stream.send_all(pings)
    except trio.BrokenResourceError:
        pass


async def a_connection_that_ends_while_idle_is_gone(running):
    stream = await dial(running)
    await eventually(lambda: bool(len(running.connections)))
    await stream.aclose()
    await until_none(running)


async def connection_close_is_honoured(running):
    for head in (b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"GET /livez HTTP/1.0\r\n\r\n"):
        stream = await dial(running)
        await stream.send_all(head)
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 200")
    await until_none(running)


async def a_message_without_end_is_too_large(running):
    for fragment, times in ((bytes(65536), 3), (b"", 3000)):
        stream, _ = await upgrade(running)
        await stream.send_all(frame(BINARY, b"", final=False) + times * frame(CONTINUATION, fragment, final=False))
        # Nothing more is sent: what the server does now, it does by itself.
        assert (await read_to_end(stream)).endswith(CLOSE_1009)
    await until_none(running)


async def nothing_is_compressed(running):
    _, head = await upgrade(running, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
    assert head.startswith("HTTP/1.1 101")
    assert "extensions" not in head.lower()


async def there_is_no_http_2(running):
    stream = await dial(running)
    await stream.send_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n")
    assert (await read_to_end(stream)).startswith(b"HTTP/1.1 200")
    stream = await dial(running)
    await stream.send_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert (await read_to_end(stream)).startswith(b"HTTP/1.1 505")


async def a_connection_ends_with_its_session(running):
    stream, _ = await upgrade(running)
    # Much more than the queues hold that lie before a handler that has ended.
    await stream.send_all(frame(TEXT, b"no JSON") + 100 * frame(BINARY, bytes(2)))
    await read_to_end(stream)
    await until_none(running)
    assert (await get(running.url, "/livez"))[0].startswith("HTTP/1.1 200")


async def a_bad_handshake_is_the_end(running):
    stream, head = await upgrade(running, "Sec-WebSocket-Version: 12\r\n")
    assert head.startswith("HTTP/1.1 400")
    await read_to_end(stream)
    stream = await dial(running)
    await stream.send_all((UPGRADE + "\r\n").encode() + frame(TEXT, b"{}"))
    await read_to_end(stream)
    await until_none(running)
    assert len(running.sessions) == 0


async def an_early_answer_arrives(running):
    stream = await dial(running)
    await stream.send_all(b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n" + bytes(5_000_000))
    assert (await read_to_end(stream)).startswith(b"HTTP/1.1 405")
    await until_none(running)


async def a_long_head_is_not_read(running):
    for head in (b"a:\r\n" * 5000, b"a: " + bytes([65]) * 40_000 + b"\r\n"):
        stream = await dial(running)
        await stream.send_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 431")
    # The lines behind a body in chunks are a head too.
    stream = await dial(running)
    await stream.send_all(
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"a:\r\n" * 5000
    )
    await stream.send_all(b"\r\n")
    await read_to_end(stream)
    assert running.connections.incidents["crashed"] == 0
    await until_none(running)


@contextmanager
def payments():
    """Yield the list of what is paid meanwhile."""
    paid, pay = [], Allowance.pay

    async def noted(self, units):
        paid.append(units)
        await pay(self, units)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Allowance, "pay", noted)
        yield paid


async def requests_and_pieces_of_a_body_are_paid_for(running):
    with payments() as paid:
        stream = await dial(running)
        await stream.send_all(3 * b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        await stream.send_all(b"POST /api/utterance HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\n")
        await stream.send_all(b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        await stream.send_all(50 * b"1\r\nx\r\n" + b"0\r\n\r\n")
        await read_to_end(stream)
    assert sum(allowance.REQUEST < units < allowance.BAD_REQUEST for units in paid) == 4
    assert paid.count(allowance.BODY_PIECE) == 50


async def what_is_no_request_is_paid_for(running):
    with payments() as paid:
        stream = await dial(running)
        await stream.send_all(b"nonsense\r\n\r\n")
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 400")
    assert paid == [allowance.CONNECTION, allowance.BAD_REQUEST]


OVERRIDES = {
    (HardTCPServer, "run"): a_malformed_request_ends_nobody_else,
    (HardTCPServer, "protocol_send"): a_peer_that_does_not_read_is_cut_off,
    (HardTCPServer, "_read_data"): a_connection_that_ends_while_idle_is_gone,
    (HardTCPServer, "_linger"): an_early_answer_arrives,
    (HardTaskGroup, "__aexit__"): a_peer_that_does_not_read_is_cut_off,
    (HardH11Protocol, "stream_send"): connection_close_is_honoured,
    (HardH11Protocol, "_check_protocol"): there_is_no_http_2,
    (HardH11Protocol, "_create_stream"): requests_and_pieces_of_a_body_are_paid_for,
    (HardH11Protocol, "_send_error_response"): what_is_no_request_is_paid_for,
    (HardHTTPStream, "handle"): requests_and_pieces_of_a_body_are_paid_for,
    (http, "ShortHeads"): a_long_head_is_not_read,
    (HardWSStream, "_handle_events"): a_message_without_end_is_too_large,
    (HardWSStream, "_plain"): nothing_is_compressed,
    (HardWSStream, "app_send"): a_connection_ends_with_its_session,
    (HardWSStream, "handle"): a_bad_handshake_is_the_end,
    (websocket, "Bounded"): a_message_without_end_is_too_large,
}
"""Override -> what holds because of it."""


async def nothing(self):
    pass


INSTEAD = {
    "_plain": lambda self, request: request,
    "_linger": nothing,
    "Bounded": WebsocketBuffer,
    "ShortHeads": ReceiveBuffer,
}
"""What stands in the place of an override that Hypercorn has nothing of."""


def name_of(item):
    return item.__name__ if hasattr(item, "__name__") else item


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(connection, "_READ_OUT_S", 0.2)
    monkeypatch.setattr(socket_link, "_READ_OUT_S", 0.2)


async def try_out(claim, limit_s):
    with trio.fail_after(limit_s):
        async with serving(send_timeout_s=SEND_TIMEOUT_S) as running:
            await claim(running)


@pytest.mark.parametrize("claim", dict.fromkeys(OVERRIDES.values()), ids=name_of)
async def test_it_holds(claim):
    await try_out(claim, 20)


@pytest.mark.parametrize(("owner", "name"), OVERRIDES, ids=name_of)
async def test_it_does_not_without_the_override(monkeypatch, owner, name):
    if name in INSTEAD:
        monkeypatch.setattr(owner, name, INSTEAD[name])
    else:
        monkeypatch.delattr(owner, name)
    held = True
    try:
        await try_out(OVERRIDES[owner, name], 1.5)
    except* (AssertionError, trio.TooSlowError, OSError, trio.BrokenResourceError):
        held = False
    except* Exception:
        # Without its firewall, or with its nursery's verdict lost, the server itself is what fails, and says so.
        assert name in ("run", "__aexit__")
        held = False
    assert not held, f"Hypercorn does this by itself now: {name} can go"


def test_every_override_has_its_test():
    ours = {
        (owner, name)
        for owner in install.REPLACED.values()
        for name, value in vars(owner).items()
        if callable(value) and hasattr(owner.__mro__[1], name) and name != "__init__"
    }
    assert ours <= set(OVERRIDES)


def test_hypercorn_uses_our_classes():
    install.install()
    for (module, name), ours in install.REPLACED.items():
        assert getattr(importlib.import_module(module), name) is ours


def test_another_hypercorn_is_refused(monkeypatch):
    monkeypatch.setattr(install, "version", lambda _: "0.19.1")
    with pytest.raises(install.UnsupportedHypercorn, match=r"install hypercorn==0\.18\.\*"):
        install.install()


async def test_health_probes_leave_nothing():
    with trio.fail_after(60):
        async with serving() as running:
            await get(running.url, "/readyz")
            await until_none(running)
            before = open_files()
            for _ in range(100):
                assert (await get(running.url, "/readyz"))[0].startswith("HTTP/1.1 200")
            await until_none(running)
            assert open_files() <= before
