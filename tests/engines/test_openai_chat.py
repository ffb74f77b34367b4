import gc
import gzip
import json
import socket
import zlib
from typing import Any

import pytest
import trio

from tests.sse_server import Reply, chunk, serve, serve_raw
from tests.streams import events_of
from voice_trio.config import ConfigError, Settings, load
from voice_trio.core.history import Message
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import Alive, EngineError, Finish, LanguageModel, Prompt, TextDelta
from voice_trio.engines.openai_chat.client import OPENAI_URL, is_configured
from voice_trio.engines.openai_chat.model import open_chat_model

pytestmark = pytest.mark.real

PROMPT = Prompt([Message("system", "Be kind."), Message("user", "Hello there.")])
KEY = "test-key"
TOKENS = [f"token{number} " for number in range(40)]
DELTAS = [TextDelta(token) for token in TOKENS]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(autouse=True)
def nothing_left_open():
    """Have what a test left open collected, and so reported as a warning, in that test (all of it is young)."""
    yield
    gc.collect(1)


def settings(url: str | None, **others) -> Settings:
    return load(**{"openai_base_url": url, "openai_api_key": KEY, "llm_model": "some-model", **others})


async def read(model: LanguageModel) -> list[Any]:
    """Return all events of one reply but for signs of life; a `EngineError` is the last of them."""
    events: list[Any] = []
    try:
        async with model.stream(PROMPT) as stream:
            async for event in events_of(stream):
                if not isinstance(event, Alive):
                    events.append(event)
    except EngineError as error:
        events.append(error)
    return events


async def answer(*script: Reply, **others):
    """Return the events of one reply under ``script``, and the server."""
    with trio.fail_after(60):
        async with serve(*script) as server:
            async with open_chat_model(settings(server.base_url, **others)) as model:
                events = await read(model)
            return events, server


async def test_tokens_come_in_order_and_end_in_a_finish():
    events, server = await answer(Reply(tokens=TOKENS))
    assert events == [*DELTAS, Finish("stop")]
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body["model"] == "some-model"
    assert request.body["stream"] is True
    assert request.body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello there."},
    ]


async def test_only_a_base_url_is_enough():
    _, server = await answer(Reply(tokens=["Hi."]), openai_api_key=None)
    assert server.requests[0].headers["authorization"].startswith("Bearer ")


async def test_a_connection_read_to_its_end_is_used_again():
    with trio.fail_after(60):
        async with serve(Reply(tokens=TOKENS)) as server, open_chat_model(settings(server.base_url)) as model:
            for _ in range(3):
                assert (await read(model))[-1] == Finish("stop")
            assert [request.connection for request in server.requests] == [1, 1, 1]


async def test_a_server_that_finishes_and_then_hangs_does_not_spoil_the_reply():
    events, _ = await answer(Reply(tokens=TOKENS, done=False))
    assert events == [*DELTAS, Finish("stop")]


@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_the_finish_reason_is_the_servers(finish):
    events, _ = await answer(Reply(tokens=["So"], finish=finish))
    assert events[-1] == Finish(finish)


@pytest.mark.parametrize("where", ["waiting for a token", "working on one", "before the first"])
async def test_cancelling_closes_the_connection_upstream(where):
    slow = Reply(tokens=[] if where == "before the first" else TOKENS[:4], stall=True)
    with trio.fail_after(60):
        async with serve(slow) as server, open_chat_model(settings(server.base_url)) as model:
            with trio.CancelScope() as turn:

                def cancel_at(event: str):
                    if event == where:
                        turn.cancel()

                server.on_request = lambda: cancel_at("before the first")
                async with model.stream(PROMPT) as stream:
                    async for event in events_of(stream):
                        if event == DELTAS[3]:
                            # Comes true at the next wait, which is the one for a token.
                            cancel_at("waiting for a token")
                        elif where == "working on one":
                            cancel_at(where)
                            await trio.sleep_forever()
            assert turn.cancelled_caught
            await server.requests[0].closed_by_client.wait()
            assert len(server.requests) == 1


