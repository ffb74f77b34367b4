import pytest
import trio
from hypothesis import given, strategies as st

from voice_trio.mcp.base import Lost
from voice_trio.mcp.stdio import LINES_AT_ONCE, PACE_S, Lines, shown


class Stream(trio.abc.ReceiveStream):
    """What was written in ``pieces``."""

    def __init__(self, pieces):
        self._pieces = [piece for piece in pieces if piece]

    async def receive_some(self, max_bytes=None):
        await trio.lowlevel.checkpoint()
        return self._pieces.pop(0) if self._pieces else b""

    async def aclose(self):
        await trio.lowlevel.checkpoint()


async def read(lines):
    found = []
    while (line := await lines.next()) is not None:
        found.append(line)
    return found


@given(st.lists(st.binary(max_size=10) | st.just(b"\n")))
def test_lines_are_whole_however_they_come(pieces):
    async def main():
        return await read(Lines(Stream(pieces), 10_000, cut=False))

    whole = b"".join(pieces).split(b"\n")
    assert trio.run(main) == (whole if whole[-1] else whole[:-1])


async def test_a_line_that_is_too_long_is_no_longer_read():
    endless = Stream([b"x" * 100] * 100)
    with pytest.raises(Lost, match="more than 0 MB"):
        await Lines(endless, 1000, cut=False).next()
    assert len(endless._pieces) == 89


async def test_a_line_that_may_be_cut_goes_on_as_another():
    assert await read(Lines(Stream([b"x" * 25 + b"\ny"]), 10, cut=True)) == [b"x" * 25, b"y"]
    assert await read(Lines(Stream([b"x" * 25, b"\ny"]), 10, cut=True)) == [b"x" * 10, b"x" * 10, b"x" * 5, b"y"]


async def test_a_flood_is_read_at_a_pace(autojump_clock):
    began = trio.current_time()
    assert len(await read(Lines(Stream([b"\n" * 10 * LINES_AT_ONCE]), 1000, cut=False))) == 10 * LINES_AT_ONCE
    assert 9 * PACE_S <= trio.current_time() - began <= 11 * PACE_S


async def test_a_long_line_is_there_at_once_and_what_follows_waits(autojump_clock):
    lines = Lines(Stream([b"x" * 8_192_000, b"\ny\n"]), 10_000_000, cut=False)
    began = trio.current_time()
    await lines.next()
    assert trio.current_time() == began
    await lines.next()
    assert trio.current_time() - began == pytest.approx(PACE_S * 1001 / LINES_AT_ONCE)


@pytest.mark.parametrize(
    ("line", "text"),
    [(b"caf\xc3\xa9\x1b[31m\r", "café\\x1b[31m\\r"), (b"\xff", "\ufffd"), (b"x" * 5000, "x" * 1000)],
)
def test_a_line_is_shown_without_what_a_terminal_obeys(line, text):
    assert shown(line) == text
