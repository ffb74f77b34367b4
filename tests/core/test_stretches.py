"""Where in a recording somebody speaks."""

from hypothesis import given, strategies as st

from voice_trio.core.audio import FRAME_SAMPLES, ms_to_samples
from voice_trio.core.endpointer import PRE_ROLL_MS
from voice_trio.core.stretches import PAUSE_MS, Stretches

PRE_ROLL = ms_to_samples(PRE_ROLL_MS)
PAUSE_FRAMES = -(-ms_to_samples(PAUSE_MS) // FRAME_SAMPLES)


def found(*runs):
    """Return the stretches of a recording of ``runs``: so many frames of speech, then so many of silence, and so on."""
    stretches, made, frames = Stretches(), [], 0
    for number, run in enumerate(runs):
        for _ in range(run):
            made.append(stretches.push(0.0 if number % 2 else 1.0))
            frames += 1
    made.append(stretches.finish(frames * FRAME_SAMPLES))
    return [one for one in made if one is not None]


def test_speech_between_long_pauses_is_a_stretch_each():
    first, second = found(0, 20, 30, 50, 40, 60)
    assert (first.onset, first.voiced_through) == (20 * FRAME_SAMPLES, 50 * FRAME_SAMPLES)
    assert first.begin == first.onset - PRE_ROLL
    assert first.end == first.voiced_through + PAUSE_FRAMES * FRAME_SAMPLES
    assert (second.onset, second.voiced_through) == (100 * FRAME_SAMPLES, 140 * FRAME_SAMPLES)


def test_a_short_pause_is_inside_of_one():
    [only] = found(0, 5, 30, PAUSE_FRAMES - 2, 30, 60)
    assert only.voiced_through == (5 + 30 + PAUSE_FRAMES - 2 + 30) * FRAME_SAMPLES


def test_a_recording_that_ends_in_speech_has_it():
    [only] = found(10)
    assert only == (0, 0, 10 * FRAME_SAMPLES, 10 * FRAME_SAMPLES)


def test_the_last_frame_may_be_a_part_of_one():
    stretches = Stretches()
    for _ in range(10):
        assert stretches.push(1.0) is None
    assert stretches.finish(10 * FRAME_SAMPLES - 100).voiced_through == 10 * FRAME_SAMPLES - 100


def test_silence_and_clicks_are_none():
    assert found(0, 200) == []
    assert found(1, 30, 1, 30, 2, 30) == []


@given(st.lists(st.integers(0, 80), max_size=12))
def test_they_lie_in_order_and_inside_of_the_recording(runs):
    before = 0
    for one in found(*runs):
        assert before <= one.begin <= one.onset < one.voiced_through <= one.end <= sum(runs) * FRAME_SAMPLES
        before = one.end
