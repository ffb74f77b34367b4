"""The eye for long steps."""

import io
import json
import time

import trio

from tools import stalls
from tools.stalls import Stalls


def work(seconds):
    """Use so much CPU time, in a function that has a name."""
    enough = time.thread_time() + seconds
    while time.thread_time() < enough:
        pass


def run(main, **options):
    eye = Stalls(**options)
    with eye.watching():
        trio.run(main, instruments=[eye])
    return eye


def test_a_long_step_is_reported_with_the_place_of_the_work():
    async def main():
        await trio.lowlevel.checkpoint()
        work(0.1)
        await trio.lowlevel.checkpoint()

    lines = io.StringIO()
    eye = run(main, file=lines)
    (step,) = eye.steps
    assert step.cpu_ms >= 100
    assert "test_stalls.py" in step.place
    assert "main" in step.task
    assert json.loads(lines.getvalue())["place"] == step.place
    assert eye.report().startswith("1 of ")
    assert stalls.report(json.loads(json.dumps(eye.summary()))) == eye.report()


def test_a_step_that_only_sleeps_or_is_short_is_none():
    async def main():
        for _ in range(20):
            work(0.005)
            await trio.lowlevel.checkpoint()
        time.sleep(0.05)  # noqa: ASYNC251 - what costs no CPU is another program's doing

    eye = run(main)
    assert eye.steps == []
    assert 5 <= eye.longest_ms <= 20
    eye.forget()
    assert (eye.taken, eye.longest_ms) == (0, 0)


def test_a_program_without_the_thread_has_places_as_well():
    async def main():
        work(0.05)
        await trio.lowlevel.checkpoint()

    eye = Stalls()
    trio.run(main, instruments=[eye])
    assert "trio/" in eye.steps[0].place
