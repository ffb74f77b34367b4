"""The scorer, on recordings whose figures are known."""

import numpy as np
import pytest

from tests.tools.duplex_bench.made_up import line, played, recording, said_so, sound, turn
from tools.duplex_bench.lost_words import Missing
from tools.duplex_bench.scoring import Silent, score, voiced
from tools.duplex_bench.script import Kind
from tools.duplex_bench.stretches import Stretch, covering, joined, stretches

INTO = Kind.INTERRUPTION


def answer(*args, **kwargs):
    (scored,) = score(recording(*args, **kwargs)).lines
    return scored.answer


# --- turns ------------------------------------------------------------------------------------------------------------


def test_a_gap_goes_from_the_last_voiced_moment_to_the_first_audible_one():
    found = answer([turn((1, 2))], [(2.75, 4)])
    assert found.gap_s == pytest.approx(0.75)
    assert not found.heard_early
    assert not found.missed
    assert not found.harmful
    assert (found.ended_early, found.missing) == (None, None)


def test_a_pause_inside_a_turn_is_no_end_and_a_breath_in_a_reply_no_second_answer():
    found = answer([turn((1, 2), (3, 4))], [(4.5, 5), (5.4, 6)])
    assert found.gap_s == pytest.approx(0.5)
    assert not found.heard_early


@pytest.mark.parametrize("begin_s", [1.5, 2.5, 3.99])
def test_who_is_answered_before_the_end_is_cut(begin_s):
    found = answer([turn((1, 2), (3, 4))], [(begin_s, 6)])
    assert found.heard_early
    assert found.harmful
    assert found.gap_s is None
    assert not found.missed


def test_what_was_heard_before_a_turn_is_no_answer_to_it():
    found = answer([turn((2, 3))], [(0.5, 2.2), (3.6, 4)])
    assert found.gap_s == pytest.approx(0.6)
    assert not found.heard_early


@pytest.mark.parametrize(("begin_s", "missed"), [(4.95, False), (5.05, True)])
def test_an_answer_after_three_seconds_misses_the_end_and_has_a_gap(begin_s, missed):
    found = answer([turn((1, 2))], [(begin_s, 6)])
    assert found.missed is missed
    assert found.gap_s == pytest.approx(begin_s - 2)


def test_without_an_answer_the_end_is_missed():
    found = answer([turn((1, 2))])
    assert found.missed
    assert found.gap_s is None


def test_an_answer_that_comes_after_the_next_line_began_is_not_this_ones():
    first, second = score(recording([turn((1, 2)), turn((10, 11))], [(11.4, 13)])).lines
    assert first.answer.missed
    assert second.answer.gap_s == pytest.approx(0.4)


def test_noise_of_a_recording_in_a_pause_and_around_it_is_not_voiced():
    made = recording([turn((1, 2))], [(3, 4)])
    made.left[:] += np.random.default_rng(3).normal(0, 10 ** (-52 / 20), len(made.left))
    assert score(made).lines[0].answer.gap_s == pytest.approx(1.0, abs=0.006)


def test_a_word_may_end_a_little_after_it_was_aligned():
    made = recording([line(Kind.TURN, ("go", 1.0, 2.0))], [(3, 4)])
    made.left[:] = sound(20, (0.95, 2.04))
    assert voiced(made, made.said[0]) == pytest.approx((0.95, 2.04))


def test_where_nothing_is_said_the_script_is_not_that_of_the_recording():
    made = recording([turn((1, 2))])
    made.left[:] = 0
    with pytest.raises(Silent, match=r"nothing is said from 0\.94 to 2\.06 s"):
        score(made)


def test_an_empty_session_has_no_lines():
    found = score(recording())
    assert (found.lines, found.unasked, found.false_holds, found.gaps_in_speech) == ([], 0, None, None)


# --- by the log -------------------------------------------------------------------------------------------------------


def test_an_early_end_that_nobody_heard_is_in_the_log():
    log = [
        said_so(2.6, "ended"),
        said_so(2.9, "reopened"),
        said_so(4.4, "ended"),
        said_so(4.4, "final", text="word0 word1"),
    ]
    found = answer([turn((1, 2), (3, 4))], [(4.6, 6)], log=log)
    assert found.ended_early
    assert not found.heard_early
    assert not found.harmful
    assert found.missing == Missing(lost=0, misheard=0, first_kept=True)


def test_an_end_after_the_last_word_is_not_early():
    assert not answer([turn((1, 2))], log=[said_so(2.2, "ended")]).ended_early


def test_lost_words_are_harmful_though_nothing_was_heard():
    log = [said_so(2.4, "ended"), said_so(2.5, "final", text="word0")]
    found = answer([turn((1, 2), (3, 4))], [(4.5, 6)], log=log)
    assert found.missing.lost == 1
    assert found.harmful


def test_words_count_by_session_and_only_of_lines_to_the_assistant():
    said = [turn((1, 2), (2, 3)), turn((6, 7), kind=Kind.ASIDE), turn((10, 11), (11, 12))]
    log = [said_so(3.5, "final", 1, text="word0 word1"), said_so(12.5, "final", 2, text="word0 world")]
    first, aside, last = score(recording(said, log=log)).lines
    assert first.answer.missing == Missing(0, 0, True)
    assert aside.answer is None
    assert last.answer.missing == Missing(0, 1, True)


def test_sound_that_broke_off_is_counted_and_a_hold_is_no_break():
    log = [
        played(1, 2, 3),
        played(1, 3.5, 4, source=16_000),
        said_so(4, "hold"),
        played(1, 5, 6, source=24_000),
        played(2, 9, 10),
        said_so(11, "error", code="TTS_FAIL"),
    ]
    found = score(recording([turn((0.5, 1))], [(2, 3), (3.5, 4), (5, 6), (9, 10)], log=log))
    assert (found.gaps_in_speech, found.false_holds, found.errors) == (1, 1, ["TTS_FAIL"])


