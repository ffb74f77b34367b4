"""Who is recognised when many speak, hold, or say nothing, with workers that take a quarter of what was spoken."""

import random
from contextlib import asynccontextmanager
from typing import cast

import pytest
import trio

from voice_trio.engines.pocketsphinx.recognizer import COST, STRIDE_BYTES, PocketsphinxRecognizer
from voice_trio.testing.scripted import silent, voiced
from voice_trio.workers.pool import WorkerPool
from voice_trio.workers.process import Reply, WorkerError

FALLOW_S = 2.7
CALL_S = 0.02


class PretendWorker:
    def __init__(self, pool):
        self._pool = pool
        self._bytes = 0

    async def call(self, fields, body=b"", *, seconds):
        if self._pool.lose_next:
            self._pool.lose_next -= 1
            raise WorkerError("crashed", "gone")
        if fields["do"] == "start":
            self._bytes = 0
        self._bytes += len(body)
        self._pool.spoken_s += len(body) / 32_000
        await trio.sleep(CALL_S + COST * len(body) / 32_000)
        return Reply({"text": f"{self._bytes // 32} ms", "seconds": 0.0}, b"")


class PretendPool:
    """What a lender needs of a `WorkerPool`."""

    ready = True

    def __init__(self, count):
        self.count = count
        self.spoken_s = 0.0
        """Audio that was decoded, again included."""
        self.lose_next = 0
        self.most = 0
        self._leased = 0

    @asynccontextmanager
    async def lease(self):
        self._leased += 1
        self.most = max(self.most, self._leased)
        try:
            await trio.lowlevel.checkpoint()
            yield PretendWorker(self)
        finally:
            self._leased -= 1


def ears(workers=2):
    pool = PretendPool(workers)
    return pool, PocketsphinxRecognizer(cast(WorkerPool, pool), fallow_s=FALLOW_S)


async def speak(utterance, ms):
    """Feed at the speed of speech."""
    pcm = voiced(ms)
    for at in range(0, len(pcm), STRIDE_BYTES):
        await trio.sleep(len(pcm[at : at + STRIDE_BYTES]) / 32_000)
        utterance.feed(pcm[at : at + STRIDE_BYTES])


async def ask(recognizer, ms=3000):
    """Say something; return how long its words took after that."""
    async with recognizer.open(None) as utterance:
        await speak(utterance, ms)
        ended_at = trio.current_time()
        transcript = await utterance.settle(16 * ms)
        assert transcript.text == f"{ms} ms"
        return trio.current_time() - ended_at


async def says_nothing(utterance):
    utterance.feed(voiced(500))


async def sends_a_frame_a_second(utterance):
    while True:
        utterance.feed(voiced(30))
        await trio.sleep(1)


async def sends_digital_silence(utterance):
    utterance.feed(voiced(500))
    while True:
        await trio.sleep(0.2)
        utterance.feed(silent(200))


async def sends_a_burst(utterance):
    utterance.feed(voiced(30_000))


async def speaks_for_ever(utterance):
    while True:
        await speak(utterance, 1000)


HOLDERS = [says_nothing, sends_a_frame_a_second, sends_digital_silence, sends_a_burst, speaks_for_ever]


async def hold(recognizer, kind):
    async with recognizer.open(None) as utterance, trio.open_nursery() as nursery:
        nursery.start_soon(kind, utterance)
        # A session asks for words all the time.
        while True:
            await utterance.hypothesize()
            await trio.sleep(1)


@pytest.mark.parametrize("holders", [2, 20])
@pytest.mark.parametrize("kind", HOLDERS)
async def test_holders_deafen_nobody_who_has_finished(autojump_clock, kind, holders):
    pool, recognizer = ears()
    with trio.fail_after(120):
        async with trio.open_nursery() as nursery:
            for _ in range(holders):
                nursery.start_soon(hold, recognizer, kind)
            await trio.sleep(10)
            for _ in range(3):
                # All of it, and what is under way when it is over.
                assert await ask(recognizer) < COST * 4 + 10 * CALL_S
            nursery.cancel_scope.cancel()
    assert pool.most == 2


