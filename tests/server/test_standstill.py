"""A server that was stopped: what it did not live through does not count."""

import pytest
import structlog
import trio
import trio.lowlevel

from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.server.guard import GuardedLink
from voice_trio.server.standstill import LivedClock, stood_still_s
from voice_trio.session.link import Malformed, MemoryLink
from voice_trio.testing.scripted import voiced


class Stopped:
    """Seconds on the wall, which go on by as much as it is told."""

    now = 100.0

    def read(self):
        return self.now


def test_only_what_was_lived_through_passes():
    wall = Stopped()
    clock = LivedClock(wall.read)
    clock.start_clock()
    assert clock.current_time() == 100
    wall.now += 4
    assert clock.current_time() == 104
    wall.now += 45
    with structlog.testing.capture_logs() as logs:
        assert clock.current_time() == 105
    assert [line["seconds"] for line in logs] == [45.0]
    assert clock.stood_still_s == 44
    wall.now += 1
    assert clock.current_time() == 106


def test_the_loop_never_sleeps_long_without_a_look():
    wall = Stopped()
    clock = LivedClock(wall.read)
    assert clock.deadline_to_sleep_time(float("inf")) == 1
    assert clock.deadline_to_sleep_time(100.25) == 0.25
    assert clock.deadline_to_sleep_time(99) < 0


def run_stopped(main):
    """Run ``main`` with a clock that can be stopped."""
    wall = Stopped()
    with structlog.testing.capture_logs():
        return trio.run(main, wall, clock=LivedClock(wall.read))


def test_no_deadline_passes_in_a_standstill():
    async def main(wall):
        with trio.move_on_after(40) as limit:
            wall.now += 3600
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()
            assert limit.deadline - trio.current_time() == 39
        return limit.cancelled_caught

    assert run_stopped(main) is False


@pytest.mark.parametrize(("stopped_s", "welcome"), [(60, True), (0, False)])
def test_what_a_client_said_meanwhile_is_no_flood(stopped_s, welcome):
    async def main(wall):
        link = MemoryLink(capacity=1000)
        guarded = GuardedLink(link, config.load(max_utterance_ms=30_000))
        wall.now += stopped_s
        trio.current_time()
        for _ in range(60):
            await link.ask(m.Audio(voiced(1000)))
            for _ in range(10):
                await link.ask(m.Played(turn=1, samples=1))
        try:
            for _ in range(660):
                await guarded.receive()
        except Malformed:
            return False
        return True

    assert run_stopped(main) is welcome


def test_another_clock_stands_never_still(autojump_clock):
    async def main():
        return stood_still_s()

    assert trio.run(main) == 0
