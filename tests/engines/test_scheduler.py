"""Who decodes next. The jobs run in real threads, and go on when the test says so; nothing waits for a time to pass."""

import threading
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from voice_trio.engines.decoding.scheduler import Batch, Rank, open_scheduler

pytestmark = pytest.mark.real


class Jobs:
    """Jobs that note when they begin, and end when they are let."""

    def __init__(self, scheduler):
        self.scheduler = scheduler
        self.begun = []
        self.gates = {}

    def submit(self, name, rank=Rank.PARTIAL):
        gate = self.gates[name] = threading.Event()

        def begin():
            self.begun.append(name)
            return lambda: (gate.wait(5), name)[1]

        return self.scheduler.submit(begin, rank)

    async def finish(self, name, ticket):
        self.gates[name].set()
        assert await ticket.wait() == name
        await wait_all_tasks_blocked()

    def let_all_go(self):
        for gate in self.gates.values():
            gate.set()


@pytest.fixture
async def jobs(request):
    with trio.fail_after(60):
        async with open_scheduler(request.param if hasattr(request, "param") else 1, close_s=5) as scheduler:
            made = Jobs(scheduler)
            yield made
            made.let_all_go()


async def test_finals_come_first_and_equals_in_the_order_of_asking(jobs):
    tickets = {"running": jobs.submit("running")}
    await wait_all_tasks_blocked()
    ranks = {"tidy": Rank.HOUSEKEEPING, "partial 1": Rank.PARTIAL, "final 1": Rank.FINAL, "partial 2": Rank.PARTIAL}
    ranks["final 2"] = Rank.FINAL
    for name, rank in ranks.items():
        tickets[name] = jobs.submit(name, rank)
    order = ["running", "final 1", "final 2", "partial 1", "partial 2", "tidy"]
    for name in order:
        assert jobs.begun[-1] == name
        await jobs.finish(name, tickets[name])
    assert jobs.begun == order


@pytest.mark.parametrize("jobs", [3], indirect=True)
async def test_no_more_run_than_there_are_workers(jobs):
    tickets = [jobs.submit(str(at)) for at in range(7)]
    await wait_all_tasks_blocked()
    assert jobs.begun == ["0", "1", "2"]
    await jobs.finish("1", tickets[1])
    assert jobs.begun == ["0", "1", "2", "3"]
    assert jobs.scheduler.running == 3


@pytest.mark.parametrize("jobs", [2], indirect=True)
@pytest.mark.parametrize("rank", [Rank.FINAL, Rank.EARLY])
async def test_an_early_final_leaves_one_worker_to_what_is_short(jobs, rank):
    first = jobs.submit("first", rank)
    await wait_all_tasks_blocked()
    early = jobs.submit("early", Rank.EARLY)
    await wait_all_tasks_blocked()
    assert jobs.begun == ["first"]
    partial = jobs.submit("partial")
    await wait_all_tasks_blocked()
    assert jobs.begun == ["first", "partial"]
    await jobs.finish("first", first)
    # The partial ends soon.
    assert jobs.begun[-1] == "early"
    await jobs.finish("partial", partial)
    # The true final of somebody else begins at once.
    final = jobs.submit("final", Rank.FINAL)
    await wait_all_tasks_blocked()
    assert jobs.begun[-1] == "final"
    await jobs.finish("final", final)
    await jobs.finish("early", early)


@pytest.mark.parametrize("jobs", [2], indirect=True)
async def test_no_early_final_begins_beside_housekeeping(jobs):
    tidy = jobs.submit("tidy", Rank.HOUSEKEEPING)
    await wait_all_tasks_blocked()
    early = jobs.submit("early", Rank.EARLY)
    await wait_all_tasks_blocked()
    assert jobs.begun == ["tidy"]
    await jobs.finish("tidy", tidy)
    await jobs.finish("early", early)


async def test_an_early_final_that_is_wanted_after_all_begins_as_a_final(jobs):
    early = jobs.submit("early", Rank.EARLY)
    await wait_all_tasks_blocked()
    assert jobs.begun == []
    early.hurry(Rank.FINAL)
    await wait_all_tasks_blocked()
    assert jobs.begun == ["early"]
    early.hurry(Rank.EARLY)
    assert early.rank is Rank.FINAL
    await jobs.finish("early", early)


