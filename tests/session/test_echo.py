"""A session takes its own voice out of what it hears, where the client says that nobody else does."""

import numpy as np
import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.audio import FRAME_SAMPLES, ms_to_samples
from voice_trio.core.errors import EngineError
from voice_trio.engines.echo import aec3
from voice_trio.session import echo
from voice_trio.session.echo import Echo
from voice_trio.session.greeting import CANCELS_ECHO
from voice_trio.session.listener import Listener
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedDetector, silent, voiced

RATE = 24_000
VOICE = (9000 * np.sin(np.arange(2 * RATE) / 8) * np.sin(np.arange(2 * RATE) / 900)).astype("<i2").tobytes()


@pytest.fixture
async def made():
    """An `Echo` that has its canceller."""
    made = Echo()
    made.want()
    await made.run()
    return made


def send(to, first_sample=0, pcm=VOICE):
    to.send(m.TtsPhrase(turn=1, phrase=0, start=0, end=5, sample_rate=RATE))
    to.send(m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=first_sample, pcm=pcm))


def changed(of, seconds=1.0):
    """Return whether frames that hold the voice come back other than they are, from the microphone's sample 0 on."""
    frame = VOICE[: 2 * FRAME_SAMPLES]
    return any(of.clean(frame, at) != frame for at in range(0, round(seconds * 16_000), FRAME_SAMPLES))


@pytest.mark.real
async def test_what_is_sent_and_sounds_is_taken_out(made):
    send(made)
    assert not made.is_doubtful
    made.sounding(m.Sounding(turn=1, sample=0), 0)
    assert changed(made)
    assert made.is_doubtful, "it has yet to find where the echo comes"


@pytest.mark.real
async def test_what_does_not_sound_leaves_the_frames_alone(made):
    send(made)
    made.sounding(m.Sounding(), 0)
    made.sounding(m.Sounding(turn=2, sample=0), 480)
    assert not changed(made)


@pytest.mark.real
async def test_where_in_the_message_it_begins(made):
    send(made)
    made.sounding(m.Sounding(turn=1, at=960), 0)
    assert not changed(made, seconds=0.05)
    assert changed(made)


@pytest.mark.real
async def test_a_canceller_that_fails_is_done_without(made, monkeypatch):
    def broken(*step):
        raise EngineError(m.ErrorCode.INTERNAL, "The echo canceller failed: no.")

    monkeypatch.setattr(aec3.Aec3, "clean", broken)
    send(made)
    made.sounding(m.Sounding(turn=1, sample=0), 0)
    assert not changed(made)


async def test_without_its_package_a_session_goes_on_without(autojump_clock, monkeypatch):
    def missing():
        raise EngineError(m.ErrorCode.INTERNAL, "Echo cannot be cancelled without livekit.")

    monkeypatch.setattr(echo, "_make", missing)
    unmade = Echo()
    unmade.want()
    await unmade.run()
    send(unmade)
    unmade.sounding(m.Sounding(turn=1, sample=0), 0)
    assert not changed(unmade)


async def test_a_client_that_cancels_echo_itself_costs_nothing(autojump_clock, monkeypatch):
    made = []
    monkeypatch.setattr(echo, "_make", lambda: made.append(1))
    async with conversation() as talk:
        await talk.ask(m.Start(), m.Sounding(), m.Audio(voiced(60)))
        await talk.say(900, 900)
        await talk.wait_for(m.Done)
    assert not made


@pytest.mark.real
async def test_a_whole_turn_with_what_sounds():
    """The wish, the sending and the reports meet in a session; what becomes of the sound is tried elsewhere."""
    with trio.fail_after(60):
        async with conversation() as talk:
            opened = await talk.wait_for(m.SessionOpened)
            assert CANCELS_ECHO in opened.features
            await talk.ask(m.Start(mode="hands_free", echo="none"))
            for turn in (1, 2):
                await talk.say(900, 900)
                await talk.wait_for(m.TtsChunk, turn=turn)
                await talk.ask(m.Sounding(turn=turn, sample=0, at=100), m.Audio(silent(60)))
                await talk.wait_for(m.Done, turn=turn)
                await talk.ask(m.Sounding())
                # Past the echo's end: what a scripted detector hears is not to be touched.
                await talk.say(0, 1200)


@pytest.mark.parametrize("message_ms", [10, 30, 70])
def test_the_listener_has_each_frame_cleaned_and_knows_where_it_is(message_ms):
    listener, asked = Listener(ScriptedDetector()), []

    def clean(frame, position):
        asked.append(position)
        return bytes(len(frame))

    listener.clean = clean
    samples = ms_to_samples(message_ms)
    for number in range(30):
        assert listener.position == number * samples
        listener.feed(voiced(message_ms), 0.0)
    assert asked == list(range(0, 30 * samples - FRAME_SAMPLES + 1, FRAME_SAMPLES))
