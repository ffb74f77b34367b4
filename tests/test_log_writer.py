"""A task that writes a log line never waits and never fails, whatever becomes of the log's readers."""

import json
import os
import subprocess
import sys
import threading

import pytest

from voice_trio.log_writer import LogWriter, log_writer

LINE = "x" * 99 + "\n"


@pytest.fixture
def pipe():
    """A pipe: the end to read from, and a writer into the other."""
    reading, writing = os.pipe()
    writer = LogWriter(writing, room=100_000)
    with open(reading, "rb", buffering=0) as end:
        yield end, writer
    writer.finish()


def read_to_the_end(end):
    received = bytearray()
    while data := end.read(65_536):
        received += data
    return received.decode()


def test_what_is_written_arrives_in_order(pipe):
    end, writer = pipe
    for number in range(100):
        print(number, file=writer)
    assert writer.finish()
    assert read_to_the_end(end).split() == [str(number) for number in range(100)]


def test_a_pipe_that_nobody_empties_holds_nobody_up_and_loss_is_told(pipe):
    end, writer = pipe
    sent = 5_000
    for _ in range(sent):
        writer.write(LINE)
    last = threading.Thread(target=writer.finish, args=[60])
    last.start()
    lines = read_to_the_end(end).splitlines(keepends=True)
    last.join()
    told = [json.loads(line) for line in lines if line != LINE]
    assert {(line["event"], line["level"]) for line in told} == {("log lines were lost", "warning")}
    lost = sum(line["lost"] for line in told)
    assert len(lines) - len(told) + lost == sent
    # The queue holds a thousand lines, the pipe fewer.
    assert lost > 2_000


def test_a_reader_that_is_gone_is_no_error():
    reading, writing = os.pipe()
    writer = LogWriter(writing)
    os.close(reading)
    for _ in range(10):
        writer.write(LINE)
    assert writer.finish()
    assert writer.lost == 10


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_no_error():
    writer = LogWriter(os.open("/dev/full", os.O_WRONLY))
    writer.write(LINE)
    assert writer.finish()
    assert writer.lost == 1


def test_a_descriptor_that_does_not_block_is_waited_for():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    writer = LogWriter(writing)
    for _ in range(5_000):
        writer.write(LINE)
    last = threading.Thread(target=writer.finish, args=[60])
    last.start()
    with open(reading, "rb") as end:
        assert end.read() == 5_000 * LINE.encode()
    last.join()
    assert writer.lost == 0


def test_one_line_longer_than_the_room_is_taken(pipe):
    end, writer = pipe
    long = "x" * 300_000 + "\n"
    writer.write(long)
    received = bytearray()
    while len(received) < len(long):
        received += end.read(65_536)
    assert received.decode() == long


def test_letters_that_are_no_text_are_written_all_the_same(pipe):
    end, writer = pipe
    writer.write("caf\udce9\n")
    assert writer.finish()
    assert read_to_the_end(end) == "caf\\udce9\n"


@pytest.mark.real
def test_a_process_ends_although_nobody_reads_its_last_words():
    """The interpreter's own words go to the same full pipe."""
    program = (
        "from voice_trio.log_writer import log_writer\n"
        "import sys\n"
        "with log_writer():\n"
        "    print('x' * 2_000_000, file=sys.stderr)\n"
        "raise SystemExit('y' * 2_000_000)\n"
    )
    reading, writing = os.pipe()
    with open(reading, "rb"), open(writing, "wb") as end:
        assert subprocess.run([sys.executable, "-c", program], stderr=end, timeout=60).returncode == 1


def test_standard_error_is_the_old_one_after_the_block(capfd):
    before = sys.stderr
    with log_writer() as writer:
        assert sys.stderr is writer
        print("inside", file=sys.stderr)
    assert sys.stderr is before
    print("outside", file=sys.stderr)
    assert capfd.readouterr().err == "inside\noutside\n"