@pytest.mark.parametrize("jobs", [2], indirect=True)
async def test_housekeeping_waits_until_nothing_runs(jobs):
    partial = jobs.submit("partial")
    tidy = jobs.submit("tidy", Rank.HOUSEKEEPING)
    await wait_all_tasks_blocked()
    assert jobs.begun == ["partial"]
    await jobs.finish("partial", partial)
    await jobs.finish("tidy", tidy)


async def test_what_is_dropped_never_begins_and_what_runs_keeps_its_place(jobs):
    running = jobs.submit("running")
    await wait_all_tasks_blocked()
    dropped, kept = jobs.submit("dropped"), jobs.submit("kept")
    running.drop()
    dropped.drop()
    await wait_all_tasks_blocked()
    assert jobs.begun == ["running"]
    await jobs.finish("running", running)
    assert jobs.begun == ["running", "kept"]
    await jobs.finish("kept", kept)


async def test_a_caller_who_leaves_drops_its_job(jobs):
    running = jobs.submit("running")
    await wait_all_tasks_blocked()
    with trio.move_on_after(0):
        await jobs.scheduler.run(lambda: jobs.begun.append("never"), Rank.PARTIAL)
    await jobs.finish("running", running)
    assert jobs.begun == ["running"]


async def test_what_is_decoded_is_settled_when_it_begins(jobs):
    audio = ["a"]
    running = jobs.submit("running")
    await wait_all_tasks_blocked()

    def begin():
        taken = list(audio)
        return lambda: taken

    ticket = jobs.scheduler.submit(begin, Rank.PARTIAL)
    audio.append("b")
    await jobs.finish("running", running)
    assert await ticket.wait() == ["a", "b"]


@pytest.mark.parametrize("where", ["begin", "job"])
async def test_what_goes_wrong_reaches_who_asked_and_nobody_else(jobs, where):
    def fail():
        raise ValueError("odd audio")

    with pytest.raises(ValueError, match="odd audio"):
        await jobs.scheduler.run(fail if where == "begin" else lambda: fail, Rank.FINAL)
    assert await jobs.scheduler.run(lambda: lambda: "well", Rank.FINAL) == "well"


async def test_closing_waits_for_what_runs_though_all_is_cancelled():
    gate, closed = threading.Event(), trio.Event()

    async def live():
        with trio.CancelScope() as house:
            async with open_scheduler(2, close_s=5) as scheduler:
                scheduler.submit(lambda: lambda: gate.wait(5), Rank.PARTIAL)
                await wait_all_tasks_blocked()
                house.cancel()
                await trio.lowlevel.checkpoint()
        closed.set()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live)
            await wait_all_tasks_blocked()
            assert not closed.is_set()
            gate.set()
            await closed.wait()


async def test_closing_does_not_wait_for_ever():
    gate = threading.Event()
    with trio.fail_after(60):
        async with open_scheduler(1, close_s=0.02) as scheduler:
            scheduler.submit(lambda: lambda: gate.wait(5), Rank.PARTIAL)
            await wait_all_tasks_blocked()
    assert not gate.is_set()
    gate.set()


async def test_closing_does_not_wait_for_a_job_that_was_about_to_begin():
    """Trio draws who goes first in each step, so it is tried often."""
    gate, began = threading.Event(), trio.current_time()
    for _ in range(40):
        async with open_scheduler(1, close_s=0.01) as scheduler:
            scheduler.submit(lambda: lambda: gate.wait(3), Rank.PARTIAL)
            await trio.lowlevel.checkpoint()
    took_s = trio.current_time() - began
    gate.set()
    assert took_s < 2


async def test_a_thread_that_cannot_be_had_is_told_to_who_asked_and_nobody_else(jobs, monkeypatch):
    async def no_thread(*args, **kwargs):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(trio.to_thread, "run_sync", no_thread)
        with pytest.raises(RuntimeError, match="new thread"):
            await jobs.scheduler.run(lambda: lambda: "well", Rank.FINAL)
    assert await jobs.scheduler.run(lambda: lambda: "well", Rank.FINAL) == "well"


