"""Language models on this machine: who is asked, what is believed, and that nobody keeps us waiting."""

import json
from contextlib import suppress

import pytest
import structlog
import trio
import trio.testing

from tests.engines.local_servers import ALL, listening, llama_cpp, ollama
from tests.sse_server import serve_raw
from voice_trio.core.model_lists import ModelList
from voice_trio.engines.local_llm.finder import ASK_S, SERVERS, Answer, Found, LocalServer, ask, choose

LONG_S = 30.0
"""Where a real socket has to answer: a busy machine is not to look like a silent server."""


def port_of(url):
    return int(url.removesuffix("/v1").rpartition(":")[2])


async def refuses(host, port):
    await trio.lowlevel.checkpoint()
    raise ConnectionRefusedError


async def accepts_and_says_nothing(host, port):
    await trio.lowlevel.checkpoint()
    silent.append(trio.testing.memory_stream_pair())
    return silent[-1][0]


async def never_connects(host, port):
    await trio.sleep_forever()


silent: list[tuple[trio.abc.Stream, trio.abc.Stream]] = []
"""Both ends of what was connected: one that is collected would be closed."""


# --- without a socket, in virtual time --------------------------------------------------------------------------------


async def test_where_nobody_is_there_no_time_passes(autojump_clock):
    began = trio.current_time()
    answers = await ask(SERVERS, connect=refuses)
    assert trio.current_time() == began
    assert [answer.said for answer in answers] == ["is not there"] * len(SERVERS)
    assert choose(answers, "") is None


@pytest.mark.parametrize("connect", [accepts_and_says_nothing, never_connects])
async def test_silence_takes_as_long_as_one_of_them_may(autojump_clock, connect):
    began = trio.current_time()
    answers = await ask(SERVERS, connect=connect)
    assert trio.current_time() - began == pytest.approx(ASK_S)
    assert [str(answer) for answer in answers] == [
        f"{server.called} (port {server.port}) does not answer in time" for server in SERVERS
    ]


async def test_one_that_trickles_is_cut_off_in_time_too(autojump_clock):
    async def trickle(host, port):
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(drip, theirs)
        await trio.lowlevel.checkpoint()
        return ours

    async def drip(stream):
        await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await stream.send_all(b"1\r\n[\r\n")
            await trio.sleep(0.01)

    async with trio.open_nursery() as nursery:
        began = trio.current_time()
        (answer,) = await ask([LocalServer("llama.cpp", 8080)], connect=trickle)
        assert trio.current_time() - began == pytest.approx(ASK_S)
        assert answer.said == "does not answer in time"
        nursery.cancel_scope.cancel()


async def test_loopback_and_nothing_else_is_asked(autojump_clock, monkeypatch):
    asked = []

    async def connect(host, port):
        asked.append((host, port))
        return await refuses(host, port)

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    await ask(SERVERS, connect=connect)
    assert sorted(asked) == [("127.0.0.1", port) for port in (1234, 1337, 8000, 8080, 11434)]


async def test_the_log_has_one_line_and_nobody_sees_it_who_does_not_look(autojump_clock):
    with structlog.testing.capture_logs() as lines:
        await ask(SERVERS, connect=refuses)
    assert [line["log_level"] for line in lines] == ["debug"]


def said(*models):
    return [Answer(server, "", ModelList(*lists)) for server, lists in zip(SERVERS, models, strict=False)]


def test_the_first_that_can_talk_is_taken():
    answers = said(((), ("embed",)), (("b", "c"),), (("d",),))
    assert choose(answers, "") == Found(SERVERS[1], "b")
    assert choose(said(((), ("embed",))), "") is None


def test_one_that_is_named_is_taken_wherever_it_is_and_no_other():
    answers = said((("a",), ("odd",)), (("b", "c:latest"),))
    assert choose(answers, "c") == Found(SERVERS[1], "c:latest")
    assert choose(answers, "odd") == Found(SERVERS[0], "odd")
    assert choose(answers, "d") is None


