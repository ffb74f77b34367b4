"""The engines of a server, of which a better one can take another's place between two turns.

Each engine lives in a task of the host's nursery. The one that is to come is opened beside the one that is there, and
takes its place in one step, once it is warm; if it fails to open, nothing has happened. A turn leases the engines that
it starts with (`Engines.lease`), so the old one is closed when the last turn that began with it has ended.

A language model may itself have another one in its place (`base.Swapping`). While it is at work, that is watched, and
told as a swap is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
import trio

from voice_trio.config import Settings
from voice_trio.core.errors import first_leaf
from voice_trio.engines import load
from voice_trio.engines.base import CannotLoad, Engines, Fallback, LanguageModel, Swapping
from voice_trio.engines.registry import CHOSEN_BY, told
from voice_trio.entry_points import Entry, Kind
from voice_trio.environment import ConfigError
from voice_trio.waiting import alongside

log = structlog.get_logger("voice_trio")

SWAPPABLE = (Kind.RECOGNIZER, Kind.LANGUAGE_MODEL, Kind.SYNTHESIZER, Kind.END_OF_TURN)
"""What a turn asks its engines for; a detector belongs to its session from beginning to end."""

_KINDS = (Kind.RECOGNIZER, Kind.SYNTHESIZER, Kind.LANGUAGE_MODEL, Kind.DETECTOR, Kind.END_OF_TURN)

OpenEngines = Callable[[Settings], AbstractAsyncContextManager[Engines]]


class SwapUnderWay(Exception):
    """Another engine is being opened; one at a time is enough for a machine."""


@dataclass(eq=False, slots=True)
class _Held:
    """An engine that is open."""

    engine: Any
    entry: Entry | None = None
    """Which it is; None for one that was not opened by its entry point."""
    fallback: Fallback | None = None
    users: int = 0
    """Turns, and others, that lease it."""
    replaced: bool = False
    unneeded: trio.Event = field(default_factory=trio.Event)
    """Set once it may be closed."""

    def let_go(self, by: int = 0) -> None:
        """``by`` of those who leased it do so no longer."""
        self.users -= by
        if self.replaced and not self.users:
            self.unneeded.set()


class EngineHost:
    """Holds the engines for the turns to come. `open_host` runs one."""

    def __init__(self, settings: Settings, nursery: trio.Nursery) -> None:
        self.engines: Engines
        """Those that a turn which starts now is to lease."""
        self.swapping: tuple[Kind, str] | None = None
        """Kind and name of the engine that is being opened to take another's place."""
        self.on_change: Callable[[Kind], None] = lambda kind: None
        """Called when an engine of that kind has taken another's place; it neither waits nor raises."""
        self.settings = settings
        """By which engines are opened; those of a kind that was swapped may be of others."""
        self._nursery = nursery
        self._held: dict[Kind, _Held] = {}
        self._tap: Callable[[Engines], Engines] = lambda engines: engines

    def tap(self, tap: Callable[[Engines], Engines]) -> None:
        """Have ``tap`` stand before the engines, those to come as well. Raises what it says to those that are here."""
        self.engines = tap(self.engines)
        self._tap = tap

    def name_of(self, kind: Kind) -> str | None:
        """Return the name by which the engine of ``kind`` is chosen; None where it was opened by no such name."""
        entry = self._held[kind].entry
        return None if entry is None else entry.name

    async def swap(self, kind: Kind, name: str, settings: Settings | None = None) -> None:
        """Have the engine ``name`` of ``kind``, one of `SWAPPABLE`, take the place of the one that turns start with.

        With ``settings`` those are the host's from then on, and the engine is opened anew where it is at work already.
        Returns when it has. Raises `SwapUnderWay`, and `CannotLoad` with a sentence: then all is as it was, as it is
        when this is cancelled before.
        """
        if self.swapping is not None:
            raise SwapUnderWay
        if settings is None and self.name_of(kind) == name:
            await trio.lowlevel.checkpoint()
            return
        wanted = settings or self.settings
        self.swapping = kind, name
        try:
            await self._open(kind, wanted.model_copy(update={CHOSEN_BY[kind]: name}))
            self.settings = wanted
        except Exception as error:  # whatever a stranger's engine raises
            cause = first_leaf(error)
            if isinstance(cause, CannotLoad | ConfigError):
                raise CannotLoad(str(cause)) from error
            log.error("engine cannot be opened", engine=f"{kind}.{name}", exc_info=error)
            raise CannotLoad(f"The {kind.words} {name} cannot be opened: {told(cause)}.") from error
        finally:
            self.swapping = None
        log.info("engine swapped", kind=kind, engine=name)

    async def _open(self, kind: Kind, settings: Settings) -> None:
        """Open the engine of ``kind`` that ``settings`` mean, and return when turns start with it."""
        await self._nursery.start(self._hold, kind, settings)

    async def _hold(self, kind: Kind, settings: Settings, *, task_status: trio.TaskStatus[None]) -> None:
        """Have an engine open until nobody needs it."""
        held: _Held | None = None
        try:
            async with load.open_engine(kind, settings) as opened:
                # From here to `started` there is no checkpoint: whoever gives up gives up before, or not at all.
                await trio.lowlevel.checkpoint_if_cancelled()
                held = _Held(opened.engine, opened.chosen.entry, opened.fallback)
                self._put(kind, held)
                task_status.started()
                await self._keep(kind, held)
        except Exception as error:
            if held is None or not held.replaced:
                raise
            # Nobody works with it any more, so nobody need suffer.
            log.error("engine failed after it was replaced", kind=kind, exc_info=error)

    def _put(self, kind: Kind, held: _Held) -> None:
        """Have ``held`` take its place. Raises what the tap raises, before anything is changed."""
        all_held = {**self._held, kind: held}
        if len(all_held) == len(_KINDS):
            self.engines = self._tap(_together(all_held))
        before, self._held = self._held.get(kind), all_held
        if before is not None:
            before.replaced = True
            before.let_go()
            self.on_change(kind)

    async def _keep(self, kind: Kind, held: _Held) -> None:
        """Tell of what takes the place of what is in an engine, where something can, until nobody needs the engine."""
        if not isinstance(held.engine, Swapping):
            await held.unneeded.wait()
            return
        async with alongside(partial(self._watch, kind, held, held.engine, held.engine.leased())):
            await held.unneeded.wait()

    async def _watch(self, kind: Kind, held: _Held, model: Swapping, here: LanguageModel) -> None:
        while True:
            here = await model.wait_other(here)
            if not held.replaced:
                self.on_change(kind)

    async def open_all(self) -> None:
        """Open an engine of each kind, all at once: one reads its weights while another's process starts."""
        await load.warn_of_misdeclared()
        try:
            async with trio.open_nursery() as opening:
                for kind in _KINDS:
                    opening.start_soon(self._open, kind, self.settings)
        except ExceptionGroup as group:
            raise first_leaf(group) from group

    def take(self, engines: Engines) -> None:
        """Begin with ``engines``, which somebody else opened and closes."""
        parts: list[object] = [
            *(engines.recognizer, engines.synthesizer, engines.language_model),
            *(engines.new_detector, engines.end_of_turn),
        ]
        self._held = {kind: _Held(part) for kind, part in zip(_KINDS, parts, strict=True)}
        self._held[Kind.RECOGNIZER].fallback = engines.asr_fallback
        self.engines = engines
        for kind, held in self._held.items():
            self._nursery.start_soon(self._keep, kind, held)

    def close(self) -> None:
        """Let all engines go: no turn runs any more."""
        for held in self._held.values():
            held.unneeded.set()


