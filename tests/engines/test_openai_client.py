"""The way to the language model as the environment has it: proxies, certificates, headers."""

import logging
import os
import re
import ssl
import sys
from typing import Any

import httpx2
import pytest
import trio
import trustme

from tests.engines.test_openai_chat import KEY, TOKENS, read
from tests.sse_server import Reply, serve
from voice_trio.config import ConfigError, load
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import Finish
from voice_trio.engines.openai_chat.client import distrusted, open_upstream
from voice_trio.engines.openai_chat.model import open_chat_model
from voice_trio.engines.openai_chat.proxy import is_this_machine, proxy_for

ELSEWHERE = "http://model.example/v1"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith(("OPENAI_", "SSL_CERT_")):
            monkeypatch.delenv(name)


def settings(url=ELSEWHERE, **others):
    return load(openai_base_url=url, openai_api_key=KEY, llm_model="some-model", **others)


# --- proxies ----------------------------------------------------------------------------------------------------------

ADDRESSES = [
    "http://model.example/v1",
    "https://model.example:8443/v1",
    "https://api.model.example/v1",
    "http://anothermodel.example/v1",
    "http://10.1.2.3:8000/v1",
    "https://[2001:db8::7]/v1",
    "http://bücher.example/v1",
]

EXCEPTED = [
    "",
    "*",
    "x, * ,y",
    "model.example",
    "MODEL.example",
    ".model.example",
    "*.model.example",
    "example",
    "model.example:8443",
    "10.0.0.0/8",
    "10.1.2.3",
    "10.1.2.3/33, [",
    "2001:db8::/32",
    "[2001:db8::7]",
    ",,",
]


@pytest.mark.parametrize("excepted", EXCEPTED)
@pytest.mark.parametrize("names", ["http_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY https_proxy"])
async def test_the_proxy_is_the_one_that_the_client_would_take(monkeypatch, names, excepted):
    for number, name in enumerate(names.split()):
        monkeypatch.setenv(name, f"http://proxy{number}.example:3128")
    monkeypatch.setenv("NO_PROXY", excepted)
    async with httpx2.AsyncClient() as client:
        for address in ADDRESSES:
            url = httpx2.URL(address)
            ours = proxy_for(url)
            theirs: Any = client._transport_for_url(url)
            assert (ours is None) == (theirs is client._transport), address
            if ours is not None:
                assert ours.variable in names.split()
                assert httpx2.URL(ours.url).host.encode() == theirs._pool._proxy_url.host


def test_a_name_of_any_letters_is_excepted_as_it_is_written(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.example")
    monkeypatch.setenv("no_proxy", "Bücher.example")
    assert proxy_for(httpx2.URL("http://bücher.example/v1")) is None


def test_small_letters_count_more_and_nothing_is_nothing(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://capital.example")
    assert proxy_for(httpx2.URL(ELSEWHERE)).variable == "HTTP_PROXY"
    monkeypatch.setenv("http_proxy", "small.example:3128\r")
    assert proxy_for(httpx2.URL(ELSEWHERE)).url == "http://small.example:3128"
    monkeypatch.setenv("http_proxy", "")
    assert proxy_for(httpx2.URL(ELSEWHERE)) is None


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("model.localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("127.1", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("::", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("", False),
    ],
)
def test_this_machine_is_never_behind_a_proxy(monkeypatch, host, here):
    assert is_this_machine(host) is here
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:7891/")
    if here:
        assert proxy_for(httpx2.URL(f"http://[{host}]/v1" if ":" in host else f"http://{host}/v1")) is None


@pytest.mark.parametrize("variable", ["ALL_PROXY", "http_proxy", "HTTP_PROXY"])
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("socks://127.0.0.1:7891/", "does not begin with"),
        ("socks4://127.0.0.1:7891/", "does not begin with"),
        ("ftp://proxy.example", "does not begin with"),
        ("http://", "does not begin with"),
        ("http://[::1", "cannot be read"),
        ("http://me:s3cret@proxy.example:port", "cannot be read"),
        ("http://me:s3cret@a..b", "names no host"),
        ("http://proxy.example:99999", "has a port"),
        ("http://proxy\x01.example", "U+0001"),
        ("http://proxy\udce9.example", "bytes that are no UTF-8"),
    ],
)
def test_what_is_no_proxy_is_named(monkeypatch, variable, value, says):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=f"^{variable}: .*{re.escape(says)}") as caught:
        open_upstream(settings())
    assert "s3cret" not in str(caught.value)


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(ConfigError, match=r"^all_proxy .*socksio"):
        open_upstream(settings())


@pytest.mark.real
async def test_a_reply_comes_through_a_proxy():
    with trio.fail_after(10):
        async with serve(Reply(tokens=TOKENS)) as server:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("http_proxy", server.base_url.removesuffix("/v1"))
                async with open_chat_model(settings()) as model:
                    assert (await read(model))[-1] == Finish("stop")
            assert server.requests[0].path == f"{ELSEWHERE}/chat/completions"


@pytest.mark.real
async def test_a_reply_comes_through_a_socks_proxy(monkeypatch):
    asked: list[bytes] = []

    async def handle(stream):
        async with stream, await trio.open_tcp_stream("127.0.0.1", port_of(server.base_url)) as there:
            assert (await stream.receive_some())[0] == 5
            await stream.send_all(b"\x05\x00")
            asked.append(await stream.receive_some())
            await stream.send_all(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
            async with trio.open_nursery() as pipes:
                pipes.start_soon(pipe, stream, there, pipes.cancel_scope)
                pipes.start_soon(pipe, there, stream, pipes.cancel_scope)

    with trio.fail_after(10):
        async with serve(Reply(tokens=TOKENS)) as server, trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, handle, [listener])
            monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{listener.socket.getsockname()[1]}")
            async with open_chat_model(settings()) as model:
                assert (await read(model))[-1] == Finish("stop")
            nursery.cancel_scope.cancel()
    assert b"model.example" in asked[0]


