"""Notes what crosses a session's borders, and when."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import trio

from voice_trio import __version__
from voice_trio.core.errors import first_leaf, leaves
from voice_trio.core.playout import Playout, UnpacedPlayout, WholePlayout
from voice_trio.core.strange_text import mend
from voice_trio.engines.base import EngineError, Engines, advice_of, first_partial_ms, is_metered, partial_interval_ms
from voice_trio.journal.entries import Answer, Ask, EngineNames, Entry, Failure, Header, Of, ToolNames, Tools
from voice_trio.memory.base import StoreError, StoreUnsure
from voice_trio.session.settings import SessionSettings
from voice_trio.toolbox.base import ServerTool, ToolError

Note = Callable[[Header | Entry], None]

T = TypeVar("T")


class Recorder:
    """One session's. Whatever it is told goes to ``note``, which must neither wait nor raise."""

    def __init__(self, note: Note) -> None:
        self.note = note
        self._began_at = trio.current_time()
        self._questions = 0
        self._stand_ins: dict[str, str] = {}
        self._looks = 0
        self._tools: tuple[ToolNames, ...] = ()

    def now(self) -> float:
        """Return the seconds since the session began."""
        return trio.current_time() - self._began_at

    def begin(
        self,
        session: str,
        settings: SessionSettings,
        engines: Engines,
        tools: Sequence[ServerTool],
        new_playout: Callable[[], Playout] | None,
        wall: float,
    ) -> None:
        """Note the header; ``new_playout`` is the session's, None where it has its own, and ``wall`` its wall clock."""
        self._tools, self._looks = _names_of(tools), 1
        self.note(
            Header(
                version=__version__,
                began=datetime.now(UTC).isoformat(timespec="seconds"),
                session=session,
                settings=asdict(settings),
                engines=names_of(engines),
                whole=new_playout is WholePlayout,
                unpaced=new_playout is UnpacedPlayout,
                tools=self._tools,
                wall=wall,
            )
        )

    def look(self, tools: Sequence[ServerTool]) -> None:
        """The session looks which tools there are: note them if they are others than before."""
        if (names := _names_of(tools)) != self._tools:
            self._tools = names
            self.note(Tools(at=self.now(), looks=self._looks, tools=names))
        self._looks += 1

    def stand_in(self, conversation: str) -> str:
        """Return what a session log calls ``conversation``, whose id opens it to all who have it."""
        return self._stand_ins.setdefault(conversation, f"conversation-{len(self._stand_ins) + 1}")

    def ask(self, of: Of, *, within: int | None = None, **what: Any) -> Question:
        """Note that the session asks for something, and return where the answers go."""
        question = Question(self, self._questions)
        self._questions += 1
        self.note(Ask(at=self.now(), call=question.number, of=of, within=within, what=what))
        return question


class Question:
    """One question of the session's, to which there may be many answers."""

    def __init__(self, recorder: Recorder, number: int) -> None:
        self.number = number
        self._recorder = recorder
        self._asked_at: float | None = None

    async def answer(self, ask: Callable[[], Awaitable[T]], spell: Callable[[T], dict[str, Any] | None]) -> T:
        """Return what ``ask`` returns, or raise what it raises, and note it; ``spell`` returns fields of `Answer`.

        Where it returns None, that is no answer yet.

        If it is cancelled and asked again, the answer is to the first time.
        """
        asked_at = self._asked_at = self._recorder.now() if self._asked_at is None else self._asked_at
        try:
            value = await ask()
        except Exception as error:
            self.note(asked_at, failure=_failure(error))
            raise
        fields = spell(value)
        if fields is not None:
            self.note(asked_at, **fields)
        return value

    def note(self, asked_at: float, **fields: Any) -> None:
        """Note an answer to what was asked at ``asked_at``."""
        now = self._recorder.now()
        self._asked_at = None
        self._recorder.note(Answer(at=now, call=self.number, waited=now - asked_at, **fields))


def nothing(value: object) -> dict[str, Any]:
    """Spell an answer that only says that it is done."""
    return {}


def spelled_text(text: str) -> dict[str, Any]:
    """Spell a piece of a reply."""
    return {"text": text} if _is_whole(text) else {"halves": json.dumps(text)}


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _failure(error: Exception) -> Failure:
    match error:
        case EngineError(code=code, message=message):
            return Failure(by="engine", message=mend(message), code=code)
        case StoreError():
            by: Literal["store unsure", "store"] = "store unsure" if isinstance(error, StoreUnsure) else "store"
            return Failure(by=by, message=mend(str(error)))
        case ToolError():
            return Failure(by="tool", message=mend(str(error)))
        case ExceptionGroup() if all(isinstance(leaf, ToolError) for leaf in leaves(error)):
            return Failure(by="tool", message=mend(str(first_leaf(error))))
        case _:
            # What it says may be a person's words, or a key's; which defect it was stands in the log.
            return Failure(by="defect", message=type(error).__name__)


def _names_of(tools: Sequence[ServerTool]) -> tuple[ToolNames, ...]:
    """Return ``tools`` as a session log knows them."""
    return tuple(_tool_names(tool) for tool in tools)


def _tool_names(tool: ServerTool) -> ToolNames:
    return ToolNames(
        name=tool.tool.name,
        description=tool.tool.description,
        parameters=dict(tool.tool.parameters),
        has_effects=tool.has_effects,
        only_alone=tool.only_alone,
        confirm=tool.confirm,
    )


def names_of(engines: Engines) -> EngineNames:
    """Return ``engines`` as a session log knows them."""
    fallback = engines.asr_fallback
    return EngineNames(
        asr=engines.recognizer.name,
        languages=tuple(engines.recognizer.languages),
        llm=engines.language_model.name,
        synthetic=engines.language_model.synthetic,
        llm_advice=advice_of(engines.language_model),
        metered=is_metered(engines.language_model),
        tts=engines.synthesizer.name,
        voices=tuple(engines.synthesizer.voices),
        sample_rate=engines.synthesizer.sample_rate,
        asr_fallback=fallback.command if fallback else None,
        asr_fallback_message=fallback.message if fallback else None,
        partial_interval_ms=partial_interval_ms(engines.recognizer),
        first_partial_ms=first_partial_ms(engines.recognizer),
        end_of_turn=None if engines.end_of_turn is None else engines.end_of_turn.name,
    )
