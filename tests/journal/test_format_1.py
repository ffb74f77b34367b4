"""Session logs that lie in `format_1/`, each written once and never again, are still read and live equal."""

from pathlib import Path

import pytest

from tests.journal.conversations import difference
from voice_trio.journal.read import parse

FOLDER = Path(__file__).parent / "format_1"

ENDS = {
    "spoken": (1003, "unknown message type 'sing'; known are start, text, stop, cancel, played, mark"),
    "too_large": (1009, "message of 65538 bytes; at most 65536 are allowed"),
    "flooding": (1008, "too many messages in a short time"),
    "in_the_wrong_state": (1008, "too many messages in the wrong state"),
    "server_stopping": (1001, "the server is stopping"),
    "idle": (1000, "idle_timeout"),
    "place_needed": (1013, "place_needed"),
}


def test_each_of_them_is_listed():
    assert {path.stem for path in FOLDER.iterdir()} == set(ENDS)


@pytest.mark.parametrize("name", ENDS)
def test_it_lives_equal(name):
    data = (FOLDER / f"{name}.jsonl").read_bytes()
    end = parse(data).end
    assert (end.close_code, end.reason) == ENDS[name]
    assert difference(data) is None
