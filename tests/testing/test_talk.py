"""What tests are made of: sound comes by the clock, and waiting for an event is what it says."""

import math

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.microphone import Microphone
from voice_trio.session.link import LinkClosed
from voice_trio.testing.conversation import conversation
from voice_trio.testing.hearing import Hearing

EVENTS: list[m.Event] = [
    m.StateChanged(turn=1, state=m.State.THINKING),
    m.Token(turn=1, text="a"),
    m.Token(turn=1, text="b"),
]


def told():
    hearing = Hearing()
    for event in EVENTS:
        hearing.note(event)
    return hearing


@pytest.mark.parametrize(
    ("speed", "times"), [(1.0, [0.06, 0.12, 0.15]), (2.0, [0.03, 0.06, 0.075]), (math.inf, [0, 0, 0])]
)
async def test_a_microphone_hands_over_what_it_has_heard_when_it_has(autojump_clock, speed, times):
    pcm = bytes(range(160)) * 30
    began_at = trio.current_time()
    came = [(message, trio.current_time() - began_at) async for message in Microphone(pcm, speed=speed)]
    assert b"".join(message for message, _ in came) == pcm
    assert [at for _, at in came] == pytest.approx(times)


async def test_a_message_that_was_taken_late_makes_the_next_no_later(autojump_clock):
    came = []
    async for _ in Microphone(bytes(1920 * 3)):
        came.append(round(trio.current_time(), 3))
        await trio.sleep(0.05 if len(came) > 1 else 0.1)
    assert came == [0.06, 0.16, 0.21]


async def test_next_is_takes_the_next_event_and_no_other(autojump_clock):
    hearing = told()
    assert await hearing.next_is(m.StateChanged, state=m.State.THINKING) is EVENTS[0]
    with pytest.raises(AssertionError, match=r"Token with .*b.* was to be next"):
        await hearing.next_is(m.Token, text="b")


async def test_wait_for_goes_past_others_and_never_back(autojump_clock):
    hearing = told()
    assert await hearing.wait_for(m.Token, text="b") is EVENTS[2]
    hearing.end(LinkClosed())
    with pytest.raises(LinkClosed):
        await hearing.wait_for(m.Token, text="a")


async def test_who_waits_is_told_that_nothing_more_will_come(autojump_clock):
    async with conversation() as talk:
        await talk.next_is(m.SessionOpened)
        talk.session.drain(0.0)
        with pytest.raises(LinkClosed):
            await talk.wait_for(m.Done)


async def test_a_session_that_breaks_a_promise_fails_the_test_that_held_it(autojump_clock):
    async def talk_with_a_broken_one():
        async with conversation() as talk:
            await talk.wait_for(m.SessionOpened)
            await talk.link.send(m.Token(turn=1, text="nobody asked"))
            await talk.wait_for(m.Token)

    with pytest.raises(AssertionError, match="the session broke its promises: turn 1: it began with Token"):
        await talk_with_a_broken_one()
