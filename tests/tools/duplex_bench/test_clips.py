"""What is said: sounds with words in known places, and pauses put into them."""

import numpy as np
import pytest

from tests import noise
from tools.duplex_bench import sounds
from tools.duplex_bench.catalogue import hesitant
from tools.duplex_bench.pauses import gap_s, in_a_row, quietest, with_pause
from tools.duplex_bench.script import Clip, Word
from tools.duplex_bench.stretches import VOICED_DB, joined, stretches
from voice_trio.core.audio import SAMPLE_RATE


def clip(*gaps_s):
    """Return words of half a second, with so much silence between them."""
    samples, words = [np.zeros(800)], []
    draw = np.random.default_rng(1)
    for number, gap in enumerate((*gaps_s, 0.05)):
        begin_s = sum(map(len, samples)) / SAMPLE_RATE
        words.append(Word(f"word{number}", begin_s, begin_s + 0.5))
        samples += [draw.uniform(-0.1, 0.1, SAMPLE_RATE // 2), np.zeros(round(gap * SAMPLE_RATE))]
    return Clip(np.concatenate(samples), tuple(words))


def heard(one):
    return joined(stretches(one.samples, VOICED_DB), 0.02)


# --- pauses -----------------------------------------------------------------------------------------------------------


def test_a_pause_is_as_long_as_it_is_asked_for_and_words_are_where_they_are_heard():
    made = with_pause(clip(0.1, 0.1), 0, 0.7)
    assert gap_s(made, 0) == pytest.approx(0.7)
    assert gap_s(made, 1) == pytest.approx(0.1)
    assert made.seconds == pytest.approx(clip(0.1, 0.1).seconds + 0.6)
    assert [pytest.approx((word.begin_s, word.end_s), abs=0.006) for word in made.words] == heard(made)


def test_words_that_run_into_one_another_are_parted_where_it_is_quietest():
    made = clip(0, 0)
    made.samples[8750:8850] *= 0.01
    assert quietest(made, 0) == pytest.approx(8800, abs=160)
    parted = with_pause(made, 0, 0.5)
    (_, first), (second, _) = heard(parted)
    assert second - first == pytest.approx(0.5, abs=0.03)
    assert parted.words[0].end_s <= parted.words[1].begin_s


def test_a_pause_that_is_long_enough_stays_as_it_is():
    made = clip(0.4)
    assert with_pause(made, 0, 0.3) is made


def test_behind_the_last_word_there_is_no_pause():
    with pytest.raises(IndexError):
        with_pause(clip(0.1), 1, 0.5)


def test_a_pause_is_as_quiet_as_the_recording_and_quieter_than_a_voice():
    made = clip(0.1)
    made.samples[:] += np.random.default_rng(2).normal(0, 1e-3, len(made.samples))
    begin = round(made.words[0].end_s * SAMPLE_RATE) + 1600
    inside = with_pause(made, 0, 1.0).samples[begin : begin + 8000]
    assert np.std(inside) == pytest.approx(1e-3, rel=0.2)
    loud = Clip(np.random.default_rng(2).uniform(-0.1, 0.1, SAMPLE_RATE), (Word("a", 0, 0.5), Word("b", 0.5, 1)))
    assert len(heard(with_pause(loud, 0, 1.0))) == 2


def test_clips_in_a_row_have_a_pause_between_their_words():
    made = in_a_row(clip(), clip(0.1), 0.35)
    assert [word.text for word in made.words] == ["word0", "word0", "word1"]
    assert gap_s(made, 0) == pytest.approx(0.35)
    assert [pytest.approx((word.begin_s, word.end_s), abs=0.006) for word in made.words] == heard(made)


def test_who_hesitates_does_so_between_words_and_not_for_longer_than_a_second():
    for seed in range(30):
        made = hesitant(clip(0.1, 0.02, 0, 0.1, 0), np.random.default_rng(seed))
        gaps = [gap_s(made, place) for place in range(5)]
        longer = [gap for gap in gaps if gap > 0.11]
        assert 1 <= len(longer) <= 2
        assert all(0.29 < gap < 1.01 for gap in longer)
        assert len(made.words) == 6
    assert hesitant(clip(), np.random.default_rng(1)).samples is not None


def test_one_word_is_said_without_a_pause():
    assert hesitant(clip(), np.random.default_rng(1)).seconds == clip().seconds


# --- sounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [sounds.cough, sounds.knock, sounds.sniff])
def test_a_noise_is_as_loud_as_a_voice_the_same_each_time_and_another_by_another_seed(make):
    one = make(1)
    assert noise.active_rms(one.samples) == pytest.approx(sounds.LEVEL, rel=0.1)
    assert np.abs(one.samples).max() < 1
    assert one.words == ()
    assert np.array_equal(one.samples, make(1).samples)
    assert not np.array_equal(one.samples[:1000], make(2).samples[:1000])
    assert 0.05 < sum(end - begin for begin, end in stretches(one.samples, VOICED_DB)) < 1.5


def test_a_faded_sound_has_no_click_at_either_end():
    made = sounds.faded(np.ones(1000))
    assert made[0] == pytest.approx(0)
    assert made[-1] == pytest.approx(0, abs=1e-3)
    assert made[500] == 1


def test_a_room_goes_on_from_message_to_message():
    whole = sounds.room(1920, 100)
    assert np.array_equal(whole, np.concatenate([sounds.room(960, 100), sounds.room(960, 1060)]))
    assert len(sounds.room(960, 31 * SAMPLE_RATE)) == 960
