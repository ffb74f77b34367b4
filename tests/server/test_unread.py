"""What a client sends ahead of its handler waits at the client, but for a few megabytes."""

import pytest
import trio
import trio.testing

from tests.server.realtime import dialled
from tests.server.serving import eventually, serving
from voice_trio.server.allowance import Allowance
from voice_trio.server.hypercorn import websocket
from voice_trio.server.hypercorn.websocket import Unread, _size_of

LONG = "x" * 1_500_000
PAD = "x" * 900_000


async def test_one_alone_may_be_as_long_as_it_likes_and_others_wait(autojump_clock):
    unread, waiting = Unread(), []

    async def arrive(message):
        await unread.wait_room(message)
        waiting.append(message)

    async with trio.open_nursery() as nursery:
        await arrive("x" * 20_000_000)
        for message in ("a", "b", ""):
            nursery.start_soon(arrive, message)
        await trio.testing.wait_all_tasks_blocked()
        assert waiting[1:] == []
        unread.take(waiting[0])
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(waiting[1:]) == ["", "a", "b"]
        for message in waiting[1:]:
            unread.take(message or None)
        await arrive(LONG)
        nursery.start_soon(arrive, LONG)
        await trio.testing.wait_all_tasks_blocked()
        assert len(waiting) == 5
        unread.take(LONG)


def test_it_is_memory_that_counts():
    assert _size_of("x" * 1000 + "\U0001f44b") > 4000
    assert _size_of(b"") == _size_of(None) == 0


@pytest.mark.real
async def test_a_flood_of_long_messages_waits_at_its_sender(monkeypatch):
    most, made, open_again = [0], [], trio.Event()

    class Watched(Unread):
        def __init__(self):
            super().__init__()
            made.append(self)

        async def wait_room(self, message):
            await super().wait_room(message)
            most[0] = max(most[0], self._bytes)

    async def stand_still(self, samples, *, cancelling=False):
        await open_again.wait()

    monkeypatch.setattr(websocket, "Unread", Watched)
    monkeypatch.setattr(Allowance, "pay_for_audio", stand_still)
    with trio.fail_after(60):
        async with serving() as running, dialled(running) as client, trio.open_nursery() as nursery:
            await client.wait_for("session.created")
            await client.append(bytes(4800))

            async def flood():
                for number in range(20):
                    # It is no item, so nothing is done but to say so.
                    await client.send("conversation.item.create", item={"type": "x"}, event_id=str(number), pad=PAD)
                await client.send("session.update", session={})

            nursery.start_soon(flood)
            await eventually(lambda: made[-1]._room.statistics().tasks_waiting)
            open_again.set()
            await client.wait_for("session.updated")
            assert most[0] <= websocket._UNREAD_BYTES
            assert len([event for event in client.events if event["type"] == "error"]) == 20
