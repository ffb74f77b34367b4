"""The language model of this machine: found, kept, lost, found again, with the real SDK and real sockets."""

import pytest
import structlog
import trio

from tests.engines.local_servers import ALL, SAID, listening, llama_cpp, lm_studio, ollama
from tests.streams import events_of
from voice_trio.config import load
from voice_trio.core.history import Message
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Finish, Leasable, Prompt, Swapping, TextDelta
from voice_trio.engines.local_llm import finder
from voice_trio.engines.local_llm.finder import SERVERS, LocalServer
from voice_trio.engines.local_llm.model import FIRST_WAIT_S, LONGEST_WAIT_S, open_local_model

PROMPT = Prompt([Message("user", "What time is it?")])
NOBODY = LocalServer("Jan", 1)


def opened(*servers, **settings):
    return open_local_model(load(**settings), servers, ask_s=30.0)


ALONE = "I cannot answer that without a language model."
"""What is said by the skills in its place, where no tools are offered."""


async def reply(model):
    async with model.stream(PROMPT) as stream:
        events = [event async for event in events_of(stream)]
    assert isinstance(events[-1], Finish)
    return "".join(event.text for event in events if isinstance(event, TextDelta))


# --- while there is none, in virtual time -----------------------------------------------------------------------------


async def test_it_is_looked_for_at_growing_intervals(autojump_clock):
    asked = []

    async def refuses(host, port):
        asked.append((trio.current_time(), port))
        await trio.lowlevel.checkpoint()
        raise ConnectionRefusedError

    began = trio.current_time()
    async with open_local_model(load(), SERVERS, connect=refuses) as model:
        assert trio.current_time() == began
        assert (model.name, model.synthetic) == ("skills", True)
        await trio.sleep(125)
        assert await reply(model) == ALONE
    times = sorted({at - began for at, _ in asked})
    assert times == pytest.approx([0, 2, 6, 14, 30, 60, 90, 120])
    assert len(asked) == len(times) * len(SERVERS)
    assert (FIRST_WAIT_S, LONGEST_WAIT_S) == (2, 30)


async def test_without_skills_its_place_is_taken_by_what_repeats_words(autojump_clock):
    async with open_local_model(load(skills="off"), ()) as model:
        assert (model.name, model.synthetic, bool(model.advice)) == ("synthetic", True, True)
        assert await reply(model) == "You said: What time is it?"


async def test_it_does_not_find_itself(autojump_clock):
    asked = []

    async def refuses(host, port):
        asked.append(port)
        await trio.lowlevel.checkpoint()
        raise ConnectionRefusedError

    async with open_local_model(load(port=8080), SERVERS, connect=refuses):
        pass
    assert 8080 not in asked
    assert len(asked) == len(SERVERS) - 1


async def test_no_test_asks_what_runs_on_this_machine():
    async with open_local_model(load()) as model:
        assert model.answers == []
    assert load().llm_engine == "synthetic"
    assert finder.SERVERS == ()


# --- found ------------------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
async def test_each_kind_of_server_answers(make, monkeypatch):
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: for somebody else\nAuthorization: Bearer mine")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    with trio.fail_after(60):
        async with listening(make()) as stub, opened(stub.server()) as model:
            assert isinstance(model, Swapping)
            assert not model.synthetic
            assert stub.called in model.name
            assert await reply(model) == SAID
    path, headers, body = stub.asked[-1]
    assert path == "/v1/chat/completions"
    assert f'"{stub.chat}"' in body.decode()
    assert not {"x-secret", "openai-organization"} & headers.keys()
    assert headers["authorization"] == "Bearer none"


@pytest.mark.real
async def test_llama_cpp_is_not_told_of_by_the_path_of_its_file():
    with trio.fail_after(60):
        async with listening(llama_cpp()) as stub, opened(stub.server()) as model:
            assert model.name == "Qwen3-4B-Q4_K_M.gguf (llama.cpp)"