@pytest.mark.parametrize("kind", [kind for kind in HOLDERS if kind is not speaks_for_ever])
async def test_who_speaks_sees_words_beside_holders_who_do_not(autojump_clock, kind):
    _, recognizer = ears()
    with trio.fail_after(120):
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(hold, recognizer, kind)
            await trio.sleep(40)
            async with recognizer.open(None) as utterance:
                for said_ms in (1000, 2000, 3000):
                    await speak(utterance, 1000)
                    with trio.fail_after(2):
                        assert (await utterance.hypothesize()).text == f"{said_ms} ms"
            nursery.cancel_scope.cancel()


async def test_who_goes_on_after_a_rest_is_heard_from_the_beginning(autojump_clock):
    _, recognizer = ears(1)
    with trio.fail_after(60):
        async with recognizer.open(None) as resting:
            await speak(resting, 4000)
            assert (await resting.hypothesize()).text == "4000 ms"
            await trio.sleep(10)
            assert await ask(recognizer) < 0.3
            # It is not heard again before there is something new.
            assert (await resting.hypothesize()).text == "4000 ms"
            resting.feed(voiced(1000))
            assert (await resting.settle(16 * 4500)).text == "4500 ms"
            assert (await resting.settle(16 * 5000)).text == "5000 ms"


async def test_a_rest_that_nobody_needs_costs_nothing(autojump_clock):
    pool, recognizer = ears(1)
    with trio.fail_after(60):
        async with recognizer.open(None) as utterance:
            await speak(utterance, 4000)
            await trio.sleep(30)
            await speak(utterance, 1000)
            assert (await utterance.settle(16 * 5000)).text == "5000 ms"
    assert pool.spoken_s == pytest.approx(5)


async def test_words_come_in_the_order_in_which_people_finish_and_long_ones_later(autojump_clock):
    _, recognizer = ears(1)
    answered = []

    async def one(name, ms, at_s):
        async with recognizer.open(None) as utterance:
            utterance.feed(voiced(ms))
            await trio.sleep(at_s)
            await utterance.settle(16 * ms)
            answered.append(name)

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one, "first", 4000, 0.0)
            nursery.start_soon(one, "long", 30_000, 0.1)
            nursery.start_soon(one, "third", 1000, 0.3)
            nursery.start_soon(one, "second", 1000, 0.2)
    assert answered == ["first", "second", "third", "long"]


async def test_only_lost_workers_wear_an_utterance_out(autojump_clock):
    pool, recognizer = ears(1)
    with trio.fail_after(60):
        async with recognizer.open(None) as utterance:
            for _ in range(5):
                await speak(utterance, 1000)
                await ask(recognizer, 500)
            pool.lose_next = 1
            assert (await utterance.settle(16 * 5000)).text == "5000 ms"


@pytest.mark.parametrize("seed", range(5))
async def test_whoever_speaks_whenever_all_are_understood(autojump_clock, seed):
    pool, recognizer = ears()

    async def person(draw):
        for _ in range(4):
            await trio.sleep(draw.uniform(0, 6))
            async with recognizer.open(None) as utterance, trio.open_nursery() as nursery:
                if draw.random() < 0.2:
                    await speak(utterance, 600)
                    await trio.sleep(draw.uniform(0, 10))
                    continue
                if draw.random() < 0.5:
                    nursery.start_soon(draft, utterance)
                ms = draw.randrange(500, 6000)
                await speak(utterance, ms)
                with trio.fail_after(15):
                    assert (await utterance.settle(16 * ms)).text == f"{ms} ms"
                nursery.cancel_scope.cancel()

    async def draft(utterance):
        while True:
            await utterance.hypothesize()
            await trio.sleep(1)

    with trio.fail_after(600):
        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(person, random.Random(f"{seed}/{number}"))
    assert pool.most == 2
    assert not recognizer._lender._holding
    assert not recognizer._lender._waiting
