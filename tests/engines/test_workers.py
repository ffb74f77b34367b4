"""The worker pool against real processes that hang, die, and talk nonsense."""

import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from structlog.testing import capture_logs

from voice_trio.waiting import alongside
from voice_trio.workers import pool as workers
from voice_trio.workers.main import HEAD, MAX_BODY, FrameError, pack, unpack_fields, unpack_head
from voice_trio.workers.pool import open_pool
from voice_trio.workers.process import WorkerError, WorkerSpec

CHILD = str(Path(__file__).with_name("worker_child.py"))


def spec(mode="good", **options):
    return WorkerSpec("tester", (sys.executable, "-P", CHILD, mode), **options)


@asynccontextmanager
async def warm_pool(count=1, mode="good"):
    with trio.fail_after(60):
        async with open_pool(spec(mode), count) as pool:
            await pool.wait_ready()
            while len(pool.pids) < count:  # noqa: ASYNC110
                await trio.sleep(0.005)
            yield pool


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def replaced(pool, pid):
    """Wait until ``pid`` is gone and its successor is warm."""
    while alive(pid) or len(pool.pids) < pool.count:  # noqa: ASYNC110
        await trio.sleep(0.005)


def test_a_frame_comes_back_as_it_went():
    frame = pack(7, {"do": "echo"}, b"\0\1\2")
    request_id, length, size = unpack_head(frame[: HEAD.size])
    assert (request_id, size) == (7, 3)
    assert unpack_fields(frame[HEAD.size : HEAD.size + length]) == {"do": "echo"}
    assert frame[HEAD.size + length :] == b"\0\1\2"


@pytest.mark.parametrize("head", [b"\0" * HEAD.size, HEAD.pack(b"vtw1", 1, 2, MAX_BODY + 1)])
def test_what_is_no_head_is_refused(head):
    with pytest.raises(FrameError):
        unpack_head(head)


@pytest.mark.parametrize("fields", [b"{", b"[]", b"\xff"])
def test_fields_are_a_json_object(fields):
    with pytest.raises(FrameError):
        unpack_fields(fields)


async def test_a_service_beside_a_block_does_not_wrap_its_error():
    with trio.fail_after(5), pytest.raises(KeyError):
        async with alongside(trio.sleep_forever):
            raise KeyError


@pytest.mark.real
async def test_it_answers_with_a_large_body_though_the_child_prints():
    async with warm_pool() as pool:
        assert pool.info == {"mode": "good"}
        body = bytes(range(256)) * 20_000
        reply = await pool.call({"do": "echo", "say": "hé"}, body, seconds=30)
        assert reply.fields["said"] == "hé"
        assert reply.body == body


@pytest.mark.real
async def test_a_library_that_reads_its_input_takes_nothing_of_the_protocol():
    async with warm_pool() as pool:
        assert (await pool.call({"do": "input"}, seconds=30)).fields == {"read": ""}


@pytest.mark.real
async def test_a_refused_request_costs_no_worker_and_tells_no_secret():
    async with warm_pool() as pool:
        (pid,) = pool.pids
        with pytest.raises(WorkerError) as caught:
            await pool.call({"do": "nonsense"}, seconds=30)
        assert caught.value.kind == "failed"
        assert "secret" not in str(caught.value)
        assert pool.pids == [pid]
        await pool.call({"do": "echo"}, seconds=30)


@pytest.mark.real
async def test_a_late_reply_costs_the_worker_its_life():
    async with warm_pool() as pool:
        (pid,) = pool.pids
        async with pool.lease() as worker:
            with pytest.raises(WorkerError) as caught:
                await worker.call({"do": "echo", "seconds": 60}, seconds=0.1)
            assert caught.value.kind == "timeout"
            with pytest.raises(WorkerError):
                await worker.call({"do": "echo"}, seconds=1)
        reply = await pool.call({"do": "echo"}, seconds=30)
        assert reply.fields["pid"] != pid
        assert not alive(pid)


@pytest.mark.real
async def test_a_worker_that_does_not_read_is_late_too():
    async with warm_pool(mode="deaf") as pool:
        (pid,) = pool.pids
        async with pool.lease() as worker:
            with pytest.raises(WorkerError) as caught:
                await worker.call({"do": "echo"}, bytes(1_000_000), seconds=0.1)
        assert caught.value.kind == "timeout"
        await replaced(pool, pid)


