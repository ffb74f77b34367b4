"""What a worker's process cannot do once it is confined: tried for real, with every belt and without some."""

import json
import os
import struct
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.engines.test_workers import warm_pool
from voice_trio.workers import seccomp
from voice_trio.workers.confinement import BELTS, CALLS, FILES
from voice_trio.workers.pool import open_pool
from voice_trio.workers.process import KEPT_VARIABLES, python_worker
from voice_trio.workers.seccomp import COMPUTING, READING, Only, program

CHILD = str(Path(__file__).with_name("reaching_child.py"))
ORDINARY = ["--as-nobody"] if os.geteuid() == 0 else []
USERS = [[], ORDINARY] if ORDINARY else [[]]

COMMON = {
    "read the parent's memory",
    "open the parent's memory",
    "read the parent's environment",
    "signal the parent",
    "limit the parent",
    "slow the parent",
    "read a file",
    "write a file",
    "make a file",
    "rename a file",
    "link to a file",
    "shorten a file",
    "change a file's mode",
    "change a file's times",
    "delete a file",
    "make a folder",
    "list a folder",
    "change folder",
    "open a socket",
    "open a pair of sockets",
    "open a pipe",
    "copy a descriptor",
    "make a file in memory",
    "start a process",
    "start a thread",
    "become another program",
    "run new memory",
}
"""What any process may do to another of its user, where neither a container nor a security module forbids it."""

OF_THE_PARENT = {"read the parent's memory", "write the parent's memory", "open the parent's memory"} | {
    "read the parent's environment",
    "trace the parent",
}


