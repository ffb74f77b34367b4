"""Why was this turn slow: where the open turns stand, and the times of the latest that are over."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from quart import Response, request
from quart_trio import QuartTrio

from voice_trio.server.json_http import answered
from voice_trio.server.task_tree import task_tree
from voice_trio.session.report import TurnReport

KEPT: Final = 100


class TurnLog:
    """The latest turns of a server, none of them with a word of what was said."""

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        """``wall_clock`` returns seconds since 1970."""
        self._wall_clock = wall_clock
        self._latest: deque[Mapping[str, Any]] = deque(maxlen=KEPT)

    def turn_over(self, turn: TurnReport) -> None:
        """A turn is over."""
        told = {name: getattr(turn, name) for name in ("session", "turn", "outcome")}
        ratio = None if turn.asr_rtf is None else round(turn.asr_rtf, 3)
        ended = {"ended_at": round(self._wall_clock(), 3)}
        self._latest.append({**ended, **told, "asr_rtf": ratio, **asdict(turn.latency), **turn.drafts})

    @property
    def latest(self) -> Sequence[Mapping[str, Any]]:
        """Those that are over, the latest last: what `TurnReport` says, and ``ended_at`` in seconds since 1970."""
        return [*self._latest]


def add_turns(app: QuartTrio, turns: TurnLog, open_turns: Callable[[], Sequence[Mapping[str, object]]]) -> None:
    """Have ``app`` answer with them, and with the tree of live tasks where that is asked for."""

    @app.get("/api/turns")
    async def told() -> Response:
        tree = {"tasks": task_tree().splitlines()} if request.args.get("tasks") == "1" else {}
        return answered({"open": open_turns(), "latest": turns.latest, **tree})
