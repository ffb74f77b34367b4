"""Who may use the server: what an honest client, a stranger's page and a guesser see."""

import base64
import re

import pytest
import trio
from structlog.testing import capture_logs

from tests.server.serving import closing, get, scripted, serving, upgrade
from voice_trio import config
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode
from voice_trio.server.access import Access, subprotocols_with
from voice_trio.server.listening import CannotListen
from voice_trio.server.run import open_server

TOKEN = "a long and random täxt"


@pytest.mark.parametrize(
    ("origin", "host", "welcome"),
    [
        (None, "127.0.0.1:8765", True),
        ("http://127.0.0.1:8765", "127.0.0.1:8765", True),
        ("http://localhost:8765", "LOCALHOST:8765", True),
        ("http://[::1]:8765", "[::1]:8765", True),
        ("https://192.0.2.7", "192.0.2.7:443", True),
        ("http://127.0.0.1:9999", "127.0.0.1:8765", False),
        ("https://evil.example", "127.0.0.1:8765", False),
        ("https://localhost.evil.example", "localhost", False),
        ("null", "127.0.0.1:8765", False),
        ("", "127.0.0.1:8765", False),
        ("file://", "", False),
        ("http://[", "[", False),
        # A stranger's name that points here at the moment: same origin, and still a stranger.
        ("http://evil.example:8765", "evil.example:8765", False),
        ("https://friend.example", "127.0.0.1:8765", True),
        ("https://FRIEND.example", "127.0.0.1:8765", True),
    ],
)
def test_which_origins_are_welcome(origin, host, welcome):
    access = Access.of(config.load(allowed_origins="https://friend.example/ , https://other.example"))
    assert access.allows_origin(origin, host) is welcome


def test_with_a_token_a_name_of_ones_own_is_as_good_as_an_address():
    access = Access.of(config.load(auth_token=TOKEN))
    assert access.allows_origin("https://voice.example", "voice.example")
    assert not access.allows_origin("https://evil.example", "voice.example")
    assert Access.of(config.load(allowed_origins="*")).allows_origin("https://any.example", "voice.example")


@pytest.mark.parametrize(
    ("listed", "origin", "welcome"),
    [
        ("https://app.example", "https://app.example", True),
        ("https://app.example/", "https://app.example", True),
        ("HTTPS://App.Example", "https://app.example", True),
        ("https://app.example:443", "https://app.example", True),
        ("https://app.example", "https://app.example:443", True),
        ("http://app.example:80", "http://app.example", True),
        ("https://app.example:8443", "https://app.example:8443", True),
        ("https://app.example", "https://app.example:8443", False),
        ("https://app.example:80", "https://app.example", False),
        ("https://app.example", "http://app.example", False),
        ("https://app.example", "https://app.example.evil.example", False),
        ("https://app.example", "https://evil.example/?https://app.example", False),
        ("https://app.example", "https://app.example@evil.example", False),
        ("https://app.example", "null", False),
        ("https://app.example", "", False),
        ("https://app.example", "https://app.example:99999", False),
        ("https://bücher.example", "https://xn--bcher-kva.example", True),
        ("http://[2001:DB8::1]:3000", "http://[2001:db8::1]:3000", True),
        ("capacitor://localhost, app://-", "app://-", True),
        ("chrome-extension://abcdef", "chrome-extension://abcdef", True),
        ("*", "https://any.example", True),
        ("", "https://app.example", False),
    ],
)
def test_which_listed_origin_is_which(listed, origin, welcome):
    assert Access.of(config.load(allowed_origins=listed)).lists_origin(origin) is welcome


@pytest.mark.parametrize(
    "listed",
    [
        "app.example",
        "app.example:3000",
        "null",
        "https://",
        "https://app.example/page",
        "https://*.example",
        "https://[",
    ],
)
def test_what_is_no_origin_is_one_sentence(listed):
    with pytest.raises(config.ConfigError, match=f"^STREAM_ALLOWED_ORIGINS: '{re.escape(listed)}'"):
        config.load(allowed_origins=f"https://friend.example, {listed}")


@pytest.mark.parametrize(
    ("authorization", "subprotocols", "welcome"),
    [
        (None, [], False),
        ("Bearer wrong", [], False),
        ("Basic " + TOKEN, [], False),
        ("Bearer", ["voice-trio", "bearer.", "bearer.%", "bearer.é"], False),
        ("Bearer " + TOKEN.encode().decode("latin-1"), [], True),
        (None, subprotocols_with(TOKEN), True),
        (None, ["bearer." + base64.urlsafe_b64encode(TOKEN.encode()).decode()], True),
        (None, ["bearer.AAAA", *subprotocols_with(TOKEN)], True),
    ],
)
def test_how_a_token_is_presented(authorization, subprotocols, welcome):
    assert Access.of(config.load(auth_token=TOKEN)).allows_token(authorization, subprotocols) is welcome
    assert Access.of(config.load()).allows_token(authorization, subprotocols)


@pytest.mark.real
async def test_a_page_of_another_origin_is_refused_before_the_handshake():
    with trio.fail_after(20):
        async with serving() as running:
            _, head = await upgrade(running, "Origin: https://evil.example\r\n")
            assert head.startswith("HTTP/1.1 403")
            _, head = await upgrade(running, "Origin: http://127.0.0.1\r\n")
            assert head.startswith("HTTP/1.1 101")


@pytest.mark.real
@pytest.mark.parametrize(("path", "status"), [("/nope", 404), ("/api/utterance", 405)])
async def test_a_handshake_with_what_is_no_socket_is_refused(path, status):
    with trio.fail_after(20), capture_logs() as lines:
        async with serving() as running:
            _, head = await upgrade(running, path=path)
            assert head.startswith(f"HTTP/1.1 {status}")
    assert [line for line in lines if line["log_level"] == "error"] == []


@pytest.mark.real
async def test_the_token_opens_ws_and_the_page_needs_none():
    with trio.fail_after(20), capture_logs() as lines:
        async with serving(auth_token=TOKEN) as running:
            for path in ("/", "/livez", "/readyz", "/healthz", "/static/base.css"):
                assert (await get(running.url, path))[0].startswith("HTTP/1.1 200")
            assert (await get(running.url, "/api/anything"))[0].startswith("HTTP/1.1 401")
            for token in (None, "wrong"):
                async with connect(running.ws_url, token=token) as client:
                    error = await client.hear()
                    assert isinstance(error, m.Error)
                    assert (error.code, error.recoverable) == (ErrorCode.UNAUTHORIZED, False)
                    assert await closing(client) == 1008
            async with connect(running.ws_url, token=TOKEN) as client:
                await client.wait_for(m.SessionOpened)
            offer = ", ".join(subprotocols_with(TOKEN))
            _, head = await upgrade(running, f"Sec-WebSocket-Protocol: {offer}\r\n")
            assert head.startswith("HTTP/1.1 101")
            assert "sec-websocket-protocol: voice-trio\r\n" in head
    assert TOKEN not in str(lines)
    assert subprotocols_with(TOKEN)[1] not in str(lines)


@pytest.mark.real
async def test_listening_for_others_takes_a_token_or_a_word():
    with pytest.raises(CannotListen, match=r"STREAM_AUTH_TOKEN.*--insecure"):
        async with open_server(config.load(host="0.0.0.0", port=0), scripted):
            pass
