"""Where an utterance begins and ends, and which audio it is, by sample counts."""

import pytest
import trio

from voice_trio import config
from voice_trio.core.messages import Partial
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.session import asr
from voice_trio.session.capture import STRIDE_BYTES, Capture
from voice_trio.session.ending import Ending
from voice_trio.session.listener import Listener
from voice_trio.session.outbox import Outbox
from voice_trio.session.outlet import Outlet
from voice_trio.session.settings import SessionSettings
from voice_trio.session.throttle import Throttle
from voice_trio.testing.scripted import ScriptedDetector, ScriptedRecognizer, silent, voiced

SETTINGS = {"silence_ms": 700, "endpointing": "fixed", "ends_on_silence": True}


def capturing(max_ms=30_000, patience_s=30.0):
    return Capture(max_samples=16 * max_ms, patience_s=patience_s)


def listening(max_ms=30_000, **changes):
    listener, capture, timeline = Listener(ScriptedDetector()), capturing(max_ms), Timeline()
    listener.listen(capture, timeline, **{**SETTINGS, **changes})
    return listener, capture, timeline


def feed(listener, pcm, *, message_ms=60, began_at=0.0):
    """Feed ``pcm`` at the speed of speech, and return when the last of it arrived."""
    step = 32 * message_ms
    for at in range(0, len(pcm), step):
        began_at += len(pcm[at : at + step]) / 32_000
        listener.feed(pcm[at : at + step], began_at)
    return began_at


@pytest.mark.parametrize("message_ms", [1, 20, 30, 60, 1000])
async def test_an_utterance_has_its_pre_roll_and_ends_on_silence(message_ms):
    listener, capture, _ = listening()
    feed(listener, silent(900) + voiced(900) + silent(900), message_ms=message_ms)
    assert capture.ending is Ending.SILENCE
    pcm = await capture.receive()
    assert pcm[: len(silent(300))] == silent(300)
    assert pcm[len(silent(300)) :].startswith(voiced(900))
    assert capture.samples * 2 == len(pcm)
    assert 300 + 900 + 700 <= capture.samples / 16 <= 300 + 900 + 760
    assert await capture.receive() == b""


async def test_pre_roll_does_not_reach_before_the_start():
    listener, capture, _ = listening()
    feed(listener, voiced(300))
    listener.listen(capture := capturing(), Timeline(), **SETTINGS)
    feed(listener, voiced(900))
    assert len(await capture.receive()) == len(voiced(900))


async def test_times_are_those_of_the_frames():
    listener, _, timeline = listening()
    feed(listener, silent(600) + voiced(900) + silent(900), message_ms=30)
    assert timeline.moments[Moment.SPEECH_START] == pytest.approx(0.63)
    assert timeline.moments[Moment.SPEECH_END] == pytest.approx(1.5)


async def test_hold_goes_on_through_silence_until_stop():
    listener, capture, _ = listening(ends_on_silence=False)
    feed(listener, voiced(600) + silent(3000) + voiced(600))
    assert capture.ending is None
    listener.stop()
    assert capture.ending is Ending.STOPPED


async def test_nobody_speaking_is_no_speech(autojump_clock):
    capture = capturing(patience_s=5.0)
    with trio.fail_after(10):
        assert not await capture.wait_begun()
    assert (capture.ending, trio.current_time()) == (Ending.NO_SPEECH, 5.0)


async def test_audio_that_takes_too_long_to_come_ends_an_utterance(autojump_clock):
    capture = capturing(max_ms=8000, patience_s=5.0)
    capture.append(voiced(300))
    with trio.fail_after(30):
        assert await capture.wait_begun()
        assert await capture.receive() == voiced(300)
        assert await capture.receive() == b""
    assert (capture.ending, trio.current_time()) == (Ending.TOO_SLOW, 16.0)


async def ended(listener, capture, moments):
    """Feed the audio of ``moments``, each at its time; return how and when the utterance ended."""
    with trio.fail_after(200):
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _():
                for at_s, pcm in moments:
                    await trio.sleep_until(at_s)
                    listener.feed(pcm, trio.current_time())

            # As a turn does.
            await capture.wait_begun()
            await capture.wait_ended()
            nursery.cancel_scope.cancel()
    return capture.ending, round(trio.current_time(), 3)


def coming(pcm, *, message_ms=60, from_s=0.0):
    """Return ``pcm`` in messages, each with the time at which a microphone hands it over."""
    step = 32 * message_ms
    return [(from_s + (at + step) / 32_000, pcm[at : at + step]) for at in range(0, len(pcm), step)]


