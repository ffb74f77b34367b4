from math import inf

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.playout import Playout, UnpacedPlayout, WholePlayout

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


def late(playout, by, *times):
    for now in times:
        playout.played(round((now - by) * RATE), now)


def test_the_end_of_a_late_player_is_waited_for():
    playout = Playout(lead_s=9.0)
    sent(playout, 1000, now=0.0)
    late(playout, 0.3, 0.5, 0.7)
    assert playout.rest_s(0.8) == pytest.approx(0.2), "two reports are none"
    late(playout, 0.3, 0.8)
    assert playout.rest_s(0.8) == pytest.approx(0.5)
    assert playout.rest_s(1.2) == pytest.approx(0.1)
    # It has not ended when the best player has, and says so.
    late(playout, 0.3, 1.1, 1.2)
    assert playout.rest_s(1.2) == pytest.approx(0.1)
    assert playout.rest_s(1.3) == 0.0


def test_a_player_that_has_caught_up_is_waited_for_no_longer():
    playout = Playout(lead_s=9.0)
    sent(playout, 1000, now=0.0)
    late(playout, 0.5, 0.6, 0.8, 0.9)
    assert playout.rest_s(1.0) == pytest.approx(0.5)
    playout.played(1000, 1.1)
    assert playout.rest_s(1.1) == 0.0


def test_a_player_that_stands_still_by_itself_is_waited_for_no_longer_than_a_second():
    playout = Playout(lead_s=9.0)
    sent(playout, 1000, now=0.0)
    for now in (0.5, 1.5, 1.7, 1.9):
        playout.played(400, now)
    assert playout.rest_s(1.9) == pytest.approx(0.1)
    assert playout.rest_s(2.0) == 0.0


def test_the_least_late_of_the_latest_reports_counts():
    """Who says it piece by piece is as late as when a piece was over."""
    playout = Playout(lead_s=9.0)
    sent(playout, 1000, now=0.0)
    for samples, now in ((300, 0.35), (300, 0.5), (300, 0.55)):
        playout.played(samples, now)
    assert playout.rest_s(0.6) == pytest.approx(0.45)
    late(playout, 0.1, 0.6, 0.7, 0.8)
    assert playout.rest_s(0.8) == pytest.approx(0.3)


def test_a_player_that_has_not_begun_is_not_waited_for():
    playout = Playout(lead_s=9.0)
    sent(playout, 1000, now=0.0)
    for now in (0.2, 0.3, 0.4, 0.5):
        playout.played(0, now)
    assert playout.rest_s(0.5) == pytest.approx(0.5)


def test_the_players_word_counts_but_not_beyond_what_was_sent():
    playout = Playout(lead_s=0.4)
    sent(playout, 300, now=0.0)
    playout.played(0, 9.0)
    assert playout.heard(9.0) == 0
    playout.played(120, 9.0)
    playout.played(80, 9.0)
    assert playout.heard(9.0) == 120
    playout.played(5000, 9.0)
    assert playout.heard(9.0) == 300


def test_a_word_of_more_than_can_have_been_heard_is_of_another_reply():
    playout = Playout(lead_s=0.4)
    playout.played(250, now=0.0)
    assert playout.heard(0.0) == 0
    sent(playout, 300, now=0.0)
    playout.played(250, now=0.02)
    assert playout.heard(0.02) == 20
    playout.hold(0.05)
    playout.played(250, now=0.9)
    assert playout.heard(0.9) == 50
    playout.release(0.9)
    playout.played(250, now=1.1)
    assert playout.heard(1.1) == 250


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


def test_a_reply_that_nobody_paces_goes_as_it_is_made_and_is_heard_as_it_is_sent():
    playout = UnpacedPlayout()
    for _ in range(100):
        assert playout.wait_s(1000, RATE, 0.0) == 0.0
        playout.queue(1000, RATE)
    assert (playout.heard(0.0), playout.rest_s(0.0)) == (0, inf)
    playout.sent(40_000, 0.0)
    assert [playout.heard(0.0), playout.surely_heard(0.0), playout.rest_s(0.0)] == [40_000, 40_000, inf]
    playout.sent(60_000, 0.0)
    assert [playout.heard(0.0), playout.rest_s(0.0)] == [100_000, 0.0]


