"""Environment variables that look like settings and are none: most are a setting's name with a letter wrong."""

from __future__ import annotations

import os
from collections.abc import Collection
from difflib import get_close_matches

from voice_trio.cli.output import say
from voice_trio.config import Settings
from voice_trio.engines.plugged import all_own_settings
from voice_trio.environment import PREFIX, variables


def misspelt(names: Collection[str]) -> list[str]:
    """Return a sentence about each of ``names`` that begins as a setting does and is none.

    Where there is one, packages with engines of their own may be imported.
    """
    known = {one for name in Settings.model_fields for one in variables(Settings, name)}
    unknown = [name for name in sorted(names) if name.upper().startswith(PREFIX) and name.upper() not in known]
    if unknown:
        known |= {own.variable for own in all_own_settings()}
    return [
        f"{name} is no setting, and has no effect{_nearest(name, known)}."
        for name in unknown
        if name.upper() not in known
    ]


def point_out_misspelt() -> None:
    """Write what is to be said of this process's environment to standard error."""
    for sentence in misspelt(os.environ):
        say(f"voice-trio: {sentence}", err=True)


def _nearest(name: str, known: Collection[str]) -> str:
    # Without what all of them begin with, or any two would be alike.
    rests = {one.removeprefix(PREFIX): one for one in known}
    near = get_close_matches(name.upper().removeprefix(PREFIX), rests, n=1, cutoff=0.7)
    return f"; perhaps {rests[near[0]]} is meant" if near else ""
