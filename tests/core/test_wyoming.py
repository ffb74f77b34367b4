"""Events of the Wyoming protocol: as they are written, as they come, and whatever else comes."""

import json

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.wyoming import (
    MAX_DATA_BYTES,
    MAX_LINE_BYTES,
    MAX_PAYLOAD_BYTES,
    BadEvent,
    WyomingEvent,
    WyomingReader,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.lists(
    st.builds(WyomingEvent, st.text(min_size=1), st.dictionaries(st.text(), JSON, max_size=3), st.binary(max_size=200)),
    max_size=5,
)


def read(*parts):
    reader = WyomingReader()
    events = [event for part in parts for event in reader.push(part)]
    return events, reader.is_within


@given(EVENTS, st.lists(st.integers(0, 2000), max_size=8))
def test_what_is_written_is_read_wherever_it_is_cut(events, cuts):
    said = b"".join(event.written() for event in events)
    at = sorted(cut for cut in cuts if cut <= len(said))
    parts = [said[begin:end] for begin, end in zip([0, *at], [*at, len(said)], strict=True)]
    assert read(*parts) == (events, False)


@given(EVENTS, st.data())
def test_what_breaks_off_is_noticed(events, data):
    said = b"".join(event.written() for event in events)
    kept = data.draw(st.integers(0, len(said)))
    found, is_within = read(said[:kept])
    assert found == events[: len(found)]
    assert is_within == (kept != sum(len(event.written()) for event in found))


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_whatever_comes_is_an_event_or_bad(parts):
    try:
        events, _ = read(*parts)
    except BadEvent:
        return
    assert all(isinstance(event.type, str) for event in events)


def test_data_may_stand_in_the_line_and_behind_it():
    behind = b'{"b": 2, "c": 3}'
    line = json.dumps({"type": "info", "version": "1.8.0", "data": {"a": 1, "b": 1}, "data_length": len(behind)})
    assert read(line.encode() + b"\n" + behind) == ([WyomingEvent("info", {"a": 1, "b": 2, "c": 3})], False)


@pytest.mark.parametrize(
    "said",
    [
        b"\n",
        b"hello\n",
        b"[]\n",
        b"{}\n",
        b'{"type": 7}\n',
        b'{"type": "a", "data": "x"}\n',
        b'{"type": "a", "data_length": -1}\n',
        b'{"type": "a", "data_length": true}\n',
        b'{"type": "a", "data_length": "9"}\n',
        b'{"type": "a", "data_length": %d}\n' % (MAX_DATA_BYTES + 1),
        b'{"type": "a", "payload_length": %d}\n' % (MAX_PAYLOAD_BYTES + 1),
        b'{"type": "a", "data_length": 2}\n[]',
        b"[" * (MAX_LINE_BYTES - 1) + b"\n",
        b"x" * MAX_LINE_BYTES,
    ],
)
def test_what_is_no_event_is_refused(said):
    with pytest.raises(BadEvent):
        read(said)
