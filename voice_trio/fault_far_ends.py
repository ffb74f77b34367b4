"""Far ends of engines that fail as they are told (`STREAM_FAULTS`): between the question and the connection.

What reads their answers, what asks them again and what stands by for them is the real thing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import trio

from voice_trio.config import ConfigError
from voice_trio.core.faults import Kind, Stage
from voice_trio.core.wyoming import WyomingEvent
from voice_trio.engines.base import Engines
from voice_trio.engines.remote.address import is_wyoming
from voice_trio.engines.remote.ends import HasFarEnds
from voice_trio.faults import Faults

_GARBAGE = b"\xff<\0>{"


def strike_far_ends(faults: Faults, engines: Engines) -> None:
    """Have the far ends of ``engines`` fail as ``faults`` say. Raises `ConfigError` where there are none to fail."""
    if not faults.strikes(Stage.REMOTE):
        return
    remote = [one for one in (engines.recognizer, engines.synthesizer) if isinstance(one, HasFarEnds)]
    if not remote:
        text = next(fault.text for fault in faults if fault.stage is Stage.REMOTE)
        raise ConfigError(
            f"STREAM_FAULTS: {text!r} cannot be, because neither the recognizer nor the voice is on another machine "
            "(STREAM_ASR_URL, STREAM_TTS_URL)."
        )
    for engine in remote:
        for end in engine.ends:
            end.through = partial(_ask_wyoming if is_wyoming(end) else _ask_http, faults)


async def _ask_http(faults: Faults, ask: Callable[[], Awaitable[Any]]) -> Any:
    """Return the answer that ``ask`` gets, late, garbled or not at all."""
    import httpx2

    match await _breakdown(faults):
        case Kind.ERROR:
            return httpx2.Response(HTTPStatus.INTERNAL_SERVER_ERROR)
        case Kind.GARBAGE:
            body = httpx2.ByteStream(_GARBAGE)
            return httpx2.Response(HTTPStatus.OK, headers={"Content-Type": "application/json"}, stream=body)
    return await ask()


async def _ask_wyoming(faults: Faults, ask: Callable[[], Awaitable[Any]]) -> Any:
    """Return the connection that ``ask`` makes, late, or one that says something else."""
    match await _breakdown(faults):
        case Kind.ERROR:
            return _Saying(WyomingEvent("error", {"text": "This was made to fail."}).written())
        case Kind.GARBAGE:
            return _Saying(_GARBAGE + b"\n")
    return await ask()


class _Saying(trio.abc.Stream):
    """A connection that says one thing, whatever it is told."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        said, self._said = self._said, b""
        return said

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


async def _breakdown(faults: Faults) -> Kind | None:
    """Take as long as ``faults`` make a question, and return how it breaks down where it does not hang."""
    struck = faults.strike(Stage.REMOTE)
    await trio.sleep(struck.seconds(Kind.DELAY))
    if (kind := struck.breakdown()) is Kind.HANG:
        await trio.sleep_forever()
    return kind
