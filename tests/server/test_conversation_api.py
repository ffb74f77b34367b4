"""What is asked over HTTP about the conversations that a server remembers, with a token and without."""

import json
import sqlite3
from contextlib import asynccontextmanager, closing
from urllib.parse import quote

import pytest
import trio

from tests.server.serving import eventually
from tests.server.test_engine_api import ask
from voice_trio import config
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

pytestmark = pytest.mark.real

TOKEN = {"Authorization": "Bearer sesame"}


async def told(running, method, path, body=None, **headers):
    """Return the status and the JSON of an answer."""
    sent = b"" if body is None else json.dumps(body).encode()
    status, _, said = await ask(running, method, f"/api/conversations{path}", sent, **headers)
    return status, json.loads(said)


async def talk(running, *texts, token=None, conversation=None):
    """Have a session in which ``texts`` are said, and return its conversation."""
    async with connect(running.ws_url, token=token) as client:
        opened = await client.wait_for(m.SessionOpened)
        for text in texts:
            await client.ask(m.Text(text=text, conversation=conversation))
            await client.wait_for(m.Done)
    return conversation or opened.conversation


@asynccontextmanager
async def brief(settings):
    yield scripted_engines(language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=["Yes."])]))


@asynccontextmanager
async def serving_in(tmp_path, **settings):
    with trio.fail_after(60):
        chosen = {"memory": "on", "data_dir": str(tmp_path / "data"), **settings}
        async with open_server(config.load(port=0, **chosen), brief) as running:
            yield running


async def until_let_go(running):
    """Wait until no session has a conversation any more."""
    await eventually(lambda: not len(running.sessions))


async def test_with_the_token_all_are_listed_the_newest_first(tmp_path):
    async with serving_in(tmp_path, auth_token="sesame") as running:
        first = await talk(running, "Tell me of tea", token="sesame")
        second = await talk(running, "And of coffee", "More", token="sesame")
        assert (await told(running, "GET", ""))[0] == 401
        status, answer = await told(running, "GET", "", **TOKEN)
        assert (status, answer["before"], answer["complete"]) == (200, None, True)
        listed = answer["conversations"]
        assert [(one["id"], one["title"], one["turns"]) for one in listed] == [
            (second, "And of coffee", 2),
            (first, "Tell me of tea", 1),
        ]
        assert listed[0]["last_at"] > listed[0]["began_at"] > listed[1]["last_at"]
        _, page = await told(running, "GET", "?limit=1", **TOKEN)
        assert [one["id"] for one in page["conversations"]] == [second]
        _, page = await told(running, "GET", f"?limit=1&before={quote(page['before'])}", **TOKEN)
        assert ([one["id"] for one in page["conversations"]], page["before"]) == ([first], None)
        _, found = await told(running, "GET", "?q=TEA", **TOKEN)
        assert [one["id"] for one in found["conversations"]] == [first]


async def test_without_a_token_only_those_that_are_named_are_told_of(tmp_path):
    async with serving_in(tmp_path) as running:
        mine, theirs = await talk(running, "mine, of tea"), await talk(running, "theirs, of tea")
        status, answer = await told(running, "GET", "")
        assert (status, answer["error"]["code"]) == (403, "UNAUTHORIZED")
        assert (await told(running, "GET", "?q=tea"))[0] == 403
        status, answer = await told(running, "POST", "/lookup", {"ids": [mine, "x", mine + "y"]})
        assert (status, [one["id"] for one in answer["conversations"]]) == (200, [mine])
        _, answer = await told(running, "POST", "/lookup", {"ids": [mine], "q": "tea"})
        assert [one["id"] for one in answer["conversations"]] == [mine]
        _, answer = await told(running, "POST", "/lookup", {"ids": [mine], "q": "theirs"})
        assert answer["conversations"] == []
        _, answer = await told(running, "POST", "/lookup", {"ids": [mine, theirs], "limit": 1})
        assert [one["id"] for one in answer["conversations"]] == [theirs]
        _, answer = await told(running, "POST", "/lookup", {"ids": [mine, theirs], "before": answer["before"]})
        assert [one["id"] for one in answer["conversations"]] == [mine]


@pytest.mark.parametrize("memory", ["on", "off"])
async def test_the_turns_of_one_are_told_with_what_was_heard(tmp_path, memory):
    async with serving_in(tmp_path, memory=memory) as running:
        conversation = await talk(running, "one", "two", "three")
        status, answer = await told(running, "GET", f"/{conversation}")
        assert status == 200
        assert answer["before"] is None
        assert (answer["conversation"]["id"], answer["conversation"]["turns"]) == (conversation, 3)
        assert [one["said"] for one in answer["turns"]] == ["one", "two", "three"]
        first = answer["turns"][0]
        assert (first["reply"], first["heard"], first["outcome"], first["calls"]) == ("Yes.", 4, "completed", [])
        _, answer = await told(running, "GET", f"/{conversation}?limit=2")
        assert [one["said"] for one in answer["turns"]] == ["two", "three"]
        _, answer = await told(running, "GET", f"/{conversation}?before={answer['before']}")
        assert [one["said"] for one in answer["turns"]] == ["one"]
        for unknown in ("x", conversation[:-1], quote("ü/..")):
            assert (await told(running, "GET", f"/{unknown}"))[0] == 404


