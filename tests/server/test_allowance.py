"""What connections may cost: shares, pots, and what a new connection finds."""

from contextlib import ExitStack

import pytest
import trio
from wsproto.frame_protocol import FrameDecoder

from tests.server.serving import BINARY, CONTINUATION, PING, PONG, frame, get, serving, until_none, upgrade
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.server import allowance
from voice_trio.server.allowance import Allowances
from voice_trio.server.guard import GuardedLink
from voice_trio.session.link import MemoryLink
from voice_trio.testing.scripted import voiced


async def seconds(work):
    began_at = trio.current_time()
    await work
    return trio.current_time() - began_at


async def spend(mine, units, by=100):
    for _ in range(units // by):
        await mine.pay(by)


async def test_a_burst_is_free_and_then_the_share_counts(autojump_clock):
    with Allowances().open("a") as mine:
        assert await seconds(spend(mine, 10_000)) == 0
        assert 36 < await seconds(spend(mine, 200_000)) < 44


async def test_a_neighbour_takes_nobodys_share(autojump_clock):
    register = Allowances()
    with register.open("a") as greedy, register.open("a") as modest:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(spend, greedy, 10_000_000)
            await trio.sleep(10)
            # Speech in messages of 8 ms, and a session's beginning before it.
            assert await seconds(modest.pay_for_session()) == 0
            for _ in range(500):
                assert await seconds(modest.pay(allowance.MESSAGE)) < 0.02
                await trio.sleep(0.008)
            nursery.cancel_scope.cancel()


async def test_a_new_connection_starts_with_nothing_of_its_own(autojump_clock):
    register = Allowances()
    began_at = trio.current_time()
    for _ in range(2_000):
        with register.open("a") as mine:
            await spend(mine, 300)
    # 600,000 units, of which 20,000 were in the pot.
    assert trio.current_time() - began_at > 20
    with register.open("b") as other:
        assert await seconds(other.pay(300)) == 0


async def test_a_proxys_connections_share_nothing_until_their_clients_are_known(autojump_clock):
    register = Allowances()
    with register.open(None) as one, register.open(None) as two:
        await spend(one, 100_000)
        assert await seconds(two.pay(1_000)) == 0
        register.move(one, "a")
        register.move(two, "a")
        assert one.address is two.address
        assert one.address.connections == 2
    assert one.address.connections == 0


async def test_audio_beyond_speech_comes_from_the_addresss_pot(autojump_clock):
    register = Allowances()
    with register.open("a") as one, register.open("a") as two:
        for _ in range(110):
            await one.pay_for_audio(SAMPLE_RATE)
        took_s = await seconds(spend_audio(two, 200))
        assert 5 < took_s < 15
        # Who only speaks does not wait.
        await trio.sleep(5)
        for _ in range(20):
            assert await seconds(one.pay_for_audio(SAMPLE_RATE)) == 0
            await trio.sleep(1)


async def spend_audio(mine, seconds_of_it, **how):
    for _ in range(seconds_of_it):
        await mine.pay_for_audio(SAMPLE_RATE, **how)


async def test_a_burst_out_of_which_the_echo_is_taken_costs_the_pot_what_it_costs_the_loop(autojump_clock):
    burst_s = 30
    waited_s = []
    for cancelling in (False, True):
        with Allowances().open("a") as mine:
            waited_s.append(await seconds(spend_audio(mine, burst_s, cancelling=cancelling)))
            # Who only speaks does not wait.
            await trio.sleep(60)
            for _ in range(200):
                assert await seconds(mine.pay_for_audio(SAMPLE_RATE, cancelling=cancelling)) == 0
                await trio.sleep(1)
    # The pot holds 120 s, or 24 s of the dearer.
    assert waited_s[0] == 0
    assert waited_s[1] > 1


async def test_a_session_that_cancels_echo_pays_for_it_from_its_start_on(autojump_clock):
    async def burst_s(*starts):
        with Allowances().open("a") as mine:
            link = MemoryLink(capacity=100)
            guarded = GuardedLink(link, config.load(max_utterance_ms=60_000), lambda: mine)
            for command in [*starts, *[m.Audio(voiced(1000))] * 40]:
                await link.ask(command)
            return await seconds(receive_all(guarded, len(starts) + 40))

    async def receive_all(guarded, commands):
        for _ in range(commands):
            await guarded.receive()

    assert await burst_s(m.Start(), m.Start(echo="browser")) == 0
    assert await burst_s(m.Start(echo="none"), m.Start()) > 3


async def test_addresses_that_are_as_new_are_forgotten(autojump_clock):
    register = Allowances()
    with register.open("held"):
        for number in range(5_000):
            with register.open(str(number)) as mine:
                await mine.pay(100)
            await trio.sleep(0.01)
        assert len(register) < 2_100


# --- frames -----------------------------------------------------------------------------------------------------------


class FramesInAStep(trio.abc.Instrument):
    """Counts the frames that are read between two checkpoints."""

    most = 0
    here = 0

    def before_task_step(self, task):
        self.here = 0

    def read(self):
        self.here += 1
        self.most = max(self.most, self.here)


async def most_frames_in_a_step(monkeypatch, *frames):
    steps, process = FramesInAStep(), FrameDecoder.process_buffer

    def counted(self):
        found = process(self)
        if found is not None:
            steps.read()
        return found

    monkeypatch.setattr(FrameDecoder, "process_buffer", counted)
    trio.lowlevel.add_instrument(steps)
    try:
        with trio.fail_after(30):
            async with serving() as running:
                stream, _ = await upgrade(running)
                await stream.send_all(b"".join(frames))
                assert (await get(running.url, "/livez"))[0].startswith("HTTP/1.1 200")
                await stream.aclose()
                await until_none(running)
    finally:
        trio.lowlevel.remove_instrument(steps)
    return steps.most


@pytest.mark.real
async def test_no_kind_of_frame_holds_the_loop(monkeypatch):
    floods = {
        "pongs": [frame(PONG)] * 2000,
        "pings": [frame(PING)] * 500,
        "empty messages": [frame(BINARY)] * 1000,
        "fragments": [frame(BINARY, b"", final=False), *[frame(CONTINUATION, b"x", final=False)] * 900],
    }
    for name, frames in floods.items():
        assert 1 <= await most_frames_in_a_step(monkeypatch, *frames) <= 50, name


async def test_sessions_leave_the_other_connections_their_share(autojump_clock):
    """A monitor behind the address of thirty people asks as if it were alone."""
    register = Allowances()
    with ExitStack() as open_ones:
        people = [open_ones.enter_context(register.open("a")) for _ in range(30)]
        monitor = open_ones.enter_context(register.open("a"))
        for person in people:
            await person.pay(allowance.REQUEST)
            await person.pay_for_session()
        await spend(monitor, 20_000)
        assert await seconds(spend(monitor, 20 * allowance.REQUEST)) < 1
        register.move(people[0], "b")
        with register.open("b") as other:
            await spend(other, 20_000)
            assert await seconds(spend(other, 20 * allowance.REQUEST)) < 1
    for address in "ab":
        with register.open(address) as late:
            assert (late.address.connections, late.address.sessions) == (1, 0)
