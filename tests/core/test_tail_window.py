import random

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.tail_window import TailWindow, TimedWord

S = SAMPLE_RATE
MOST = 12 * S


def said(text, *, begin=0.0, pace=0.4):
    """Return the words of ``text``, one every ``pace`` seconds from ``begin`` on."""
    words = text.split()
    return [
        TimedWord(" " + word, round((begin + at * pace) * S), round((begin + (at + 1) * pace) * S))
        for at, word in enumerate(words)
    ]


def through(words):
    return words[-1].end


def test_a_short_window_is_left_alone():
    window = TailWindow(MOST)
    words = said("Stop. Go on. Stop.")
    assert window.push(words, through(words)) == "Stop. Go on. Stop."
    assert window.push(words, 3 * S) == "Stop. Go on. Stop."
    assert (window.begin, window.before) == (0, "")


def test_a_phrase_that_two_hypotheses_agree_on_is_left_behind():
    window = TailWindow(MOST)
    first = said("Turn on the light, please. Then tell me")
    assert window.push(first, 4 * S) == "Turn on the light, please. Then tell me"
    assert window.begin == 0
    second = said("Turn on the light, please. Then tell Anna")
    assert window.push(second, 4 * S) == "Turn on the light, please. Then tell Anna"
    assert (window.begin, window.before) == (2 * S, " Turn on the light, please.")
    rest = said("Then tell Anna to call", begin=2)
    assert window.push(rest, 5 * S) == "Turn on the light, please. Then tell Anna to call"


def test_a_word_that_is_not_agreed_on_keeps_what_follows_it():
    window = TailWindow(MOST)
    window.push(said("Turn of the light, please. Then tell me"), 4 * S)
    window.push(said("Turn on the light, please. Then tell me"), 4 * S)
    assert window.begin == 0


def test_without_the_end_of_a_phrase_it_is_cut_at_a_third_of_its_length_and_some_sound_is_left():
    window = TailWindow(MOST)
    words = said("one two three four five six seven eight nine ten", pace=0.4)
    window.push(words, 4 * S)
    window.push(words, 4 * S)
    assert window.begin == 0
    assert not window.wants_places(words, 4 * S)
    assert window.wants_places(words, 4 * S + 1)
    # Where nothing is agreed on it may have to make room.
    assert not window.wants_places(said("two", pace=4.0), 6 * S)
    assert window.wants_places(said("two", pace=4.0), 6 * S + 1)
    window.push(words, 4 * S + 1)
    assert window.before.split()[-1] == "seven"
    assert window.begin == words[6].end <= 4 * S - S


def test_a_window_where_nothing_is_agreed_on_never_grows_too_long():
    window, drawn = TailWindow(MOST), random.Random(1)
    for second in range(1, 31):
        window.make_room(second * S)
        assert second * S - window.begin <= MOST
        length = (second * S - window.begin) / S
        words = said(" ".join(drawn.choice("abcdefgh") * 3 for _ in range(int(length / 0.4))), begin=window.begin / S)
        text = window.push(words, second * S)
        assert text == (window.before + "".join(word.text for word in words[len(words) :])).strip() or words
    assert window.before


def test_the_words_of_what_falls_away_are_kept():
    window = TailWindow(MOST)
    words = said("a b c d e f g h i j", pace=1.0)
    window.push(words, 10 * S)
    window.make_room(13 * S)
    assert (window.begin, window.before) == (S, " a")
    assert window.push(said("b c d", begin=1.0, pace=1.0), 13 * S) == "a b c d"


def test_a_word_in_which_the_window_would_begin_falls_away_whole():
    window = TailWindow(MOST)
    words = said("a b c d e f g h i j", pace=1.0)
    window.push(words, 10 * S)
    window.make_room(13 * S + 1)
    assert (window.begin, window.before) == (2 * S, " a b")
    assert window.push(said("c d", begin=2.0, pace=1.0), 13 * S + 1) == "a b c d"


def test_words_without_a_length_are_not_there_twice():
    """An alignment that fails may put all words at one place."""
    window = TailWindow(MOST)
    words = said("Turn on the light.", pace=0)
    for second in range(4, 12):
        assert window.push(words, second * S) == "Turn on the light."
    assert (window.begin, window.before) == (0, "")


def test_all_windows_of_an_utterance_cost_what_its_length_says():
    """A sentence every three seconds, hypotheses every second that agree with one another."""

    def cost(seconds):
        window, spent = TailWindow(MOST), 0
        words = said(" ".join("tell me about the old house now." for _ in range(seconds)), pace=3 / 7)
        for second in range(1, seconds + 1):
            window.make_room(second * S)
            spent += second * S - window.begin
            window.push([w for w in words if window.begin <= w.begin and w.end <= second * S], second * S)
        return spent

    assert cost(60) < 2.2 * cost(30)
    assert cost(30) < 30 * 5 * S
