"""Ears that need no download: pocketsphinx in worker processes, since it holds the GIL while it decodes.

An utterance keeps its own audio. One task of its own talks to the worker: it sends what was fed in short calls, so that
the decoder stays close behind the speaker and little is left to do at the end, and it answers those who ask. They hold
only a ticket: who is cancelled drops it and disturbs nothing. Since the audio is here, anything can be decoded again:
an earlier end, the whole after more was fed, and all of it in a new worker when one is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from voice_trio.command_name import command_name
from voice_trio.config import Settings
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import CannotLoad, Hypothesis, Transcript, TurnError, Utterance
from voice_trio.engines.workers import Worker, WorkerError, WorkerPool, alongside, open_pool, python_worker

LANGUAGE = "en"

_BYTES_PER_S = SAMPLE_RATE * BYTES_PER_SAMPLE
STRIDE_BYTES = _BYTES_PER_S * 2 // 10
"""Audio that is sent without anybody asking: 200 ms."""
PIECE_BYTES = _BYTES_PER_S
"""Audio in one call, at most: a second, so that a worker whose utterance was cancelled is free again soon."""
RESUME_BYTES = _BYTES_PER_S * 6 // 10
"""Audio after a `settle` that begins the decoding anew unasked: 600 ms, more than the silence after an early end."""
CALL_S = 10.0
"""Limit for one call. A second of audio takes 0.1 to 0.3 s, and on a busy machine in noise ten times that."""
ATTEMPTS = 2
"""Workers that an utterance may wear out before it is the utterance that is at fault."""


class _Ask:
    """A question for the utterance's task: what do the first ``target`` bytes say?"""

    def __init__(self, target: int, final: bool) -> None:
        self.target = target
        self.final = final
        self.wanted = True
        self.done = trio.Event()
        self.text: str | None = None
        self.through = 0

    def answer(self, text: str | None, through: int = 0) -> None:
        self.text, self.through = text, through
        self.wanted = False
        self.done.set()


class _Utterance:
    """The audio of one utterance, who asks about it, and how far a worker has got."""

    def __init__(self, pool: WorkerPool) -> None:
        self.compute_s = 0.0
        self._pool = pool
        self._pcm = bytearray()
        self._asks: deque[_Ask] = deque()
        self._bell = trio.Event()
        self._broken = False
        # What the worker has of it: nothing yet (None) or so many bytes, and whether it was told to finish there.
        self._sent: int | None = None
        self._finished = False
        self._text = ""

    def feed(self, pcm: bytes) -> None:
        self._pcm += pcm
        if self._due():
            self._bell.set()

    async def hypothesize(self) -> Hypothesis:
        ask = await self._ask(len(self._pcm), final=False)
        return Hypothesis(ask.text or "", ask.through // BYTES_PER_SAMPLE)

    async def anticipate(self, voiced_through: int) -> None:
        # It recognises as the audio comes, so little is left for the end.
        await trio.lowlevel.checkpoint()

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        ask = await self._ask(min(through_sample * BYTES_PER_SAMPLE, len(self._pcm)), final=True)
        return Transcript(ask.text or "", LANGUAGE)

    async def _ask(self, target: int, *, final: bool) -> _Ask:
        ask = _Ask(target, final)
        if target == 0:
            ask.answer("")
            await trio.lowlevel.checkpoint()
        elif self._broken:
            await trio.lowlevel.checkpoint()
        else:
            self._asks.append(ask)
            self._bell.set()
            try:
                await ask.done.wait()
            finally:
                ask.wanted = False
        if ask.text is None:
            raise TurnError(ErrorCode.ASR_FAIL, "The speech recogniser failed.")
        return ask

    def _due(self) -> bool:
        """Whether there is enough new audio to go on without being asked."""
        waiting = len(self._pcm) - (self._sent or 0)
        return waiting >= (RESUME_BYTES if self._finished else STRIDE_BYTES)

    # --- the task that talks to the worker ---

    async def run(self) -> None:
        """Decode and answer until cancelled."""
        for _ in range(ATTEMPTS):
            try:
                async with self._pool.lease() as worker:
                    self._sent = None
                    await self._converse(worker)
            except WorkerError as error:
                if error.kind == "unavailable":
                    break
        self._broken = True
        for ask in self._asks:
            ask.answer(None)

    async def _converse(self, worker: Worker) -> None:
        while True:
            while self._asks and not self._asks[0].wanted:
                self._asks.popleft()
            if self._asks:
                await self._work_for(worker, self._asks[0])
            elif self._due():
                await self._advance(worker, len(self._pcm))
            else:
                await self._bell.wait()
                self._bell = trio.Event()

    async def _work_for(self, worker: Worker, ask: _Ask) -> None:
        """Do one step toward an answer, one call at most, so that an ask nobody wants any longer is soon dropped."""
        at = self._sent or 0
        exact = at == ask.target
        if self._finished and (exact or (at > ask.target and not ask.final)):
            ask.answer(self._text, at)
        elif at < ask.target or self._finished or (ask.final and not exact):
            await self._advance(worker, ask.target)
        elif ask.final:
            await self._decode(worker, "finish")
            self._finished = True
        else:
            ask.answer(self._text, at)

    async def _advance(self, worker: Worker, target: int) -> None:
        """Send the next piece toward ``target``, from the beginning if the worker is past it or has finished."""
        if self._sent is None or self._finished or self._sent > target:
            await self._decode(worker, "start")
            self._sent, self._finished = 0, False
        piece = bytes(self._pcm[self._sent : min(target, self._sent + PIECE_BYTES)])
        await self._decode(worker, "feed", piece)
        self._sent += len(piece)

    async def _decode(self, worker: Worker, what: str, pcm: bytes = b"") -> None:
        reply = await worker.call({"do": what}, pcm, seconds=CALL_S)
        self._text = reply.fields["text"]
        self.compute_s += reply.fields["seconds"]


class PocketsphinxRecognizer:
    """US English, from the model in pocketsphinx's wheel. Speech in other languages is taken for English."""

    name = "pocketsphinx"
    languages: Sequence[str] = (LANGUAGE,)

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool

    @property
    def ready(self) -> bool:
        """Whether an utterance would be recognised at once."""
        return self._pool.ready

    def kill_workers(self) -> None:
        """Kill the decoders."""
        self._pool.kill_workers()

    def open(self, language: str | None) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance; while every worker has one, its audio waits in here."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Utterance]:
        utterance = _Utterance(self._pool)
        async with alongside(utterance.run):
            yield utterance


@asynccontextmanager
async def open_pocketsphinx(settings: Settings) -> AsyncIterator[PocketsphinxRecognizer]:
    """Have a warm recogniser for as long as the block runs. Raises `CannotLoad`.

    It takes ``settings.asr_workers`` utterances at a time, at 97 MB each.
    """
    spec = python_worker("pocketsphinx", "voice_trio.engines.pocketsphinx_child")
    async with open_pool(spec, settings.asr_workers) as pool:
        try:
            await pool.wait_ready()
        except WorkerError as error:
            raise CannotLoad(
                f"The speech recogniser cannot be started: {error}; {command_name()} doctor may tell more."
            ) from error
        yield PocketsphinxRecognizer(pool)
