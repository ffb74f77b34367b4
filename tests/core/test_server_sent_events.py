"""Server-sent events: the same whatever the pieces, and bounded."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.server_sent_events import MAX_EVENT_BYTES, Document, Event, ServerSentEvents, TooLong

TEXT = "a\u2028b\x85c €"

STREAMS: dict[str, tuple[str, list[Any]]] = {
    "comments and other fields": (f": hi\nevent: x\nid: 3\nretry: 5\ndata: {TEXT}\n\n", [Event(TEXT)]),
    "CRLF": (f": hi\r\ndata: {TEXT}\r\n\r\ndata: b\r\n\r\n", [Event(TEXT), Event("b")]),
    "CR alone": ("data: a\r\rdata: b\r\r", [Event("a"), Event("b")]),
    "a byte order mark": ("\ufeffdata: a\n\n", [Event("a")]),
    "lines of one event": ("data:{\ndata:}\n\n\n\n", [Event("{\n}")]),
    "no space behind the colon": ("data:a\n\ndata:  b\n\n", [Event("a"), Event(" b")]),
    "no blank line between objects": (
        'data: {"a": 1}\ndata: {"b": 2}\ndata: [DONE]\n',
        ['{"a": 1}', '{"b": 2}', "[DONE]"],
    ),
    "no end behind the last": ('data: {"a": 1}\n\ndata: [DONE]', ['{"a": 1}', "[DONE]"]),
    "an error line": ('data: {}\n\nerror: {"code": 500}\n\n', [Event("{}"), Event('{"code": 500}', failed=True)]),
    "an error event": ("event: error\ndata: x\n\ndata: y\n\n", [Event("x", failed=True), Event("y")]),
    "an object on one line": ('{"a": 1}', ['{"a": 1}']),
    "objects on lines": ('{"a": 1}\n{"b": 2}\n', ['{"a": 1}', '{"b": 2}']),
    "an object over many lines": ('\n{\n "a":\n 1}\n', [Document('{\n "a":\n 1}')]),
    "a page": ("<!doctype html>\n<p>data: x\n\n", [Document("<!doctype html>\n<p>data: x\n")]),
    "nothing": ("", []),
    "only comments": (": a\n\n: b\n\n", []),
    "plain words": ("no such place\n", []),
}


def events_of(stream: bytes, size: int) -> list[Event | Document]:
    events = ServerSentEvents()
    read = [event for at in range(0, len(stream), size) for event in events.push(stream[at : at + size])]
    return [*read, *events.finish()]


@pytest.mark.parametrize("name", STREAMS)
def test_events_are_cut_from_pieces_of_any_length(name):
    text, expected = STREAMS[name]
    stream = text.encode()
    whole = [Event(one) if isinstance(one, str) else one for one in expected]
    for size in range(1, len(stream) + 1):
        assert events_of(stream, size) == whole


@given(
    st.lists(st.sampled_from(["data", "error", ":", " ", "a", "{", "}", "\n", "\r", "\r\n", "event", "[DONE]", "<"]))
)
def test_no_cut_changes_what_is_read(parts):
    stream = "".join(parts).encode()
    assert events_of(stream, 1) == events_of(stream, max(1, len(stream)))


@pytest.mark.parametrize("beginning", [b"data: ", b": ", b"", b"{", b"<p>"])
def test_a_line_has_a_longest_length(beginning):
    with pytest.raises(TooLong):
        events_of(beginning + b"x" * (MAX_EVENT_BYTES + 1), 4096)


@pytest.mark.parametrize("line", [b"data: abc\n", b"{\n"])
def test_an_event_of_many_lines_has_a_longest_length_too(line):
    with pytest.raises(TooLong):
        events_of(line * MAX_EVENT_BYTES, 4096)
