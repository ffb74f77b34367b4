import numpy as np
import pytest

from tools.bench_voice import Reply, Spoken, errors, read
from tools.said import said


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("It's 10:30 on the 3rd.", "it s ten thirty on the third"),
        ("$12.50, or 40%", "twelve dollars and fifty cents or forty percent"),
        ("3.14 and 8,900,000", "three point one four and eight million nine hundred thousand"),
        ("in 1984, 1905, 2012 and 2000", "in nineteen eighty four nineteen oh five twenty twelve and two thousand"),
        ("324 or three hundred and twenty-four", "three hundred twenty four or three hundred twenty four"),
        ("the 21st, the 12th, the 30th", "the twenty first the twelfth the thirtieth"),
        ("The B.B.C. and the BBC", "the bbc and the bbc"),
        ("007", "zero zero seven"),
        ("Friday, June 14, 2025", "friday june fourteenth twenty twenty five"),
    ],
)
def test_what_is_written_short_is_compared_as_it_is_said(written, words):
    assert said(written) == words.split()


def test_replies_are_two_hundred_and_each_has_its_words():
    replies = read()
    assert len(replies) == len({reply.text for reply in replies}) == 200
    assert all(said(reply.words) for reply in replies)
    assert sum(not reply.plain for reply in replies) > 30


def test_silence_between_sounds_and_samples_at_full_scale_are_found():
    wave = np.zeros(24_000, np.int16)
    wave[[100, 2500, 2501]] = 8000, -32768, 32767
    spoken = Spoken(wave, 24_000, [])
    assert spoken.longest_pause_ms == pytest.approx(2399 / 24)
    assert spoken.clipped == 2
    assert len(spoken.heard()) == pytest.approx(16_000 * 1.4, abs=2)


def test_a_time_may_be_written_with_a_full_stop():
    assert errors(Reply("It is 10:30.", "it is ten thirty"), "It is 10.30.") == 0
    assert errors(Reply("It is 3.14.", "it is three point one four"), "It's 3.14.") == 1
