"""Uploads, decoded in worker processes that are started when the first upload comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from typing import NamedTuple

import trio

from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError
from voice_trio.engines.media_child import ANY as ANY, DEMUXERS
from voice_trio.waiting import alongside
from voice_trio.workers.pool import WorkerPool
from voice_trio.workers.process import WorkerError, WorkerSpec, python_worker

KINDS = tuple(DEMUXERS)
"""What `MediaDecoder.decode` takes of others."""

DECODERS = 2
"""Uploads decoded at the same time. Each takes some milliseconds; two, so that a bad one holds up nobody."""
DECODE_S = 10.0
"""Limit for one of them."""
QUEUE_S = 10.0
"""Limit for the wait for a free worker, the start of the first one included."""


class Sound(NamedTuple):
    """The sound of an upload."""

    pcm: bytes
    """16 kHz s16le mono."""
    cut: bool
    """Whether the upload was longer."""


class MediaDecoder:
    """Decodes uploads: what browsers record. `open_media` runs one."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._wanted = trio.Event()

    async def run(self) -> None:
        """Keep the workers alive from the first upload on, until cancelled. Most servers never get one."""
        await self._wanted.wait()
        await self._pool.run()

    async def decode(self, data: bytes, kind: str, *, longest_ms: int) -> Sound:
        """Return the first ``longest_ms`` of the upload ``data``, of one of `KINDS`, or of a file of `ANY`.

        Raises `Refused` (PROTOCOL_VIOLATION) for what cannot be decoded, and (SERVER_BUSY) when no worker got free;
        `EngineError` (ASR_FAIL) when none can be started.
        """
        self._wanted.set()
        try:
            with trio.fail_after(QUEUE_S) as queue:
                async with self._pool.lease() as worker:
                    queue.deadline = inf
                    reply = await worker.call({"kind": kind, "longest_ms": longest_ms}, data, seconds=DECODE_S)
        except trio.TooSlowError:
            raise Refused(ErrorCode.SERVER_BUSY, "Too many recordings are being decoded.") from None
        except WorkerError as error:
            if error.kind == "unavailable":
                raise EngineError(ErrorCode.ASR_FAIL, "Recordings cannot be decoded now.") from error
            raise Refused(ErrorCode.PROTOCOL_VIOLATION, "The recording cannot be decoded.") from error
        if (why := reply.fields.get("refused")) is not None:
            raise Refused(ErrorCode.PROTOCOL_VIOLATION, why)
        return Sound(reply.body, reply.fields["cut"])


def media_worker() -> WorkerSpec:
    """Return the spec of a worker that decodes one upload."""
    return python_worker("media", "voice_trio.engines.media_child", one_call=True)


@asynccontextmanager
async def open_media(spec: WorkerSpec | None = None, *, at_once: int = DECODERS) -> AsyncIterator[MediaDecoder]:
    """Have a decoder for as long as the block runs; ``spec`` is for another kind of worker."""
    decoder = MediaDecoder(WorkerPool(spec or media_worker(), at_once))
    async with alongside(decoder.run):
        yield decoder
