import pytest
import trio

from voice_trio.core.messages import Token
from voice_trio.session.outbox import Outbox


def token(turn, text="x"):
    return Token(turn=turn, text=text)


@pytest.fixture
def overflows():
    return []


@pytest.fixture
def outbox(overflows):
    return Outbox(capacity=2, reserve=1, overflowed=lambda: overflows.append(True))


async def test_first_in_first_out(outbox):
    outbox.append(token(1, "a"))
    outbox.append(token(1, "b"))
    assert [(await outbox.take()).text, (await outbox.take()).text] == ["a", "b"]


async def test_the_door_waits_for_a_place(outbox, autojump_clock):
    entered = []

    async def enter(name):
        await outbox.door()
        entered.append(name)
        outbox.append(token(1, name))

    async with trio.open_nursery() as nursery:
        for name in "abcd":
            nursery.start_soon(enter, name)
        await trio.sleep(1)
        assert len(entered) == 2
        await outbox.take()
        await trio.sleep(1)
        assert len(entered) == 3
        await outbox.take()
    assert len(outbox) == 2


async def test_a_cancelled_task_does_not_pass_the_door(outbox):
    passed = []
    with trio.CancelScope() as scope:
        scope.cancel()
        await outbox.door()
        passed.append(True)
    assert not passed


async def test_who_was_handed_a_value_and_then_cancelled_says_nothing(outbox):
    """The stale-value race: the value is there, the task is scheduled, and only then comes the cancel."""
    send, receive = trio.open_memory_channel(0)
    scope = trio.CancelScope()

    async def stage():
        with scope:
            text = await receive.receive()
            await outbox.door()
            outbox.append(token(1, text))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage)
        await trio.testing.wait_all_tasks_blocked()
        send.send_nowait("stale")
        scope.cancel()
    assert len(outbox) == 0


async def test_the_reserve_is_for_who_cannot_wait_and_then_it_is_over(outbox, overflows):
    for _ in range(3):
        outbox.append(token(1))
    assert (len(outbox), overflows) == (3, [])
    outbox.append(token(1))
    assert (len(outbox), overflows) == (0, [True])
    assert await outbox.take() is None
    await outbox.door()
    outbox.append(token(1))
    assert (len(outbox), overflows) == (0, [True])


async def test_dropping_makes_room(outbox, autojump_clock):
    outbox.append(token(1))
    outbox.append(token(2))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outbox.door)
        await trio.testing.wait_all_tasks_blocked()
        outbox.drop(lambda event: event.turn == 1)
    assert [(await outbox.take()).turn] == [2]


async def test_a_closed_outbox_is_emptied_and_then_over(outbox):
    outbox.append(token(1))
    outbox.close()
    outbox.append(token(2))
    assert (await outbox.take()).turn == 1
    assert await outbox.take() is None


async def test_closing_wakes_everybody(outbox, autojump_clock):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outbox.take)
        await trio.testing.wait_all_tasks_blocked()
        outbox.close()
