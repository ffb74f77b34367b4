"""An utterance's audio in, partials on the way, its words out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
import trio

from voice_trio.config import PARTIAL_GAP_MS
from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples
from voice_trio.core.end_of_turn import JUDGED_AFTER_MS
from voice_trio.core.last_words import sense_of
from voice_trio.core.messages import ErrorCode, Partial
from voice_trio.core.strange_text import mend
from voice_trio.core.timeline import Moment
from voice_trio.core.transcript import TranscriptDiffer
from voice_trio.engines.base import (
    SURE_LANGUAGE_PROBABILITY,
    SURE_LANGUAGE_S,
    EndOfTurn,
    EngineError,
    Recognizer,
    Transcript,
    Utterance,
    first_partial_ms,
    open_utterance,
    partial_interval_ms,
)
from voice_trio.session.capture import Capture
from voice_trio.session.ending import Ending, told
from voice_trio.session.outlet import Outlet
from voice_trio.session.settings import SessionSettings
from voice_trio.session.throttle import Throttle
from voice_trio.session.weighing import Weighing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance's words, and what they cost."""

    transcript: Transcript
    real_time_factor: float
    """Seconds of computing for each second of audio."""


async def transcribe(
    capture: Capture,
    recognizer: Recognizer,
    *,
    turn: int,
    language: str | None,
    likely: str | None,
    settings: SessionSettings,
    throttle: Throttle,
    outlet: Outlet,
    end_of_turn: EndOfTurn | None = None,
    seems: Callable[[Transcript], None] | None = None,
    over: Callable[[], Awaitable[None]] | None = None,
) -> Heard:
    """Return what the person said, once they have said it, of an utterance that has begun.

    It is in ``language``; for None, in what the recognizer hears, and what is ``likely`` where that is not sure.
    The recognizer's limit of time counts from the utterance's end. ``end_of_turn`` judges its pauses, where they are
    weighed, and ``seems`` is told in each pause what the utterance says if that is its end, where the recognizer knows
    it before. ``over`` is awaited when it has ended, and is yet to be recognised.

    Raises `EngineError` (ASR_FAIL, ASR_TIMEOUT).
    """
    timeout_s = settings.asr_timeout_s
    weighing = None if end_of_turn is None else capture.weighing

    def note(text: str, through_sample: int) -> None:
        if weighing is not None:
            known = language or (recognizer.languages[0] if len(recognizer.languages) == 1 else None)
            weighing.hear(sense_of(text, known), through_sample)

    # The limit has no deadline while the person speaks; a recognizer that is late, or has no room yet, is late
    # only with respect to the end.
    with trio.CancelScope() as limit:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(limit_from_end, capture, limit, timeout_s)
            if weighing is not None and end_of_turn is not None:
                nursery.start_soon(_weigh, capture, weighing, end_of_turn)
            async with (
                open_utterance(recognizer, language, likely) as utterance,
                trio.open_nursery() as anticipating,
            ):
                # It goes on over the end: the final may well be the one that was begun in the pause before it.
                anticipating.start_soon(_anticipate, utterance, capture, seems, note)
                async with trio.open_nursery() as drafting:
                    interval_s = (settings.partial_interval_ms or partial_interval_ms(recognizer)) / 1000
                    first = ms_to_samples(first_partial_ms(recognizer))
                    drafting.start_soon(_draft, utterance, capture, turn, interval_s, first, throttle, outlet, note)
                    while pcm := await capture.receive():
                        utterance.feed(pcm)
                    drafting.cancel_scope.cancel()
                outlet.reach(Moment.CAPTURED)
                throttle.release()
                assert capture.ending is not None
                if (event := told(capture.ending, settings.max_utterance_ms, turn)) is not None:
                    await outlet.say(event)
                if over is not None:
                    await over()
                # Only silence says that nobody spoke any more: a person may let go of the key in the middle of a word.
                voiced_through = capture.voiced_through if capture.ending is Ending.SILENCE else None
                transcript = await utterance.settle(capture.samples, voiced_through)
                if not transcript.text and capture.settled is not None:
                    # Asked once more about a word in noise, a recognizer may be just too unsure of it.
                    transcript = capture.settled
                transcript = transcript.mended()
                anticipating.cancel_scope.cancel()
            nursery.cancel_scope.cancel()
    if limit.cancelled_caught:
        raise EngineError(ErrorCode.ASR_TIMEOUT, f"The speech was not recognised within {timeout_s:g} seconds.")
    return Heard(transcript, utterance.compute_s * SAMPLE_RATE / capture.samples)


