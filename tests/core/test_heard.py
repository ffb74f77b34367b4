import pytest

from voice_trio.core.heard import SpokenPhrase, heard_text

REPLY = "One two three. Four five."
FIRST = SpokenPhrase(start=0, end=14, first_sample=0, samples=1400, words=((0, 0), (400, 4), (800, 8)))
SECOND = SpokenPhrase(start=14, end=25, first_sample=1400, samples=1100, words=())


@pytest.mark.parametrize(
    ("samples", "heard"),
    [
        (0, ""),
        (399, ""),
        (400, "One "),
        (1399, "One two "),
        (1400, "One two three."),
        (1401, "One two three."),
        (1899, "One two three."),
        (2000, "One two three. Four"),
        (2500, REPLY),
    ],
)
def test_words_count_once_they_were_heard_to_their_end(samples, heard):
    length = heard_text([FIRST, SECOND], REPLY, samples)
    assert REPLY[:length].rstrip() == heard.rstrip()


def test_a_failed_phrase_was_not_heard_unless_a_later_one_was():
    failed = SpokenPhrase(start=0, end=14, first_sample=0, samples=0, words=(), whole=False)
    later = SpokenPhrase(start=14, end=25, first_sample=0, samples=1100, words=())
    assert heard_text([failed], REPLY, 0) == 0
    assert heard_text([failed, later], REPLY, 0) == 0
    assert heard_text([failed, later], REPLY, 1100) == 25


def test_a_phrase_with_nothing_to_say_is_heard_with_the_one_before_it():
    emoji = SpokenPhrase(start=14, end=25, first_sample=1400, samples=0, words=())
    assert heard_text([FIRST, emoji], REPLY, 1400) == 25
    assert heard_text([FIRST, emoji], REPLY, 1399) == 8


def test_what_has_no_sound_is_not_heard_before_any_sound():
    emoji = SpokenPhrase(start=0, end=2, first_sample=0, samples=0, words=())
    rest = SpokenPhrase(start=2, end=14, first_sample=0, samples=1000, words=())
    assert heard_text([emoji], REPLY, 0) == 0
    assert heard_text([emoji, rest], REPLY, 0) == 0
    assert heard_text([emoji, rest], REPLY, 1000) == 14


def test_nothing_spoken_is_nothing_heard():
    assert heard_text([], REPLY, 0) == 0
