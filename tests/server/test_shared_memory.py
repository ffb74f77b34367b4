"""Two servers on one PostgreSQL: what one remembers the other knows, and a conversation goes on where its person is."""

from contextlib import asynccontextmanager

import pytest
import trio

from tests.server.test_conversation_api import TOKEN, told, until_let_go
from voice_trio import config
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

pytestmark = pytest.mark.real


class Two:
    """Servers, and what their language models are asked."""

    def __init__(self):
        self.models = [ScriptedLanguageModel(replies=[ScriptedReply(tokens=["Yes."])]) for _ in range(2)]

    @asynccontextmanager
    async def open(self, database_url, **settings):
        chosen = config.load(port=0, database_url=database_url, **settings)
        with trio.fail_after(60):
            async with (
                open_server(chosen, lambda _: self._engines(0)) as one,
                open_server(chosen, lambda _: self._engines(1)) as other,
            ):
                yield one, other

    @asynccontextmanager
    async def _engines(self, number):
        yield scripted_engines(language_model=self.models[number])


async def say(client, text, **fields):
    await client.ask(m.Text(text=text, **fields))
    return await client.wait_for(m.Done)


async def test_a_conversation_goes_on_at_the_other_server_and_at_one_at_a_time(database_url):
    two = Two()
    async with two.open(database_url, auth_token="sesame") as (one, other):
        async with connect(one.ws_url, token="sesame") as here:
            name = (await here.wait_for(m.SessionOpened)).conversation
            assert (await say(here, "My name is Ann.")).remembered
            async with connect(other.ws_url, token="sesame") as there:
                await there.ask(m.Text(text="Who am I?", conversation=name))
                error = await there.wait_for(m.Error)
                assert (error.code, error.message) == (
                    ErrorCode.PROTOCOL_VIOLATION,
                    "Another session is using this conversation.",
                )
                assert not (await there.wait_for(m.Done)).remembered
            assert (await told(other, "DELETE", f"/{name}", **TOKEN))[0] == 409
        await until_let_go(one)
        async with connect(other.ws_url, token="sesame") as there:
            while not (await say(there, "Who am I?", conversation=name)).remembered:
                pass
            prompt = [message.content for message in two.models[1].prompts[-1]]
            assert prompt[-3:] == ["My name is Ann.", "Yes.", "Who am I?"]
            assert (await told(one, "PATCH", f"/{name}", {"title": "Of Ann"}, **TOKEN))[0] == 200
        await until_let_go(other)
        for running in (one, other):
            _, listed = await told(running, "GET", "", **TOKEN)
            assert [(found["id"], found["title"], found["turns"]) for found in listed["conversations"]] == [
                (name, "Of Ann", 2)
            ]
        while (answer := await told(one, "DELETE", f"/{name}", **TOKEN))[0] == 409:
            pass
        assert answer == (200, {"id": name, "turns": 2})
        assert (await told(other, "GET", f"/{name}", **TOKEN))[0] == 404


async def test_without_a_token_only_those_that_are_named_are_told_of_there_too(database_url):
    async with Two().open(database_url) as (one, other):
        async with connect(one.ws_url) as client:
            name = (await client.wait_for(m.SessionOpened)).conversation
            assert (await say(client, "hello")).remembered
        assert (await told(other, "GET", ""))[0] == 403
        _, found = await told(other, "POST", "/lookup", {"ids": [name, "c-other"]})
        assert [one["id"] for one in found["conversations"]] == [name]