@pytest.mark.real
@pytest.mark.parametrize("mode", ["garbage", "stale", "twice", "huge"])
async def test_a_worker_that_is_out_of_step_is_replaced(mode):
    async with warm_pool(mode=mode) as pool:
        (pid,) = pool.pids
        with pytest.raises(WorkerError) as caught:
            await pool.call({"do": "echo"}, seconds=30)
        assert caught.value.kind == "crashed"
        await replaced(pool, pid)


@pytest.mark.real
async def test_a_crash_is_reported_with_its_last_words():
    with capture_logs() as logs:
        async with warm_pool() as pool:
            (pid,) = pool.pids
            with pytest.raises(WorkerError) as caught:
                await pool.call({"do": "die"}, seconds=30)
            assert caught.value.kind == "crashed"
            await replaced(pool, pid)
            await pool.call({"do": "echo"}, seconds=30)
    (entry,) = [entry for entry in logs if entry["event"] == "worker lost"]
    assert (entry["pid"], entry["exit"]) == (pid, 7)
    assert "last words" in entry["stderr"]


@pytest.mark.real
async def test_an_idle_worker_that_is_killed_is_replaced_unasked():
    async with warm_pool(2) as pool:
        first, second = pool.pids
        os.kill(first, signal.SIGKILL)
        await replaced(pool, first)
        assert second in pool.pids
        for _ in range(4):
            await pool.call({"do": "echo"}, seconds=30)


@pytest.mark.real
async def test_ctrl_c_and_a_service_stop_leave_the_children_to_their_parent():
    async with warm_pool() as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
        assert (await pool.call({"do": "echo"}, seconds=30)).fields["pid"] == pid


@pytest.mark.real
async def test_a_cancelled_caller_leaves_at_once_and_its_reply_reaches_nobody():
    async with warm_pool() as pool:
        (pid,) = pool.pids
        for number in range(3):
            with trio.move_on_after(0.02):
                await pool.call({"do": "echo", "say": "stale", "seconds": 0.2}, seconds=30)
            # The worker is still at it: the caller did not wait for it.
            assert not pool._idle
            reply = await pool.call({"do": "echo", "say": number}, seconds=30)
            assert reply.fields == {"said": number, "pid": pid}


@pytest.mark.real
async def test_a_cancelled_call_is_followed_by_the_right_answer_in_the_same_lease():
    async with warm_pool() as pool, pool.lease() as worker:
        with trio.move_on_after(0.02):
            await worker.call({"do": "echo", "say": "stale", "seconds": 0.1}, seconds=30)
        with trio.move_on_after(0.02):
            await worker.call({"do": "echo", "say": "never begun"}, seconds=30)
        assert (await worker.call({"do": "echo", "say": "mine"}, seconds=30)).fields["said"] == "mine"


@pytest.mark.real
async def test_a_reply_nobody_waits_for_still_has_its_deadline():
    async with warm_pool() as pool:
        (pid,) = pool.pids
        with trio.move_on_after(0.02):
            async with pool.lease() as worker:
                await worker.call({"do": "echo", "seconds": 60}, seconds=0.1)
        await replaced(pool, pid)
        await pool.call({"do": "echo"}, seconds=30)


@pytest.mark.real
async def test_no_reply_is_lost_or_crossed_among_many_callers():
    answers = []
    async with warm_pool(2) as pool:

        async def caller(number):
            if number % 3 == 0:
                with trio.move_on_after(0.001 * number):
                    await pool.call({"do": "echo", "say": "stale", "seconds": 0.01}, seconds=30)
                return
            reply = await pool.call({"do": "echo", "say": number}, str(number).encode(), seconds=30)
            answers.append((number, reply.fields["said"], int(reply.body)))

        async with trio.open_nursery() as nursery:
            for number in range(60):
                nursery.start_soon(caller, number)
        assert sorted(answers) == [(n, n, n) for n in range(60) if n % 3]


@pytest.mark.real
async def test_leases_go_in_the_order_of_asking():
    order = []
    async with warm_pool() as pool:

        async def caller(number):
            async with pool.lease():
                order.append(number)
                await trio.sleep(0.001)

        async with trio.open_nursery() as nursery, pool.lease():
            for number in range(8):
                nursery.start_soon(caller, number)
                await trio.testing.wait_all_tasks_blocked()
        assert order == list(range(8))


