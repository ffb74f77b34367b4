"""A language model that starts, and ends, on this machine while a server serves."""

from contextlib import asynccontextmanager

import pytest
import trio

from tests.engines.local_servers import SAID, listening, ollama
from voice_trio import config
from voice_trio.cli.doctor import _language_model as examine
from voice_trio.cli.serve import describe
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome
from voice_trio.engines import load
from voice_trio.engines.base import EngineError
from voice_trio.engines.local_llm import finder, model as local_model
from voice_trio.engines.local_llm.finder import LocalServer
from voice_trio.engines.local_llm.model import LocalModel, open_local_model
from voice_trio.entry_points import Kind
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import scripted_engines

pytestmark = pytest.mark.real

NOBODY = [LocalServer("Ollama", 1), LocalServer("LM Studio", 2)]


async def answered(client):
    """Ask something; return how the turn ended, with its tokens in one."""
    await client.ask(m.Text(text="What time is it?"))
    reply = ""
    while not isinstance(event := await client.hear(), m.Done):
        reply += event.text if isinstance(event, m.Token) else ""
    return event.outcome, reply


@pytest.mark.parametrize("faults", ["", "tts:delay=0.001s"])
async def test_a_session_is_told_of_it_and_answered_by_it_from_the_next_turn_on(faults, tmp_path, monkeypatch):
    # Or it looks by itself in between, and finds the end of it before anybody's reply has failed.
    monkeypatch.setattr(local_model, "FIRST_WAIT_S", 600.0)
    stub, models = ollama(), []

    @asynccontextmanager
    async def engines(settings):
        async with open_local_model(settings, [stub.server()], ask_s=30.0) as model:
            models.append(model)
            yield scripted_engines(language_model=model)

    settings = config.load(port=0, allow_faults=bool(faults), faults=faults, record_dir=str(tmp_path))
    with trio.fail_after(120):
        async with listening(stub):
            pass
        async with open_server(settings, engines) as running, connect(running.ws_url) as client:
            assert (await client.wait_for(m.SessionOpened)).llm == "skills"
            assert "Start Ollama" in (await client.wait_for(m.Info, code=InfoCode.LLM_SYNTHETIC)).message
            assert "Start Ollama" in "".join(describe(running.engines))
            outcome, alone = await answered(client)
            assert (outcome, alone in ("", SAID)) == (Outcome.COMPLETED, False)
            async with listening(stub):
                await models[0].look()
                told = await client.wait_for(m.Info)
                assert (told.code, told.message, told.llm, told.synthetic) == (
                    *(InfoCode.ENGINES_CHANGED, "llama3.2:latest (Ollama) answers from now on."),
                    *("llama3.2:latest (Ollama)", False),
                )
                assert await answered(client) == (Outcome.COMPLETED, SAID)
                assert "  language model  llama3.2:latest (Ollama)" in describe(running.engines)
                async with connect(running.ws_url) as another:
                    assert (await another.wait_for(m.SessionOpened)).llm == "llama3.2:latest (Ollama)"
            await client.ask(m.Text(text="Still there?"))
            assert (await client.wait_for(m.Error)).code is ErrorCode.LLM_FAIL
            told = await client.wait_for(m.Info)
            assert (told.code, told.synthetic) == (InfoCode.ENGINES_CHANGED, True)
            assert "Start Ollama" not in told.message


async def test_what_is_told_of_is_the_one_at_work(monkeypatch):
    stub, replaced, changed = ollama(), ollama(), InfoCode.ENGINES_CHANGED
    models = []

    @asynccontextmanager
    async def engines(settings):
        async with open_local_model(settings, [replaced.server()], ask_s=30.0) as model:
            models.append(model)
            yield scripted_engines(language_model=model)

    with trio.fail_after(120):
        for one in (stub, replaced):
            async with listening(one):
                pass
        monkeypatch.setattr(finder, "SERVERS", [stub.server()])
        async with open_server(config.load(port=0), engines) as running, connect(running.ws_url) as client:
            await client.wait_for(m.SessionOpened)
            await running.host.swap(Kind.LANGUAGE_MODEL, "local")
            assert (await client.wait_for(m.Info, code=changed)).synthetic
            assert isinstance(running.engines.language_model, LocalModel)
            models.append(running.engines.language_model)
            async with listening(stub), listening(replaced):
                for model in models:
                    await model.look()
                    assert not model.synthetic
                assert (await client.wait_for(m.Info, code=changed)).llm == "llama3.2:latest (Ollama)"
                await running.host.swap(Kind.LANGUAGE_MODEL, "synthetic")
                assert (await client.wait_for(m.Info, code=changed)).synthetic


async def test_it_is_looked_for_where_nothing_else_was_asked_for(monkeypatch):
    monkeypatch.setattr(finder, "SERVERS", NOBODY)
    with trio.fail_after(60):
        for chosen, is_local in [({}, True), ({"openai_base_url": "http://127.0.0.1:1/v1"}, False)]:
            async with load.open_engine(Kind.LANGUAGE_MODEL, config.load(llm_engine="auto", **chosen)) as opened:
                assert isinstance(opened.engine, LocalModel) is is_local


async def test_doctor_tells_what_each_of_them_said(monkeypatch):
    monkeypatch.setattr(finder, "SERVERS", NOBODY)
    with trio.fail_after(60):
        first, *others = (await examine(config.load(llm_engine="auto"))).splitlines()
        assert first.startswith("none, only its skills answer. Start Ollama, ")
        with pytest.raises(EngineError) as caught:
            await examine(config.load(llm_engine="auto", llm_model="gemma3"))
    assert [line.split(" (port ")[0] for line in others] == ["Ollama", "LM Studio"]
    assert caught.value.message.startswith("No server on this machine has gemma3, which STREAM_LLM_MODEL asks for.\n")
