"""Engines and a store that note what they are asked and what they answer. None of them adds a checkpoint."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Generic, TypeVar

from voice_trio.core.history import Message, Record
from voice_trio.core.surrogates import mend
from voice_trio.engines.around import AroundLanguageModel, AroundRecognizer, AroundSynthesizer, AroundUtterance
from voice_trio.engines.base import (
    Alive,
    Detector,
    Engines,
    Finish,
    Hypothesis,
    LanguageModel,
    Recognizer,
    ReplyEvent,
    Speech,
    Synthesizer,
    Transcript,
    Utterance,
)
from voice_trio.memory.base import Store
from voice_trio.recording.entries import Voice
from voice_trio.recording.recorder import Call, Recorder, nothing, spelled_text
from voice_trio.session.claims import Claims

T = TypeVar("T")
S = TypeVar("S")


def recorded(engines: Engines, recorder: Recorder, speech: list[float]) -> Engines:
    """Return ``engines`` with ``recorder`` beside them; what a detector thinks of each frame is added to ``speech``."""
    return replace(
        engines,
        recognizer=RecordedRecognizer(engines.recognizer, recorder),
        language_model=RecordedLanguageModel(engines.language_model, recorder),
        synthesizer=RecordedSynthesizer(engines.synthesizer, recorder),
        new_detector=lambda: RecordedDetector(engines.new_detector(), speech),
    )


class _Held(Generic[S, T]):
    """A context of an engine's whose beginning and end are answers too."""

    def __init__(self, call: Call, inner: AbstractAsyncContextManager[S], wrap: Callable[[S], T]) -> None:
        self._call = call
        self._inner = inner
        self._wrap = wrap

    async def __aenter__(self) -> T:
        return self._wrap(await self._call.answer(self._inner.__aenter__(), nothing))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if error is not None:
            # It is the error's way out that counts now, and the engine is not asked for anything.
            return await self._inner.__aexit__(kind, error, trace)
        return await self._call.answer(self._inner.__aexit__(None, None, None), lambda _: {"over": True})


# --- ears -----------------------------------------------------------------------------------------------------------


class RecordedDetector:
    """A detector whose every judgement is added to ``speech``."""

    def __init__(self, detector: Detector, speech: list[float]) -> None:
        self._detector = detector
        self._speech = speech

    def speech_probability(self, frame: bytes) -> float:
        """Return how likely ``frame`` holds speech."""
        probability = self._detector.speech_probability(frame)
        self._speech.append(probability)
        return probability

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._detector.reset()


class RecordedRecognizer(AroundRecognizer):
    """A recogniser, recorded."""

    def __init__(self, recognizer: Recognizer, recorder: Recorder) -> None:
        super().__init__(recognizer)
        self._recorder = recorder

    def open(self, language: str | None) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance."""
        call = self._recorder.ask("open", language=language)

        def wrap(utterance: Utterance) -> Utterance:
            return RecordedUtterance(utterance, self._recorder, call.number)

        return _Held(call, self._inner.open(language), wrap)


class RecordedUtterance(AroundUtterance):
    """One utterance, recorded. Of its audio, which the recording has, only a digest is noted."""

    def __init__(self, utterance: Utterance, recorder: Recorder, within: int) -> None:
        super().__init__(utterance)
        self._recorder = recorder
        self._within = within
        self._crc32 = 0

    def feed(self, pcm: bytes) -> None:
        """Add audio."""
        self._crc32 = zlib.crc32(pcm, self._crc32)
        super().feed(pcm)

    async def hypothesize(self) -> Hypothesis:
        """Return the words of all audio fed so far, as they seem now."""
        call = self._recorder.ask("hypothesize", within=self._within)
        return await call.answer(self._inner.hypothesize(), _spelled_hypothesis)

    async def anticipate(self, voiced_through: int) -> None:
        """Get ready for a `settle`."""
        call = self._recorder.ask("anticipate", within=self._within, voiced_through=voiced_through)
        await call.answer(self._inner.anticipate(voiced_through), nothing)

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return the words of the first ``through_sample`` samples, for good."""
        call = self._recorder.ask(
            "settle",
            within=self._within,
            through_sample=through_sample,
            voiced_through=voiced_through,
            audio=self._crc32,
        )
        return await call.answer(self._inner.settle(through_sample, voiced_through), _spelled_transcript)


