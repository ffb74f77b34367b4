"""The engines and the store that were: each answers what it answered, whatever it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from voice_trio.core.history import Message, Record
from voice_trio.engines.base import Engines, Hypothesis, Mark, ReplyEvent, Speech, TextDelta, Transcript, Utterance
from voice_trio.recording import entries as e
from voice_trio.recording.read import text_of
from voice_trio.recording.tape import Question, Tape
from voice_trio.recording.tape_link import TapeDetector, TapeLink
from voice_trio.session.claims import Claims


def tape_engines(tape: Tape, link: TapeLink, names: e.EngineNames) -> Engines:
    """Return engines that give the answers on ``tape``, under the names that they had."""
    return Engines(
        recognizer=TapeRecognizer(tape, names),
        language_model=TapeLanguageModel(tape, names),
        synthesizer=TapeSynthesizer(tape, names),
        new_detector=lambda: TapeDetector(link),
        asr_fallback=names.fallback,
    )


class _TapeContext:
    """What an engine opened."""

    def __init__(self, question: Question) -> None:
        self.question = question

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.question.leave()


class TapeRecognizer:
    """Understands what was understood."""

    ready = True

    def __init__(self, tape: Tape, names: e.EngineNames) -> None:
        self.name = names.asr
        self.languages: Sequence[str] = names.languages
        self._tape = tape

    def open(self, language: str | None) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance."""
        return _TapeUtterance(self._tape)


class _TapeUtterance(_TapeContext):
    compute_s = 0.0

    def __init__(self, tape: Tape) -> None:
        super().__init__(tape.ask("open"))
        self._tape = tape

    async def __aenter__(self) -> Utterance:
        await self.question.answer()
        return self

    def feed(self, pcm: bytes) -> None:
        pass

    async def hypothesize(self) -> Hypothesis:
        answer = await self._tape.ask("hypothesize", self.question.number).answer()
        assert answer.hypothesis is not None
        return answer.hypothesis

    async def anticipate(self, voiced_through: int) -> None:
        await self._tape.ask("anticipate", self.question.number).answer()

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        answer = await self._tape.ask("settle", self.question.number).answer()
        assert answer.transcript is not None
        return answer.transcript


class TapeLanguageModel:
    """Writes what was written."""

    def __init__(self, tape: Tape, names: e.EngineNames) -> None:
        self.name = names.llm
        self.synthetic = names.synthetic
        self._tape = tape

    def stream(self, messages: Sequence[Message]) -> AbstractAsyncContextManager[AsyncIterator[ReplyEvent]]:
        """Begin a reply."""
        return _TapeReply(self._tape.ask("write"))


class _TapeReply(_TapeContext):
    async def __aenter__(self) -> AsyncIterator[ReplyEvent]:
        await self.question.answer()
        return self

    def __aiter__(self) -> AsyncIterator[ReplyEvent]:
        return self

    async def __anext__(self) -> ReplyEvent:
        answer = await self.question.answer()
        text = text_of(answer)
        if text is not None:
            return TextDelta(text)
        event = answer.alive or answer.finish
        if event is None:
            raise StopAsyncIteration
        return event


class TapeSynthesizer:
    """Says what was said."""

    ready = True

    def __init__(self, tape: Tape, names: e.EngineNames) -> None:
        self.name = names.tts
        self.sample_rate = names.sample_rate
        self.voices = names.voices
        self._tape = tape

    async def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speech:
        """Say what was said then, whatever ``text`` is."""
        then = (await self._tape.ask("speak").answer()).voice
        assert then is not None
        return Speech(then.pcm, then.sample_rate, tuple(Mark(*mark) for mark in then.marks))


# --- the memory -----------------------------------------------------------------------------------------------------


class TapeStore:
    """Remembers what was remembered."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    async def begin(self) -> str:
        """Return the conversation's name in the recording."""
        conversation = (await self._tape.ask("begin").answer()).conversation
        assert conversation is not None
        return conversation

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the records that there were."""
        return (await self._tape.ask("recall").answer()).records

    async def commit(self, record: Record) -> None:
        """Take as long as it took."""
        await self._tape.ask("commit").answer()

    async def prune(self, before: float) -> int:
        """There is nothing to delete."""
        return 0


class TapeClaims(Claims):
    """Grants what was granted."""

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape = tape

    def claim(self, conversation: str, session: str) -> bool:
        """Return what was answered then; True where nobody asked."""
        return self._tape.ask("claim").granted()
