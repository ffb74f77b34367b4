"""A person names the language model: over HTTP, by its address, its key, or both."""

import json
import stat

import pytest
import trio

from tests.engines.local_servers import SAID, listening, llama_cpp, ollama
from tests.server.serving import serving
from tests.server.test_another_model import answered
from tests.server.test_engine_api import ask
from voice_trio import config
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode, Outcome
from voice_trio.engines import load
from voice_trio.entry_points import Kind
from voice_trio.server import kept_model
from voice_trio.server.run import open_server

pytestmark = pytest.mark.real

PATH = "/api/language_model"
KEY = "sk-of-a-person-0123456789"
LLM = Kind.LANGUAGE_MODEL


def address(stub):
    return f"http://127.0.0.1:{stub.port}/v1"


async def give(running, headers=None, **said):
    status, _, body = await ask(running, "PUT", PATH, json.dumps(said).encode(), **(headers or {}))
    return status, json.loads(body)


async def test_what_is_given_answers_from_the_next_turn_on(tmp_path, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-the-operator")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Operator: of-the-operator")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    stub = ollama()
    stub.key = KEY
    with trio.fail_after(60):
        async with (
            listening(stub),
            serving(data_dir=str(tmp_path)) as running,
            connect(running.ws_url) as client,
        ):
            await client.wait_for(m.SessionOpened)
            status, told = await give(running, url=address(stub), key=KEY)
            assert status == 200
            assert told[LLM]["at_work"] == "llama3.2:latest"
            expected = {"url": address(stub), "model": "llama3.2:latest", "has_key": True, "kept": False}
            assert told[LLM]["given"] == expected
            assert KEY not in json.dumps(told)
            assert (await client.wait_for(m.Info, code=InfoCode.ENGINES_CHANGED)).llm == "llama3.2:latest"
            assert await answered(client) == (Outcome.COMPLETED, SAID)
    assert {headers["authorization"] for _, headers, _ in stub.asked} == {f"Bearer {KEY}"}
    assert "of-the-operator" not in str(stub.asked)
    assert list(tmp_path.glob("*language_model*")) == []