async def limit_from_end(capture: Capture, limit: trio.CancelScope, timeout_s: float) -> None:
    """Set the deadline of ``limit`` when the utterance is over."""
    await capture.wait_ended()
    limit.deadline = trio.current_time() + timeout_s


async def _anticipate(
    utterance: Utterance,
    capture: Capture,
    seems: Callable[[Transcript], None] | None,
    note: Callable[[str, int], None],
) -> None:
    """Let the recognizer begin its final in every pause, and take it back when the pause was not the end.

    What it comes to before the end is told to ``seems``, and to ``note``, with the samples that it is of.
    """

    async def begin() -> None:
        utterance.feed(capture.take())
        samples = capture.samples
        # What goes wrong here goes wrong for `settle` too, which is where it counts.
        with suppress(EngineError):
            transcript = await utterance.anticipate(capture.voiced_through)
            if transcript is not None and not capture.has_ended():
                note(transcript.text, samples)
                if seems is not None:
                    seems(transcript.mended())

    await _in_each_pause(capture, begin)


async def _weigh(capture: Capture, weighing: Weighing, end_of_turn: EndOfTurn) -> None:
    """Have every pause judged by its sound, for as long as that can matter."""

    async def judge() -> None:
        voiced_through = capture.voiced_through
        if not await capture.wait_silent(JUDGED_AFTER_MS):
            return
        probability = None
        try:
            probability = await end_of_turn.probability(capture.latest(JUDGED_AFTER_MS))
        except EngineError as error:
            log.warning("pause not judged", engine=end_of_turn.name, reason=error.message)
        weighing.judge(probability, voiced_through)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_in_each_pause, capture, judge)
        await capture.wait_ended()
        nursery.cancel_scope.cancel()


async def _in_each_pause(capture: Capture, work: Callable[[], Awaitable[None]]) -> None:
    """Do ``work`` whenever nobody has spoken for a while; it is cancelled when the person goes on."""
    while True:
        await capture.wait_paused()
        async with trio.open_nursery() as pause:
            pause.start_soon(_cancel_at_resumption, capture, pause.cancel_scope)
            await work()
            await capture.wait_resumed()


async def _cancel_at_resumption(capture: Capture, scope: trio.CancelScope) -> None:
    await capture.wait_resumed()
    scope.cancel()


async def _draft(
    utterance: Utterance,
    capture: Capture,
    turn: int,
    interval_s: float,
    first_samples: int,
    throttle: Throttle,
    outlet: Outlet,
    note: Callable[[str, int], None],
) -> None:
    """Say what the utterance seems to say: as soon as it seems to say anything, then every ``interval_s``.

    It says nothing of less than ``first_samples``.
    """
    differ = TranscriptDiffer()
    gap_s = PARTIAL_GAP_MS / 1000
    while not capture.has_ended():
        asked_at = trio.current_time()
        if capture.samples >= first_samples and throttle.allows_partial():
            utterance.feed(capture.take())
            hypothesis = await utterance.hypothesize()
            note(hypothesis.text, hypothesis.through_sample)
            # A draft that arrives after the end would only delay, and be replaced by, the final.
            if capture.has_ended():
                return
            delta = differ.push(mend(hypothesis.text))
            if delta is not None:
                partial = Partial(turn=turn, keep=delta.keep, text=delta.text, stable=delta.stable)
                await outlet.say(partial, Moment.FIRST_PARTIAL)
        # A slow decode takes up its interval; the next, if it is quick, must not come on its heels.
        await trio.sleep_until(max(asked_at + (interval_s if differ.text else gap_s), trio.current_time() + gap_s))


class SpokenLanguage:
    """What is known of one session's language."""

    def __init__(self) -> None:
        self.known: str | None = None
        """ISO 639-1 code; None as long as nothing long and clear enough was heard."""

    def hear(self, transcript: Transcript, voiced_samples: int) -> None:
        """Take a final transcript of so much speech (16 kHz)."""
        self.known = self.after(transcript, voiced_samples)

    def after(self, transcript: Transcript, voiced_samples: int) -> str | None:
        """Return what would be known, had that been heard."""
        sure = (
            voiced_samples >= SURE_LANGUAGE_S * SAMPLE_RATE
            and transcript.language_probability >= SURE_LANGUAGE_PROBABILITY
        )
        return transcript.language if self.known is None and sure and transcript.text else self.known