SPOKEN = coming(voiced(900))
NOISE = [(0.9 + 0.4 * n, silent(20)) for n in range(1, 100)]
ENDS = {
    "muted in the middle of a word": ({}, SPOKEN, (Ending.SILENCE, 2.76)),
    "muted in a pause": ({}, [*SPOKEN, *coming(silent(300), from_s=0.9)], (Ending.SILENCE, 3.06)),
    "a frame of comfort noise now and then": ({}, [*SPOKEN, *NOISE], (Ending.SILENCE, 2.78)),
    "a longer silence is asked for": ({"silence_ms": 5000}, SPOKEN, (Ending.SILENCE, 5.9)),
    "late by less than two seconds": (
        {},
        [*SPOKEN, (2.6, voiced(1700)), *coming(silent(900), from_s=2.6)],
        (Ending.SILENCE, 3.32),
    ),
    "one message in two seconds": ({}, coming(voiced(6000), message_ms=2000), (Ending.SILENCE, 9.8)),
    "half as fast as speech": (
        {},
        [(2 * at_s, pcm) for at_s, pcm in coming(voiced(900) + silent(500) + voiced(900) + silent(900))],
        (Ending.SILENCE, 6.0),
    ),
    "the key is held": ({"ends_on_silence": False, "max_ms": 8000}, SPOKEN, (Ending.STILL, 8.9)),
    "the key is held, and a frame comes now and then": (
        {"ends_on_silence": False, "max_ms": 8000},
        [*SPOKEN, *NOISE],
        (Ending.TOO_SLOW, 16.12),
    ),
    "a voice comes a frame a second": (
        {"max_ms": 8000},
        [(float(n), voiced(30)) for n in range(1, 30)],
        (Ending.TOO_SLOW, 19.0),
    ),
}


@pytest.mark.parametrize(("changes", "moments", "expected"), ENDS.values(), ids=ENDS)
async def test_audio_that_stops_coming_ends_an_utterance_as_silence_does(autojump_clock, changes, moments, expected):
    listener, capture, _ = listening(**changes)
    assert await ended(listener, capture, moments) == expected


async def test_a_process_that_was_held_up_looks_at_what_came_meanwhile(mock_clock):
    listener, capture, _ = listening()
    listener.feed(voiced(900), trio.current_time())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(capture.wait_ended)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(10)
        await trio.testing.wait_all_tasks_blocked()
        listener.feed(voiced(900), trio.current_time())
        mock_clock.jump(0.5)
        await trio.testing.wait_all_tasks_blocked()
        assert capture.ending is None
        nursery.cancel_scope.cancel()


async def test_who_speaks_when_the_clock_has_ended_the_utterance_is_heard_to_be_late_once(autojump_clock):
    listener, capture, _ = listening()
    await ended(listener, capture, SPOKEN)
    assert capture.by_clock
    assert not listener.feed(silent(900), 3.0)
    assert listener.feed(voiced(900), 4.0)
    assert not listener.feed(voiced(900), 5.0)
    assert len(capture.take()) == len(voiced(900))
    listener.listen(capturing(), Timeline(), **SETTINGS)
    assert not listener.feed(voiced(900), 6.0)


async def test_who_speaks_after_an_end_that_was_heard_is_not_late(autojump_clock):
    listener, capture, _ = listening()
    feed(listener, voiced(900) + silent(900))
    assert capture.ending is Ending.SILENCE
    assert not listener.feed(voiced(900), 5.0)


async def test_stop_before_speech_is_no_speech():
    listener, capture, _ = listening()
    listener.stop()
    assert capture.ending is Ending.NO_SPEECH


async def test_the_longest_utterance_is_kept_to_the_sample():
    listener, capture, _ = listening(max_ms=1000)
    feed(listener, voiced(5000))
    assert capture.ending is Ending.TOO_LONG
    assert len(await capture.receive()) == len(voiced(1000))


async def test_after_the_end_audio_is_used_by_nobody():
    listener, capture, _ = listening()
    feed(listener, voiced(600) + silent(900))
    samples = capture.samples
    feed(listener, voiced(2000))
    assert capture.samples == samples
    listener.stop()
    assert capture.ending is Ending.SILENCE


async def test_audio_before_any_turn_is_kept_by_nobody_but_the_ring():
    listener = Listener(ScriptedDetector())
    feed(listener, voiced(60_000))
    listener.stop()
    assert len(listener._ring) * 30 == 3000


async def test_who_waits_for_audio_is_woken_for_a_stride_of_it_and_at_the_end():
    capture = capturing()
    got = []

    async def read():
        while pcm := await capture.receive():
            got.append(len(pcm))

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            for _ in range(3):
                await trio.testing.wait_all_tasks_blocked()
                capture.append(bytes(STRIDE_BYTES - 2))
                await trio.testing.wait_all_tasks_blocked()
                capture.append(bytes(2))
            await trio.testing.wait_all_tasks_blocked()
            capture.append(bytes(2))
            await trio.testing.wait_all_tasks_blocked()
            assert got == [STRIDE_BYTES] * 3
            capture.end(Ending.STOPPED)
    assert got == [STRIDE_BYTES] * 3 + [2]


async def test_what_waits_can_be_taken_at_once():
    capture = capturing()
    capture.append(bytes(100))
    assert (len(capture.take()), capture.take(), capture.samples) == (100, b"", 50)


async def test_a_draft_says_all_that_was_said_though_it_is_less_than_a_stride(autojump_clock):
    capture = capturing()
    capture.append(voiced(90))
    outbox = Outbox(capacity=9, reserve=9, overflowed=lambda: None)
    with trio.move_on_after(1):
        await asr.transcribe(
            capture,
            ScriptedRecognizer(words=["one", "two", "three"], word_ms=30),
            turn=1,
            language=None,
            likely=None,
            settings=SessionSettings.of(config.load(partial_interval_ms=1000, asr_timeout_s=1.0)),
            throttle=Throttle(outbox, 9),
            outlet=Outlet(outbox, Timeline()),
        )
    outbox.close()
    partial = await outbox.take()
    assert partial == Partial(turn=1, keep=0, text="one two three", stable=0)
    assert await outbox.take() is None
