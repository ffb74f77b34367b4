"""What is read as a session log, and what is said of a file that is none."""

import random
import re

import pytest

from tests.journal import conversations
from tests.journal.conversations import difference, record, spelled
from voice_trio.journal import entries as e
from voice_trio.journal.file import spell
from voice_trio.journal.read import CannotReplay, read_session_log


@pytest.fixture(scope="module")
def lines():
    return spelled(record(conversations.failing)).splitlines(keepends=True)


def complaint(tmp_path, data):
    (tmp_path / "file.jsonl").write_bytes(data)
    with pytest.raises(CannotReplay) as raised:
        read_session_log(tmp_path / "file.jsonl")
    return str(raised.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n", "does not begin with the header of a session log"),
        (b"{}\n", "does not begin with the header of a session log"),
        (b"[" * 100_000 + b"\n", "does not begin with the header of a session log"),
        (
            b'{"kind":"header","format":2,"surprise":[]}\n',
            "a session log of format '2'; this voice_trio reads format 1",
        ),
        (b'{"kind":"header","format":1}\n', "its header is wrong: header.version: Field required"),
    ],
)
def test_what_is_no_session_log_of_this_version(tmp_path, data, says):
    assert says in complaint(tmp_path, data)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"nonsense", "Invalid JSON"),
        (b'{"kind":"surprise","at":1.0}', "kind"),
        (b'{"kind":"gone"}', "gone.at: Field required"),
        (b'{"kind":"gone","at":"1"}', "gone.at: Input should be a valid number"),
        (b'{"kind":"gone","at":NaN}', "gone.at: Input should be a finite number"),
        (b'{"kind":"gone","at":-1.0}', "gone.at: Input should be greater than or equal to 0"),
        (b'{"kind":"audio","at":1.0,"pcm":"AAAA","speech":[]}', "audio of 3 bytes; s16le samples need an even number"),
        (b'{"kind":"audio","at":1.0,"pcm":"A","speech":[]}', "audio.pcm"),
        (b'{"kind":"audio","at":1.0,"pcm":"","speech":[7.0]}', "audio.speech.0"),
        (b'{"kind":"command","at":1.0,"message":{"type":"dance"}}', "unknown message type 'dance'"),
        (b'{"kind":"command","at":1.0,"message":{"type":"text"}}', "field 'text': Field required"),
        (b'{"kind":"command","at":1.0,"message":{"type":"configure","speed":9}}', "configure: field 'speed'"),
        (
            b'{"kind":"malformed","at":1.0,"message":"no","close_code":1000}',
            "no message is malformed with 1000; known are 1003, 1007, 1008, 1009",
        ),
        (b'{"kind":"answer","at":1.0,"waited":0.0,"call":999}', "call 999 is answered, and was not asked"),
        (b'{"kind":"answer","at":1.0,"waited":0.0,"call":0,"granted":true}', "'begin' cannot be answered with granted"),
        (b'{"kind":"answer","at":1.0,"waited":0.0,"call":0}', "'begin' cannot be answered with nothing"),
        (b'{"kind":"ask","at":1.0,"call":0,"of":"begin"}', "call 0 was asked before"),
        (b'{"kind":"ask","at":1.0,"call":998,"of":"money"}', "ask.of"),
        (
            b'{"kind":"answer","at":1.0,"waited":0.0,"call":0,"failure":{"by":"engine","message":"no"}}',
            "an engine's failure has one",
        ),
    ],
)
def test_a_wrong_line_is_named(tmp_path, lines, line, says):
    said = complaint(tmp_path, b"".join([*lines[:9], line, b"\n", *lines[9:]]))
    assert "line 10 is wrong" in said
    assert says in said


def test_a_second_header_is_wrong(tmp_path, lines):
    assert "line 2 is wrong: a second header" in complaint(tmp_path, b"".join([lines[0], *lines]))


def test_a_setting_that_is_none(tmp_path, lines):
    header = re.sub(rb'"vad_silence_ms":\d+', b'"vad_silence_ms":1', lines[0])
    assert "STREAM_VAD_SILENCE_MS is 1" in complaint(tmp_path, header)


def test_a_file_that_is_not_there_or_too_long(tmp_path, monkeypatch):
    with pytest.raises(CannotReplay, match="No such file"):
        read_session_log(tmp_path / "nothing")
    with pytest.raises(CannotReplay, match="is a folder"):
        read_session_log(tmp_path)
    monkeypatch.setattr("voice_trio.journal.read.LONGEST_BYTES", 10)
    assert "longer than any session log" in complaint(tmp_path, b"x" * 21)


def test_whatever_a_stranger_changed_is_told_or_replayed(tmp_path, lines):
    """Numbers, names and lines at random: a file is refused, or its session is lived to an end."""
    chance = random.Random(7)
    refused = 0
    for _ in range(60):
        mutated = [*lines]
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(1, len(mutated))
            other = chance.choice([*lines[1:], *strange_lines()])
            mutated[place] = chance.choice(
                [
                    b"",
                    other,
                    mutated[place] + mutated[place],
                    re.sub(rb"\d+", lambda _: b"%d" % chance.choice([0, 1, 7, 9999999]), mutated[place], count=3),
                    mutated[place].replace(b"true", b"false").replace(b"text", b"halves"),
                ]
            )
        data = b"".join(mutated)
        (tmp_path / "file.jsonl").write_bytes(data)
        try:
            read_session_log(tmp_path / "file.jsonl")
        except CannotReplay:
            refused += 1
        else:
            difference(data)
    assert 5 < refused < 55


def strange_lines():
    """Return lines that belong to nothing here."""
    return [spell(e.Gone(at=1.0)), spell(e.Drain(at=2.0, grace_s=1e6)), spell(e.End(at=3.0, how="cancelled"))]
