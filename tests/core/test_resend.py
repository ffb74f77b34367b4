import pytest

from voice_trio.core import messages as m
from voice_trio.core.resend import Resend


def token(text):
    return m.Token(turn=1, text=text)


def chunk(samples, turn=1):
    return m.TtsChunk(turn=turn, phrase=0, seq=0, first_sample=0, pcm=bytes(2 * samples))


def hold():
    return m.Hold(turn=1, sample=0)


def release():
    return m.Release(turn=1, sample=0)


def filled(*events, **limits):
    sent = Resend(**limits)
    for event in events:
        sent.add(event)
    return sent


def test_events_are_numbered_from_one():
    sent = filled(token("a"), token("b"))
    assert (sent.last, sent[1], sent[2]) == (2, token("a"), token("b"))


@pytest.mark.parametrize(("seq", "expected"), [(-1, False), (0, True), (1, True), (2, True), (3, False)])
def test_it_knows_what_it_has(seq, expected):
    assert filled(token("a"), token("b")).has_after(seq) is expected


def test_before_the_first_there_is_nothing_to_miss():
    sent = filled()
    assert sent.last == 0
    assert sent.has_after(0)
    assert not sent.has_after(1)


def test_the_oldest_go_where_there_are_too_many():
    sent = filled(*map(token, "abcde"), most_events=3)
    assert [sent.has_after(seq) for seq in range(6)] == [False, False, True, True, True, True]
    assert [sent[seq] for seq in (3, 4, 5)] == [*map(token, "cde")]


def test_the_oldest_go_where_they_are_too_large_but_the_last_stays():
    sent = filled(chunk(1000), chunk(1000), chunk(1000), most_bytes=4600)
    assert [sent.has_after(seq) for seq in range(4)] == [False, True, True, True]
    sent.add(chunk(10_000))
    assert [sent.has_after(seq) for seq in (2, 3, 4)] == [False, True, True]


def test_text_counts_as_well():
    sent = filled(token("a" * 3000), token("b" * 3000), most_bytes=5000)
    assert not sent.has_after(0)


def test_the_audio_up_to_a_number_is_counted_by_turn():
    sent = filled(chunk(100), token("a"), chunk(20), chunk(3, turn=2), chunk(7))
    assert sent.sounds_through(5) == [(1, 127, 0), (2, 3, 0)]
    assert sent.sounds_through(3) == [(1, 120, 0), (2, 0, 0)]
    assert sent.sounds_through(0) == [(1, 0, 0), (2, 0, 0)]


def test_audio_that_is_void_does_not_count():
    sent = filled(chunk(100), hold(), chunk(5), m.Reopened(turn=1, revision=1), chunk(20), chunk(7))
    assert [sent.sounds_through(seq) for seq in (0, 2, 4, 5, 6)] == [[(1, n, 0)] for n in (0, 0, 0, 20, 27)]


def test_it_knows_how_often_the_player_was_told_to_stand_still_or_to_go_on():
    sent = filled(chunk(100), hold(), release(), hold())
    assert [sent.sounds_through(seq)[0][2] for seq in range(5)] == [0, 0, 1, 2, 3]
    sent.add(m.Done(turn=1, outcome=m.Outcome.INTERRUPTED, remembered=True, heard=0))
    assert sent.sounds_through(5) == []


def test_it_knows_that_of_what_is_gone_as_well():
    sent = filled(chunk(100), hold(), release(), *map(token, "abc"), hold(), most_events=2)
    assert sent.sounds_through(6) == [(1, 100, 2)]


def sound(first, turn=1):
    return m.TtsChunk(turn=turn, phrase=0, seq=0, first_sample=first, pcm=bytes(200))


def test_what_was_played_was_there_and_all_before_it():
    sent = filled(token("a"), sound(0), token("b"), sound(100), sound(200), sound(0, turn=2))
    sent.played(1, 199, written=6)
    assert [sent.has_after(seq) for seq in range(3)] == [False, True, True]
    sent.played(1, 10_000, written=6)
    assert [sent.has_after(seq) for seq in range(3, 7)] == [False, True, True, True]
    assert sent[5] == sound(200)
    sent.played(1, 0, written=6)
    assert sent.has_after(4)


def test_what_is_void_says_nothing_of_what_came_after_it():
    sent = filled(sound(0), sound(100), m.Reopened(turn=1, revision=1), sound(0), sound(100))
    sent.played(1, 200, written=5)
    assert [sent.has_after(seq) for seq in (0, 1, 2)] == [False, True, True]


def test_what_was_not_written_cannot_have_been_played():
    sent = filled(sound(0), sound(100), sound(200), sound(300))
    sent.played(1, 10_000, written=2)
    assert [sent.has_after(seq) for seq in range(3)] == [False, True, True]
    sent.played(1, 10_000, written=0)
    assert sent.has_after(1)