# --- with sockets -----------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
async def test_each_is_understood_by_the_paths_that_it_is_asked_for(make):
    paths = next(server.paths for server in SERVERS if server.called == make().called)
    with trio.fail_after(60):
        async with listening(make()) as stub:
            (answer,) = await ask([stub.server(*paths)], within_s=LONG_S)
            assert choose([answer], "") == Found(stub.server(*paths), stub.chat)
            assert stub.chat in answer.said
            # An older one has only the list that all have.
            stub.lists = {"/v1/models": stub.lists["/v1/models"]}
            (answer,) = await ask([stub.server(*paths)], within_s=LONG_S)
            assert answer.models.chat
    assert all("authorization" not in headers and "origin" not in headers for _, headers, _ in stub.asked)


@pytest.mark.real
async def test_all_are_asked_at_once_and_listed_in_order():
    with trio.fail_after(60):
        async with listening(llama_cpp()) as second, listening(ollama()) as first:
            gone = LocalServer("Jan", 1)
            answers = await ask([first.server(), gone, second.server()], within_s=LONG_S)
    assert [answer.server.called for answer in answers] == ["Ollama", "Jan", "llama.cpp"]
    assert answers[1].said == "is not there"
    assert choose(answers, "") == Found(first.server(), "llama3.2:latest")
    assert choose(answers, second.chat) == Found(second.server(), second.chat)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def ok(body):
    return HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


HOSTILE = [
    (b"SSH-2.0-OpenSSH_9.6\r\n", "answers with something else than HTTP"),
    (b"\x00\xff" * 5000, "answers with something else than HTTP"),
    (b"", "answers with something else than HTTP"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, "answers with something else than HTTP"),
    (HEAD + b"Content-Length: 100\r\n\r\n{", "answers with something else than HTTP"),
    (ok(b"<!doctype html><title>Tomcat</title>"), "answers with no list of models"),
    (ok(b'{"data": 5}'), "answers with no list of models"),
    (ok(b"[" * 100_000), "answers with no list of models"),
    (ok(b'{"data": []}'), "has no model"),
    (ok(json.dumps({"data": [{"id": "nomic-embed-text"}]}).encode()), "has no model that can talk"),
    (ok(b" " * 10_000_000), "answers with more than any list of models"),
    (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b" " * 65535,
        "answers with something else than HTTP",
    ),
    (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08", "answers with no list of models"),
    (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "answers with HTTP 500"),
    (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answers with HTTP 404"),
    (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "asks for a key"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, "answers with something else than HTTP"),
]


@pytest.mark.real
@pytest.mark.parametrize(("answer", "says"), HOSTILE, ids=range(len(HOSTILE)))
async def test_whatever_listens_there_is_told_in_a_few_words(answer, says):
    with trio.fail_after(60):
        async with serve_raw(answer) as url:
            (told,) = await ask([LocalServer("vLLM", port_of(url))], within_s=LONG_S)
    assert told.said.startswith(says)
    assert choose([told], "") is None


@pytest.mark.real
async def test_no_redirect_is_followed():
    with trio.fail_after(60):
        async with listening(ollama()) as elsewhere:
            there = f"Location: http://127.0.0.1:{elsewhere.port}/v1/models\r\n".encode()
            async with serve_raw(b"HTTP/1.1 302 Found\r\n" + there + b"Content-Length: 0\r\n\r\n") as url:
                (told,) = await ask([LocalServer("vLLM", port_of(url))], within_s=LONG_S)
    assert told.said == "answers with HTTP 302"
    assert elsewhere.asked == []


@pytest.mark.real
async def test_one_that_never_ends_is_left_when_it_is_more_than_a_list():
    async def endless(stream):
        with suppress(trio.BrokenResourceError):
            await stream.send_all(HEAD + b"\r\n")
            while True:
                await stream.send_all(b" " * 4096)

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, endless, [listener])
            port = listener.socket.getsockname()[1]
            (told,) = await ask([LocalServer("vLLM", port)], within_s=LONG_S)
            nursery.cancel_scope.cancel()
    assert told.said == "answers with more than any list of models"


def test_the_servers_are_those_that_people_have():
    assert [(one.called, one.base_url) for one in SERVERS] == [
        ("Ollama", "http://127.0.0.1:11434/v1"),
        ("LM Studio", "http://127.0.0.1:1234/v1"),
        ("llama.cpp", "http://127.0.0.1:8080/v1"),
        ("vLLM", "http://127.0.0.1:8000/v1"),
        ("Jan", "http://127.0.0.1:1337/v1"),
    ]
