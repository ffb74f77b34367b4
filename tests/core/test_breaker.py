"""When a far end is asked: by a few examples, and by every course of events."""

from math import inf

from hypothesis import given, strategies as st

from voice_trio.core.breaker import FIRST_REST_S, LONGEST_BUSY_S, LONGEST_REST_S, MOST_FAILURES, Breaker


def broken(now=0.0):
    breaker = Breaker()
    for _ in range(MOST_FAILURES):
        breaker = breaker.asked().failed(now)
    return breaker


def test_a_few_failures_are_nothing():
    breaker = Breaker()
    for _ in range(MOST_FAILURES - 1):
        breaker = breaker.asked().failed(0)
    assert breaker.asks_at(0) == 0
    assert breaker.worked() == Breaker()


def test_after_some_in_a_row_it_rests_and_one_call_tries_it():
    breaker = broken()
    assert breaker.asks_at(1) == FIRST_REST_S
    trying = breaker.asked()
    assert trying.asks_at(FIRST_REST_S) == inf
    assert trying.worked() == Breaker()
    assert trying.failed(FIRST_REST_S).asks_at(FIRST_REST_S) == 3 * FIRST_REST_S
    assert trying.dropped() == breaker


def test_a_call_from_before_the_rest_makes_it_no_longer():
    assert broken().failed(1).asks_at(1) == FIRST_REST_S


def test_where_nothing_stands_by_a_rest_is_not_kept_but_what_it_asks_for_is():
    assert broken().asks_at(1, even_at_rest=True) == 1
    assert broken().asked_to_wait(1, 10).asks_at(1, even_at_rest=True) == 11


def test_nobody_leaves_it_alone_for_ever():
    assert Breaker().asked_to_wait(1, 1e9).asks_at(1) == 1 + LONGEST_BUSY_S


EVENTS = st.lists(
    st.tuples(st.sampled_from(["asked", "worked", "failed", "dropped", "wait"]), st.floats(0, 100)), max_size=60
)


@given(EVENTS)
def test_whatever_happens_it_is_asked_again_some_time(events):
    breaker, now, called = Breaker(), 0.0, 0
    for event, seconds in events:
        now += seconds
        match event:
            case "asked" if breaker.asks_at(now) <= now:
                was_resting = not breaker.works
                breaker = breaker.asked()
                called += 1
                # Nobody else does while one tries it.
                assert not was_resting or breaker.asks_at(now) == inf
            case "worked" if called:
                breaker, called = breaker.worked(), called - 1
                assert breaker.works
            case "failed" if called:
                breaker, called = breaker.failed(now), called - 1
            case "dropped" if called:
                breaker, called = breaker.dropped(), called - 1
            case "wait" if called:
                breaker, called = breaker.asked_to_wait(now, seconds), called - 1
                assert breaker.asks_at(now, even_at_rest=True) >= now + seconds
        assert breaker.rest_s == 0.0 or FIRST_REST_S <= breaker.rest_s <= LONGEST_REST_S
        assert breaker.works or breaker.failures >= MOST_FAILURES
        if not called:
            assert not breaker.trying
            assert breaker.asks_at(now) <= max(now + LONGEST_REST_S, breaker.busy_until)