async def test_leaving_in_the_middle_closes_the_connection_upstream():
    with trio.fail_after(60):
        slow = Reply(tokens=TOKENS, stall=True)
        async with serve(slow) as server, open_chat_model(settings(server.base_url)) as model:
            async with model.stream(PROMPT) as stream:
                while await stream.receive() != DELTAS[0]:
                    pass
            await server.requests[0].closed_by_client.wait()


async def test_closing_the_model_leaves_no_connection_open():
    with trio.fail_after(60):
        async with serve(Reply(tokens=TOKENS)) as server:
            async with open_chat_model(settings(server.base_url)) as model:
                await read(model)
                assert not server.is_idle.is_set()
            await server.is_idle.wait()


@pytest.mark.parametrize(
    ("status", "words", "requests"),
    [
        (400, "HTTP 400", 1),
        (401, "OPENAI_API_KEY", 1),
        (403, "OPENAI_API_KEY", 1),
        (404, "STREAM_LLM_MODEL", 1),
        (429, "HTTP 429", 1),
        (500, "HTTP 500", 2),
        (503, "HTTP 503", 2),
    ],
)
async def test_a_refusal_is_explained_without_the_key(status, words, requests):
    (error,), server = await answer(Reply(status=status))
    assert error.code is ErrorCode.LLM_FAIL
    assert words in error.message
    assert KEY not in error.message
    assert error.__suppress_context__
    assert len(server.requests) == requests


@pytest.mark.parametrize("fault", [Reply(status=500), Reply(status=502), Reply(reset=True)])
async def test_one_retry_makes_good_a_passing_fault(fault):
    events, server = await answer(fault, Reply(tokens=TOKENS))
    assert events == [*DELTAS, Finish("stop")]
    assert len(server.requests) == 2


async def test_there_is_one_retry_at_most():
    (error,), server = await answer(Reply(reset=True), Reply(status=500), Reply(tokens=TOKENS))
    assert error.code is ErrorCode.LLM_FAIL
    assert len(server.requests) == 2


async def test_there_is_no_retry_after_a_token():
    (*tokens, error), server = await answer(Reply(tokens=TOKENS[:3], reset=True), Reply(tokens=TOKENS))
    assert tokens == DELTAS[:3]
    assert error.code is ErrorCode.LLM_FAIL
    assert len(server.requests) == 1


@pytest.mark.parametrize("tokens", [[], TOKENS[:3]])
async def test_a_stall_is_a_timeout(tokens):
    events, server = await answer(Reply(tokens=tokens, stall=True), llm_first_token_s=0.1)
    assert events[:-1] == DELTAS[: len(tokens)]
    assert events[-1].code is ErrorCode.LLM_TIMEOUT
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "line",
    ['{"choices": [', "no json", json.dumps({"error": {"message": f"{KEY} is overloaded"}}), '{"error": "gone"}'],
)
async def test_an_unreadable_event_or_an_error_in_the_stream_fails(line):
    (*tokens, error), server = await answer(Reply(tokens=TOKENS[:3], raw=[line]))
    assert tokens == DELTAS[:3]
    assert error.code is ErrorCode.LLM_FAIL
    assert KEY not in error.message
    assert len(server.requests) == 1


async def test_a_truncated_stream_is_told_when_its_words_are_out():
    (*events, error), _ = await answer(Reply(tokens=TOKENS[:3], finish=None))
    assert events == DELTAS[:3]
    assert (error.code, error.message) == (ErrorCode.LLM_FAIL, "The reply broke off before its end.")


async def test_events_without_text_are_skipped():
    nothing = [
        '{"choices": []}',
        '{"choices": null, "error": null}',
        '{"choices": [{"delta": {}, "finish_reason": null}]}',
        '{"choices": [{"delta": {"content": null, "reasoning_content": "hm"}, "finish_reason": null}]}',
        '{"choices": [{"delta": {"content": ""}, "finish_reason": ""}]}',
        '{"choices": [], "usage": {"total_tokens": 3}}',
        '{"choices": [3]}',
        "null",
        "[]",
        "4",
    ]
    events, _ = await answer(Reply(tokens=TOKENS[:3], raw=nothing))
    assert events == [*DELTAS[:3], Finish("stop")]


