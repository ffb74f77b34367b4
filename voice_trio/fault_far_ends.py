"""Far ends of engines that fail as they are told (`STREAM_FAULTS`): between the question and the connection.

What reads their answers, what asks them again and what stands by for them is the real thing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import trio

from voice_trio.config import ConfigError
from voice_trio.core.faults import Kind, Stage
from voice_trio.engines.base import Engines
from voice_trio.engines.remote.ends import HasFarEnds
from voice_trio.faults import Faults


def strike_far_ends(faults: Faults, engines: Engines) -> None:
    """Have the far ends of ``engines`` fail as ``faults`` say. Raises `ConfigError` where there are none to fail."""
    if not faults.strikes(Stage.REMOTE):
        return
    remote = [one for one in (engines.recognizer, engines.synthesizer) if isinstance(one, HasFarEnds)]
    if not remote:
        text = next(fault.text for fault in faults if fault.stage is Stage.REMOTE)
        raise ConfigError(
            f"STREAM_FAULTS: {text!r} cannot be, because neither the recognizer nor the voice is on another machine "
            "(STREAM_ASR_URL, STREAM_TTS_URL)."
        )
    for engine in remote:
        for end in engine.ends:
            end.through = partial(_ask, faults)


async def _ask(faults: Faults, ask: Callable[[], Awaitable[Any]]) -> Any:
    """Return the answer that ``ask`` gets, late, garbled or not at all."""
    import httpx2

    struck = faults.strike(Stage.REMOTE)
    await trio.sleep(struck.seconds(Kind.DELAY))
    match struck.breakdown():
        case Kind.HANG:
            await trio.sleep_forever()
        case Kind.ERROR:
            return httpx2.Response(HTTPStatus.INTERNAL_SERVER_ERROR)
        case Kind.GARBAGE:
            body = httpx2.ByteStream(b"\xff<\0>{")
            return httpx2.Response(HTTPStatus.OK, headers={"Content-Type": "application/json"}, stream=body)
    return await ask()