@pytest.mark.real
async def test_waiting_for_a_worker_counts_but_does_not_cost_one():
    async with warm_pool() as pool:
        (pid,) = pool.pids
        async with pool.lease():
            with pytest.raises(WorkerError) as caught:
                await pool.call({"do": "echo"}, seconds=0.05)
            assert caught.value.kind == "timeout"
        assert (await pool.call({"do": "echo"}, seconds=30)).fields["pid"] == pid


@pytest.mark.real
async def test_a_cancelled_pool_leaves_no_process_and_no_waiting_caller():
    errors = []

    async def caller(pool):
        with pytest.raises(WorkerError) as caught:
            await pool.call({"do": "echo", "seconds": 60}, seconds=60)
        errors.append(caught.value.kind)

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            async with warm_pool(2) as pool:
                pids = pool.pids
                for _ in range(3):
                    nursery.start_soon(caller, pool)
                await trio.sleep(0.05)
                scope.cancel()
                await trio.sleep_forever()
        assert not any(alive(pid) for pid in pids)
        assert pool.pids == []
    assert errors == ["unavailable"] * 3


@pytest.mark.real
async def test_children_that_cannot_start_are_said_to_be_and_tried_with_pauses():
    with trio.fail_after(60), capture_logs() as logs:
        async with open_pool(spec("failing"), 1) as pool:
            with pytest.raises(WorkerError) as caught:
                await pool.wait_ready()
            assert caught.value.kind == "unavailable"
            with pytest.raises(WorkerError):
                await pool.call({"do": "echo"}, seconds=30)
            await trio.sleep(0.3)
    lost = [entry for entry in logs if entry["event"] == "worker lost"]
    assert 3 <= len(lost) <= 5
    assert "no model here" in lost[0]["stderr"]


@pytest.mark.real
async def test_a_program_that_does_not_exist_is_unavailable():
    with trio.fail_after(60):
        async with open_pool(WorkerSpec("nothing", ("/nonexistent/program",)), 1) as pool:
            with pytest.raises(WorkerError, match="cannot be started"):
                await pool.wait_ready()


@pytest.mark.real
async def test_a_child_that_never_gets_ready_is_given_up():
    with trio.fail_after(60):
        sleeper = WorkerSpec("sleeper", (sys.executable, "-c", "import time; time.sleep(60)"), start_seconds=0.1)
        async with open_pool(sleeper, 1) as pool:
            with pytest.raises(WorkerError, match="did not start"):
                await pool.wait_ready()


@pytest.mark.real
async def test_a_child_ends_when_its_parent_is_gone():
    with trio.fail_after(60):
        process = await trio.lowlevel.open_process(
            [sys.executable, "-P", CHILD, "good"], stdin=-1, stdout=-1, stderr=-1
        )
        await process.stdout.receive_some(1)
        for pipe in (process.stdin, process.stdout, process.stderr):
            await pipe.aclose()
        assert await process.wait() == 0


@pytest.mark.real
async def test_a_worker_for_one_call_has_a_successor_for_the_next():
    with trio.fail_after(20):
        async with open_pool(spec(one_call=True), 1) as pool:
            pids = [(await pool.call({"do": "echo"}, seconds=10)).fields["pid"] for _ in range(3)]
            assert len(set(pids)) == 3
            async with pool.lease() as worker:
                await worker.call({"do": "echo"}, seconds=10)
                with pytest.raises(WorkerError, match="one call only"):
                    await worker.call({"do": "echo"}, seconds=10)


@pytest.mark.real
async def test_calls_that_no_worker_survives_do_not_delay_its_successor(monkeypatch):
    monkeypatch.setattr(workers, "BACKOFF_S", 60.0)
    with trio.fail_after(20):
        async with open_pool(spec(one_call=True), 1) as pool:
            for _ in range(5):
                with pytest.raises(WorkerError, match="ended unexpectedly"):
                    await pool.call({"do": "die"}, seconds=10)
            await pool.call({"do": "echo"}, seconds=10)


@pytest.mark.real
@pytest.mark.parametrize("one_call", [True, False])
async def test_only_a_worker_that_was_to_stay_is_reported_as_lost(one_call):
    with trio.fail_after(20), capture_logs() as lines:
        async with open_pool(spec(one_call=one_call), 1) as pool:
            await pool.call({"do": "echo"}, seconds=10)
            if not one_call:
                with pytest.raises(WorkerError):
                    await pool.call({"do": "die"}, seconds=10)
            await pool.call({"do": "echo"}, seconds=10)
    assert [line["log_level"] for line in lines] == ["debug" if one_call else "warning"]
