"""Talking by microphone and loudspeaker: a scripted room, and all else as it is."""

import os
import pty
import sys
import termios
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import trio

from tests.sounding.room import Room
from voice_trio import config, sound_file
from voice_trio.cli.keys import keyboard
from voice_trio.cli.talk_live import LiveTalk, NoKeys
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.engines.echo import aec3
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines, voiced

pytestmark = pytest.mark.real

EXAMPLES = Path(__file__).parent.parent / "examples"


class Seen:
    """A view that keeps what it is shown, and tells when something was."""

    def __init__(self):
        self.reply = bytearray()
        self.sample_rate = 0
        self.events = []
        self.notes = []
        self._more = trio.Event()

    def show(self, event):
        self.events.append(event)
        self._more.set()
        self._more = trio.Event()

    def note(self, message):
        self.notes.append(message)

    def of(self, kind, **fields):
        return [
            event
            for event in self.events
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
        ]

    def saved(self, path, seconds):
        raise AssertionError("replies that are heard are not written")

    def closed(self, closed):
        raise AssertionError(closed)

    async def until(self, condition):
        while not condition():
            with trio.move_on_after(0.1):
                await self._more.wait()


class Keys:
    """A keyboard on which a test presses keys."""

    def __init__(self):
        self.press, self._pressed = trio.open_memory_channel(10)

    async def next(self):
        return await self._pressed.receive()


@asynccontextmanager
async def talking(running, device, keys):
    view = Seen()
    async with connect(running.ws_url) as client, trio.open_nursery() as nursery:
        nursery.start_soon(LiveTalk(client, view, device, keys.next).run)
        await view.until(lambda: view.notes)
        yield view
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def wordy(settings):
    """Engines with a reply that sounds for some seconds."""
    long = ScriptedReply(tokens=["A sentence that goes on. "] * 4)
    yield scripted_engines(language_model=ScriptedLanguageModel(replies=[long] * 4))


@pytest.fixture
def no_echo_canceller(monkeypatch):
    monkeypatch.setattr(aec3, "missing", lambda: "it was taken away")


async def test_where_the_server_would_hear_itself_a_key_opens_the_microphone(no_echo_canceller):
    with trio.fail_after(60):
        async with open_server(config.load(port=0), wordy) as running:
            device, keys = Room(), Keys()
            async with talking(running, device, keys) as view:
                assert "Space opens the microphone" in view.notes[0]
                assert view.of(m.StateChanged) == []
                await keys.press.send(" ")
                await view.until(lambda: view.of(m.StateChanged, state=m.State.CAPTURING))
                device.say(voiced(900))
                await view.until(lambda: not device.speaking)
                await keys.press.send(" ")
                # A second and a half of it.
                await view.until(lambda: sum(block.any() for block in device.sounded) > 50)
                assert view.of(m.Final)[0].text
                # The same key stops the answer, and opens the microphone once more.
                await keys.press.send(" ")
                await view.until(lambda: view.of(m.StateChanged, turn=2, state=m.State.CAPTURING))
                (done,) = view.of(m.Done)
                assert done.outcome is m.Outcome.CANCELLED
                assert 0 < done.heard < 100
                await view.until(lambda: device.loud == 0)
                device.say(voiced(900))
                await view.until(lambda: not device.speaking)
                await keys.press.send(" ")
                await view.until(lambda: len(view.of(m.Done)) == 2)
                assert view.of(m.Done)[1].outcome is m.Outcome.COMPLETED


async def test_without_a_keyboard_it_is_said_why_not(no_echo_canceller):
    with trio.fail_after(60):
        async with open_server(config.load(port=0), wordy) as running, connect(running.ws_url) as client:
            with pytest.raises(NoKeys, match="needs a keyboard here"):
                await LiveTalk(client, Seen(), Room(), None).run()


@pytest.mark.skipif(aec3.missing() is not None, reason=f"no echo canceller: {aec3.missing()}")
async def test_a_question_is_answered_and_an_answer_interrupted_by_voice_beside_a_loudspeaker():
    question = sound_file.read(EXAMPLES / "question.wav")
    with trio.fail_after(120):
        async with open_server(config.load(port=0, memory="off", llm_engine="synthetic")) as running:
            device, keys = Room(echo_db=-6), Keys()
            async with talking(running, device, keys) as view:
                device.say(question)
                await view.until(lambda: view.of(m.Done))
                first = view.of(m.Done)[0]
                assert first.outcome is m.Outcome.COMPLETED, "its own voice interrupts nothing"
                assert "weather" in view.of(m.Final, turn=1)[-1].text.lower()
                sounded = np.concatenate(device.sounded)
                assert np.abs(sounded).max() > 2000
                device.say(question)
                await view.until(lambda: device.loud > 2000 and view.of(m.TtsChunk, turn=2))
                # Into the answer.
                device.say(question)
                await view.until(lambda: len(view.of(m.Done)) == 2)
                assert view.of(m.Done)[1].outcome is m.Outcome.INTERRUPTED
                await view.until(lambda: len(view.of(m.Done)) == 3)
                assert view.of(m.Final, turn=3)[-1].text


async def test_keys_come_one_by_one_and_the_terminal_is_as_it_was(monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        before = termios.tcgetattr(theirs)
        with trio.fail_after(20), keyboard() as key:
            assert termios.tcgetattr(theirs) != before
            os.write(ours, b" q")
            assert [await key(), await key()] == [" ", "q"]
        assert termios.tcgetattr(theirs) == before
    os.close(ours)


def test_where_there_is_no_terminal_there_are_no_keys(monkeypatch, tmp_path):
    with (tmp_path / "empty").open("w+") as file:
        monkeypatch.setattr(sys, "stdin", file)
        with keyboard() as key:
            assert key is None
