"""The person, in virtual time, with servers that answer as they are told."""

from contextlib import asynccontextmanager

import numpy as np
import pytest
import trio

from tools.duplex_bench.adapter import SessionLost
from tools.duplex_bench.person import MESSAGE, hold_session
from tools.duplex_bench.scoring import score
from tools.duplex_bench.script import Background, Clip, Cue, Echo, Kind, Line, Script, Word
from voice_trio.core.audio import SAMPLE_RATE

SECOND = SAMPLE_RATE


def clip(seconds=1.0, seed=3):
    samples = np.random.default_rng(seed).uniform(-0.1, 0.1, round(seconds * SECOND))
    return Clip(samples, (Word("go", 0.0, seconds),))


def reply(seconds):
    return np.random.default_rng(4).integers(-6000, 6000, round(seconds * SECOND)).astype("<i2").tobytes()


class Robot:
    """Answers ``gap_s`` after the microphone has been quiet for it, for ``reply_s``; or says nothing at all."""

    def __init__(self, ears, *, gap_s=0.5, reply_s=2.0, stops=False):
        self.answering = False
        self.came = []
        self.echo = None
        self._ears = ears
        self._gap_s, self._reply_s, self._stops = gap_s, reply_s, stops
        self._turn = 0
        self._spoke = trio.Event()

    async def send(self, pcm):
        await trio.lowlevel.checkpoint()
        self.came.append((trio.current_time(), pcm))
        if np.abs(np.frombuffer(pcm, "<i2")).max() > 1000:
            self._spoke.set()
            self._spoke = trio.Event()
            if self._stops and self._ears.player.sounds():
                self._ears.player.drop(self._turn)
                self._ears.note("done", turn=self._turn, outcome="interrupted")

    async def listen(self):
        if self._gap_s is None:
            await trio.sleep_forever()
        while True:
            await self._spoke.wait()
            quiet = False
            while not quiet:
                with trio.move_on_after(self._gap_s) as waiting:
                    await self._spoke.wait()
                quiet = waiting.cancelled_caught
            self._turn += 1
            self._ears.player.play(self._turn, SAMPLE_RATE, 0, reply(self._reply_s))


class Stage:
    """Opens robots, and remembers them."""

    def __init__(self, **how):
        self._how = how
        self.robot = None

    @asynccontextmanager
    async def open(self, url, ears, *, echo, jitter_s):
        self.robot = Robot(ears, **self._how)
        self.robot.echo = echo
        yield self.robot

    async def say(self, *lines, **rest):
        script = Script("some", "group", lines, "", **rest)
        return await hold_session(script, "robot", "ws://nowhere", self.open)


def begins(recording):
    return [round(line.begin_s, 3) for line in recording.said]


async def test_turns_follow_on_replies_and_the_scorer_finds_the_gaps(autojump_clock):
    stage = Stage(gap_s=0.6)
    recording = await stage.say(Line(Kind.TURN, clip()), Line(Kind.TURN, clip(0.8)))
    first, second = score(recording).lines
    # The robot counts from the message in which the last word ends, of 30 ms.
    assert first.answer.gap_s == pytest.approx(0.63, abs=0.04)
    assert second.answer.gap_s == pytest.approx(0.63, abs=0.04)
    # The second begins when the reply has been over for 0.8 s.
    assert second.first_s - (first.last_s + first.answer.gap_s + 2.0) == pytest.approx(0.9, abs=0.1)
    assert stage.robot.echo is False


async def test_messages_come_by_the_clock_and_hold_what_was_said(autojump_clock):
    stage = Stage()
    recording = await stage.say(Line(Kind.TURN, clip()))
    times = [at for at, _ in stage.robot.came]
    assert np.allclose(np.diff(times), 0.03)
    assert [entry["seconds"] for entry in recording.entries("late")] == [0.0]
    assert all(len(pcm) == 2 * MESSAGE for _, pcm in stage.robot.came)
    sent = np.frombuffer(b"".join(pcm for _, pcm in stage.robot.came), "<i2") / 32768
    assert np.abs(sent - recording.microphone).max() < 1e-4
    # The microphone hears the person and a quiet room.
    assert np.abs(recording.microphone - recording.left).max() < 0.003
    assert len(recording.left) == len(recording.right) == len(recording.microphone) == len(sent)
    begin = round(recording.said[0].begin_s * SECOND)
    assert np.array_equal(recording.left[begin : begin + SECOND], clip().samples)
    assert recording.said[0].words == (Word("go", begin / SECOND, begin / SECOND + 1.0),)


async def test_the_same_script_is_said_alike_and_another_seed_begins_elsewhere(autojump_clock):
    one, two, other = [begins(await Stage().say(Line(Kind.TURN, clip()), seed=seed)) for seed in (1, 1, 2)]
    assert one == two != other


