import numpy as np
import pytest

from tools import utterances
from tools.bench_words import Score, normal
from tools.utterances import Utterance


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Go forward 10 meters.", "go forward ten meters"),
        ("at 6:30 or 630", "at six thirty or six thirty"),
        ("19 and 45 and 100", "nineteen and forty five and one hundred"),
    ],
)
def test_numbers_case_and_punctuation_are_no_errors(written, said):
    assert normal(written) == said.split()


def test_errors_trips_and_sentences_said_twice_are_counted():
    score = Score()
    score.count(Utterance("human", "Turn on the light.", b""), ("Turn on the light. Turn on the light.", True))
    score.count(Utterance("single", "No.", b""), ("No!", False))
    score.count(Utterance("verse", "mak'st waste", b""), ("makes waste", False))
    line = score.line("x", 0.5)
    assert "   80.0%   (" in line
    assert "verse 66.7%" in line
    assert "single words right 1 of 1); trips 1, twice 1 of 3" in line


def test_the_recorded_people_are_there_and_babble_is_the_same_each_time():
    people = list(utterances.human())
    assert [sum(one.kind == kind for one in people) for kind in ("human", "verse")] == [22, 14]
    assert all(0.8 < one.seconds < 12 for one in people)
    for heard in (utterances.babble, utterances.television):
        assert np.array_equal(heard(8000, 3), heard(8000, 3))
        assert np.sqrt(np.mean(np.square(heard(8000, 3)))) == pytest.approx(1)