# --- interruptions ----------------------------------------------------------------------------------------------------


def interrupted(right, log=(), span=(5, 6)):
    *_, scored = score(recording([turn((0.5, 1)), turn(span, kind=INTO)], right, log=log)).lines
    return scored


def test_an_interruption_counts_from_its_onset_to_the_silence_and_is_answered_as_a_turn():
    scored = interrupted([(2, 5.3), (6.4, 9)])
    assert scored.stop.to_silence_s == pytest.approx(0.3)
    assert scored.answer.gap_s == pytest.approx(0.4)
    assert not scored.answer.heard_early


def test_a_reply_that_goes_on_has_not_noticed():
    scored = interrupted([(2, 15)])
    assert scored.stop.to_silence_s is None
    assert scored.answer.missed


def test_a_reply_that_ends_by_itself_long_after_has_not_noticed():
    assert interrupted([(2, 7.6)]).stop.to_silence_s is None


def test_a_breath_of_the_reply_is_not_a_stop():
    assert interrupted([(2, 5.3), (5.7, 15)]).stop.to_silence_s is None


def test_a_recording_that_ends_in_a_reply_shows_no_stop():
    assert interrupted([(2, 20)], span=(18.5, 19.5)).stop.to_silence_s is None


def test_who_speaks_into_silence_interrupts_nothing():
    scored = interrupted([(2, 4), (6.5, 8)])
    assert scored.stop is None
    assert scored.answer.gap_s == pytest.approx(0.5)


def test_the_rest_of_an_interrupted_reply_is_no_answer():
    log = [played(1, 2, 5.3), played(1, 6.4, 9, source=52_800)]
    assert interrupted([(2, 5.3), (6.4, 9)], log).answer.missed
    log = [played(1, 2, 5.3), played(2, 6.4, 9)]
    assert not interrupted([(2, 5.3), (6.4, 9)], log).answer.missed


def test_a_reply_that_is_released_while_one_speaks_is_no_new_one():
    log = [played(1, 2, 5.2), said_so(5.2, "hold"), played(1, 5.8, 9, source=51_200)]
    scored = interrupted([(2, 5.2), (5.8, 9)], log)
    assert scored.stop.to_silence_s == pytest.approx(0.2)
    assert not scored.answer.heard_early


def test_hold_and_commit_are_in_the_log():
    log = [
        said_so(1.2, "hold"),
        said_so(5.15, "hold"),
        said_so(5.7, "done", outcome="interrupted"),
        said_so(5.75, "done", outcome="completed"),
    ]
    stop = interrupted([(2, 5.2), (6.4, 9)], log).stop
    assert stop.to_hold_s == pytest.approx(0.15)
    assert stop.to_commit_s == pytest.approx(0.7)


# --- talking to others, and nobody talking ----------------------------------------------------------------------------


@pytest.mark.parametrize(("right", "answered"), [([(6.8, 8)], True), ([], False), ([(11.5, 12)], False)])
def test_an_aside_is_answered_or_not(right, answered):
    (scored,) = score(recording([turn((5, 6), kind=Kind.ASIDE)], right)).lines
    assert scored.aside_answered is answered
    assert scored.answer is None


def test_a_reply_to_nobody_is_unasked():
    assert score(recording([turn((1, 2))], [(2.5, 4), (7, 8), (12, 13)])).unasked == 2


def test_a_reply_to_anything_that_was_heard_is_not_unasked():
    said = [turn((1, 2)), line(Kind.NOISE, begin_s=6, end_s=6.5), turn((10, 11), kind=Kind.ASIDE)]
    assert score(recording(said, [(2.5, 4), (7, 8), (12, 13)])).unasked == 0


def test_two_replies_to_a_turn_that_was_cut_are_asked_for():
    assert score(recording([turn((1, 2), (3, 4))], [(2.4, 2.9), (5, 6)])).unasked == 0


def test_the_rest_of_a_reply_that_was_held_is_not_unasked():
    log = [played(1, 2.5, 4), played(1, 6, 8, source=24_000), played(2, 12, 13)]
    assert score(recording([turn((1, 2))], [(2.5, 4), (6, 8), (12, 13)], log=log)).unasked == 1


def test_holds_and_interruptions_by_nobody_are_counted_and_those_by_somebody_are_not():
    said = [turn((1, 2)), line(Kind.NOISE, begin_s=6, end_s=6.5)]
    log = [
        said_so(4, "hold"),
        said_so(6.2, "hold"),
        said_so(6.9, "hold"),
        said_so(8.5, "done", outcome="interrupted"),
        said_so(12, "done", 2, outcome="interrupted"),
        said_so(13, "done", 3, outcome="completed"),
    ]
    found = score(recording(said, [(2.5, 15)], log=log))
    assert (found.false_holds, found.self_interruptions) == (1, 1)


# --- stretches --------------------------------------------------------------------------------------------------------


def test_stretches_are_found_to_the_window():
    assert stretches(sound(2, (0, 0.5), (1.0, 2.0)), -50) == [pytest.approx((0, 0.5)), pytest.approx((1, 2))]
    assert stretches(np.zeros(0), -50) == []
    assert stretches(np.full(100, 1e-4), -50) == []


def test_stretches_that_are_near_are_one():
    apart = [Stretch(0, 1), Stretch(1.4, 2), Stretch(2.5, 3)]
    assert joined(apart, 0.5) == [Stretch(0, 2), Stretch(2.5, 3)]
    assert joined(apart, 0.1) == apart
    assert covering(apart, 1.4) == Stretch(1.4, 2)
    assert covering(apart, 2) is None
