"""The adapter of /ws, told what a server says: what servers say already, and what they are yet to say."""

import json

import pytest
import trio

from tools.duplex_bench.adapter import Ears, SessionLost
from tools.duplex_bench.ours import Ours
from tools.duplex_bench.player import Player
from voice_trio.client import SessionClosed
from voice_trio.core import messages as m
from voice_trio.wire import native

RATE = 16_000


class Line:
    """A client whose server says what a test tells it to."""

    def __init__(self):
        self.sent = []
        self.say, self._said = trio.open_memory_channel(100)

    async def send_raw(self, data):
        await trio.lowlevel.checkpoint()
        self.sent.append(data)

    async def hear_raw(self):
        try:
            return await self._said.receive()
        except trio.EndOfChannel:
            raise SessionClosed(1001, "the server stops") from None


class Session:
    """An adapter that listens, in virtual time."""

    def __init__(self, *, echo=False):
        began_at = trio.current_time()
        self.line = Line()
        now = lambda: round((trio.current_time() - began_at) * RATE)  # noqa: E731
        self.ears = Ears(now, Player(now))
        self.ours = Ours(self.line, self.ears, echo=echo)

    def told(self, kind, **fields):
        self.line.say.send_nowait(json.dumps({"type": kind, **fields}))

    def sound(self, turn, seconds, first=0):
        pcm = b"\1\2" * round(seconds * RATE)
        event = m.TtsChunk(turn=turn, phrase=0, seq=0, first_sample=first, pcm=pcm)
        self.line.say.send_nowait(native.encode_event(event))

    def phrase(self, turn, number=0, **fields):
        self.told("tts_phrase", turn=turn, phrase=number, start=0, end=5, sample_rate=RATE, **fields)

    def commands(self):
        return [json.loads(text) for text in self.line.sent if isinstance(text, str)]

    def runs(self):
        return [(run.turn, run.source, run.begin, run.end) for run in self.ears.player.runs]

    def logged(self):
        return [{name: what for name, what in entry.items() if name != "at"} for entry in self.ears.log]


@pytest.fixture
def session(nursery):
    session = Session()
    nursery.start_soon(session.ours.listen)
    return session


@pytest.mark.parametrize(("echo", "said"), [(False, "browser"), (True, "none")])
async def test_it_begins_hands_free_and_says_who_cancels_the_echo(autojump_clock, nursery, echo, said):
    session = Session(echo=echo)
    nursery.start_soon(session.ours.listen)
    await trio.testing.wait_all_tasks_blocked()
    assert session.commands() == [{"type": "start", "mode": "hands_free", "echo": said}]
    await session.ours.send(b"\1\0")
    assert session.line.sent[-1] == b"\1\0"


async def test_a_turn_is_played_and_logged(autojump_clock, session):
    session.told("state", turn=1, state="CAPTURING")
    session.told("final", turn=1, text="What time is it?", language="en")
    session.told("state", turn=1, state="THINKING")
    await trio.sleep(0.5)
    assert session.ours.answering
    session.phrase(1, words=[[0, 0], [400, 3]])
    session.sound(1, 0.1)
    session.told("tts_phrase_done", turn=1, phrase=0, samples=1600)
    session.phrase(1, 1)
    session.told("tts_words", turn=1, phrase=1, words=[[200, 7]])
    session.told("done", turn=1, outcome="completed", heard=11)
    await trio.sleep(0.5)
    assert not session.ours.answering
    assert session.runs() == [(1, 0, 8000, 9600)]
    assert session.logged() == [
        {"kind": "final", "turn": 1, "text": "What time is it?"},
        {"kind": "ended", "turn": 1},
        {"kind": "words", "turn": 1, "samples": [0, 400], "places": [0, 3]},
        {"kind": "words", "turn": 1, "samples": [1800], "places": [7]},
        {"kind": "done", "turn": 1, "outcome": "completed", "remembered": 11},
    ]
    assert [entry["at"] for entry in session.ears.log] == [0, 0, 0.5, 0.5, 0.5]


async def test_what_was_played_is_told_four_times_a_second(autojump_clock, session):
    session.phrase(1)
    session.sound(1, 0.6)
    await trio.sleep(1.1)
    played = [command["samples"] for command in session.commands() if command["type"] == "played"]
    assert played == [4000, 8000, 9600, 9600]


async def test_a_hold_is_silence_and_a_release_goes_on_where_it_says(autojump_clock, session):
    session.phrase(1)
    session.sound(1, 2)
    await trio.sleep(1)
    session.told("hold", turn=1, sample=15_000)
    await trio.sleep(0.5)
    session.told("release", turn=1, sample=14_000)
    await trio.sleep(0.1)
    assert session.runs() == [(1, 0, 0, 16_000), (1, 14_000, 24_000, 42_000)]
    assert session.logged() == [{"kind": "hold", "turn": 1}, {"kind": "release", "turn": 1}]
    # What was heard is told at once, and not a quarter of a second later.
    assert {"type": "played", "turn": 1, "samples": 16_000} in session.commands()


@pytest.mark.parametrize("outcome", ["interrupted", "cancelled"])
async def test_what_is_cut_off_is_not_played_on(autojump_clock, session, outcome):
    session.phrase(1)
    session.sound(1, 2)
    await trio.sleep(1)
    session.told("done", turn=1, outcome=outcome)
    session.sound(1, 2, first=32_000)
    await trio.sleep(0.1)
    assert session.runs() == [(1, 0, 0, 16_000)]


@pytest.mark.parametrize("outcome", ["completed", "failed", "timed_out"])
async def test_what_ends_by_itself_is_heard_out(autojump_clock, session, outcome):
    session.phrase(1)
    session.sound(1, 2)
    session.told("done", turn=1, outcome=outcome)
    await trio.sleep(0.1)
    assert session.runs() == [(1, 0, 0, 32_000)]


async def test_a_turn_that_is_reopened_has_another_reply(autojump_clock, session):
    session.told("state", turn=1, state="THINKING")
    session.phrase(1)
    session.sound(1, 0.5)
    session.told("tts_phrase_done", turn=1, phrase=0, samples=8000)
    session.told("reopened", turn=1, revision=1)
    await trio.sleep(2)
    assert not session.ours.answering
    session.phrase(1, words=[[100, 0]])
    session.sound(1, 0.25)
    await trio.sleep(0.1)
    assert session.runs() == [(1, 0, 32_000, 36_000)]
    assert session.logged()[-1] == {"kind": "words", "turn": 1, "samples": [100], "places": [0]}


async def test_errors_are_logged_and_news_of_other_kinds_is_ignored(autojump_clock, session):
    session.told("error", code="TTS_FAIL", message="no voice", recoverable=True, turn=1)
    session.told("partial", turn=1, keep=0, text="wh", stable=0)
    session.told("something", new=True)
    await trio.sleep(0.1)
    assert session.logged() == [{"kind": "error", "code": "TTS_FAIL", "message": "no voice"}]


async def test_a_session_that_is_closed_is_lost(autojump_clock):
    session = Session()
    session.line.say.close()
    with pytest.raises(ExceptionGroup) as caught:
        await session.ours.listen()
    assert caught.group_contains(SessionLost, match="the server stops")
