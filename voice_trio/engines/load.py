"""Which engines the settings mean, and their lives: each is open as long as the context it is opened in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, Generic, TypeVar

import structlog
import trio

from voice_trio import entry_points
from voice_trio.config import Settings
from voice_trio.core.languages import only_in
from voice_trio.engines import registry
from voice_trio.engines.base import CannotLoad, Fallback
from voice_trio.engines.registry import Candidate, told
from voice_trio.entry_points import Entry, Kind
from voice_trio.log import hide, secrets_of

log = structlog.get_logger("voice_trio")

E = TypeVar("E")

_NEEDED: dict[Kind, tuple[str, ...]] = {
    Kind.RECOGNIZER: ("name", "languages", "ready", "open"),
    Kind.LANGUAGE_MODEL: ("name", "synthetic", "stream"),
    Kind.SYNTHESIZER: ("name", "sample_rate", "ready", "voices", "speak"),
    Kind.DETECTOR: ("__call__",),
    Kind.END_OF_TURN: ("name", "probability"),
}
"""What an engine of a kind has, or its author learns of it only in the middle of a turn."""


@dataclass(frozen=True, slots=True)
class Opened(Generic[E]):
    """An engine, and what it stands in for."""

    engine: E
    chosen: Candidate
    fallback: Fallback | None = None


async def warn_of_misdeclared() -> None:
    """Log what other packages declare wrongly."""
    for wrong in await trio.to_thread.run_sync(lambda: entry_points.others()[1]):
        log.warning("engine cannot be used", engine=wrong.name, package=wrong.package, reason=wrong.why)


@asynccontextmanager
async def open_engine(kind: Kind, settings: Settings) -> AsyncIterator[Opened[Any]]:
    """Open the engine of ``kind`` that ``settings`` mean, without any network but loopback.

    One that somebody else brought and that fails to open is passed over, unless it was asked for. Raises `CannotLoad`
    and `ConfigError`.
    """
    left_out: list[Entry] = []
    while True:
        choice = await trio.to_thread.run_sync(registry.choose, kind, settings, left_out)
        chosen = choice.chosen
        async with AsyncExitStack() as trying:
            try:
                engine = await trying.enter_async_context(_open(chosen))
                _check(kind, engine)
            except Exception as error:  # whatever a stranger's engine raises
                if not chosen.entry.package:
                    raise
                reason = str(error) if isinstance(error, CannotLoad) else f"it cannot be opened: {told(error)}"
                if registry.asked_for(kind, settings) is not None:
                    raise CannotLoad(f"{chosen.called} of {chosen.entry.package} fails: {reason}") from error
                _leave_out(chosen, reason)
                left_out.append(chosen.entry)
                continue
            for broken in choice.broken:
                _leave_out(broken, broken.why_not)
            async with trying.pop_all():
                yield Opened(engine, chosen, _fallback(kind, engine, choice))
                return


@asynccontextmanager
async def _open(chosen: Candidate) -> AsyncIterator[Any]:
    """Open what was chosen, having hidden its secrets from the log."""
    assert chosen.plug is not None
    assert chosen.own is not None
    hide(secrets_of(chosen.own))
    async with chosen.plug.open(chosen.own) as engine:
        yield engine


def _check(kind: Kind, engine: object) -> None:
    """Raise `CannotLoad` if ``engine`` lacks what its kind has."""
    lacks = [name for name in _NEEDED[kind] if not hasattr(engine, name)]
    if lacks:
        raise CannotLoad(f"what it opens is no {kind.words}: it has no {', '.join(lacks)}")
    if kind is Kind.SYNTHESIZER and iscoroutinefunction(getattr(engine, "speak", None)):
        raise CannotLoad(
            f"what it opens is no {kind.words}: its speak is async, and is to return a Speaking, such as "
            "voice_trio.engines.base.whole(...) makes of it"
        )


def _fallback(kind: Kind, engine: Any, choice: registry.Choice) -> Fallback | None:
    """Return what ``engine`` stands in for: the best of those for which there is a command that brings it."""
    if kind is not Kind.RECOGNIZER:
        return None
    for one in choice.better:
        command = one.plug.command(one.own) if one.plug is not None and one.own is not None else None
        if command is not None:
            called = choice.chosen.called
            message = f"Speech is recognised by {called}{only_in(engine.languages)}."
            about = choice.chosen.plug.about if choice.chosen.plug else ""
            return Fallback(message, command, about or f"It recognises speech with {called}.", one.called)
    return None


def _leave_out(candidate: Candidate, reason: str | None) -> None:
    engine = f"{candidate.entry.kind}.{candidate.entry.name}"
    log.warning("engine cannot be used", engine=engine, package=candidate.entry.package, reason=reason)
