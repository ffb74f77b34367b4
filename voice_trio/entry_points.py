"""Which engines there are, by kind and name, none of them imported yet.

An engine is declared by an entry point of the group `GROUP`, whose name is the engine's kind, a dot, and its own name:

    [project.entry-points."voice_trio.engines"]
    "recognizer.pocketsphinx" = "voice_trio.engines.pocketsphinx.recognizer:PLUG"

Ours are declared the same way in pyproject.toml. A checkout is asked for that file and not for what was installed from
it, which may be older.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Final

from voice_trio.environment import OneOf

GROUP: Final = "voice_trio.engines"
AUTO: Final = "auto"
"""What takes the best engine of a kind that can be used."""

_OURS: Final = "voice-trio"
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")


class Kind(StrEnum):
    """What an engine is for."""

    DETECTOR = "detector"
    RECOGNIZER = "recognizer"
    LANGUAGE_MODEL = "language_model"
    SYNTHESIZER = "synthesizer"
    END_OF_TURN = "end_of_turn"

    @property
    def words(self) -> str:
        """As people are told of it."""
        return self.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Entry:
    """An engine that is declared."""

    kind: Kind
    name: str
    place: str
    """Its `registry.Plug`, as ``module:attribute``."""
    package: str = ""
    """Who brings it, with a version; empty for ours."""


@dataclass(frozen=True, slots=True)
class Misdeclared:
    """An entry point of the group that declares no engine."""

    name: str
    package: str
    why: str


class EngineOf(OneOf):
    """Marks a setting that names an engine of ``kind``, or `AUTO`."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(lambda here: [AUTO, *(entry.name for entry in entries(kind, here=here))])
        self.kind = kind


def entries(kind: Kind, *, here: bool = True) -> list[Entry]:
    """Return the engines of ``kind``, ours first; with ``here``, those of other installed packages too."""
    return [entry for entry in (*ours(), *(others()[0] if here else ())) if entry.kind is kind]


@cache
def ours() -> tuple[Entry, ...]:
    """Return our own engines, in the order in which they are declared."""
    declared = _checkout()
    if declared is None:
        try:
            declared = _declared(distribution(_OURS))
        except PackageNotFoundError:
            declared = []
    read = [_read(name, place, "") for name, place in declared]
    return tuple(entry for entry in read if isinstance(entry, Entry))


@cache
def others() -> tuple[tuple[Entry, ...], tuple[Misdeclared, ...]]:
    """Return the engines that other installed packages bring, by package, and what they declare wrongly."""
    found: list[Entry] = []
    wrong: list[Misdeclared] = []
    taken = {(entry.kind, entry.name): "voice_trio itself" for entry in ours()}
    for package, one in sorted(_packages().items()):
        try:
            read = [_read(name, place, package) for name, place in sorted(_declared(one))]
        except Exception as error:  # whatever its metadata holds
            wrong.append(Misdeclared("", package, f"its entry points cannot be read: {error}"))
            continue
        for entry in read:
            if isinstance(entry, Misdeclared):
                wrong.append(entry)
            elif by := taken.get((entry.kind, entry.name)):
                why = f"{by} has a {entry.kind.words} of that name already"
                wrong.append(Misdeclared(f"{entry.kind}.{entry.name}", package, why))
            else:
                taken[entry.kind, entry.name] = package
                found.append(entry)
    return tuple(found), tuple(wrong)


def forget() -> None:
    """Look again at the next question: something was installed meanwhile."""
    ours.cache_clear()
    others.cache_clear()


def _checkout() -> list[tuple[str, str]] | None:
    """Return what the pyproject.toml beside this package declares; None where it stands in no checkout."""
    try:
        project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]
    except (OSError, KeyError, ValueError):
        return None
    return list(project["entry-points"][GROUP].items()) if project.get("name") == _OURS else None


def _packages() -> dict[str, Distribution]:
    """Return what others have installed with engines in it, by name and version; of one name, the first in the path.

    The names of all that is installed take a tenth of a second to read, their entry points a hundredth.
    """
    found: dict[str, tuple[str, Distribution]] = {}
    for one in distributions():
        try:
            if f"[{GROUP}]" not in (one.read_text("entry_points.txt") or ""):
                continue
            name, version = one.metadata["Name"], one.version
        except Exception:  # half of an uninstalled package, for one
            continue
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), (f"{name} {version}", one))
    found.pop(_OURS, None)
    return dict(found.values())


def _declared(one: Distribution) -> list[tuple[str, str]]:
    return [(point.name, point.value) for point in one.entry_points if point.group == GROUP]


def _read(name: str, place: str, package: str) -> Entry | Misdeclared:
    kind, _, own = name.partition(".")
    if kind not in set(Kind):
        return Misdeclared(name, package, f"its name is to begin with {', '.join(f'{kind}.' for kind in Kind)[:-1]}.")
    if not _NAME.fullmatch(own) or own == AUTO:
        return Misdeclared(name, package, f"{own!r} is no name: use small letters, digits, dots and hyphens")
    return Entry(Kind(kind), own, place, package)