async def test_an_unreachable_address_is_named_without_its_password():
    with socket.socket() as bound:  # bound and not listening: refused, and nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with trio.fail_after(60):
            async with open_chat_model(settings(f"http://me:secret@127.0.0.1:{port}/v1")) as model:
                (error,) = await read(model)
    assert error.code is ErrorCode.LLM_FAIL
    assert f"http://127.0.0.1:{port}/v1" in error.message
    assert "OPENAI_BASE_URL" in error.message
    assert "secret" not in error.message


async def test_a_host_that_takes_no_connection_is_unreachable(monkeypatch):
    monkeypatch.setattr("voice_trio.engines.openai_chat.client._CONNECT_S", 0.1)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        # A listener that accepts nobody, with its queue full: the next handshake is not answered.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        with trio.fail_after(60):
            async with open_chat_model(settings(f"http://127.0.0.1:{full.getsockname()[1]}/v1")) as model:
                (error,) = await read(model)
    assert error.code is ErrorCode.LLM_FAIL
    assert "Could not reach" in error.message


@pytest.mark.parametrize(("own", "check"), [(True, "OPENAI_BASE_URL"), (False, "this machine's network")])
async def test_nobody_is_sent_to_a_setting_that_they_never_made(monkeypatch, own, check):
    nowhere = "http://127.0.0.1:1/v1"
    monkeypatch.setattr("voice_trio.engines.openai_chat.client.OPENAI_URL", nowhere)
    with trio.fail_after(60):
        async with open_chat_model(settings(nowhere if own else None)) as model:
            (error,) = await read(model)
    assert error.message.endswith(f"check {check}.")


@pytest.mark.parametrize(
    ("others", "variable"),
    [
        ({"openai_base_url": "localhost:11434"}, "OPENAI_BASE_URL"),
        ({"openai_base_url": "http://"}, "OPENAI_BASE_URL"),
        ({"openai_base_url": "http://[::1/v1"}, "OPENAI_BASE_URL"),
        ({"openai_api_key": "ключ"}, "OPENAI_API_KEY"),
        ({"openai_api_key": "two\nlines"}, "OPENAI_API_KEY"),
    ],
)
async def test_settings_that_cannot_work_are_named_at_the_start(others, variable):
    with trio.fail_after(60):
        with pytest.raises(ConfigError, match=variable) as caught:
            async with open_chat_model(settings(**{"url": None, **others})):
                pass
    assert str(others.get("openai_api_key")) not in str(caught.value)


def test_a_key_or_an_address_is_a_language_model():
    assert not is_configured(load())
    assert not is_configured(load(openai_api_key="  ", openai_base_url=""))
    assert is_configured(load(openai_api_key=KEY))
    assert is_configured(load(openai_base_url=OPENAI_URL))


NOON = [TextDelta("It is noon."), Finish("stop")]
STOP = chunk({}, "stop")


async def raw_answer(body: bytes, *headers: bytes, **others):
    """Return the events of one reply whose body is ``body``, sent at once and closed."""
    head = b"\r\n".join(
        [b"HTTP/1.1 200 OK", *headers, b"Content-Type: text/event-stream", b"Connection: close", b"", b""]
    )
    with trio.fail_after(60):
        async with serve_raw(head + body) as url, open_chat_model(settings(url, **others)) as model:
            return await read(model)


def stream(*chunks: str) -> bytes:
    return "".join(f"data: {one}\n\n" for one in chunks).encode()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_packed_reply_is_unpacked(encoding):
    body = stream(chunk({"content": "It is noon."}), STOP)
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    assert await raw_answer(packed, b"Content-Encoding: " + encoding.encode()) == NOON