def test_a_whole_reply_goes_at_once_and_is_heard_by_nobody_before_its_end():
    playout = WholePlayout()
    for _ in range(100):
        assert playout.wait_s(1000, RATE, 0.0) == 0.0
        playout.queue(1000, RATE)
    assert playout.rest_s(0.0) == inf
    playout.sent(100_000, 0.0)
    assert playout.rest_s(0.0) == 0.0
    assert [playout.heard(0.0), playout.heard(1000.0)] == [0, 0]


HELD = [
    # sent, held at, released at, then heard at these times
    ("while it sounds", 400, 0.1, 1.1, {0.1: 100, 0.6: 100, 1.1: 100, 1.2: 200, 1.5: 400}),
    ("before anything was heard", 400, 0.0, 2.0, {1.0: 0, 2.0: 0, 2.1: 100, 2.4: 400}),
    ("when all of it was heard", 400, 0.7, 0.9, {0.7: 400, 0.8: 400, 9.0: 400}),
    ("and released at once", 400, 0.1, 0.1, {0.1: 100, 0.2: 200, 0.4: 400}),
]


@pytest.mark.parametrize(("samples", "held", "released", "heard"), [row[1:] for row in HELD], ids=[r[0] for r in HELD])
def test_what_is_heard_stands_still_while_it_is_held(samples, held, released, heard):
    playout = Playout(lead_s=0.4)
    sent(playout, samples, now=0.0)
    playout.hold(held)
    before = {now: playout.heard(now) for now in heard if now < released}
    playout.release(released)
    after = {now: playout.heard(now) for now in heard if now >= released}
    assert before | after == heard


def test_while_it_is_held_there_is_no_end_and_no_more_room():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    playout.hold(0.1)
    assert playout.wait_s(100, RATE, 0.1) == 0.0, "there was room before it"
    sent(playout, 100, now=0.1)
    assert playout.wait_s(50, RATE, 5.0) == inf
    assert playout.rest_s(5.0) == inf
    playout.release(5.0)
    assert playout.wait_s(50, RATE, 5.0) == pytest.approx(0.05)
    assert playout.rest_s(5.0) == pytest.approx(0.4)


def test_what_is_sent_while_it_is_held_is_heard_after_it():
    playout = Playout(lead_s=0.4)
    playout.hold(1.0)
    sent(playout, 200, now=2.0)
    assert playout.heard(9.0) == 0
    playout.release(9.0)
    assert playout.heard(9.05) == pytest.approx(50)


def test_a_second_hold_and_a_second_release_change_nothing():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    playout.release(0.05)
    playout.hold(0.1)
    playout.hold(0.2)
    assert playout.heard(5.0) == 100
    playout.release(5.0)
    playout.release(6.0)
    assert playout.heard(5.1) == 200


def test_it_may_be_held_again_and_again():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    for now in (0.1, 1.1, 2.1):
        playout.hold(now)
        playout.release(now + 0.9)
    assert playout.heard(3.0) == 300
    assert playout.rest_s(3.0) == pytest.approx(0.1)


@given(
    st.lists(
        st.tuples(st.sampled_from(["hold", "release", "send", "played"]), st.integers(1, 500), st.floats(0, 1)),
        max_size=30,
    )
)
def test_what_was_heard_never_goes_back_and_never_exceeds_what_was_sent(steps):
    playout = Playout(lead_s=0.4)
    now, before, word = 0.0, 0, None
    for what, samples, pause in steps:
        now += pause
        match what:
            case "hold":
                playout.hold(now)
            case "release":
                playout.release(now)
            case "send":
                sent(playout, samples, now)
            case "played":
                playout.played(samples, now)
                # From now on the player's word is all there is, also where it has less than we thought.
                before = 0 if word is None else before
                word = samples
        heard = playout.heard(now)
        assert before <= heard <= playout.queued
        assert playout.surely_heard(now) <= playout.queued
        before = heard


def test_of_a_player_that_says_nothing_less_is_sure_by_a_messages_way_and_a_stumble():
    playout = Playout(lead_s=1.0)
    sent(playout, 900, now=0.0)
    assert [playout.surely_heard(now) for now in (0.2, 0.5, 1.1, 1.2)] == [0, 200, 800, 900]


def test_what_a_player_said_counts_and_what_it_must_have_played_since():
    playout = Playout(lead_s=1.0)
    sent(playout, 3000, now=0.0)
    playout.played(1000, 1.1)
    assert [playout.surely_heard(now) for now in (1.1, 1.3, 1.6)] == [1000, 1000, 1200]
    playout.hold(1.6)
    assert playout.surely_heard(5.0) == 1350
    playout.played(1480, 5.0)
    assert playout.surely_heard(9.0) == 1480


