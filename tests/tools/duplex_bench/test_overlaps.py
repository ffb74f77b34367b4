"""What a reply did when something came into it, on recordings whose figures are known."""

import numpy as np
import pytest

from tests.tools.duplex_bench.made_up import line, played, recording, said_so, sound
from tools.duplex_bench.overlaps import heard_again_s
from tools.duplex_bench.scoring import score
from tools.duplex_bench.script import Kind
from voice_trio.core.audio import SAMPLE_RATE

COUGH = line(Kind.NOISE, begin_s=5, end_s=5.5)


def overlaid(right, log=(), said=COUGH):
    (scored,) = score(recording([said], right, log=log)).lines
    return scored.overlay


def test_a_reply_that_goes_on_is_not_paused():
    found = overlaid([(2, 15)])
    assert (found.stopped, found.paused_s, found.repeated_s, found.repeated_words) == (False, 0, 0, None)


def test_breaths_are_no_pauses():
    assert overlaid([(2, 5.2), (5.6, 15)]).paused_s == 0


def test_a_reply_that_goes_on_after_a_while_was_paused():
    found = overlaid([(2, 5.2), (7, 15)])
    assert not found.stopped
    assert found.paused_s == pytest.approx(1.8)


@pytest.mark.parametrize("right", [[(2, 5.2)], [(2, 5.2), (8.3, 15)]])
def test_a_reply_that_is_gone_was_stopped(right):
    assert overlaid(right).stopped


def test_a_reply_that_ends_later_by_itself_was_not_stopped():
    assert not overlaid([(2, 7.1)]).stopped


def test_a_recording_that_ends_in_the_reply_shows_no_stop():
    assert not overlaid([(2, 20)], said=line(Kind.NOISE, begin_s=19, end_s=19.5)).stopped


def test_without_a_reply_there_is_nothing_to_stop():
    assert overlaid([(2, 4), (7, 9)]) is None


def test_another_reply_in_its_place_is_a_stop():
    right = [(2, 5.2), (7, 15)]
    assert overlaid(right, [played(1, 2, 5.2), played(2, 7, 15)]).stopped
    assert not overlaid(right, [played(1, 2, 5.2), played(1, 7, 15, source=51_200)]).stopped


def test_words_that_are_said_again_are_counted_by_the_log():
    log = [
        said_so(2, "words", samples=[0, 20_000, 40_000], places=[0, 1, 2]),
        said_so(4, "words", samples=[49_000, 60_000], places=[3, 4]),
        played(1, 2, 5.2),
        played(1, 7, 15, source=38_000),
    ]
    assert overlaid([(2, 5.2), (7, 15)], log).repeated_words == 2


def test_a_reply_that_goes_on_where_it_was_says_nothing_again():
    log = [said_so(2, "words", samples=[0, 20_000], places=[0, 1]), played(1, 2, 5.2), played(1, 7, 15, source=51_200)]
    assert overlaid([(2, 5.2), (7, 15)], log).repeated_words == 0


@pytest.mark.parametrize(
    ("at", "text", "taken"), [(6.5, "Ahem.", True), (6.5, " ", False), (2, "Tell me.", False), (15, "More.", False)]
)
def test_a_noise_may_be_taken_for_words(at, text, taken):
    assert overlaid([(2, 15)], [said_so(at, "final", 2, text=text)]).taken_for_words is taken


def test_what_is_said_again_is_heard_in_the_sound():
    reply = sound(10, (0, 10), seed=4)
    right = np.zeros(20 * SAMPLE_RATE)
    right[2 * SAMPLE_RATE : 5 * SAMPLE_RATE] = reply[: 3 * SAMPLE_RATE]
    # It goes on 0.6 s before where it was.
    right[7 * SAMPLE_RATE : 9 * SAMPLE_RATE] = reply[round(2.4 * SAMPLE_RATE) : round(4.4 * SAMPLE_RATE)]
    assert heard_again_s(right, 5.0, 7.0) == pytest.approx(0.6, abs=0.001)
    found = overlaid(right, said=line(Kind.BACKCHANNEL, ("yeah", 4.8, 5.2)))
    assert found.repeated_s == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize(
    "right", [sound(10, (2, 5), (7, 9), seed=5), sound(10, (4.9, 5), (7, 7.05)), np.zeros(160_000)]
)
def test_what_is_new_is_not_heard_again(right):
    assert heard_again_s(right, 5.0, 7.0) == 0