async def pipe(source, target, scope):
    try:
        while data := await source.receive_some():
            await target.send_all(data)
    except trio.BrokenResourceError:
        pass
    scope.cancel()


def port_of(url):
    return httpx2.URL(url).port


@pytest.mark.real
@pytest.mark.parametrize(("variable", "url"), [("http_proxy", ELSEWHERE), ("HTTPS_PROXY", "https://model.example/v1")])
async def test_a_turn_that_a_proxy_spoils_names_it(monkeypatch, variable, url):
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    with trio.fail_after(10):
        async with open_chat_model(settings(url)) as model:
            (error,) = await read(model)
    assert error.code is ErrorCode.LLM_FAIL
    assert error.message.endswith(f" It was asked through the proxy of {variable}.")


# --- certificates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["gone", "empty", "a folder", "a key", "garbage"])
def test_a_file_without_certificates_is_named(monkeypatch, tmp_path, what):
    file = tmp_path / "ca.pem"
    match what:
        case "empty":
            file.touch()
        case "a folder":
            file.mkdir()
        case "a key":
            trustme.CA().private_key_pem.write_to_path(str(file))
        case "garbage":
            file.write_bytes(bytes(range(256)))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    for url in ("https://model.example/v1", "http://127.0.0.1:1/v1"):
        with pytest.raises(ConfigError, match=r"^SSL_CERT_FILE is .*, which holds no certificate"):
            open_upstream(settings(url))


@pytest.mark.parametrize("what", ["gone", "empty", "a file", "no hashed name"])
def test_a_folder_without_certificates_is_named(monkeypatch, tmp_path, what):
    folder = tmp_path / "certs"
    match what:
        case "empty":
            folder.mkdir()
        case "a file":
            folder.touch()
        case "no hashed name":
            folder.mkdir()
            trustme.CA().cert_pem.write_to_path(str(folder / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    with pytest.raises(ConfigError, match=r"^SSL_CERT_DIR is .*, where there is no certificate"):
        open_upstream(settings())


@pytest.mark.real
async def test_certificates_that_can_be_used_are(monkeypatch, tmp_path):
    file, folder = tmp_path / "ca.pem", tmp_path / "certs"
    trustme.CA().cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    upstream = await trio.to_thread.run_sync(open_upstream, settings())
    await upstream.client.close()
    folder.mkdir()
    (folder / "0a1b2c3d.0").write_bytes(file.read_bytes())
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path}/nowhere:{folder}")
    upstream = await trio.to_thread.run_sync(open_upstream, settings())
    await upstream.client.close()


@pytest.mark.real
async def test_a_certificate_that_nobody_signed_is_what_is_named(monkeypatch):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    async def handle(stream):
        try:
            await stream.do_handshake()
        except trio.BrokenResourceError:
            await stream.transport_stream.aclose()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, handle, [listener])
            tcp = listener.transport_listener
            assert isinstance(tcp, trio.SocketListener)
            port = tcp.socket.getsockname()[1]
            async with open_chat_model(settings(f"https://127.0.0.1:{port}/v1")) as model:
                (error,) = await read(model)
            nursery.cancel_scope.cancel()
    assert f"The certificate of https://127.0.0.1:{port}/v1 is not trusted: " in error.message
    assert "OPENAI_BASE_URL" not in error.message


def test_other_errors_are_not_the_certificates():
    assert distrusted(ValueError()) is None


# --- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENAI_ORG_ID", "org-\x01"),
        ("OPENAI_ORG_ID", "örg"),
        ("OPENAI_ORG_ID", "org-\nX: y"),
        ("OPENAI_PROJECT_ID", "proj\udce9"),
        ("OPENAI_PROJECT_ID", "proj\rx"),
        ("OPENAI_CUSTOM_HEADERS", "X-One: 1\nX Two: 2"),
        ("OPENAI_CUSTOM_HEADERS", "X-One: größe"),
        ("OPENAI_CUSTOM_HEADERS", "X-One=1"),
        ("OPENAI_CUSTOM_HEADERS", ": 1"),
        ("OPENAI_CUSTOM_HEADERS", "X-One: 1\x7f"),
    ],
)
def test_headers_that_cannot_be_sent_are_named(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=f"^{variable}") as caught:
        open_upstream(settings())
    assert "\n" not in str(caught.value)


@pytest.mark.real
async def test_headers_of_the_environment_are_sent(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1\r")
    monkeypatch.setenv("OPENAI_PROJECT_ID", " proj-2")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Three: 3\r\n\r\nX-Four: 4:4\n")
    with trio.fail_after(10):
        async with serve(Reply(tokens=TOKENS)) as server, open_chat_model(settings(server.base_url)) as model:
            assert (await read(model))[-1] == Finish("stop")
    headers = server.requests[0].headers
    sent = [headers[name] for name in ("openai-organization", "openai-project", "x-three", "x-four")]
    assert sent == ["org-1", "proj-2", "3", "4:4"]


def test_the_sdks_own_switch_does_not_log_what_is_said(monkeypatch):
    logging.getLogger("openai").setLevel(logging.DEBUG)
    open_upstream(settings())
    assert logging.getLogger("openai").level == logging.NOTSET
