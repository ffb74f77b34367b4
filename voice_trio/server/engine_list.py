"""Which engines there are and which are at work, in words for whoever may choose among them: `GET /api/engines`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import trio

from voice_trio.config import Settings
from voice_trio.engines.base import Engines, advice_of
from voice_trio.engines.host import SWAPPABLE, EngineHost
from voice_trio.engines.openai_chat.given import GivenSettings
from voice_trio.engines.registry import Candidate, survey
from voice_trio.entry_points import Kind

_FRESH_S = 5.0
"""How long a survey counts: it asks disks, and imports what other packages bring."""

_PATH = re.compile(r"(?<![\w./:-])~?(?:/[^\s/:;,'\"]+)+/?")


Surveyed = dict[Kind, list[dict[str, Any]]]
"""Kind -> what is told of each of its engines."""


class EngineList:
    """What `host` has, and what its settings could have instead."""

    def __init__(self, host: EngineHost, is_fetching: Callable[[Kind, str], bool]) -> None:
        self._host = host
        self._is_fetching = is_fetching
        self._one_at_a_time = trio.Lock()
        self._surveyed: Surveyed = {}
        self._looked_at = -math.inf

    async def tell(self, *, may_swap: bool) -> dict[str, Any]:
        """Return the list, for somebody who ``may_swap`` engines, or may not."""
        surveyed = await self._survey()
        host = self._host
        told: dict[str, Any] = {"may_swap": may_swap}
        for kind in SWAPPABLE:
            swapping = host.swapping[1] if host.swapping is not None and host.swapping[0] is kind else None
            told[kind] = {
                "at_work": without_paths(_name(host.engines, kind)),
                "swapping_to": swapping,
                "engines": [
                    {
                        **one,
                        "in_use": one["name"] == host.name_of(kind),
                        "fetching": self._is_fetching(kind, one["name"]),
                    }
                    for one in surveyed[kind]
                ],
            }
        model = host.engines.language_model
        advice = advice_of(model)
        told[Kind.LANGUAGE_MODEL]["synthetic"] = model.synthetic
        told[Kind.LANGUAGE_MODEL]["advice"] = None if advice is None else without_paths(advice)
        if may_swap:
            told[Kind.LANGUAGE_MODEL]["given"] = _given(host.settings)
        told[Kind.END_OF_TURN]["endpointing"] = self._host.settings.endpointing
        told[Kind.RECOGNIZER]["languages"] = list(host.engines.recognizer.languages)
        told[Kind.SYNTHESIZER]["voices"] = list(host.engines.synthesizer.voices)
        return told

    async def why_not(self, kind: Kind, name: str) -> str | None:
        """Return why the engine cannot be used, in a sentence; None where it can. Raises KeyError where it is none."""
        for told in (await self._survey())[kind]:
            if told["name"] == name:
                return None if told["usable"] else f"{told['title']} cannot be used here: {told['why_not']}."
        raise KeyError(name)

    async def fetches(self, kind: Kind, name: str) -> str | None:
        """Return the model that the engine lacks and can fetch, if there is one. Raises KeyError where it is none."""
        for told in (await self._survey())[kind]:
            if told["name"] == name:
                model: str | None = told["fetches"]
                return model
        raise KeyError(name)

    def look_again(self) -> None:
        """Have what is on the disks looked at when it is next asked for."""
        self._looked_at = -math.inf

    async def _survey(self) -> Surveyed:
        async with self._one_at_a_time:
            if trio.current_time() - self._looked_at >= _FRESH_S:
                self._surveyed = await trio.to_thread.run_sync(_look, self._host.settings)
                self._looked_at = trio.current_time()
            return self._surveyed


def _look(settings: Settings) -> Surveyed:
    return {kind: [_told(one) for one in survey(kind, settings)] for kind in SWAPPABLE}


def _told(one: Candidate) -> dict[str, Any]:
    """Return what is told of ``one``, whoever asks: no secret is in it, and nothing of where things are here."""
    return {
        "name": one.entry.name,
        "title": one.called,
        "package": one.entry.package or None,
        "usable": one.why_not is None,
        "why_not": None if one.why_not is None else without_paths(one.why_not),
        "command": None if one.why_not is None else _command(one),
        "fetches": None if one.why_not is None else _fetches(one),
    }


def _given(settings: Settings) -> dict[str, Any] | None:
    """Return what a person said about the language model, without the key; None where it is the environment's."""
    if not isinstance(settings, GivenSettings):
        return None
    return {
        "url": settings.openai_base_url or "",
        "model": settings.llm_model,
        "has_key": settings.openai_api_key is not None,
        "kept": settings.given_kept,
    }


def _command(one: Candidate) -> str | None:
    """Return what would bring what ``one`` lacks, if there is something that says nothing of this machine."""
    if one.plug is None or one.own is None:
        return None
    try:
        command = one.plug.command(one.own)
    except Exception:  # whatever a stranger's function raises
        return None
    return command if command is not None and command == without_paths(command) else None


def _fetches(one: Candidate) -> str | None:
    """Return the model that ``one`` asks for and can fetch, if it says nothing of this machine."""
    if one.plug is None or one.own is None or one.plug.weights is None:
        return None
    try:
        model = one.plug.weights.wanted(one.own)
        known = one.plug.weights.knows(model)
    except Exception:  # whatever a stranger's function raises
        return None
    return model if known and model == without_paths(model) else None


def _name(engines: Engines, kind: Kind) -> str:
    """Return the name of the engine of ``kind``; empty where there is none."""
    at_work: dict[Kind, Any] = {
        Kind.RECOGNIZER: engines.recognizer,
        Kind.LANGUAGE_MODEL: engines.language_model,
        Kind.SYNTHESIZER: engines.synthesizer,
        Kind.END_OF_TURN: engines.end_of_turn,
    }
    return "" if at_work[kind] is None else str(at_work[kind].name)


def without_paths(text: str) -> str:
    """Return ``text`` with the last part alone of each path in it."""
    return _PATH.sub(lambda found: found[0].rstrip("/").rpartition("/")[2], text)