@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (b"hello", b"gzip", "packed in a way"),
        (b"hello", b"br", "packed in a way"),
        (gzip.compress(b"data: " + bytes(5_000_000)), b"gzip", "more in one piece than can be read"),
        (gzip.compress((b":" + b"x" * 999 + b"\n") * 20_000), b"gzip", "longer than any reply"),
    ],
)
async def test_a_body_has_bounds(body, encoding, words):
    (error,) = await raw_answer(body, b"Content-Encoding: " + encoding)
    assert error.code is ErrorCode.LLM_FAIL
    assert words in error.message


async def test_packing_is_not_asked_for():
    _, server = await answer(Reply(tokens=TOKENS))
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_done_without_a_finish_is_an_end():
    assert await raw_answer(stream(chunk({"content": "It is noon."}), "[DONE]")) == NOON


async def test_text_behind_a_finish_is_said():
    pieces = [chunk({"content": "It "}, "stop"), chunk({"content": "is "}, "stop"), chunk({"content": "noon."}, "stop")]
    *tokens, finish = await raw_answer(stream(*pieces))
    assert ("".join(token.text for token in tokens), finish) == ("It is noon.", Finish("stop"))


async def test_a_server_that_says_stop_with_every_piece_is_waited_for():
    with trio.fail_after(60):
        slow = Reply(tokens=TOKENS[:3], delay_s=0.6, stops=True, stall=True)
        async with serve(slow) as server, open_chat_model(settings(server.base_url)) as model:
            assert await read(model) == [*DELTAS[:3], Finish("stop")]


async def test_once_it_was_seen_thinking_that_is_only_closed_is_held_back():
    thinking = Reply(tokens=["They ask. ", "So I say. ", "</think>", "It is ", "noon."])
    with trio.fail_after(60):
        async with serve(thinking) as server, open_chat_model(settings(server.base_url)) as model:
            await read(model)
            assert await read(model) == [TextDelta("It is "), TextDelta("noon."), Finish("stop")]


async def test_a_model_named_for_its_thinking_streams_again_once_it_was_seen_not_to():
    with trio.fail_after(60):
        named = Reply(tokens=TOKENS, model="some-r1:7b")
        async with serve(named) as server, open_chat_model(settings(server.base_url)) as model:
            assert await read(model) == [TextDelta("".join(TOKENS)), Finish("stop")]
            assert await read(model) == [*DELTAS, Finish("stop")]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_to_the_same_host_is_followed_with_the_question(status):
    with trio.fail_after(60):
        async with serve(Reply(tokens=TOKENS)) as server:
            head = (
                f"HTTP/1.1 {status} Moved\r\nLocation: {server.base_url}/chat/completions\r\nContent-Length: 0\r\n\r\n"
            )
            async with serve_raw(head.encode()) as url, open_chat_model(settings(url)) as model:
                assert await read(model) == [*DELTAS, Finish("stop")]
            assert server.requests[0].body["messages"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["http://127.0.0.2:{port}/v1", "//127.0.0.2:{port}/v1"])
async def test_a_redirect_to_another_host_is_refused_and_named(status, place):
    with trio.fail_after(60):
        async with serve(Reply(tokens=TOKENS)) as server:
            port = server.base_url.rpartition(":")[2].removesuffix("/v1")
            there = place.format(port=port)
            head = f"HTTP/1.1 {status} Moved\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n"
            async with serve_raw(head.encode()) as url, open_chat_model(settings(url)) as model:
                (error,) = await read(model)
            assert not server.connections
    assert error.code is ErrorCode.LLM_FAIL
    assert "127.0.0.2" in error.message
    assert "OPENAI_BASE_URL" in error.message


@pytest.mark.parametrize("status", [302, 400, 500])
async def test_of_an_answer_that_is_no_success_only_the_head_is_read(status):
    bomb = gzip.compress(bytes(50_000_000))
    head = (
        f"HTTP/1.1 {status} No\r\nLocation: http://example.com/\r\nContent-Encoding: gzip\r\n"
        f"Content-Length: {len(bomb)}\r\n\r\n"
    )
    with trio.fail_after(60):
        async with serve_raw(head.encode() + bomb) as url, open_chat_model(settings(url)) as model:
            (error,) = await read(model)
    assert error.code is ErrorCode.LLM_FAIL
