"""The codec in docs/another-wire.md, as it stands there: against a session, and behind a socket of the server."""

import re
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, wrap_client_stream

from tests.server.serving import serving
from voice_trio import config
from voice_trio.memory.in_process import InProcessStore
from voice_trio.server import app
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed
from voice_trio.session.session import Session
from voice_trio.session.settings import SessionSettings
from voice_trio.testing.scripted import ScriptedLanguageModel, scripted_engines
from voice_trio.testing.wire import WireLink

DOCUMENT = Path(__file__).parent.parent.parent / "docs/another-wire.md"


@pytest.fixture
def new_codec():
    """What makes the codec that the document shows."""
    module: dict[str, Any] = {}
    exec(re.search(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)[1], module)
    return module["PlainCodec"]


async def reply(hear):
    """Return the messages until the empty one that ends a reply."""
    messages = []
    while message := await hear():
        messages.append(message)
    return messages


async def test_a_person_types_and_is_answered(autojump_clock, new_codec):
    model, link = ScriptedLanguageModel(), WireLink(new_codec())
    session = Session(
        link,
        settings=SessionSettings.of(config.load()),
        engines=lambda: scripted_engines(language_model=model),
        store=InProcessStore(),
    )
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.run)
            await link.memory.ask("How is the weather?")
            words = ["It ", "is ", "sunny. ", "Enjoy ", "your ", "day."]
            assert await reply(link.memory.hear) == words
            await link.memory.ask("  ")
            await link.memory.ask("/be brief")
            # The first of these is over before a word of it was written.
            await link.memory.ask("And now?")
            await link.memory.ask("And tomorrow?")
            assert await link.memory.hear() == ""
            assert await reply(link.memory.hear) == words
            assert [message.content for message in model.prompts[-1]][::3] == ["Be brief.", "And tomorrow?"]
            await link.memory.ask(b"\0\0")
            assert await link.memory.hear() == "[this wire has no binary messages]"
            with pytest.raises(LinkClosed):
                await link.memory.hear()
    assert link.memory.closed == (Farewell.UNSUPPORTED, "this wire has no binary messages")


@pytest.mark.real
async def test_a_server_speaks_it_at_a_path_of_its_own(new_codec, monkeypatch):
    monkeypatch.setitem(app.WIRES, "/plain", new_codec)
    with trio.fail_after(30):
        async with serving() as running:
            host, port = running.url.removeprefix("http://").split(":")
            # The stream is ours, because trio-websocket leaves it open when the server closes first.
            async with await trio.open_tcp_stream(host, int(port)) as stream, trio.open_nursery() as nursery:
                socket = await wrap_client_stream(nursery, stream, f"{host}:{port}", "/plain")
                await socket.send_message("Tell me something.")
                assert await socket.get_message() == "A sentence that goes on. "
                await socket.send_message("Something else.")
                while await socket.get_message() != "":
                    pass
                await socket.send_message("x" * 10_001)
                closed = await closing(socket)
    assert (closed.code, closed.reason) == (1009, "a message may have 10000 characters")


async def closing(socket):
    """Hear the server out and return how it closed."""
    try:
        while True:
            await socket.get_message()
    except ConnectionClosed as error:
        return error.reason
