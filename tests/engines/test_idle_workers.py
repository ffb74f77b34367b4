"""A worker that went wrong while nobody used it costs no turn its time."""

import os
import signal

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from tests.engines.test_workers import replaced, spec, warm_pool
from voice_trio import config
from voice_trio.engines.voice import open_voice
from voice_trio.workers import pool as workers
from voice_trio.workers.main import HEAD, READY_ID, pack, unpack_fields, unpack_head
from voice_trio.workers.process import WorkerError

# --- in virtual time, with processes that are tasks -------------------------------------------------------------------


class Process:
    """A worker process in this one. Set ``stuck``, and it reads no more."""

    def __init__(self, pid, nursery):
        self.pid, self.returncode, self.asked, self.stuck = pid, None, 0, False
        self.stdin, self._requests = trio.testing.memory_stream_one_way_pair()
        self._replies, self.stdout = trio.testing.memory_stream_one_way_pair()
        self._errors, self.stderr = trio.testing.memory_stream_one_way_pair()
        self._over = trio.Event()
        nursery.start_soon(self._work)

    async def _exactly(self, count):
        data = b""
        while len(data) < count:
            data += await self._requests.receive_some(count - len(data)) or b"\0" * count
        return data

    async def _work(self):
        with trio.CancelScope() as self._life:
            await self._replies.send_all(pack(READY_ID, {}))
            while True:
                request_id, length, size = unpack_head(await self._exactly(HEAD.size))
                fields = unpack_fields(await self._exactly(length))
                await self._exactly(size)
                self.asked += request_id == READY_ID
                if self.stuck:
                    await trio.sleep_forever()
                await self._replies.send_all(pack(request_id, {"ok": {"pid": self.pid, **fields}}))
        self.returncode = -9
        for stream in (self._replies, self._errors):
            stream.close()
        self._over.set()

    def kill(self):
        self._life.cancel()

    async def wait(self):
        await self._over.wait()


@pytest.fixture
async def processes(monkeypatch):
    """What was started, in order; none of these ids is a process."""
    started: list[Process] = []
    async with trio.open_nursery() as nursery:

        async def start(*args, **options):
            await trio.lowlevel.checkpoint()
            started.append(Process(2**22 + 1 + len(started), nursery))
            return started[-1]

        monkeypatch.setattr(trio.lowlevel, "open_process", start)
        yield started
        nursery.cancel_scope.cancel()


async def test_an_idle_worker_is_asked_now_and_then_and_stays(autojump_clock, processes):
    async with workers.open_pool(spec(), 1) as pool:
        await pool.wait_ready()
        await trio.sleep(4.5 * workers.ASK_EVERY_S)
        assert [process.asked for process in processes] == [4]
        assert (await pool.call({}, seconds=1)).fields == {"pid": processes[0].pid}
        async with pool.lease():
            await trio.sleep(5 * workers.ASK_EVERY_S)
        assert [process.asked for process in processes] == [4]


async def test_one_that_is_stuck_is_replaced_before_anybody_needs_it(autojump_clock, processes):
    async with workers.open_pool(spec(), 1) as pool:
        await pool.wait_ready()
        processes[0].stuck = True
        await trio.sleep(workers.ASK_EVERY_S + workers.ANSWER_S + 0.5)
        assert pool.pids == [processes[1].pid]
        before = trio.current_time()
        assert (await pool.call({}, seconds=60)).fields == {"pid": processes[1].pid}
        assert trio.current_time() == before


async def test_while_one_is_asked_the_other_answers(autojump_clock, processes):
    async with workers.open_pool(spec(), 2) as pool:
        await pool.wait_ready()
        processes[0].stuck = True
        await trio.sleep(workers.ASK_EVERY_S + 0.5)
        assert processes[0].asked == 1
        before = trio.current_time()
        for _ in range(4):
            assert (await pool.call({}, seconds=60)).fields == {"pid": processes[1].pid}
        assert trio.current_time() == before


async def test_a_caller_that_waits_for_a_worker_that_is_asked_gets_it(autojump_clock, processes):
    async with workers.open_pool(spec(), 1) as pool:
        await pool.wait_ready()
        processes[0].stuck = True
        await trio.sleep(workers.ASK_EVERY_S + 0.5)
        began = trio.current_time()
        assert (await pool.call({}, seconds=60)).fields == {"pid": processes[1].pid}
        assert trio.current_time() - began <= workers.ANSWER_S + 1


# --- with real processes ----------------------------------------------------------------------------------------------


def stop(pid):
    """Stop the process; it stands once its parent can tell."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


@pytest.mark.real
async def test_a_phrase_is_spoken_though_every_idle_voice_was_stopped():
    # Sixty seconds for a phrase: who waits for a stopped voice is not done within twenty.
    with trio.fail_after(20), capture_logs() as logs:
        async with open_voice(config.load(tts_workers=2)) as voice:
            while len(voice._pool.pids) < 2:  # noqa: ASYNC110
                await trio.sleep(0.01)
            stopped = voice._pool.pids
            for pid in stopped:
                stop(pid)
            speech = await voice.speak("All is well.", seconds=60)
            assert speech.samples > 1000
            assert not set(stopped) & set(voice._pool.pids)
    assert [line["pid"] for line in logs if line["event"].startswith("worker is stopped")] == stopped


@pytest.mark.real
@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
async def test_one_idle_worker_that_is_stopped_or_dead_is_replaced_unasked(monkeypatch, number):
    monkeypatch.setattr(workers, "ASK_EVERY_S", 0.05)
    async with warm_pool(2) as pool:
        first, second = pool.pids
        os.kill(first, number)
        await replaced(pool, first)
        assert second in pool.pids


@pytest.mark.real
async def test_a_worker_that_is_stopped_in_a_lease_fails_its_next_call_at_once():
    async with warm_pool() as pool, pool.lease() as worker:
        stop(worker.pid)
        with pytest.raises(WorkerError, match="was stopped") as caught:
            await worker.call({"do": "echo"}, seconds=60)
        assert caught.value.kind == "crashed"


@pytest.mark.real
async def test_a_worker_that_went_on_again_is_none_that_is_stopped():
    async with warm_pool() as pool:
        (pid,) = pool.pids
        for number in (signal.SIGSTOP, signal.SIGCONT):
            os.kill(pid, number)
        assert (await pool.call({"do": "echo"}, seconds=5)).fields["pid"] == pid


@pytest.mark.real
async def test_one_that_never_reads_is_replaced_while_idle(monkeypatch):
    monkeypatch.setattr(workers, "ASK_EVERY_S", 0.05)
    monkeypatch.setattr(workers, "ANSWER_S", 0.1)
    async with warm_pool(mode="deaf") as pool:
        (pid,) = pool.pids
        await replaced(pool, pid)