@asynccontextmanager
async def open_host(settings: Settings, open_engines: OpenEngines | None = None) -> AsyncIterator[EngineHost]:
    """Have warm engines for as long as the block runs: those that ``settings`` mean, or what ``open_engines`` opens.

    The latter stay open to the end, whatever takes their place. What the block raises comes out as it is, not in a
    group. Raises `CannotLoad` and `ConfigError`.
    """
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        host = EngineHost(settings, nursery)
        try:
            async with AsyncExitStack() as others:
                if open_engines is None:
                    await host.open_all()
                else:
                    host.take(await others.enter_async_context(open_engines(settings)))
                yield host
        except Exception as error:
            failure = error
        host.close()
    if failure is not None:
        raise failure


def _together(held: dict[Kind, _Held]) -> Engines:
    return Engines(
        recognizer=held[Kind.RECOGNIZER].engine,
        language_model=held[Kind.LANGUAGE_MODEL].engine,
        synthesizer=held[Kind.SYNTHESIZER].engine,
        new_detector=held[Kind.DETECTOR].engine,
        end_of_turn=held[Kind.END_OF_TURN].engine,
        asr_fallback=held[Kind.RECOGNIZER].fallback,
        keep_open=partial(_kept_open, list(held.values())),
    )


@contextmanager
def _kept_open(all_held: list[_Held]) -> Iterator[None]:
    for held in all_held:
        held.users += 1
    try:
        yield
    finally:
        for held in all_held:
            held.let_go(1)
