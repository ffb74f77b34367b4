"""A recognizer that needs no download: pocketsphinx in worker processes, since it holds the GIL while it decodes.

An utterance keeps its own audio. One task of its own talks to the worker: it sends what was fed in short calls, so that
the decoder stays close behind the speaker and little is left to do at the end, and it answers those who ask. They hold
only a ticket: who is cancelled drops it and disturbs nothing. Since the audio is here, anything can be decoded again:
an earlier end, the whole after more was fed, and all of it in another worker when one is lost, or was left to an
utterance that needed it more (`core.lending`). That costs a fifth of the time that was spoken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import inf

import trio

from voice_trio.config import Settings
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.flow import Flow
from voice_trio.core.lending import Claim, Need
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import CannotLoad, EngineError, Hypothesis, Transcript, Utterance
from voice_trio.engines.plug import Plug
from voice_trio.engines.pocketsphinx.lender import Lender
from voice_trio.entry_points import Kind
from voice_trio.installation import command_name
from voice_trio.waiting import alongside
from voice_trio.workers.lease import Worker
from voice_trio.workers.pool import WorkerPool, open_pool
from voice_trio.workers.process import WorkerError, python_worker

LANGUAGE = "en"

_BYTES_PER_S = SAMPLE_RATE * BYTES_PER_SAMPLE
STRIDE_BYTES = _BYTES_PER_S * 2 // 10
"""Audio that is sent without anybody asking: 200 ms."""
PIECE_BYTES = _BYTES_PER_S * 4 // 10
"""Audio in one call, at most: 400 ms, so that a worker that others need more, or nobody any more, is soon free."""
RESUME_BYTES = _BYTES_PER_S * 6 // 10
"""Audio after a `settle` that begins the decoding anew unasked: 600 ms, more than the silence after an early end."""
CALL_S = 10.0
"""Limit for one call. A second of audio takes 0.1 to 0.3 s, and on a busy machine in noise ten times that."""
ATTEMPTS = 2
"""Workers that an utterance may wear out before it is the utterance that is at fault."""
FALLOW_S = 2.0
"""Beyond the silence that ends an utterance: without audio for so long, its worker is anybody's who needs one."""
COST = 0.25
"""Of the time that was spoken: what it takes to decode it."""


class _Ask:
    """A question for the utterance's task: what do the first ``target`` bytes say?"""

    def __init__(self, target: int, final: bool) -> None:
        self.target = target
        self.final = final
        self.wanted = True
        self.done = trio.Event()
        self.asked_at = trio.current_time()
        self.text: str | None = None
        self.through = 0

    def answer(self, text: str | None, through: int = 0) -> None:
        self.text, self.through = text, through
        self.wanted = False
        self.done.set()


