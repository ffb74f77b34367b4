"""TLS with a given certificate, and with one made up."""

import ssl

import pytest
import trio

from tests.server.serving import certified, dial, scripted, serving, until_none
from voice_trio import client_connection, config
from voice_trio.client import CannotConnect, connect, trusting
from voice_trio.core import messages as m
from voice_trio.server.listening import CannotListen
from voice_trio.server.run import open_server

pytestmark = pytest.mark.real


async def test_a_turn_over_tls_with_a_certificate_of_ones_own(tmp_path):
    authority, settings = certified(tmp_path)
    with trio.fail_after(60):
        async with serving(**settings) as running:
            assert running.ws_url.startswith("wss://127.0.0.1:")
            async with connect(running.ws_url, ssl_context=trusting(authority)) as talker:
                await talker.ask(m.Text(text="hello"))
                await talker.wait_for(m.TtsChunk)
            # Plain HTTP where TLS is spoken ends nobody else.
            stream = await dial(running)
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await until_none(running)


async def test_a_certificate_made_up_at_the_start_has_a_fingerprint():
    with trio.fail_after(60):
        async with serving(tls_self_signed=True) as running:
            blind = ssl.create_default_context()
            blind.check_hostname = False
            blind.verify_mode = ssl.CERT_NONE
            blind.set_alpn_protocols(["h2", "http/1.1"])
            async with connect(running.ws_url, ssl_context=blind) as talker:
                await talker.wait_for(m.SessionOpened)
            assert running.fingerprint.count(":") == 31


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"certfile": "chain.pem"}, "needs both STREAM_CERTFILE and STREAM_KEYFILE"),
        (
            {"certfile": "/nowhere.pem", "keyfile": "/nowhere.key"},
            "Cannot read what STREAM_CERTFILE and STREAM_KEYFILE name: No such",
        ),
    ],
)
async def test_a_certificate_that_cannot_be_used_is_one_sentence(settings, says):
    with pytest.raises(CannotListen, match=says):
        async with open_server(config.load(port=0, **settings), scripted):
            pass


async def test_a_certificate_that_nobody_signed_is_named_as_what_is_wrong(monkeypatch):
    monkeypatch.setattr(client_connection, "_HANDSHAKE_S", 2)
    with trio.fail_after(60):
        async with serving(tls_self_signed=True) as running:
            with pytest.raises(CannotConnect, match=r"is not trusted: .*--cafile.*STREAM_CERTFILE"):
                async with connect(running.ws_url):
                    pass
            with pytest.raises(CannotConnect, match=r"begins with https://"):
                async with connect(running.ws_url.replace("wss", "ws")):
                    pass


async def test_tls_where_none_is_spoken_is_named_as_what_is_wrong():
    with trio.fail_after(60):
        async with serving() as running:
            with pytest.raises(CannotConnect, match=r"does not answer in TLS"):
                async with connect(running.ws_url.replace("ws", "wss", 1)):
                    pass


def test_a_file_without_a_certificate_cannot_be_trusted(tmp_path):
    (tmp_path / "notes.pem").write_text("no certificate")
    with pytest.raises(CannotConnect, match=r"notes.pem holds no certificate"):
        trusting(tmp_path / "notes.pem")
