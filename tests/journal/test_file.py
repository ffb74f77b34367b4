"""A session log on a disk that works, and on one that does not."""

import errno
import os
import stat
import threading

import pytest
import structlog
import trio

from voice_trio.journal import entries as e, file as session_log_file
from voice_trio.journal.entries import Stopped
from voice_trio.journal.file import SessionLogFile
from voice_trio.journal.journal import CannotRecord, SessionLogs
from voice_trio.journal.read import parse, read_session_log

pytestmark = pytest.mark.real

HEADER = e.Header(
    version="0.1.0",
    began="2026-01-01T00:00:00+00:00",
    session="s",
    settings={},
    engines=e.EngineNames(asr="a", languages=(), llm="l", synthetic=False, tts="t", voices=("v",), sample_rate=16_000),
)


def audio(at, samples=960):
    return e.Audio(at=at, pcm=bytes(2 * samples))


def made(path, **options):
    return SessionLogFile(path, one_thread=trio.CapacityLimiter(1), **options)


async def eventually(condition):
    # What happens in a thread sets no event that a test could wait for.
    while not condition():  # noqa: ASYNC110
        await trio.sleep(0.01)


async def test_entries_are_on_the_disk_soon_and_all_at_the_end(tmp_path):
    path = tmp_path / "session.jsonl"
    with trio.fail_after(60):
        file = made(path)
        async with file.keep():
            file.note(HEADER)
            file.note(audio(0.1))
            await eventually(lambda: path.exists() and len(path.read_bytes().splitlines()) == 2)
            for n in range(2, 100):
                file.note(audio(n / 10))
        session_log = read_session_log(path)
    assert [entry.at for entry in session_log.entries] == [n / 10 for n in range(1, 100)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_session_that_is_cancelled_is_written_to_its_end(tmp_path):
    path = tmp_path / "session.jsonl"
    file = made(path)
    with trio.fail_after(60), trio.CancelScope() as scope:
        async with file.keep():
            file.note(HEADER)
            await trio.sleep(0.02)
            file.note(audio(0.1))
            scope.cancel()
            await trio.sleep_forever()
    assert len(read_session_log(path).entries) == 1


async def test_nobody_else_finds_the_folder(tmp_path):
    SessionLogs(tmp_path / "bugs" / "here")
    assert stat.S_IMODE((tmp_path / "bugs" / "here").stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(CannotRecord, match="STREAM_RECORD_DIR"):
        SessionLogs(tmp_path / "file")


async def test_at_its_longest_a_session_log_says_so_and_stops(tmp_path):
    path = tmp_path / "session.jsonl"
    file = made(path, longest_bytes=20_000)
    with structlog.testing.capture_logs() as lines:
        async with file.keep():
            file.note(HEADER)
            for n in range(100):
                file.note(audio(n / 10))
    session_log = read_session_log(path)
    *_, last, stopped = session_log.entries
    assert isinstance(stopped, Stopped)
    assert stopped.at == pytest.approx(last.at + 0.1)
    assert stopped.why == "it is 0.0190735 MiB long"
    assert path.stat().st_size < 20_200
    assert [line["reason"] for line in lines] == ["it is 0.0190735 MiB long"]


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def half(fd, data, *, write=os.write):
    write(fd, bytes(data)[: len(data) // 2])
    full()


@pytest.mark.parametrize("write", [full, half])
async def test_a_full_disk_ends_the_session_log_with_one_line_in_the_log(tmp_path, monkeypatch, write):
    path = tmp_path / "session.jsonl"
    file = made(path)
    with structlog.testing.capture_logs() as lines, trio.fail_after(60):
        async with file.keep():
            file.note(HEADER)
            await eventually(lambda: path.exists() and path.stat().st_size)
            monkeypatch.setattr(os, "write", write)
            file.note(audio(0.1))
            await eventually(lambda: lines)
            for n in range(2, 100):
                file.note(audio(n / 10))
        monkeypatch.undo()
    assert [line["reason"] for line in lines] == ["No space left on device"]
    session_log = read_session_log(path)
    assert (session_log.entries, session_log.torn) == ([], write is half)


async def test_the_last_of_a_disk_is_left_to_others(tmp_path, monkeypatch):
    monkeypatch.setattr(session_log_file, "LEAST_FREE_BYTES", 2**62)
    file = made(tmp_path / "session.jsonl")
    with structlog.testing.capture_logs() as lines:
        async with file.keep():
            file.note(HEADER)
    assert [line["reason"] for line in lines] == ["less than 4.29497e+09 GiB is free"]


async def test_a_folder_that_is_gone_is_no_harm(tmp_path):
    file = made(tmp_path / "gone" / "session.jsonl")
    with structlog.testing.capture_logs() as lines:
        async with file.keep():
            file.note(HEADER)
    assert [line["reason"] for line in lines] == ["No such file or directory"]


async def test_a_disk_that_hangs_holds_up_neither_the_session_nor_its_end_for_long(tmp_path, monkeypatch):
    answer = threading.Event()

    def hang(fd, data, *, write=os.write):
        answer.wait(30)
        return write(fd, data)

    file = made(tmp_path / "session.jsonl")
    monkeypatch.setattr(os, "write", hang)
    try:
        with structlog.testing.capture_logs() as lines, trio.fail_after(60):
            async with file.keep():
                file.note(HEADER)
                await trio.sleep(0.05)
                for n in range(1, 200):
                    file.note(audio(n / 10, samples=32_000))
                assert [line["reason"] for line in lines] == ["the disk is too slow"]
    finally:
        answer.set()
        monkeypatch.undo()
    assert len(lines) == 1


async def test_what_cannot_be_spelled_ends_the_session_log_and_nothing_else(tmp_path):
    path = tmp_path / "session.jsonl"
    file = made(path)
    with structlog.testing.capture_logs() as lines:
        async with file.keep():
            file.note(HEADER)
            file.note(e.Malformed(at=1.0, message="\ud83c", close_code=1007))
            file.note(audio(2.0))
    assert [line["reason"] for line in lines] == ["malformed cannot be spelled: PydanticSerializationError"]
    assert parse(path.read_bytes()).entries == []