class Together:
    """Work that is done for several at once, when it is let; the answer to each is what it gave, twice."""

    def __init__(self, most):
        self.batch = Batch(most, self._work)
        self.gate = threading.Event()
        self.given = []

    def _work(self, given):
        self.given.append(list(given))
        self.gate.wait(5)
        if "bad" in given:
            raise ValueError("odd audio")
        return [2 * one for one in given]


@pytest.mark.parametrize("jobs", [2], indirect=True)
async def test_what_waits_for_a_batch_is_done_at_once(jobs):
    together = Together(3)
    blocking = [jobs.submit("first"), jobs.submit("second")]
    await wait_all_tasks_blocked()
    tickets = [jobs.scheduler.submit_to(together.batch, lambda at=at: str(at), Rank.PARTIAL) for at in range(7)]
    alone = jobs.submit("alone")
    together.gate.set()
    await jobs.finish("first", blocking[0])
    assert [await ticket.wait() for ticket in tickets] == [2 * str(at) for at in range(7)]
    assert together.given == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    await jobs.finish("alone", alone)
    await jobs.finish("second", blocking[1])


@pytest.mark.parametrize("jobs", [2], indirect=True)
async def test_what_waits_is_shared_among_the_workers_that_are_free(jobs):
    together = Together(3)
    tickets = [jobs.scheduler.submit_to(together.batch, lambda at=at: str(at), Rank.PARTIAL) for at in range(3)]
    await wait_all_tasks_blocked()
    together.gate.set()
    for ticket in tickets:
        await ticket.wait()
    assert sorted(together.given) == [["0", "1"], ["2"]]


async def test_a_batch_goes_in_the_order_of_ranks_and_of_asking(jobs):
    together = Together(2)
    running = jobs.submit("running")
    await wait_all_tasks_blocked()
    submit = jobs.scheduler.submit_to
    tickets = [submit(together.batch, lambda: "first", Rank.PARTIAL), jobs.submit("between")]
    tickets += [submit(together.batch, lambda: "second", Rank.PARTIAL), jobs.submit("final", Rank.FINAL)]
    await jobs.finish("running", running)
    assert jobs.begun == ["running", "final"]
    await jobs.finish("final", tickets[3])
    assert jobs.begun == ["running", "final"]
    together.gate.set()
    assert [await tickets[0].wait(), await tickets[2].wait()] == ["firstfirst", "secondsecond"]
    assert together.given == [["first", "second"]]
    await jobs.finish("between", tickets[1])


async def test_what_fails_fails_alone(jobs):
    together = Together(3)
    together.gate.set()

    async def answers(*given):
        def begin(one):
            if one is None:
                raise OSError("no audio")
            return one

        running = jobs.submit("running")
        await wait_all_tasks_blocked()
        tickets = [jobs.scheduler.submit_to(together.batch, lambda one=one: begin(one), Rank.PARTIAL) for one in given]
        await jobs.finish("running", running)
        return [await answer(ticket) for ticket in tickets]

    async def answer(ticket):
        try:
            return await ticket.wait()
        except (OSError, ValueError) as error:
            return str(error)

    assert await answers("a", None, "b") == ["aa", "no audio", "bb"]
    assert await answers(None) == ["no audio"]
    assert await answers("a", "bad", None) == ["aa", "odd audio", "no audio"]
    assert together.given == [["a", "b"], ["a", "bad"], ["a"], ["bad"]]


async def test_what_is_not_ready_lets_others_go_first(jobs):
    ready = False
    batch: Batch[Any, Any] = Batch(1, list)
    ticket = jobs.scheduler.submit_to(batch, lambda: "late", Rank.PARTIAL, ready=lambda: ready)
    other = jobs.submit("other")
    await wait_all_tasks_blocked()
    assert jobs.begun == ["other"]
    await jobs.finish("other", other)
    dropped = jobs.scheduler.submit_to(batch, lambda: "never", Rank.PARTIAL, ready=lambda: False)
    await wait_all_tasks_blocked()
    ready = True
    # Somebody leaves the queue.
    dropped.drop()
    assert await ticket.wait() == "late"
    assert not ticket.running
