"""Which engines can be used here, and which of them the settings mean.

An engine that is not ours is imported only where its kind is to be chosen from, or where it was asked for by name. What
is wrong with one that nobody asked for is told in one line of the log, and keeps nothing from starting.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from voice_trio import entry_points
from voice_trio.config import Settings, variable
from voice_trio.engines.base import CannotLoad
from voice_trio.engines.plug import AnyPlug, Plug
from voice_trio.entry_points import AUTO, EngineOf, Entry, Kind
from voice_trio.environment import ConfigError, FromEnvironment, NotSet

CHOSEN_BY: dict[Kind, str] = {
    mark.kind: name
    for name, field in Settings.model_fields.items()
    for mark in field.metadata
    if isinstance(mark, EngineOf)
}
"""Kind -> the setting that chooses one."""


class Unusable(Exception):
    """What stands behind an entry point is no engine; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine, and whether it can be used here."""

    entry: Entry
    plug: AnyPlug | None = None
    """None where there is none behind the entry point."""
    own: FromEnvironment | None = None
    """Its own settings, as far as they can be used."""
    why_not: str | None = None
    """Why it cannot be used, and what to do about it, as the end of a sentence; None where it can."""
    error: ConfigError | CannotLoad | None = None
    """Where a setting of its own is wrong: what to tell an operator who wants it."""

    @property
    def called(self) -> str:
        """What people call it."""
        return self.entry.name if self.plug is None else self.plug.called

    @property
    def rank(self) -> tuple[int, bool]:
        """Sorts the best first, and ours before others as good."""
        return -(self.plug.quality if self.plug else 0), bool(self.entry.package)


def plug_of(entry: Entry) -> AnyPlug:
    """Return the plug behind ``entry``, importing it. Raises `Unusable`."""
    module, _, attribute = entry.place.partition(":")
    try:
        plug: Any = import_module(module)
        for part in filter(None, attribute.split(".")):
            plug = getattr(plug, part)
    except (Exception, SystemExit) as error:  # whatever a stranger's module does
        if not entry.package:
            raise
        raise Unusable(f"it cannot be imported from {entry.place}: {told(error)}") from error
    if not isinstance(plug, Plug):
        raise Unusable(f"{entry.place} is no Plug but a {type(plug).__name__}")
    if (plug.kind, plug.name) != (entry.kind, entry.name):
        raise Unusable(f"{entry.place} is the {plug.kind} {plug.name!r}, and is declared as another")
    return plug


def examine(entry: Entry, settings: Settings) -> Candidate:
    """Return whether the engine of ``entry`` can be used with ``settings``. Never raises for what is not ours."""
    try:
        plug = plug_of(entry)
    except Unusable as error:
        return Candidate(entry, why_not=str(error))
    own = None
    try:
        own = plug.own_settings(settings)
        return Candidate(entry, plug, own, plug.missing(own))
    except NotSet as error:
        return Candidate(entry, plug, why_not=str(error).rstrip("."))
    except (ConfigError, CannotLoad) as error:
        return Candidate(entry, plug, own, str(error).rstrip("."), error)
    except Exception as error:  # whatever a stranger's function raises
        if not entry.package:
            raise
        return Candidate(entry, plug, own, f"it fails to say whether it can be used: {told(error)}")


def survey(kind: Kind, settings: Settings) -> list[Candidate]:
    """Return all engines of ``kind``, the best first; blocks, and imports them."""
    return sorted((examine(entry, settings) for entry in entry_points.entries(kind)), key=lambda one: one.rank)


def survey_all(settings: Settings) -> list[Candidate]:
    """Return all engines, ours first; blocks, and imports them."""
    found = [examine(entry, settings) for kind in Kind for entry in entry_points.entries(kind)]
    return sorted(found, key=lambda one: bool(one.entry.package))


def asked_for(kind: Kind, settings: Settings) -> str | None:
    """Return the name of the engine that ``settings`` ask for, None where they leave the choice."""
    name: str = getattr(settings, CHOSEN_BY[kind])
    return None if name == AUTO else name


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine to open."""

    chosen: Candidate
    better: list[Candidate]
    """Those that would have been chosen if they could be used, the best first."""
    broken: list[Candidate]
    """Those of its kind, as far as it was looked at, that are no engines."""


def choose(kind: Kind, settings: Settings, left_out: Collection[Entry] = ()) -> Choice:
    """Return the engine of ``kind`` that ``settings`` mean, without those ``left_out`` where they leave the choice.

    Blocks, and may import. Raises `CannotLoad` and `ConfigError`.
    """
    name = asked_for(kind, settings)
    if name is not None:
        entry = next((entry for entry in entry_points.entries(kind) if entry.name == name), None)
        if entry is None:
            raise CannotLoad(f"There is no {kind.words} {name!r} here.")
        return Choice(_insist(examine(entry, settings), kind, settings), [], [])
    all_of_kind = [one for one in survey(kind, settings) if one.entry not in left_out]
    better: list[Candidate] = []
    for candidate in all_of_kind:
        if candidate.error is not None:
            raise candidate.error
        if candidate.why_not is None:
            return Choice(candidate, better, [one for one in all_of_kind if one.plug is None])
        better.append(candidate)
    reasons = "; ".join(f"{one.called}: {one.why_not}" for one in better)
    raise CannotLoad(f"There is no {kind.words} that can be used here ({reasons}).")


def _insist(candidate: Candidate, kind: Kind, settings: Settings) -> Candidate:
    if candidate.error is not None:
        raise candidate.error
    if candidate.why_not is None:
        return candidate
    setting = CHOSEN_BY[kind]
    if getattr(settings, setting) == Settings.model_fields[setting].default:
        raise CannotLoad(f"{candidate.why_not}.")
    raise CannotLoad(f"{variable(setting)} asks for {candidate.called}, and {candidate.why_not}.")


def told(error: BaseException) -> str:
    """Return an error of somebody else's code in one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
