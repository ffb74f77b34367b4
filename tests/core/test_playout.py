from math import inf

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.playout import Playout, WholePlayout

RATE = 1000


def sent(playout, samples, now):
    playout.queue(samples, RATE)
    playout.sent(samples, now)


def test_audio_is_heard_as_time_goes_by():
    playout = Playout(lead_s=0.4)
    sent(playout, 300, now=10.0)
    assert [playout.heard(10.0 + s) for s in (0.0, 0.1, 0.3, 9.0)] == [0, 100, 300, 300]


def test_a_player_that_ran_dry_goes_on_when_more_comes():
    playout = Playout(lead_s=0.4)
    sent(playout, 100, now=0.0)
    sent(playout, 100, now=5.0)
    assert playout.heard(5.05) == 150


def test_the_lead_bounds_what_may_go():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    assert playout.wait_s(100, RATE, 0.0) == pytest.approx(0.1)
    assert playout.wait_s(100, RATE, 0.1) == 0.0
    sent(playout, 100, now=0.1)
    assert playout.wait_s(50, RATE, 0.1) == pytest.approx(0.05)


def test_what_was_not_sent_is_not_heard_and_is_worth_waiting_for():
    playout = Playout(lead_s=0.4)
    playout.queue(500, RATE)
    assert playout.heard(100.0) == 0
    assert playout.wait_s(1, RATE, 0.0) == inf
    assert playout.rest_s(0.0) == inf
    playout.sent(500, 0.0)
    assert playout.rest_s(0.2) == pytest.approx(0.3)
    assert playout.rest_s(0.5) == 0.0


def test_the_players_word_counts_but_not_beyond_what_was_sent():
    playout = Playout(lead_s=0.4)
    sent(playout, 300, now=0.0)
    playout.played(0)
    assert playout.heard(9.0) == 0
    playout.played(120)
    playout.played(80)
    assert playout.heard(9.0) == 120
    playout.played(5000)
    assert playout.heard(9.0) == 300


@given(st.lists(st.tuples(st.integers(1, 5000), st.floats(0, 3)), max_size=30))
def test_whoever_waits_as_told_is_never_too_far_ahead(chunks):
    playout = Playout(lead_s=0.4)
    now = 0.0
    for samples, pause in chunks:
        now += pause
        now += playout.wait_s(samples, RATE, now)
        sent(playout, samples, now)
        assert playout.queued - playout.heard(now) <= max(0.4 * RATE, samples) + 1
        assert 0 <= playout.heard(now) <= playout.queued


def test_a_whole_reply_goes_at_once_and_is_heard_by_nobody_before_its_end():
    playout = WholePlayout()
    for _ in range(100):
        assert playout.wait_s(1000, RATE, 0.0) == 0.0
        playout.queue(1000, RATE)
    assert playout.rest_s(0.0) == inf
    playout.sent(100_000, 0.0)
    assert playout.rest_s(0.0) == 0.0
    assert [playout.heard(0.0), playout.heard(1000.0)] == [0, 0]