def test_a_player_that_has_not_begun_or_falls_silent_is_not_believed_to_play_on():
    playout = Playout(lead_s=1.0)
    sent(playout, 3000, now=0.0)
    playout.played(0, 0.1)
    assert playout.surely_heard(9.0) == 0
    playout.played(100, 0.2)
    assert playout.surely_heard(9.0) == 100 + 700


def test_no_more_is_sure_than_can_have_been_heard():
    playout = Playout(lead_s=1.0)
    sent(playout, 300, now=0.0)
    playout.played(290, 0.2)
    assert playout.surely_heard(1.0) == 300


def test_nothing_is_heard_of_a_player_that_is_out_of_reach():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    playout.lose(0.1)
    assert playout.heard(9.0) == 100
    assert playout.surely_heard(9.0) == 0
    assert playout.rest_s(9.0) == inf
    assert (playout.wait_s(100, RATE, 9.0), playout.wait_s(150, RATE, 9.0)) == (0.0, inf)


def test_a_player_that_is_back_can_have_played_what_it_had_and_hears_the_rest_anew():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    playout.lose(0.1)
    playout.find(250, 0, 9.0)
    assert [playout.heard(9.0 + s) for s in (0.0, 0.05, 0.15, 1.0)] == [250, 300, 400, 400]
    assert playout.rest_s(9.0) == pytest.approx(0.15)


def test_a_player_that_is_back_sooner_than_it_ran_dry_goes_on_without_a_break():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    playout.lose(0.1)
    playout.find(300, 0, 0.2)
    assert playout.heard(0.2) == 200
    assert playout.rest_s(0.2) == pytest.approx(0.2)


def test_a_player_that_was_taken_for_present_hears_again_what_it_did_not_get():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    assert playout.heard(1.0) == 400
    playout.find(100, 0, 1.0)
    assert playout.heard(1.0) == 100
    assert playout.rest_s(1.0) == pytest.approx(0.3)


def test_what_was_sent_for_a_reply_that_is_void_takes_nothing_from_the_next():
    playout = Playout(lead_s=0.4)
    playout.find(300, 0, 1.0)
    assert (playout.heard(1.0), playout.rest_s(1.0)) == (0, 0.0)


def test_a_player_that_is_held_stays_so_when_it_is_back():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    playout.hold(0.1)
    playout.lose(0.2)
    playout.find(400, 1, 5.0)
    assert (playout.heard(9.0), playout.rest_s(9.0)) == (100, inf)
    playout.release(9.0)
    assert playout.heard(9.1) == 200


@pytest.mark.parametrize("released_at", [0.15, 0.2, 3.0])
def test_a_player_that_did_not_hear_that_it_may_go_on_stood_still_until_it_was_back(released_at):
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    playout.hold(0.1)
    if released_at <= 0.2:
        playout.release(released_at)
    playout.lose(0.2)
    if released_at > 0.2:
        playout.release(released_at)
    assert playout.heard(4.0) == (150 if released_at < 0.2 else 100)
    playout.find(400, 1, 5.0)
    assert [playout.heard(5.0 + s) for s in (0.0, 0.1, 1.0)] == [100, 200, 400]


def test_a_player_that_did_not_hear_that_it_was_to_stand_still_played_on():
    playout = Playout(lead_s=0.4)
    sent(playout, 400, now=0.0)
    playout.hold(0.1)
    playout.lose(0.2)
    playout.find(300, 0, 5.0)
    assert playout.heard(9.0) == 300
    playout.release(9.0)
    assert playout.heard(9.05) == 350


def test_what_is_sent_before_it_is_known_that_the_player_is_back_comes_to_it_then():
    playout = Playout(lead_s=0.4)
    sent(playout, 100, now=0.0)
    playout.lose(0.2)
    sent(playout, 200, now=5.0)
    assert playout.heard(5.0) == 100
    playout.find(100, 0, 5.0)
    assert [playout.heard(5.0 + s) for s in (0.0, 0.1, 0.2)] == [100, 200, 300]
    assert playout.rest_s(5.1) == pytest.approx(0.1)


def test_a_player_can_have_got_what_was_taken_for_lost_on_its_way():
    playout = Playout(lead_s=0.4)
    sent(playout, 100, now=0.0)
    playout.lose(0.0)
    sent(playout, 200, now=0.0)
    playout.find(300, 0, 0.1)
    assert [playout.heard(s) for s in (0.1, 0.2, 0.3)] == [100, 200, 300]
