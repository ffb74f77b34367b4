"""Words alone as what weighs a pause: no model listens to its sound, for machines that have nothing to spare."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from voice_trio.config import Settings
from voice_trio.engines.plug import Plug
from voice_trio.entry_points import Kind


class WordsAlone:
    """Has no opinion on any sound."""

    name = "words alone"

    async def probability(self, pcm: bytes) -> None:
        """Return that nothing is known."""
        await trio.lowlevel.checkpoint()


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[WordsAlone]:
    yield WordsAlone()


PLUG = Plug(kind=Kind.END_OF_TURN, name="words", title="words alone", settings=Settings, open=_open)
