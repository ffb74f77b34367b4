"""Smart Turn as a plug: one model for every session, behind one queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import trio

from voice_trio.config import Settings, processors
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import CannotLoad, EngineError
from voice_trio.engines.decoding.scheduler import Rank, Scheduler, open_scheduler
from voice_trio.engines.plug import Plug
from voice_trio.engines.smart_turn import model
from voice_trio.engines.smart_turn.model import ModelError, SmartTurnModel
from voice_trio.entry_points import Kind

_CLOSE_S: Final = 5.0
"""How long a judgement that is under way at the end may take."""


class SmartTurn:
    """Judges pauses in threads of its own, first come, first served."""

    name = "Smart Turn v3.2"

    def __init__(self, loaded: SmartTurnModel, scheduler: Scheduler) -> None:
        self._model = loaded
        self._scheduler = scheduler

    async def probability(self, pcm: bytes) -> float:
        """Return how likely who says ``pcm`` has finished. Raises `EngineError`.

        A caller that leaves gives its place in the queue up.
        """
        try:
            return await self._scheduler.run(lambda: partial(self._model.judge, pcm), Rank.FINAL)
        except Exception as error:  # whatever onnxruntime raises
            raise EngineError(ErrorCode.ASR_FAIL, "The end of the turn could not be judged by its sound.") from error


@asynccontextmanager
async def open_smart_turn(settings: Settings) -> AsyncIterator[SmartTurn]:
    """Load the model in a thread. Half of the processors judge at most: the rest decode what was said. Raises
    `CannotLoad`.
    """
    try:
        loaded = await trio.to_thread.run_sync(model.load)
    except ModelError as error:
        raise CannotLoad(f"Smart Turn cannot be used: {error}.") from error
    async with open_scheduler(max(1, processors() // 2), close_s=_CLOSE_S) as scheduler:
        yield SmartTurn(loaded, scheduler)


def _missing(settings: Settings) -> str | None:
    try:
        model.check()
    except ModelError as error:
        return str(error)
    return None


PLUG = Plug(
    kind=Kind.END_OF_TURN,
    name="smart-turn",
    title="Smart Turn",
    settings=Settings,
    open=open_smart_turn,
    missing=_missing,
    quality=50,
)