@pytest.mark.real
async def test_the_model_that_was_asked_for_is_taken_wherever_it_is():
    with trio.fail_after(60):
        async with listening(ollama()) as first, listening(lm_studio()) as second:
            async with opened(first.server(), second.server(), llm_model="qwen2.5-7b-instruct") as model:
                assert model.name == "qwen2.5-7b-instruct (LM Studio)"
            async with opened(second.server(), first.server(), llm_model="llama3.2") as model:
                assert model.name == "llama3.2:latest (Ollama)"


@pytest.mark.real
async def test_another_model_than_the_one_asked_for_is_not_taken():
    with trio.fail_after(60), structlog.testing.capture_logs() as lines:
        async with listening(ollama()) as stub, opened(stub.server(), llm_model="gemma3") as model:
            assert model.synthetic
            assert model.advice == "No server on this machine has gemma3, which STREAM_LLM_MODEL asks for."
            await model.look()
    warnings = [line for line in lines if line["log_level"] == "warning"]
    assert [line["reason"] for line in warnings] == [model.advice]


# --- swapped ----------------------------------------------------------------------------------------------------------


@pytest.mark.real
async def test_one_that_starts_later_is_there_for_the_next_turn_and_not_for_this_one():
    stub = ollama()
    with trio.fail_after(60):
        # A port for it, on which nobody listens yet.
        async with listening(stub):
            pass
        async with opened(NOBODY, stub.server()) as model:
            before = model.leased()
            assert before.synthetic
            async with listening(stub):
                await model.look()
                after = await model.wait_other(before)
                assert (model.name, after.name) == ("llama3.2:latest (Ollama)",) * 2
                assert await reply(before) == ALONE
                assert await reply(after) == SAID
                await model.look()
                assert model.leased() is after


@pytest.mark.real
async def test_one_that_goes_fails_its_turn_and_another_one_takes_the_next():
    stub = ollama()
    with trio.fail_after(60):
        async with listening(stub):
            pass
        async with listening(lm_studio()) as other, opened(stub.server(), other.server()) as model:
            second = model.leased()
            assert second.name == "qwen2.5-vl-3b (LM Studio)"
            async with listening(stub):
                await model.look()
                first = model.leased()
            with pytest.raises(EngineError, match=r"check whether Ollama still runs\.$") as caught:
                await reply(first)
            assert caught.value.code is ErrorCode.LLM_FAIL
            # One that was known before is the same, with its connections.
            assert await model.wait_other(first) is second
            assert await reply(model) == SAID


@pytest.mark.real
async def test_where_the_only_one_goes_there_is_none_until_it_is_back():
    stub = ollama()
    with trio.fail_after(60), structlog.testing.capture_logs() as lines:
        async with listening(stub):
            pass
        async with opened(stub.server()) as model:
            async with listening(stub):
                await model.look()
                found = model.leased()
            with pytest.raises(EngineError):
                await reply(found)
            assert (await model.wait_other(found)).synthetic
            async with listening(stub):
                await model.look()
                assert model.leased() is found
                assert await reply(model) == SAID
    told = [line["event"] for line in lines if "language model" in line["event"] and line["log_level"] != "debug"]
    assert told == ["a language model is here", "the language model is gone", "a language model is here"]


@pytest.mark.real
async def test_a_model_that_was_deleted_is_named_and_another_one_taken():
    stub = ollama()
    with trio.fail_after(60):
        async with listening(stub), opened(stub.server("/v1/models")) as model:
            lost = model.leased()
            stub.stream = ()
            stub.lists = {"/v1/models": {"object": "list", "data": [{"id": "gemma3"}]}}
            with pytest.raises(EngineError):
                await reply(lost)
            assert (await model.wait_other(lost)).name == "gemma3 (Ollama)"


def test_what_cannot_be_swapped_is_not_taken_for_what_can():
    assert not isinstance(object(), Leasable)
