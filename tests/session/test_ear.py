"""Bursts of audio are heard in slices, and by turns."""

from contextlib import suppress
from itertools import pairwise

import trio

from voice_trio.session.bursts import SLICE_BYTES, hear_in_turn


async def test_what_comes_as_it_is_spoken_is_heard_at_once(autojump_clock):
    heard: list[bytes] = []
    hearing = hear_in_turn(bytes(SLICE_BYTES), lambda part, of: heard.append(part))
    # No checkpoint: it is over as soon as it is begun.
    with suppress(StopIteration):
        hearing.send(None)
    assert heard == [bytes(SLICE_BYTES)]
    await trio.lowlevel.checkpoint()


async def test_a_burst_is_heard_whole_and_in_order(autojump_clock):
    heard: list[bytes] = []
    pcm = bytes(range(256)) * 256
    await hear_in_turn(pcm, lambda part, of: heard.append(part))
    assert b"".join(heard) == pcm
    assert {len(part) for part in heard[:-1]} == {SLICE_BYTES}


async def test_bursts_of_several_sessions_take_turns(autojump_clock):
    turns = []
    async with trio.open_nursery() as nursery:
        for name in "abc":
            nursery.start_soon(hear_in_turn, bytes(50 * SLICE_BYTES), lambda part, of, name=name: turns.append(name))
    assert len(turns) == 150
    for at in range(0, 141, 3):
        assert set(turns[at : at + 3]) == set("abc")


async def test_others_are_served_between_two_slices(autojump_clock):
    slices: list[bytes] = []
    served: list[int] = []

    async def other():
        while True:
            served.append(len(slices))
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await hear_in_turn(bytes(40 * SLICE_BYTES), lambda part, of: slices.append(part))
        nursery.cancel_scope.cancel()
    # Of two tasks that are ready at the same time either may be first.
    assert max(after - before for before, after in pairwise(served)) <= 2
    assert len(served) >= 39
