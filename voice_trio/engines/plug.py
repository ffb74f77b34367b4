"""What an engine says of itself, so that it can be found, chosen, told about and opened: `Plug`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from voice_trio.config import Settings
from voice_trio.entry_points import Kind
from voice_trio.environment import FromEnvironment, load

__all__ = ["EngineSettings", "Kind", "Plug", "Progress", "Weights"]


class EngineSettings(FromEnvironment):
    """An engine's own settings: subclass it with a field for each.

    Field ``whistle_pitch`` is the environment variable STREAM_WHISTLE_PITCH. A field that is called like a setting of
    the server's (`config.Settings`) has that one's value, however it was given.
    """


S = TypeVar("S", bound=FromEnvironment)
T = TypeVar("T", contravariant=True)
E = TypeVar("E", covariant=True)

Progress = Callable[[int, int], None]
"""Told bytes on disk so far and bytes in all, from any thread, often."""


class Weights(Protocol[T]):
    """What an engine needs on disk, for ``voice-trio models``. None of this is called from within Trio but `check`."""

    def listing(self, settings: T) -> Sequence[str]:
        """Return lines for a person: which models there are, which are here, and which the settings ask for."""

    def wanted(self, settings: T) -> str:
        """Return the name of the model that ``settings`` ask for."""

    def knows(self, name: str) -> bool:
        """Return whether ``name`` is one that `download` can fetch."""

    def download(self, name: str, progress: Progress) -> Path:
        """Fetch ``name`` and return its folder, at once where it is here. Raises `CannotLoad` or `ModelError`."""

    async def check(self, settings: T, name: str | None, tell: Callable[[str], None]) -> str | None:
        """Try the model ``name``, or the one that the settings ask for, and ``tell`` what came of it, line by line.

        Returns what could not be done, if anything, as a sentence.
        """


def never_missing(settings: object) -> None:
    """Say of an engine that it can be used wherever it is installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plug(Generic[S, E]):
    """An engine that can be plugged in.

    ``E`` is what its kind is to be: a `base.Recognizer`, `base.LanguageModel` or `base.Synthesizer`; for a detector,
    what makes a `base.Detector` for a session.
    """

    kind: Kind
    name: str
    """By which it is chosen: small letters, digits, dots and hyphens."""
    settings: type[S]
    """A subclass of `EngineSettings`."""
    open: Callable[[S], AbstractAsyncContextManager[E]]
    """Returns a context that gives the engine, warm. It raises `base.CannotLoad` with a sentence for the operator."""
    missing: Callable[[S], str | None] = never_missing
    """Returns why it cannot be used here and what to do, as the end of a sentence; None where it can.

    Quick, in a thread, without a network. May raise `base.CannotLoad` for a setting that is wrong."""
    quality: int = 0
    """Of those that can be used, ``auto`` takes the one with the highest. Ours have 0 to 100."""
    title: str = ""
    """What people call it, where that is not its name; in the middle of a sentence."""
    about: str = ""
    """A sentence about it for people, where it stands in for a better one."""
    command: Callable[[S], str | None] = never_missing
    """Returns the command that brings what it is missing, if there is one."""
    weights: Weights[S] | None = None

    def __post_init__(self) -> None:
        """Raise `TypeError` for what is no plug: the author is to see that at the first import."""
        wrong = [name for name in ("open", "missing", "command") if not callable(getattr(self, name))]
        if wrong:
            raise TypeError(f"{wrong[0]} is to be a function of the settings")
        if self.kind not in set(Kind):
            raise TypeError(f"kind is {self.kind!r}; it is to be one of {', '.join(Kind)}")
        if not (isinstance(self.settings, type) and issubclass(self.settings, FromEnvironment)):
            raise TypeError("settings is to be a subclass of EngineSettings")
        if not isinstance(self.quality, int):
            raise TypeError(f"quality is {self.quality!r}; it is to be a whole number")

    @property
    def called(self) -> str:
        """What people call it."""
        return self.title or self.name

    def own_settings(self, settings: Settings) -> S:
        """Return the engine's own settings beside ``settings``, the server's. Raises `ConfigError`."""
        if isinstance(settings, self.settings):
            return settings
        shared = self.settings.model_fields.keys() & type(settings).model_fields.keys()
        return load(self.settings, **{name: getattr(settings, name) for name in shared})

    def own_fields(self) -> list[str]:
        """Return the names of those settings that are the engine's alone."""
        return [name for name in self.settings.model_fields if name not in Settings.model_fields]


AnyPlug = Plug[Any, Any]