class _Utterance:
    """The audio of one utterance, who asks about it, and how far a worker has got."""

    def __init__(self, lender: Lender, fallow_s: float) -> None:
        self.compute_s = 0.0
        self._lender = lender
        self._pcm = bytearray()
        self._began_at = trio.current_time()
        self._flow = Flow(fallow_s, self._began_at)
        self._asks: deque[_Ask] = deque()
        self._bell = trio.Event()
        self._broken = False
        # What was decoded last: so many bytes, what they say, and whether the worker was told to finish there.
        self._through = 0
        self._text = ""
        self._finished = False
        self._begun = False
        """Whether the worker that it has now was given those bytes."""

    def feed(self, pcm: bytes) -> None:
        self._pcm += pcm
        self._flow.push(pcm, trio.current_time())
        if self._due():
            self.ring()

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
            self.ring()
            if final:
                self._lender.review()
            try:
                await ask.done.wait()
            finally:
                ask.wanted = False
        if ask.text is None:
            raise EngineError(ErrorCode.ASR_FAIL, "The speech recognizer failed.")
        return ask

    def _due(self) -> bool:
        """Whether there is enough new audio to go on without being asked."""
        return len(self._pcm) - self._through >= (RESUME_BYTES if self._finished else STRIDE_BYTES)

    # --- as the lender sees it ---

    def claim(self, now: float) -> Claim:
        final = next((ask for ask in self._asks if ask.final and ask.wanted), None)
        if final is not None:
            return Claim(Need.FINAL, final.asked_at + COST * final.target / _BYTES_PER_S)
        return Claim(Need.SPEECH if now < self._flow.fallow_at else Need.FALLOW, self._began_at)

    def ring(self) -> None:
        self._bell.set()

    # --- the task that talks to the worker ---

    async def run(self) -> None:
        """Decode and answer until cancelled."""
        lost = 0
        while lost < ATTEMPTS:
            while not (self._asked() or self._due()):
                await self._wait_bell()
            try:
                async with self._lender.lend(self) as worker:
                    self._begun = False
                    await self._converse(worker)
            except WorkerError as error:
                lost = ATTEMPTS if error.kind == "unavailable" else lost + 1
        self._broken = True
        for ask in self._asks:
            ask.answer(None)

    async def _converse(self, worker: Worker) -> None:
        """Decode and answer until the worker is asked back."""
        while not self._lender.asks_back(self):
            if (ask := self._asked()) is not None:
                await self._work_for(worker, ask)
            elif self._due():
                await self._advance(worker, len(self._pcm))
            else:
                # From then on another may need the worker more.
                with trio.move_on_at(self._flow.fallow_at if self._claims_speech() else inf):
                    await self._wait_bell()

    def _claims_speech(self) -> bool:
        return self.claim(trio.current_time()).need is Need.SPEECH

    def _asked(self) -> _Ask | None:
        """Return the first question that somebody still waits for."""
        while self._asks and not self._asks[0].wanted:
            self._asks.popleft()
        return self._asks[0] if self._asks else None

    async def _wait_bell(self) -> None:
        await self._bell.wait()
        self._bell = trio.Event()

    async def _work_for(self, worker: Worker, ask: _Ask) -> None:
        """Do one step toward an answer, one call at most, so that an ask nobody wants any longer is soon dropped."""
        at = self._through if self._begun else 0
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
        if not self._begun or self._finished or self._through > target:
            await self._decode(worker, "start")
            self._through, self._begun, self._finished = 0, True, False
        piece = bytes(self._pcm[self._through : min(target, self._through + PIECE_BYTES)])
        await self._decode(worker, "feed", piece)
        self._through += len(piece)

    async def _decode(self, worker: Worker, what: str, pcm: bytes = b"") -> None:
        reply = await worker.call({"do": what}, pcm, seconds=CALL_S)
        self._text = reply.fields["text"]
        self.compute_s += reply.fields["seconds"]


class PocketsphinxRecognizer:
    """US English, from the model in pocketsphinx's wheel. Speech in other languages is taken for English."""

    name = "pocketsphinx"
    languages: Sequence[str] = (LANGUAGE,)

    def __init__(self, pool: WorkerPool, *, fallow_s: float) -> None:
        """Without audio for ``fallow_s``, an utterance leaves its worker to others."""
        self._pool = pool
        self._lender = Lender(pool)
        self._fallow_s = fallow_s

    @property
    def ready(self) -> bool:
        """Whether an utterance would be recognised at once."""
        return self._pool.ready

    def kill_workers(self) -> None:
        """Kill the decoders."""
        self._pool.kill_workers()

    def open(self, language: str | None) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance; while others need every worker more, its audio waits in here."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Utterance]:
        utterance = _Utterance(self._lender, self._fallow_s)
        async with alongside(utterance.run):
            yield utterance


@asynccontextmanager
async def open_pocketsphinx(settings: Settings) -> AsyncIterator[PocketsphinxRecognizer]:
    """Have a warm recognizer for as long as the block runs. Raises `CannotLoad`.

    It takes ``settings.asr_workers`` utterances at a time, at 97 MB each.
    """
    spec = python_worker("pocketsphinx", "voice_trio.engines.pocketsphinx.child")
    async with open_pool(spec, settings.asr_workers) as pool:
        try:
            await pool.wait_ready()
        except WorkerError as error:
            raise CannotLoad(
                f"The speech recognizer cannot be started: {error}; {command_name()} doctor may tell more."
            ) from error
        yield PocketsphinxRecognizer(pool, fallow_s=settings.vad_silence_ms / 1000 + FALLOW_S)


PLUG = Plug(
    kind=Kind.RECOGNIZER,
    name="pocketsphinx",
    title="the small built-in pocketsphinx",
    about="The small recognizer that comes with it.",
    settings=Settings,
    open=open_pocketsphinx,
    quality=10,
)