def _spelled_hypothesis(seems: Hypothesis) -> dict[str, Any]:
    # A session does the same, so nothing is lost to it.
    return {"hypothesis": seems._replace(text=mend(seems.text))}


def _spelled_transcript(said: Transcript) -> dict[str, Any]:
    return {"transcript": said._replace(text=mend(said.text), language=said.language and mend(said.language))}


# --- mind -----------------------------------------------------------------------------------------------------------


class RecordedLanguageModel(AroundLanguageModel):
    """A language model, recorded."""

    def __init__(self, model: LanguageModel, recorder: Recorder) -> None:
        super().__init__(model)
        self._recorder = recorder

    def stream(self, messages: Sequence[Message]) -> AbstractAsyncContextManager[AsyncIterator[ReplyEvent]]:
        """Begin a reply."""
        call = self._recorder.ask("write", prompt=[asdict(message) for message in messages])
        return _Held(call, self._inner.stream(messages), lambda events: RecordedReply(events, call))


class RecordedReply:
    """A reply's events, recorded as they are asked for."""

    def __init__(self, events: AsyncIterator[ReplyEvent], call: Call) -> None:
        self._events = events
        self._call = call

    def __aiter__(self) -> RecordedReply:
        return self

    async def __anext__(self) -> ReplyEvent:
        return await self._call.answer(self._events.__anext__(), _spelled_event)


def _spelled_event(event: ReplyEvent) -> dict[str, Any]:
    match event:
        case Finish():
            return {"finish": event}
        case Alive():
            return {"alive": event}
    return spelled_text(event.text)


# --- voice ----------------------------------------------------------------------------------------------------------


class RecordedSynthesizer(AroundSynthesizer):
    """A voice, recorded."""

    def __init__(self, synthesizer: Synthesizer, recorder: Recorder) -> None:
        super().__init__(synthesizer)
        self._recorder = recorder

    async def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speech:
        """Say ``text``."""
        call = self._recorder.ask("speak", text=text, voice=voice, speed=speed)
        return await call.answer(self._inner.speak(text, seconds=seconds, voice=voice, speed=speed), _spelled_speech)


def _spelled_speech(speech: Speech) -> dict[str, Any]:
    return {"voice": Voice(pcm=speech.pcm, sample_rate=speech.sample_rate, marks=speech.marks)}


# --- memory ---------------------------------------------------------------------------------------------------------


class RecordedStore:
    """A store as one session sees it, recorded."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        call = self._recorder.ask("begin")
        return await call.answer(self._store.begin(), lambda new: {"conversation": self._recorder.stand_in(new)})

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's latest records."""
        call = self._recorder.ask("recall", conversation=self._recorder.stand_in(conversation))
        return await call.answer(self._store.recall(conversation), self._spelled_records)

    async def commit(self, record: Record) -> None:
        """Keep ``record``."""
        call = self._recorder.ask(
            "commit",
            conversation=self._recorder.stand_in(record.conversation),
            turn=record.turn,
            said=record.said,
            reply=record.reply,
            heard=record.heard,
            outcome=str(record.outcome),
        )
        await call.answer(self._store.commit(record), nothing)

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``: no session asks for that."""
        return await self._store.prune(before)

    def _spelled_records(self, records: Sequence[Record] | None) -> dict[str, Any]:
        if records is None:
            return {}
        # A prompt is made of nothing else of them.
        return {
            "records": tuple(
                replace(record, conversation=self._recorder.stand_in(record.conversation), session="", ended_at=0.0)
                for record in records
            )
        }


class RecordedClaims(Claims):
    """The server's claims as one session sees them, recorded."""

    def __init__(self, claims: Claims, recorder: Recorder) -> None:
        super().__init__()
        self._shared = claims
        self._recorder = recorder

    def claim(self, conversation: str, session: str) -> bool:
        """Give ``conversation`` to ``session`` until it releases; False where another has it."""
        granted = self._shared.claim(conversation, session)
        call = self._recorder.ask("claim", conversation=self._recorder.stand_in(conversation))
        call.note(self._recorder.now(), granted=granted)
        return granted

    def release(self, session: str) -> None:
        """Take back all that ``session`` has."""
        self._shared.release(session)
