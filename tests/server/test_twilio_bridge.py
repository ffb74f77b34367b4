"""The bridge in examples/ between a real server with scripted engines and a telephone by script, as Twilio has them."""

import base64
import json
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trio
from trio_websocket import ConnectionClosed, wrap_client_stream

from tests.server.openai_asking import serving
from tests.server.serving import eventually
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

pytestmark = pytest.mark.real

BRIDGE = Path(__file__).parents[2] / "examples" / "twilio_bridge.py"
STREAM = "MZ0123456789"
LONG = ScriptedReply(tokens=["A sentence that goes on. "] * 50, token_s=0.1)
SHORT = ScriptedReply()
SPEECH, SILENCE = b"\x40", b"\xff"
"""Samples of u-law: the second one is 0."""


class Phone:
    """Twilio's end. It plays what it is sent when, and as far as, the test says."""

    def __init__(self, socket, bridge):
        self.socket = socket
        self.bridge = bridge
        """The bridge's process."""
        self.queue = []
        """What is to be played: so many ms, or a mark's name."""
        self.cleared = 0
        self.hung_up = trio.Event()

    async def send(self, event, **fields):
        await self.socket.send_message(json.dumps({"event": event, "streamSid": STREAM, **fields}))

    async def dial(self):
        await self.send("connected", protocol="Call", version="1.0.0")
        sound = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        await self.send("start", start={"streamSid": STREAM, "tracks": ["inbound"], "mediaFormat": sound})

    async def say(self, sample, ms):
        for _ in range(ms // 20):
            await self.send("media", media={"track": "inbound", "payload": base64.b64encode(sample * 160).decode()})

    async def listen(self):
        with suppress(ConnectionClosed):
            await self._listen()
        self.hung_up.set()

    async def _listen(self):
        while True:
            message = json.loads(await self.socket.get_message())
            assert message["streamSid"] == STREAM
            match message["event"]:
                case "media":
                    self.queue.append(len(base64.b64decode(message["media"]["payload"])) / 8)
                case "mark":
                    self.queue.append(message["mark"]["name"])
                case "clear":
                    # All marks come back then, though nothing of it was played.
                    self.cleared += 1
                    await self.play(float("inf"))

    async def play(self, ms):
        """Play at most ``ms`` of what came, and return the marks that are passed."""
        while self.queue and (isinstance(self.queue[0], str) or self.queue[0] <= ms):
            match self.queue.pop(0):
                case str(name):
                    await self.send("mark", mark={"name": name})
                case played:
                    ms -= played

    @property
    def waiting_ms(self):
        return sum(one for one in self.queue if not isinstance(one, str))


@asynccontextmanager
async def calling(running, *options):
    """Call the server over the bridge; yields the telephone."""
    command = [sys.executable, str(BRIDGE), "--port", "0", "--server", f"ws{running.url[4:]}/v1/realtime", *options]
    async with trio.open_nursery() as nursery:
        bridge = await nursery.start(
            partial(trio.run_process, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        )
        said = (await bridge.stdout.receive_some()).decode()
        place = said.rpartition("//")[2].rstrip("/\n")
        host, port = place.split(":")
        # The stream is ours, because trio-websocket leaves it open when the bridge closes first.
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            phone = Phone(await wrap_client_stream(nursery, stream, place, "/"), bridge)
            nursery.start_soon(phone.listen)
            with suppress(ConnectionClosed):
                await phone.dial()
            yield phone
            nursery.cancel_scope.cancel()


async def test_a_caller_is_answered():
    with trio.fail_after(60):
        async with serving() as (running, _), calling(running) as phone:
            await phone.say(SPEECH, 1500)
            await phone.say(SILENCE, 1500)
            # 50 ms a character, of two phrases.
            await eventually(lambda: phone.waiting_ms > 1200)
            [prompt] = running.engines.language_model.prompts
            assert prompt[-1].content.startswith("what is the weather")
            assert phone.cleared == 0


async def test_who_speaks_into_the_greeting_has_heard_what_was_played_of_it():
    model = ScriptedLanguageModel(replies=[LONG, SHORT])
    with trio.fail_after(60):
        async with (
            serving(scripted_engines(language_model=model)) as (running, _),
            calling(running, "--greeting", "Greet the caller.") as phone,
        ):
            await eventually(lambda: phone.waiting_ms > 1000)
            await phone.play(700)
            await phone.say(SPEECH, 1500)
            await eventually(lambda: phone.cleared)
            await phone.say(SILENCE, 1500)
            await eventually(lambda: phone.waiting_ms > 1200)
            greeting, prompt = model.prompts
            assert greeting[0].content == "Greet the caller."
            # 50 ms a character: one more word would take 750 ms.
            assert [one.content for one in prompt if one.role == "assistant"] == ["A sentence [cut off by the person]"]


async def test_who_hangs_up_ends_the_session():
    with trio.fail_after(60):
        async with serving() as (running, _), calling(running) as phone:
            await eventually(lambda: len(running.sessions) == 1)
            await phone.send("stop", stop={})
            await phone.hung_up.wait()
            await running.sessions.wait_empty()


@pytest.mark.parametrize("garbage", ["{", "[]", "{}", '{"event": "media"}'])
async def test_a_call_of_somebody_else_is_ended_and_nothing_more(garbage):
    with trio.fail_after(60):
        async with serving() as (running, _), calling(running) as phone:
            await phone.socket.send_message(garbage)
            await phone.hung_up.wait()
            assert b"a message in it is none that can be" in await phone.bridge.stdout.receive_some()
            await running.sessions.wait_empty()
            assert phone.bridge.poll() is None


async def test_a_call_without_a_server_is_ended_and_nothing_more():
    with trio.fail_after(60):
        async with serving() as (running, _):
            nobody = running
        async with calling(nobody) as phone:
            await phone.hung_up.wait()
            assert b"There is no session at" in await phone.bridge.stdout.receive_some()
            assert phone.bridge.poll() is None
