"""A network that delivers late, in virtual time."""

import numpy as np
import pytest
import trio

from tools.duplex_bench.network import over_network
from voice_trio.client import SessionClosed


class Pipe:
    """A connection whose other end is the test."""

    def __init__(self):
        self.arrived = []
        self.say, self._said = trio.open_memory_channel(1000)
        self.closed = False

    async def send_raw(self, data):
        await trio.lowlevel.checkpoint()
        if self.closed:
            raise SessionClosed(1001, "the server stops")
        self.arrived.append((trio.current_time(), data))

    async def hear_raw(self):
        try:
            return await self._said.receive()
        except trio.EndOfChannel:
            raise SessionClosed(1001, "the server stops") from None


async def test_without_jitter_there_is_nothing_in_between():
    pipe = Pipe()
    async with over_network(pipe, 0.0) as connection:
        assert connection is pipe


async def test_messages_are_late_each_by_another_time_and_none_overtakes_another(autojump_clock):
    pipe = Pipe()
    sent: list[float] = []
    heard: list[str | bytes] = []
    async with over_network(pipe, 0.15) as connection:
        for number in range(200):
            sent.append(trio.current_time())
            await connection.send_raw(str(number))
            pipe.say.send_nowait(str(number))
            await trio.sleep(0.02)
        while len(heard) < 200:
            heard.append(await connection.hear_raw())
        await trio.sleep(1)
    assert [message for _, message in pipe.arrived] == heard == [str(number) for number in range(200)]
    late = np.subtract([at for at, _ in pipe.arrived], sent)
    assert 0 <= late.min() < 0.08
    assert 0.12 < late.max() <= 0.151
    # Some come together: what was late before them held them up.
    assert (np.diff([at for at, _ in pipe.arrived]) < 0.001).sum() > 20


async def test_what_comes_is_late_too(autojump_clock):
    pipe = Pipe()
    waits = []
    async with over_network(pipe, 0.15) as connection:
        for _ in range(50):
            asked_at = trio.current_time()
            pipe.say.send_nowait(b"sound")
            assert await connection.hear_raw() == b"sound"
            waits.append(trio.current_time() - asked_at)
    assert max(waits) < 0.151
    assert np.mean(waits) == pytest.approx(0.075, abs=0.02)


async def test_what_came_before_the_end_is_heard_and_then_the_end(autojump_clock):
    pipe = Pipe()
    async with over_network(pipe, 0.15) as connection:
        pipe.say.send_nowait("last words")
        pipe.say.close()
        assert await connection.hear_raw() == "last words"
        for _ in range(2):
            with pytest.raises(SessionClosed, match="the server stops"):
                await connection.hear_raw()
        with pytest.raises(SessionClosed, match="the server stops"):
            await connection.send_raw("too late")


async def test_who_sends_to_a_closed_session_is_told_with_the_next_message(autojump_clock):
    pipe = Pipe()
    pipe.closed = True
    async with over_network(pipe, 0.15) as connection:
        await connection.send_raw("one")
        await trio.sleep(1)
        with pytest.raises(SessionClosed):
            await connection.send_raw("two")
