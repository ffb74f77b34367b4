"""What others could read or change is tightened, or refused with a sentence: the memory's files, and session logs."""

import os
import stat
from contextlib import closing

import pytest

from tests.memory.records import record
from voice_trio.journal.journal import CannotRecord, SessionLogs
from voice_trio.memory.base import CannotRemember
from voice_trio.memory.database import Database
from voice_trio.memory.holds import FileHolds

pytestmark = pytest.mark.real

STRANGER = 65_534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(autouse=True)
def no_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "memory.sqlite3"


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def open_once(path):
    with closing(Database(path, busy_s=1.0)) as database:
        database.add(record("c", 1, session=os.urandom(4).hex()))


# --- tightened --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [0o644, 0o640, 0o666, 0o604, 0o755])
def test_a_database_that_others_can_read_is_tightened(path, before):
    open_once(path)
    path.chmod(before)
    open_once(path)
    assert mode(path) == before & 0o700


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_so_are_the_files_beside_it(path, suffix):
    path.parent.mkdir(0o700)
    beside = path.with_name(path.name + suffix)
    beside.touch(0o644)
    seen = {}
    with closing(Database(path, busy_s=1.0)):
        seen = {file.name: mode(file) for file in path.parent.iterdir()}
    assert set(seen.values()) == {0o600}


@pytest.mark.parametrize(("before", "after"), [(0o777, 0o755), (0o775, 0o755), (0o730, 0o710), (0o755, 0o755)])
def test_a_folder_that_others_can_write_to_is_tightened(path, before, after):
    path.parent.mkdir()
    path.parent.chmod(before)
    open_once(path)
    assert mode(path.parent) == after
    path.parent.chmod(before)
    SessionLogs(path.parent)
    assert mode(path.parent) == after


def test_a_folder_may_be_a_link(path, tmp_path):
    (tmp_path / "elsewhere").mkdir(0o700)
    path.parent.symlink_to(tmp_path / "elsewhere")
    open_once(path)
    SessionLogs(path.parent)
    assert mode(tmp_path / "elsewhere" / path.name) == 0o600


def test_session_logs_that_others_can_read_are_tightened_and_nothing_else(tmp_path):
    ours, other = tmp_path / "20260101-120000-0123abcd.jsonl", tmp_path / "notes.jsonl"
    for file in (ours, other):
        file.touch(0o644)
    SessionLogs(tmp_path)
    assert (mode(ours), mode(other)) == (0o600, 0o644)


# --- refused ----------------------------------------------------------------------------------------------------------


def a_dangling_link(path):
    path.symlink_to(path.parent.parent / "elsewhere")


def a_link(path):
    (path.parent.parent / "elsewhere").touch(0o600)
    a_dangling_link(path)


def a_link_to_a_device(path):
    path.symlink_to("/dev/full")


def a_hard_link(path):
    path.touch(0o600)
    os.link(path, path.parent.parent / "elsewhere")


def a_pipe(path):
    os.mkfifo(path)


def a_folder(path):
    path.mkdir()


def a_strangers_file(path):
    path.touch(0o600)
    os.chown(path, STRANGER, STRANGER)


SPOILT = [
    pytest.param(a_dangling_link, "is a link to", id="dangling"),
    pytest.param(a_link, "is a link to", id="link"),
    pytest.param(a_link_to_a_device, "is a link to /dev/full", id="device"),
    pytest.param(a_hard_link, "under another name", id="hard link"),
    pytest.param(a_pipe, "is a pipe, not a file", id="pipe"),
    pytest.param(a_folder, "is a folder, not a file", id="folder"),
    pytest.param(a_strangers_file, "belongs to another user", id="stranger", marks=as_root),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_file_that_leads_away_or_is_none_is_refused(path, suffix, spoil, reason):
    path.parent.mkdir(0o700)
    if suffix:
        open_once(path)
    spoil(path.with_name(path.name + suffix))
    with pytest.raises(CannotRemember, match=reason):
        Database(path, busy_s=1.0)
    elsewhere = path.parent.parent / "elsewhere"
    assert not elsewhere.exists() or not elsewhere.stat().st_size


@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
def test_so_is_the_file_of_locks(path, spoil, reason):
    path.parent.mkdir(0o700)
    spoil(path)
    with pytest.raises(CannotRemember, match=reason):
        FileHolds(path)


@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
def test_so_is_a_session_log(tmp_path, spoil, reason):
    folder = tmp_path / "logs"
    folder.mkdir(0o700)
    spoil(folder / "20260101-120000-0123abcd.jsonl")
    with pytest.raises(CannotRecord, match=reason):
        SessionLogs(folder)


def a_strangers(folder):
    folder.mkdir(0o700)
    os.chown(folder, STRANGER, STRANGER)


def one_for_everybody(folder):
    folder.mkdir()
    folder.chmod(0o1777)


def nothing_behind_a_link(folder):
    folder.symlink_to(folder.parent / "nowhere")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(a_strangers, "belongs to another user", marks=as_root),
        (one_for_everybody, "others may write to that folder"),
        (nothing_behind_a_link, "where there is nothing"),
    ],
)
def test_a_folder_that_is_not_ours_alone_is_refused(path, spoil, reason):
    spoil(path.parent)
    with pytest.raises(CannotRemember, match=reason):
        Database(path, busy_s=1.0)
    with pytest.raises(CannotRecord, match=reason):
        SessionLogs(path.parent)
