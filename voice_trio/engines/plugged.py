"""What other packages bring, as people are told of it: their engines, and the settings of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from voice_trio import entry_points, environment
from voice_trio.config import Settings, variable
from voice_trio.engines.base import CannotLoad
from voice_trio.engines.plug import AnyPlug
from voice_trio.engines.registry import CHOSEN_BY, Candidate, Unusable, choose, examine, plug_of
from voice_trio.environment import ConfigError, is_secret


class OwnSetting(NamedTuple):
    """A setting that an engine has for itself."""

    engine: str
    variable: str
    description: str
    default: str
    """Empty where there is none, or where it is a secret."""


@dataclass(frozen=True, slots=True)
class Plugged:
    """An engine that another package brings."""

    about: str
    well: bool
    """Whether it is an engine at all; one that lacks something is."""
    settings: list[OwnSetting]


def plugged(settings: Settings) -> list[Plugged]:
    """Return what is to be said of each engine of other packages; blocks, and imports them."""
    found, wrong = entry_points.others()
    listed = []
    for entry in found:
        one = examine(entry, settings)
        well = one.plug is not None and one.error is None
        own = own_settings(one.plug) if one.plug else []
        about = f"{entry.kind.words} {entry.name} of {entry.package}{_state(one, settings)}"
        listed.append(Plugged(about, well, own))
    for one_wrong in wrong:
        listed.append(Plugged(f"{one_wrong.name or 'engines'} of {one_wrong.package}: {one_wrong.why}", False, []))
    return listed


def all_own_settings() -> list[OwnSetting]:
    """Return the settings that engines of other packages have of their own; blocks, and imports those that can be."""
    settings = []
    for entry in entry_points.others()[0]:
        try:
            settings += own_settings(plug_of(entry))
        except Unusable:
            continue
    return settings


def own_settings(plug: AnyPlug) -> list[OwnSetting]:
    """Return the settings that ``plug`` has of its own."""
    listed = []
    for name in plug.own_fields():
        field = plug.settings.model_fields[name]
        default = "" if field.is_required() or is_secret(field) or field.default is None else str(field.default)
        description = field.description or f"see {plug.name}"
        listed.append(OwnSetting(plug.name, environment.variable(plug.settings, name), description, default))
    return listed


def _state(one: Candidate, settings: Settings) -> str:
    """Return whether ``one`` is used, or could be, and how."""
    if one.why_not is not None:
        return f": {one.why_not}"
    try:
        used = choose(one.entry.kind, settings).chosen.entry == one.entry
    except (CannotLoad, ConfigError):
        used = False
    return " is used" if used else f" can be used: {variable(CHOSEN_BY[one.entry.kind])}={one.entry.name}"