async def test_a_name_is_given_and_kept_over_a_restart(tmp_path):
    async with serving_in(tmp_path) as running:
        conversation = await talk(running, "one")
        path = f"/{conversation}"
        assert await told(running, "PATCH", path, {"title": " Of \n tea\ud83e\udd5a "}) == (
            200,
            {"id": conversation, "title": "Of tea🥚"},
        )
        for title in ("", "  ", None, 7, "x" * 101):
            assert (await told(running, "PATCH", path, {"title": title}))[0] == 400
        assert (await told(running, "PATCH", "/x", {"title": "y"}))[0] == 404
    async with serving_in(tmp_path) as running:
        assert (await told(running, "GET", path))[1]["conversation"]["title"] == "Of tea🥚"


async def test_what_is_deleted_leaves_no_trace(tmp_path):
    async with serving_in(tmp_path) as running:
        conversation = await talk(running, "the secret of tea", "another one")
        other = await talk(running, "of coffee")
        await until_let_go(running)
        assert await told(running, "DELETE", f"/{conversation}") == (200, {"id": conversation, "turns": 2})
        assert (await told(running, "DELETE", f"/{conversation}"))[0] == 404
        assert (await told(running, "GET", f"/{conversation}"))[0] == 404

        def traces():
            files = [file.read_bytes() for file in (tmp_path / "data").iterdir()]
            return any(one.encode() in data for data in files for one in ("secret", conversation))

        await eventually(lambda: not traces())
        _, answer = await told(running, "POST", "/lookup", {"ids": [conversation, other]})
        assert [one["id"] for one in answer["conversations"]] == [other]
        # It may begin anew, as after `forget`.
        assert await talk(running, "again", conversation=conversation) == conversation
        assert (await told(running, "GET", f"/{conversation}"))[1]["conversation"]["title"] == "again"


async def test_one_that_a_live_session_has_is_not_deleted(tmp_path):
    async with serving_in(tmp_path) as running:
        async with connect(running.ws_url) as client:
            conversation = (await client.wait_for(m.SessionOpened)).conversation
            await client.ask(m.Text(text="one"))
            await client.wait_for(m.Done)
            status, answer = await told(running, "DELETE", f"/{conversation}")
            assert (status, answer["error"]["retry_after_s"]) == (409, 2)
            assert "live session" in answer["error"]["message"]
            assert (await told(running, "GET", f"/{conversation}"))[1]["conversation"]["turns"] == 1
        await until_let_go(running)
        assert (await told(running, "DELETE", f"/{conversation}"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "?limit=0", None, 400),
        ("GET", "?limit=101", None, 400),
        ("GET", "?limit=x", None, 400),
        ("GET", "?before=x", None, 400),
        ("GET", f"?q={'x' * 101}", None, 400),
        ("GET", "/x?before=-1", None, 400),
        ("GET", "/x?limit=1e3", None, 400),
        ("POST", "/lookup", None, 400),
        ("POST", "/lookup", ["x"], 400),
        ("POST", "/lookup", {"ids": "x"}, 400),
        ("POST", "/lookup", {"ids": [1]}, 400),
        ("POST", "/lookup", {"ids": ["x" * 101]}, 400),
        ("POST", "/lookup", {"ids": ["x"] * 201}, 400),
        ("POST", "/lookup", {"ids": [], "limit": {}}, 400),
        ("POST", "/lookup", {"ids": [], "q": 7}, 400),
        ("POST", "/lookup", {"ids": ["\ud800"], "q": "\udc00 \0"}, 200),
        ("POST", "/lookup", {"ids": ["x"], "more": "x" * 40_000}, 413),
        ("PUT", "/x", None, 405),
        ("POST", "", None, 405),
    ],
)
async def test_what_is_wrong_is_told_in_a_sentence(tmp_path, method, path, body, status):
    async with serving_in(tmp_path, auth_token="sesame") as running:
        found, answer = await told(running, method, path, body, **TOKEN)
        assert found == status
        assert ("error" in answer) is (status >= 400)
        assert status < 400 or answer["error"]["message"].endswith(".")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/lookup", {"ids": []}), ("GET", "/x", None), ("PATCH", "/x", {"title": "y"}), ("DELETE", "/x", None)],
)
async def test_pages_of_other_origins_and_those_without_the_token_are_turned_away(tmp_path, method, path, body):
    async with serving_in(tmp_path, auth_token="sesame") as running:
        assert (await told(running, method, path, body))[0] == 401
        origin = {"Origin": "https://evil.example"}
        assert (await told(running, method, path, body, **TOKEN, **origin))[0] == 403


async def test_a_database_that_cannot_be_read_is_told_of_and_not_in_its_own_words(tmp_path):
    async with serving_in(tmp_path) as running:
        conversation = await talk(running, "one")
        await until_let_go(running)
        with closing(sqlite3.connect(tmp_path / "data" / "memory.sqlite3")) as other:
            other.execute("DROP TABLE titles")
        status, answer = await told(running, "GET", f"/{conversation}")
        assert (status, answer["error"]["message"]) == (503, "The server's memory cannot be used.")