@contextmanager
def folder():
    """Have a folder that every user reaches and may write, with a file in it."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made)
        path.chmod(0o777)
        (path / "file").touch()
        (path / "file").chmod(0o666)
        yield path


def reach(*options):
    """Return what the child reports of what it has tried."""
    with folder() as outside:
        done = subprocess.run(
            [sys.executable, CHILD, *options, str(outside)], capture_output=True, timeout=60, start_new_session=True
        )
    assert done.stdout, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.real
def test_what_is_tried_below_is_what_a_free_process_can_do():
    assert set(reach(*ORDINARY, "--free")["allowed"]) >= COMMON


@pytest.mark.real
@pytest.mark.parametrize("user", USERS, ids=" ".join)
def test_nothing_is_left_to_a_confined_process(user):
    report = reach(*user)
    if CALLS not in report["belts"]:
        pytest.skip("no seccomp here")
    assert report["wrong"] == []


@pytest.mark.real
@pytest.mark.parametrize("user", USERS, ids=" ".join)
def test_who_may_read_a_folder_reads_that_folder_alone(user):
    with folder() as readable:
        report = reach(*user, "--readable", str(readable))
    if not {CALLS, FILES} <= set(report["belts"]):
        pytest.skip("no Landlock or no seccomp here")
    assert report["wrong"] == []


@pytest.mark.real
@pytest.mark.parametrize("user", USERS, ids=" ".join)
def test_a_belt_that_cannot_be_had_is_left_out_and_the_others_hold(user):
    for missing in (FILES, CALLS):
        report = reach(*user, "--without", missing)
        if {FILES, CALLS} - {missing} <= set(report["belts"]):
            assert report == {"belts": [belt for belt in BELTS if belt != missing], "wrong": []}


@pytest.mark.real
def test_a_guarded_memory_is_not_read_by_the_same_user():
    assert not OF_THE_PARENT & set(reach(*ORDINARY, "--free", "--guarded")["allowed"])


@pytest.mark.real
@pytest.mark.parametrize("name", ["media_child", "espeak.child", "hibari.child", "pocketsphinx.child"])
async def test_the_workers_that_read_untrusted_bytes_are_confined(name):
    with trio.fail_after(30):
        async with open_pool(python_worker(name, f"voice_trio.engines.{name}"), 1) as pool:
            await pool.wait_ready()
            status = await trio.Path(f"/proc/{pool.pids[0]}/status").read_text()
            belts = pool.info["belts"]
    said = dict(line.split(":", 1) for line in status.splitlines())
    assert said["NoNewPrivs"].strip() == "1"
    assert said["Seccomp"].strip() == ("2" if CALLS in belts else "0")
    # What confines a thread would leave others free.
    assert said["Threads"].strip() == "1"
    # Root's right to read the files of others is all that may be left.
    assert int(said["CapPrm"], 16) in (0, 1 << 2)


# --- what a child inherits --------------------------------------------------------------------------------------------


@pytest.mark.real
async def test_a_child_gets_named_variables_only(monkeypatch):
    secrets = {
        "OPENAI_API_KEY": "sk-1",
        "STREAM_AUTH_TOKEN": "t-1",
        "HTTPS_PROXY": "http://me:pw@proxy",
        "MY_OWN": "m-1",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    async with warm_pool() as pool:
        environment = await trio.Path(f"/proc/{pool.pids[0]}/environ").read_bytes()
        command = await trio.Path(f"/proc/{pool.pids[0]}/cmdline").read_bytes()
    got = dict(pair.split("=", 1) for pair in environment.decode().split("\0") if pair)
    assert got["OMP_NUM_THREADS"] == "1"
    assert set(got) <= set(KEPT_VARIABLES)
    assert not any(value.encode() in environment + command for value in secrets.values())


@pytest.mark.real
async def test_a_child_inherits_its_pipes_and_no_other_descriptor():
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    try:
        async with warm_pool() as pool:
            folder = f"/proc/{pool.pids[0]}/fd"
            links = {os.readlink(f"{folder}/{number}") for number in os.listdir(folder)}
            mine = os.readlink(f"/proc/self/fd/{reading}")
    finally:
        os.close(reading)
        os.close(writing)
    assert mine not in links
    assert all(link.startswith("pipe:") or link == os.devnull for link in links)
    # Requests, replies, and what it prints.
    assert len(links - {os.devnull}) == 3


# --- the filter, on a machine of a few lines --------------------------------------------------------------------------


def verdict(machine, calls, nr, arguments=(), arch=None):
    """Run the filter on one call, as the kernel does; return whether it is allowed."""
    arch = seccomp._MACHINES[machine].arch if arch is None else arch
    data = struct.pack("<IIQ6Q", nr, arch, 0, *[*arguments, 0, 0, 0, 0, 0, 0][:6])
    steps = list(struct.iter_unpack("=HBBI", program(machine, calls)))
    at = value = 0
    while True:
        code, yes, no, operand = steps[at]
        at += 1
        match code:
            case 0x20:
                (value,) = struct.unpack_from("<I", data, operand)
            case 0x54:
                value &= operand
            case 0x15:
                at += yes if value == operand else no
            case 0x35:
                at += yes if value >= operand else no
            case 0x06:
                return operand == 0x7FFF0000


def number(call, machine):
    return call.x86_64 if machine == "x86_64" else call.arm64


MACHINES = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


@MACHINES
@pytest.mark.parametrize("calls", [COMPUTING, COMPUTING | READING], ids=["computing", "reading"])
def test_what_is_on_the_list_is_allowed_and_nothing_else(machine, calls):
    listed = {number(call, machine): call.only for call in calls.values() if number(call, machine) is not None}
    for nr in range(600):
        matching = [0] * 6
        if (only := listed.get(nr)) is not None:
            matching[only.place] = only.value
        assert verdict(machine, calls, nr, matching) is (nr in listed)


@MACHINES
def test_an_argument_decides_where_one_is_named(machine):
    calls = COMPUTING | READING
    for call, wrong in (("mmap", 4), ("mmap", 7), ("mprotect", 5), ("ioctl", 0x5412), ("openat", 1), ("openat", 0o102)):
        only = calls[call].only
        assert isinstance(only, Only)
        arguments = [0] * 6
        arguments[only.place] = wrong
        assert not verdict(machine, calls, number(calls[call], machine), arguments)


@MACHINES
def test_another_abi_is_refused(machine):
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}[machine]
    read = number(COMPUTING["read"], machine)
    assert not verdict(machine, COMPUTING, read, arch=seccomp._MACHINES[other].arch)
    assert not verdict(machine, COMPUTING, read, arch=0x40000003), "32 bits"
    assert not verdict(machine, COMPUTING, read | 0x40000000), "x32"
    assert not verdict(machine, COMPUTING, 0xFFFFFFFF)