async def test_it_is_kept_for_the_next_start_if_the_person_says_so(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    stub = llama_cpp()
    settings = config.load(port=0, data_dir=str(tmp_path), llm_engine="auto")
    with trio.fail_after(60):
        async with listening(stub), serving(data_dir=str(tmp_path)) as running:
            status, told = await give(running, url=address(stub), key=KEY, model="mine", keep=True)
            assert (status, told[LLM]["given"]["kept"], told[LLM]["at_work"]) == (200, True, "mine")
            (file,) = tmp_path.glob("*language_model*")
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            again = kept_model.with_kept(settings)
            async with load.open_engine(LLM, again) as opened:
                assert opened.engine.name == "mine"
            # What the operator says now counts more.
            named = config.load(port=0, data_dir=str(tmp_path), openai_base_url="http://127.0.0.1:9/v1")
            assert kept_model.with_kept(named) is named
            status, _, body = await ask(running, "DELETE", PATH)
            assert (status, json.loads(body)[LLM]["given"]) == (200, None)
    assert not file.exists()
    assert kept_model.with_kept(settings) is settings


@pytest.mark.parametrize(
    "left", [b"", b"[]", b"{}", b"{" * 20_000, b'{"url": 3}', b"\xff", b'{"url": "ftp://x", "key": ""}']
)
def test_a_file_that_cannot_be_read_keeps_nothing_from_starting(left, tmp_path):
    settings = config.load(data_dir=str(tmp_path))
    file = tmp_path / "language_model.json"
    file.write_bytes(left)
    assert kept_model.with_kept(settings) is settings
    assert file.read_bytes() == left


async def test_what_does_not_answer_takes_nobodys_place(tmp_path):
    stub, empty = ollama(), ollama()
    stub.key, empty.lists = KEY, {}
    with trio.fail_after(60):
        async with listening(stub), listening(empty), serving(data_dir=str(tmp_path)) as running:
            wrong = [
                (
                    {"url": address(stub), "key": "sk-wrong-0123456789"},
                    422,
                    "refused the key (HTTP 401): check the key",
                ),
                ({"url": "http://127.0.0.1:9/v1"}, 422, "Could not reach the language model at http://127.0.0.1:9/v1"),
                ({"url": address(empty)}, 422, "It lists no model that can talk"),
                ({"url": "file:///etc/passwd"}, 400, "does not begin with http:// or https://"),
                ({"url": f"http://me:secret@127.0.0.1:{stub.port}/v1"}, 400, "no password here"),
                ({"url": address(stub), "key": "sk-\nX: y"}, 400, "not shown here"),
                ({"key": ["sk"]}, 400, '"key" is to be a text'),
                ({"url": "x" * 3_000}, 400, '"url" is to be a text'),
                ({"model": "alone"}, 400, "an address, or a key"),
            ]
            for said, status, message in wrong:
                got, answer = await give(running, **said)
                assert (got, message in answer["error"]["message"]) == (status, True), answer
                assert "secret" not in json.dumps(answer)
                assert "sk-" not in json.dumps(answer)
            status, _, body = await ask(running, "PUT", PATH, b"[" * 100)
            assert (status, b"JSON object" in body) == (400, True)
            status, _, body = await ask(running, "PUT", PATH, b"{" + b" " * 11_000 + b"}")
            assert status == 413
            assert running.engines.language_model.name == "scripted"
    assert list(tmp_path.glob("*language_model*")) == []


async def test_who_may_not_choose_engines_may_not_give_one_either(tmp_path):
    stub = ollama()
    with trio.fail_after(60):
        async with listening(stub), serving(data_dir=str(tmp_path)) as running:
            for method in ("PUT", "DELETE"):
                body = json.dumps({"url": address(stub)}).encode()
                status, _, _ = await ask(running, method, PATH, body, X_Forwarded_For="192.0.2.1")
                assert status == 403
                status, _, _ = await ask(running, method, PATH, body, Origin="http://elsewhere.example")
                assert status == 403
            _, _, told = await ask(running, "GET", "/api/engines", X_Forwarded_For="192.0.2.1")
            assert "given" not in json.loads(told)[LLM]
    assert stub.asked == []


@pytest.mark.parametrize("open_to_all", [{"insecure": True}, {"allowed_origins": "*"}])
async def test_where_any_page_may_talk_only_the_token_names_a_model(open_to_all, tmp_path):
    stub = ollama()
    with trio.fail_after(60):
        async with listening(stub):
            async with serving(data_dir=str(tmp_path), **open_to_all) as running:
                status, answer = await give(running, url=address(stub))
                assert (status, "STREAM_AUTH_TOKEN" in answer["error"]["message"]) == (403, True)
            async with serving(data_dir=str(tmp_path), auth_token="sesame", **open_to_all) as running:
                assert (await give(running, {"Authorization": "Bearer sesame"}, url=address(stub)))[0] == 200


async def test_a_key_that_is_not_said_again_is_the_one_of_the_same_address_and_of_no_other(tmp_path):
    stub, other = ollama(), ollama()
    stub.key = KEY
    with trio.fail_after(60):
        async with listening(stub), listening(other), serving(data_dir=str(tmp_path)) as running:
            assert (await give(running, url=address(stub), key=KEY))[0] == 200
            status, told = await give(running, url=address(stub), model="another", keep=True)
            assert (status, told[LLM]["at_work"], told[LLM]["given"]["has_key"]) == (200, "another", True)
            assert KEY in (tmp_path / "language_model.json").read_text()
            status, told = await give(running, url=address(other))
            assert (status, told[LLM]["given"]["has_key"]) == (200, False)
    assert KEY not in str(other.asked)


async def test_a_word_that_servers_take_for_no_key_is_not_taken_out_of_the_log(tmp_path, monkeypatch):
    hidden: list[str] = []
    monkeypatch.setattr("voice_trio.server.given_model_api.hide", hidden.extend)
    stub = ollama()
    with trio.fail_after(60):
        async with listening(stub), serving(data_dir=str(tmp_path)) as running:
            for key in ("none", KEY):
                assert (await give(running, url=address(stub), key=key))[0] == 200
    assert hidden == [KEY]


async def test_one_that_lists_without_end_is_no_list(tmp_path):
    stub = ollama()
    stub.lists = {"/v1/models": {"object": "list", "data": [{"id": "x" * 1_000}] * 1_000}}
    with trio.fail_after(60):
        async with listening(stub), serving(data_dir=str(tmp_path)) as running:
            status, answer = await give(running, url=address(stub))
    assert (status, "lists no model" in answer["error"]["message"]) == (422, True)


async def test_a_whole_server_begins_with_what_was_kept(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    stub = ollama()
    engines = {"asr_engine": "pocketsphinx", "llm_engine": "auto", "tts_engine": "espeak", "vad": "webrtc"}
    settings = config.load(port=0, data_dir=str(tmp_path), **engines)
    with trio.fail_after(120):
        async with listening(stub), serving(data_dir=str(tmp_path)) as running:
            assert (await give(running, url=address(stub), keep=True))[0] == 200
        async with listening(stub), open_server(settings) as running, connect(running.ws_url) as client:
            assert (await client.wait_for(m.SessionOpened)).llm == "llama3.2:latest"
            assert await answered(client) == (Outcome.COMPLETED, SAID)
            assert (await ask(running, "DELETE", PATH))[0] == 200
            assert running.engines.language_model.name != "llama3.2:latest"
