"""What is said into a reply, and whether it is meant to end it: by its words, and by how much voice there was."""

import pytest

from voice_trio.core.interruption import (
    ENOUGH_VOICE_MS,
    LISTENERS_SIGNS,
    LITTLE_WORDS,
    STOPS,
    is_echo,
    is_meant,
    is_part,
)

LONG, SHORT = ENOUGH_VOICE_MS, ENOUGH_VOICE_MS - 30

TABLE = [
    # words, with much voice, with little, when it is over with little
    ("", None, None, False),
    ("...", None, None, False),
    ("Yeah.", None, None, False),
    ("Uh-huh, right, okay.", None, None, False),
    ("Mm-hmm", None, None, False),
    ("I see.", None, None, False),
    ("Oh no!", None, None, False),
    ("Go on, go ahead.", None, None, False),
    ("the", None, None, False),
    ("You and I", None, None, False),
    ("If I'm,", None, None, False),
    ("It’s", None, None, False),
    ("I'm home.", True, None, True),
    ("Of her,", None, None, False),
    ("Was?", True, None, False),
    ("Stop", True, True, True),
    ("stop.", True, True, True),
    ("Okay, wait", True, True, True),
    ("Hold on a moment", True, True, True),
    ("hold", True, None, False),
    ("No, I meant Paris", True, True, True),
    ("No", True, True, True),
    ("Nobody knows", True, None, True),
    ("I know", True, None, True),
    ("Hey", True, True, True),
    ("They say hey", True, None, True),
    ("Yeah, but what about tomorrow?", True, True, True),
    ("Yeah, but what of it?", True, None, True),
    ("But why?", True, True, True),
    ("right now", True, None, True),
    ("Yes please", True, None, True),
    ("Hello hello", True, None, True),
    ("O, how?", True, None, False),
    ("Oh, where?", True, None, True),
    ("You know.", None, None, False),
    ("You know Paris", True, None, False),
    ("London", True, None, False),
    ("I see a dog", True, None, True),
    ("stopping", True, True, False),
    ("Actually,", True, True, False),
    ("Really? Exactly!", None, None, False),
    ("Yeah, tomorrow", True, True, True),
    ("O, ha,", None, None, False),
    ("It is thirty characters on that they say stop", True, True, True),
    ("It is thirty signs on that they say to stop", True, None, True),
    ("Ja, genau", True, None, True),
    ("Hello.", True, None, False),
    ("Mama.", True, None, False),
    ("How?", True, None, False),
    ("Ahem.", None, None, False),
    ("A hum.", None, None, False),
    ("What?", True, None, True),
    ("Sorry?", True, None, True),
    ("Où", True, None, True),
    ("東京", True, None, True),
]


@pytest.mark.parametrize(("words", "long", "short", "over"), TABLE, ids=[words for words, *_ in TABLE])
def test_words_decide(words, long, short, over):
    assert is_meant(words, LONG, over=False) is long
    assert is_meant(words, SHORT, over=False) is short
    assert is_meant(words, 0, over=True) is over


@pytest.mark.parametrize("words", [words for words, *_ in TABLE])
def test_what_is_clear_stays_clear_when_it_is_over(words):
    """A candidate that is cut short is judged by what was heard until then."""
    for voiced_ms in (LONG, SHORT, 0):
        if (before := is_meant(words, voiced_ms, over=False)) is not None:
            assert is_meant(words, voiced_ms, over=True) is before


@pytest.mark.parametrize("words", [words for words, long, *_ in TABLE if long])
def test_what_was_meant_with_much_voice_is_meant_when_it_is_over(words):
    assert is_meant(words, LONG, over=True) is True


@pytest.mark.parametrize("voiced_ms", [0, 300, 600, 10_000])
def test_a_voice_without_words_means_nothing_however_long(voiced_ms):
    assert is_meant("", voiced_ms, over=False) is None
    assert is_meant("", voiced_ms, over=True) is False


def test_a_long_word_needs_some_voice_for_all_that():
    assert is_meant("Actually,", 300, over=True) is True
    assert is_meant("Actually,", 270, over=False) is None
    assert is_meant("Actually,", 270, over=True) is False


def test_a_word_is_in_one_list_only():
    assert not LISTENERS_SIGNS & LITTLE_WORDS
    assert not [word for word in LISTENERS_SIGNS | LITTLE_WORDS if STOPS.search(word)]


def test_a_short_word_that_may_be_a_part_of_more_is_meant():
    assert is_meant("london", SHORT, over=True, in_part=True) is True
    assert is_meant("london", SHORT, over=False, in_part=True) is None
    assert is_meant("mhm", SHORT, over=True, in_part=True) is False


@pytest.mark.parametrize(("words", "meant"), [("for me", True), ("And you?", True), ("the", False), ("oh, the", False)])
def test_little_words_are_meant_where_they_end_what_was_said(words, meant):
    assert is_meant(words, SHORT, over=True, in_part=True, goes_on=True) is meant
    assert is_meant(words, LONG, over=False, in_part=True, goes_on=True) is None
    assert is_meant(words, LONG, over=True, in_part=True) is False


@pytest.mark.parametrize(
    ("words", "with_much", "with_little"),
    [("Answer. Answer.", True, False), ("What?", True, False), ("Actually,", True, False), ("Stop", True, True)],
)
def test_what_may_be_the_reply_itself_is_meant_with_much_voice_alone(words, with_much, with_little):
    for over in (False, True):
        assert is_meant(words, LONG, over=over, doubtful=True) is with_much
    assert is_meant(words, SHORT, over=True, in_part=True, goes_on=True, doubtful=True) is with_little


@pytest.mark.parametrize(
    ("words", "part"),
    [("a", True), ("The.", True), ("little", True), ("oh, the", True), ("", False), ("Uh-huh, right.", False),
     ("I see.", False)],
)  # fmt: skip
def test_what_is_no_listeners_sign_may_be_some_of_a_sentence(words, part):
    assert is_part(words) is part


REPLY = "There was once a miller who lived beside a wide, slow river. Wait for him there, and stop."
ECHOES = [
    # words, the first word of the reply that was not heard yet, whether they are its own
    ("There was.", "once", True),
    ("there was once a", "once", True),
    ("There.", "was", True),
    ("was", "There", True),
    ("A wide slow river.", "Wait", True),
    ("Beside a wide-slow", "river", False),
    ("There was a miller", "who", False),
    ("There was.", "beside", False),
    ("A miller who lived", "There", False),
    ("There was what?", "once", False),
    ("Wait for him", "there,", False),
    ("", "once", False),
    ("...", "once", False),
]


@pytest.mark.parametrize(("words", "next_word", "own"), ECHOES)
def test_what_sounded_just_before_is_the_loudspeakers(words, next_word, own):
    assert is_echo(words, REPLY, REPLY.index(next_word)) is own


def test_before_a_reply_sounds_nothing_of_it_comes_back():
    assert not is_echo("There was.", "", 0)
