"""The engines and the store that were: each answers what it answered, whatever it is asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, NoReturn

from voice_trio.core.tools import Tool
from voice_trio.engines.base import (
    Engines,
    Finish,
    Mark,
    Phoneme,
    Prompt,
    Speaking,
    Speech,
    Stream,
    TextDelta,
    Utterance,
    broken_off,
)
from voice_trio.journal import entries as e
from voice_trio.journal.read import SessionLog, text_of
from voice_trio.journal.tape import Question, Tape
from voice_trio.journal.tape_link import TapeLink
from voice_trio.memory.base import Store
from voice_trio.memory.in_process import InProcessStore
from voice_trio.tap import Call, Keeping
from voice_trio.tapped import TappedStore, tapped_engines, tapped_tool
from voice_trio.toolbox.base import Circumstances, Control, ServerTool


class TapeTap(Keeping[Question]):
    """Answers everything from ``tape``, and asks nobody."""

    def __init__(self, tape: Tape, link: TapeLink) -> None:
        """``link`` knows what the detector thought of the latest audio."""
        super().__init__()
        self._tape = tape
        self._link = link

    async def call(self, call: Call, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Return what was answered then, when it is time."""
        match call.asked:
            case "open" | "stream":
                self.kept[call] = question = self._tape.ask("open" if call.asked == "open" else "write")
                await question.answer()
                return _Begun()
            case "speak":
                self.kept[call] = self._tape.ask("speak")
                return _Begun()
            case "leave" if call.within is not None and call.within.asked == "speak":
                return None
            case "leave":
                return await self.of(call).leave()
            case "receive":
                return _event(await self.of(call).answer())
            case "piece":
                return _piece(await self.of(call).answer())
            case "use":
                what = {name: call.arguments[name] for name in ("name", "arguments")}
                answer = await self._tape.ask("use", what=what).answer()
                _do(answer.did or e.Did(), call.arguments["control"])
                return _there(text_of(answer))
            case "weigh":
                (judged,) = _there((await self._tape.ask("weigh").answer()).judged)
                return judged
            case "hypothesize":
                return _there((await self._tape.ask("hypothesize", self.of(call).number).answer()).hypothesis)
            case "anticipate":
                return (await self._tape.ask("anticipate", self.of(call).number).answer()).transcript
            case "settle":
                return _there((await self._tape.ask("settle", self.of(call).number).answer()).transcript)
            case "claim":
                return await self._tape.ask("claim").granted()
            case "begin":
                return _there((await self._tape.ask("begin").answer()).conversation)
            case "recall":
                return (await self._tape.ask("recall").answer()).records
            case "commit" | "amend":
                return await self._tape.ask("commit" if call.asked == "commit" else "amend").answer()
            case "alerts":
                return _there((await self._tape.ask("alerts").answer()).alerts)
            case "put_alert" | "remove_alerts":
                return await self._tape.ask("put_alert" if call.asked == "put_alert" else "remove_alerts").answer()
        raise AssertionError(call.asked)

    def at_once(self, call: Call, ask: Callable[[], Any]) -> Any:
        """Return what was answered then."""
        match call.asked:
            case "detect":
                return self._link.speech.popleft() if self._link.speech else 0.0
        return None


def _do(then: e.Did, control: Control) -> None:
    if then.speed is not None:
        control.speak_at(then.speed)
    for _ in range(then.forgot):
        control.forget_latest()
    if then.changed_alerts:
        control.alerts_changed()


def _there(answer: Any) -> Any:
    assert answer is not None
    return answer


def _event(answer: e.Answer) -> Any:
    text = text_of(answer)
    if text is not None:
        return TextDelta(text)
    if answer.finish is not None:
        return Finish(*answer.finish, answer.usage)
    event = answer.alive or answer.tool_call
    if event is None:
        raise broken_off()
    return event


def _piece(answer: e.Answer) -> Speech | None:
    if answer.over:
        return None
    then = _there(answer.voice)
    marks = tuple(Mark(*mark) for mark in then.marks)
    phonemes = tuple(Phoneme(*phoneme) for phoneme in then.phonemes)
    return Speech(then.pcm, then.sample_rate, marks, phonemes, last=not then.more)


class _Begun:
    """What stands for an utterance, a reply or a phrase, of which nothing is asked but this."""

    compute_s = 0.0


# --- what a session sees of its engines without asking them ---------------------------------------------------------


def _asked() -> NoReturn:
    raise AssertionError("what a tape answers is asked of nobody")


@dataclass
class _Recognizer:
    name: str
    languages: Sequence[str]
    partial_interval_ms: int
    first_partial_ms: int
    ready: bool = True

    def open(self, language: str | None) -> AbstractAsyncContextManager[Utterance]:
        _asked()


@dataclass
class _LanguageModel:
    name: str
    synthetic: bool
    advice: str | None
    metered: bool

    def stream(self, prompt: Prompt) -> AbstractAsyncContextManager[Stream]:
        _asked()


@dataclass
class _Synthesizer:
    name: str
    sample_rate: int
    voices: Sequence[str]
    ready: bool = True

    def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speaking:
        _asked()


@dataclass
class _EndOfTurn:
    name: str

    async def probability(self, pcm: bytes) -> float | None:
        _asked()


class _Detector:
    def speech_probability(self, frame: bytes) -> float:
        _asked()

    def reset(self) -> None:
        pass


def tape_store(tap: TapeTap) -> Store:
    """Return a store that ``tap`` answers for."""
    return TappedStore(InProcessStore(), tap)


class TapeTools:
    """The tools that the server had, each time that the session looked."""

    def __init__(self, session_log: SessionLog, tap: TapeTap) -> None:
        self._tap = tap
        self._tools = _tools(session_log.header.tools, tap)
        self._others = deque(entry for entry in session_log.entries if isinstance(entry, e.Tools))
        self._looks = 0

    def __call__(self) -> Sequence[ServerTool]:
        """Return those that there were at this look."""
        if self._others and self._others[0].looks == self._looks:
            self._tools = _tools(self._others.popleft().tools, self._tap)
        self._looks += 1
        return self._tools


def _tools(names: Sequence[e.ToolNames], tap: TapeTap) -> list[ServerTool]:
    """Return tools under the names that they had, which ``tap`` answers for."""

    async def use(arguments: Mapping[str, Any], circumstances: Circumstances) -> str:
        _asked()

    return [
        tapped_tool(
            ServerTool(
                tool=Tool(tool.name, tool.description, tool.parameters),
                use=use,
                has_effects=tool.has_effects,
                only_alone=tool.only_alone,
                confirm=tool.confirm,
            ),
            tap,
        )
        for tool in names
    ]


def tape_engines(names: e.EngineNames, tap: TapeTap) -> Engines:
    """Return engines under the names that they had, which ``tap`` answers for."""
    engines = Engines(
        recognizer=_Recognizer(names.asr, names.languages, names.partial_interval_ms, names.first_partial_ms),
        language_model=_LanguageModel(names.llm, names.synthetic, names.llm_advice, names.metered),
        synthesizer=_Synthesizer(names.tts, names.sample_rate, names.voices),
        new_detector=_Detector,
        end_of_turn=None if names.end_of_turn is None else _EndOfTurn(names.end_of_turn),
        asr_fallback=names.fallback,
    )
    return tapped_engines(engines, tap)