async def test_a_reply_that_does_not_come_is_waited_for_so_long(autojump_clock):
    recording = await Stage(gap_s=None).say(Line(Kind.TURN, clip()), Line(Kind.TURN, clip()))
    first, second = begins(recording)
    assert second - first == pytest.approx(9.0, abs=0.2)
    assert all(line.answer.missed for line in score(recording).lines)


async def test_an_interruption_comes_into_the_reply_and_a_robot_that_stops_is_seen_to(autojump_clock):
    stage = Stage(reply_s=12, stops=True)
    recording = await stage.say(Line(Kind.TURN, clip()), Line(Kind.INTERRUPTION, clip(), Cue.INTO, 3.0), linger_s=3.0)
    first, second = score(recording).lines
    assert second.first_s == pytest.approx(first.last_s + first.answer.gap_s + 3.0, abs=0.15)
    assert 0 < second.stop.to_silence_s < 0.1
    assert second.answer.gap_s == pytest.approx(0.53, abs=0.04)
    assert not second.answer.heard_early


async def test_interruptions_that_nobody_heeds_follow_one_another_in_the_same_reply(autojump_clock):
    into = Line(Kind.INTERRUPTION, clip(0.5), Cue.INTO, 2.0)
    recording = await Stage(reply_s=20).say(Line(Kind.TURN, clip()), into, into, linger_s=1.0)
    _, first, second = score(recording).lines
    assert first.stop.to_silence_s is None
    assert second.stop.to_silence_s is None
    assert second.first_s - first.last_s == pytest.approx(3.0, abs=0.2)


async def test_what_was_to_be_said_into_a_reply_is_left_out_where_there_is_none(autojump_clock):
    into = Line(Kind.BACKCHANNEL, clip(), Cue.INTO, 3.0)
    for robot in (Stage(gap_s=None), Stage(reply_s=1.0)):
        recording = await robot.say(Line(Kind.TURN, clip()), into, Line(Kind.TURN, clip()))
        assert recording.left_out == 1
        assert [line.kind for line in recording.said] == [Kind.TURN, Kind.TURN]


async def test_the_tail_of_what_was_interrupted_is_no_answer(autojump_clock):
    # The reply ends by itself half a second behind the line, and the answer comes two seconds later.
    recording = await Stage(gap_s=2.5, reply_s=3.0).say(
        Line(Kind.TURN, clip()), Line(Kind.INTERRUPTION, clip(0.5), Cue.INTO, 2.0), Line(Kind.TURN, clip())
    )
    _, second, third = score(recording).lines
    assert third.first_s - second.last_s > 2.5 + 3.0


async def test_a_server_that_says_that_more_comes_is_waited_for(autojump_clock):
    class Slow(Robot):
        async def listen(self):
            await self._spoke.wait()
            self.answering = True
            await trio.sleep(1.5)
            self._ears.player.play(1, SAMPLE_RATE, 0, reply(1))
            await trio.sleep(3)
            self._ears.player.play(1, SAMPLE_RATE, SAMPLE_RATE, reply(1))
            self.answering = False
            await trio.sleep_forever()

    @asynccontextmanager
    async def opened(url, ears, *, echo, jitter_s):
        yield Slow(ears)

    script = Script("some", "group", [Line(Kind.TURN, clip()), Line(Kind.TURN, clip())], "")
    recording = await hold_session(script, "slow", "", opened)
    first, second = begins(recording)
    assert second - first > 5.5
    assert [entry["source"] for entry in recording.entries("heard")] == [0, SAMPLE_RATE]


async def test_the_echo_is_what_was_played_weaker_and_later(autojump_clock):
    stage = Stage(reply_s=2)
    recording = await stage.say(Line(Kind.TURN, clip()), echo=Echo(-20, 0.1), linger_s=2.0)
    assert stage.robot.echo is True
    (heard, *_) = recording.entries("heard")
    begin = round(heard["at"] * SECOND)
    played = recording.right[begin : begin + SECOND]
    assert np.array_equal(np.round(played * 32768).astype("<i2").tobytes(), reply(1))
    back = recording.microphone[begin + 1600 : begin + 1600 + SECOND]
    assert np.abs(back - 0.1 * played).max() < 0.003
    assert not recording.left[begin:].any()


async def test_a_background_is_there_all_the_time_so_much_weaker(autojump_clock):
    recording = await Stage(gap_s=None).say(Line(Kind.TURN, clip()), background=Background("fan", 20), linger_s=2)
    rms = np.sqrt(np.mean(np.square(recording.microphone - recording.left)))
    assert 20 * np.log10(0.05 / rms) == pytest.approx(20, abs=1)


async def test_a_session_that_breaks_off_is_said_to():
    class Gone(Robot):
        async def listen(self):
            await trio.lowlevel.checkpoint()
            raise SessionLost("the server is gone")

    @asynccontextmanager
    async def opened(url, ears, *, echo, jitter_s):
        yield Gone(ears)

    with pytest.raises(SessionLost, match="the server is gone"):
        await hold_session(Script("some", "group", [], ""), "gone", "", opened)
