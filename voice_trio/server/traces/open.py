"""The way of turns from the sessions to a collector: bounded, in no session's way, and never waited for at the end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
import trio

from voice_trio.server.traces.spans import Span, spans_of
from voice_trio.session.report import TurnReport

if TYPE_CHECKING:
    from voice_trio.server.traces.otlp import Exporter

log = structlog.get_logger()

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

WAITING: Final = 256
"""Turns that may wait to be sent. Those of a few minutes."""
_AT_ONCE: Final = 64

FLUSH_S: Final = 0.8
"""What the server's end waits for them."""

Trace = Callable[[TurnReport], None]
"""Takes a turn that is over, and never waits."""

_Turn = tuple[Span, list[Span]]


def _wanted(environment: Mapping[str, str]) -> bool:
    """Return whether ``environment`` names a collector, and nothing there says that it is to have no traces."""
    off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    none = environment.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() == "none"
    return not off and not none and any(environment.get(name, "").strip() for name in _ENDPOINTS)


@asynccontextmanager
async def open_traces(environment: Mapping[str, str], lost: Callable[[int], None]) -> AsyncIterator[Trace]:
    """Have what sends the traces of turns where ``environment`` says; where it says nothing, it does nothing.

    ``lost`` is told of how many no collector took: the queue was full, or it did not answer.
    """
    exporter = await _exporter() if _wanted(environment) else None
    if exporter is None:
        yield _ignore
        return
    turns, sent = trio.open_memory_channel[_Turn](WAITING)

    def trace(turn: TurnReport) -> None:
        try:
            turns.send_nowait(spans_of(turn))
        except trio.WouldBlock:
            lost(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_send, sent, exporter, lost)
        try:
            yield trace
        finally:
            turns.close()
            # A collector that does not answer holds up a thread, which is left behind, and not the server's end.
            nursery.cancel_scope.deadline = trio.current_time() + FLUSH_S


def _ignore(turn: TurnReport) -> None:
    """Nobody wants it."""


async def _exporter() -> Exporter | None:
    """Return what sends them; None, with a word in the log, where that cannot be had: a server is for talking."""

    def make() -> Exporter:
        from voice_trio.server.traces.otlp import Exporter

        return Exporter()

    try:
        # It imports for half a second.
        return await trio.to_thread.run_sync(make)
    except ImportError as error:
        log.warning("no traces: pip install 'voice-trio[traces]'", missing=error.name)
    except ValueError as error:
        log.warning("no traces: the OTEL_ settings cannot be used", reason=str(error))
    return None


async def _send(turns: trio.MemoryReceiveChannel[_Turn], exporter: Exporter, lost: Callable[[int], None]) -> None:
    limiter, takes = trio.CapacityLimiter(1), True
    async for first in turns:
        batch = [first]
        while len(batch) < _AT_ONCE:
            try:
                batch.append(turns.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                break
        clock_ns = time.time_ns() - round(trio.current_time() * 1_000_000_000)
        send = partial(exporter.send, batch, clock_ns)
        try:
            taken = await trio.to_thread.run_sync(send, abandon_on_cancel=True, limiter=limiter)
        except Exception as error:  # Whatever another's code is up to: no conversation ends for it.
            log.warning("traces could not be written", reason=repr(error))
            taken = False
        if not taken:
            lost(len(batch))
        if taken is not takes:
            takes = taken
            log.warning("traces are taken again" if taken else "no collector takes the traces")
