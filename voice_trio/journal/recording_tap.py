"""What a session asks and is answered, on its way to the recorder. None of it adds a checkpoint."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any, TypeVar

from voice_trio.core.alerts import Alert
from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.core.called import MAX_CALL_CHARS
from voice_trio.core.history import Message, Record
from voice_trio.core.strange_text import mend
from voice_trio.core.tools import Tool
from voice_trio.engines.base import (
    Alive,
    Finish,
    Hypothesis,
    Prompt,
    ReplyEvent,
    Speech,
    TextDelta,
    ToolCall,
    Transcript,
)
from voice_trio.journal.entries import Did, Failure, Voice
from voice_trio.journal.recorder import Question, Recorder, nothing, spelled_text
from voice_trio.memory.holds import Claims
from voice_trio.tap import Call, Keeping, Tap
from voice_trio.tapped import TappedControl

T = TypeVar("T")


@dataclass
class _Begun:
    """An utterance, a reply or a phrase."""

    question: Question
    crc32: int = 0
    """Of the audio so far, which the session log has: a digest will do."""


class RecordingTap(Keeping[_Begun]):
    """Notes all that passes."""

    def __init__(self, recorder: Recorder, speech: list[float]) -> None:
        """What a detector thinks of each frame is added to ``speech``."""
        super().__init__()
        self._recorder = recorder
        self._speech = speech

    async def call(self, call: Call, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what ``ask`` does, and note it."""
        if call.asked == "prune":
            # No session asks for that.
            return await ask()
        return await self._question(call).answer(ask, self._spelling(call))

    def at_once(self, call: Call, ask: Callable[[], T]) -> T:
        """Return what ``ask`` does, and note it."""
        answer = ask()
        match call.asked, answer:
            case "detect", float(probability):
                self._speech.append(probability)
            case "feed", _:
                begun = self.of(call)
                begun.crc32 = zlib.crc32(call.arguments["pcm"], begun.crc32)
        return answer

    def _question(self, call: Call) -> Question:
        ask, told = self._recorder.ask, call.arguments
        match call.asked:
            case "receive" | "piece" | "leave":
                return self.of(call).question
            case "speak":
                self.kept[call] = _Begun(ask("speak", **told))
                return self.kept[call].question
            case "open":
                self.kept[call] = _Begun(ask("open", **told))
                return self.kept[call].question
            case "stream":
                self.kept[call] = _Begun(ask("write", **_spelled_prompt(told["prompt"])))
                return self.kept[call].question
            case "use":
                return ask("use", name=told["name"], arguments={**told["arguments"]})
            case "settle":
                begun = self.of(call)
                return ask("settle", within=begun.question.number, **told, audio=begun.crc32)
            case "hypothesize" | "anticipate":
                return ask(call.asked, within=self.of(call).question.number, **told)
            case "weigh":
                # The session log has the audio.
                pcm = told["pcm"]
                return ask("weigh", samples=len(pcm) // BYTES_PER_SAMPLE, audio=zlib.crc32(pcm))
            case "recall" | "claim":
                return ask(call.asked, conversation=self._recorder.stand_in(told["conversation"]))
            case "commit" | "amend":
                return ask("commit" if call.asked == "commit" else "amend", **self._spelled_record(told["record"]))
            case "alerts":
                return ask("alerts", conversation=self._recorder.stand_in(told["conversation"]))
            case "put_alert":
                return ask("put_alert", alert=asdict(self._masked(told["alert"])))
            case "remove_alerts":
                conversation = self._recorder.stand_in(told["conversation"])
                return ask("remove_alerts", conversation=conversation, gone=[*told["gone"]])
            case "begin":
                return ask("begin")
        raise AssertionError(call.asked)

    def _spelling(self, call: Call) -> Callable[[Any], dict[str, Any] | None]:
        match call.asked:
            case "speak":
                # Its pieces are the answers.
                return _unspelled
            case "leave" if call.within is not None and call.within.asked == "speak":
                return _unspelled
            case "leave":
                return lambda _: {"over": True}
            case "weigh":
                return lambda probability: {"judged": (probability,)}
            case "hypothesize":
                return _spelled_hypothesis
            case "anticipate" | "settle":
                return _spelled_transcript
            case "receive":
                return _spelled_event
            case "use":
                return lambda answer: _spelled_use(answer, call.arguments["control"])
            case "piece":
                return _spelled_speech
            case "claim":
                return lambda granted: {"granted": granted}
            case "begin":
                return lambda conversation: {"conversation": self._recorder.stand_in(conversation)}
            case "recall":
                return self._spelled_records
            case "alerts":
                return lambda alerts: {"alerts": tuple(map(self._masked, alerts))}
        return nothing

    def _masked(self, alert: Alert) -> Alert:
        return replace(alert, conversation=self._recorder.stand_in(alert.conversation), label=mend(alert.label))

    def _spelled_record(self, record: Record) -> dict[str, Any]:
        calls = {"calls": [asdict(call) for call in record.calls]} if record.calls else {}
        return {
            "conversation": self._recorder.stand_in(record.conversation),
            "turn": record.turn,
            "said": record.said,
            "reply": record.reply,
            "heard": record.heard,
            "outcome": str(record.outcome),
            **calls,
        }

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


def _spelled_prompt(prompt: Prompt) -> dict[str, Any]:
    tools: dict[str, Any] = {"tools": [_spelled_tool(tool) for tool in prompt.tools]} if prompt.tools else {}
    if prompt.tool_choice != "auto":
        tools["tool_choice"] = asdict(prompt.tool_choice) if is_dataclass(prompt.tool_choice) else prompt.tool_choice
    if prompt.max_tokens is not None:
        tools["max_tokens"] = prompt.max_tokens
    return {"prompt": [_spelled_message(message) for message in prompt.messages], **tools}


def _spelled_tool(tool: Tool) -> dict[str, Any]:
    # Not `asdict`, which copies all of the schema, in every prompt.
    return {"name": tool.name, "description": tool.description, "parameters": {**tool.parameters}}


def _spelled_message(message: Message) -> dict[str, Any]:
    # As a file has it, in which there are no tuples: a replay is compared with that.
    spelled = {name: [*value] if isinstance(value, tuple) else value for name, value in asdict(message).items()}
    return {name: value for name, value in spelled.items() if value or name == "content"}


def _spelled_hypothesis(seems: Hypothesis) -> dict[str, Any]:
    # A session does the same, so nothing is lost to it.
    return {"hypothesis": seems._replace(text=mend(seems.text))}


def _spelled_transcript(said: Transcript | None) -> dict[str, Any]:
    if said is None:
        return {}
    return {"transcript": said.mended()}


def _spelled_event(event: ReplyEvent) -> dict[str, Any]:
    match event:
        case Finish(reason, usage):
            return {"finish": (mend(reason),), "usage": usage}
        case ToolCall():
            return {"tool_call": ToolCall(*map(mend, event))}
        case Alive():
            return {"alive": event}
        case TextDelta(text):
            return spelled_text(text)


def _spelled_use(answer: object, control: TappedControl) -> dict[str, Any]:
    if not isinstance(answer, str):
        # A defect of the tool, which the session finds next.
        return {"failure": Failure(by="defect", message=type(answer).__name__)}
    did = Did(speed=control.speed_wished, forgot=control.forgot, changed_alerts=control.changed_alerts)
    # As much as a session looks at.
    return {**spelled_text(answer[: MAX_CALL_CHARS + 1]), "did": None if did == Did() else did}


def _spelled_speech(speech: Speech | None) -> dict[str, Any]:
    if speech is None:
        return {"over": True}
    more = None if speech.last else True
    return {
        "voice": Voice(
            pcm=speech.pcm,
            sample_rate=speech.sample_rate,
            marks=speech.marks,
            phonemes=speech.phonemes,
            more=more,
        )
    }


def _unspelled(_: object) -> None:
    return None


class TappedClaims(Claims):
    """The server's claims as one session sees them, behind a tap."""

    def __init__(self, claims: Claims, tap: Tap) -> None:
        super().__init__()
        self._shared = claims
        self._tap = tap

    async def claim(self, conversation: str, session: str) -> bool:
        """Give ``conversation`` to ``session`` until it releases; False where another has it."""
        call = Call("claim", {"conversation": conversation})
        return await self._tap.call(call, lambda: self._shared.claim(conversation, session))

    def has(self, conversation: str, session: str) -> bool:
        """Return whether ``session`` has claimed ``conversation``."""
        return self._shared.has(conversation, session)

    def give_back(self, conversation: str, session: str) -> None:
        """Take ``conversation`` back from ``session``, if it has it."""
        self._shared.give_back(conversation, session)

    def release(self, session: str) -> None:
        """Take back all that ``session`` has."""
        self._shared.release(session)
