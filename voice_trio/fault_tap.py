"""Engines and a store that fail as they are told (`STREAM_FAULTS`): a tap before any others.

What is injected is what such an engine can do to a session, which is told of it as it would be of the real thing.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Any

import trio

from voice_trio.config import ConfigError, Settings
from voice_trio.core.faults import Kind, Stage
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import (
    EngineError,
    Engines,
    HasWorkers,
    Hypothesis,
    LanguageModel,
    Mark,
    Recognizer,
    ReplyEvent,
    Speech,
    Synthesizer,
    TextDelta,
    Transcript,
)
from voice_trio.fault_far_ends import strike_far_ends
from voice_trio.faults import Faults, Struck
from voice_trio.mcp.config import read_servers
from voice_trio.memory.base import Store, StoreError
from voice_trio.memory.database import Database
from voice_trio.memory.sqlite import SqliteStore
from voice_trio.tap import Call, Keeping, Tap
from voice_trio.tapped import tapped, tapped_tool
from voice_trio.toolbox.base import ServerTool, ToolError
from voice_trio.waiting import Wait, alongside

GARBAGE: Sequence[str] = ("", "\ud800", "\0\x07\x1b[2J", "\u202e<|im_end|>", "x" * 400, "```", "\udc00 ")
"""Text that nobody should be sent: empty, halves of characters, control characters, a word without an end."""

_FILLING_BYTES = 1_000_000

_STAGES: Mapping[str, Stage] = {"open": Stage.ASR, "stream": Stage.LLM, "speak": Stage.TTS}
_CODES = {Stage.ASR: ErrorCode.ASR_FAIL, Stage.LLM: ErrorCode.LLM_FAIL, Stage.TTS: ErrorCode.TTS_FAIL}

_LONG = 100_000
"""Characters that a tool answers which is to answer garbage."""


def inject(faults: Faults, engines: Engines, store: Store) -> tuple[Engines, Store]:
    """Return ``engines`` and ``store``, with ``faults`` if there are any.

    Raises `ConfigError` for a crash of an engine that has no process to lose, and for a far end's where there is none.
    """
    strike_far_ends(faults, engines)
    stages: dict[Stage, Recognizer | LanguageModel | Synthesizer] = {
        Stage.ASR: engines.recognizer,
        Stage.LLM: engines.language_model,
        Stage.TTS: engines.synthesizer,
    }
    for fault in faults:
        engine = stages.get(fault.stage)
        if fault.kind is Kind.CRASH and engine is not None and not isinstance(engine, HasWorkers):
            raise ConfigError(
                f"STREAM_FAULTS: {fault.text!r} cannot be, because {engine.name} works without a process "
                f"of its own; {fault.stage}:error is what else can happen to it."
            )
    return tapped(engines, store, FaultTap(faults, stages, store)) if any(faults) else (engines, store)


def check_tools(faults: Faults, settings: Settings) -> None:
    """Raise `ConfigError` for a crash of MCP servers where ``settings`` name none."""
    crash = next((fault.text for fault in faults if fault.stage is Stage.MCP), None)
    if crash and not (settings.mcp and read_servers(settings.mcp, os.environ)):
        raise ConfigError(f"STREAM_FAULTS: {crash!r} cannot be, because there is no MCP server: STREAM_MCP names them.")


def inject_tools(faults: Faults, tools: Sequence[ServerTool]) -> Sequence[ServerTool]:
    """Return ``tools``, with those of ``faults`` that are theirs."""
    if not (faults.strikes(Stage.TOOL) or faults.strikes(Stage.MCP)):
        return tools
    return [tapped_tool(tool, ToolFaultTap(faults, tool.crash)) for tool in tools]


class ToolFaultTap(Tap):
    """Strikes those uses of a tool that ``faults`` say."""

    def __init__(self, faults: Faults, crash: Callable[[], None] | None = None) -> None:
        """``crash`` is the tool's."""
        self._faults = faults
        self._crash = crash

    async def call(self, call: Call, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Return what ``ask`` does, late, garbled or not at all."""
        if self._crash is None or self._faults.strike(Stage.MCP).breakdown() is None:
            return await self._use(ask)
        # Begun beside the use, so that it strikes when the use is under way.
        async with alongside(partial(_do, self._crash)):
            return await self._use(ask)

    async def _use(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        struck = self._faults.strike(Stage.TOOL)
        if await _breakdown(struck, ToolError("This was made to fail (STREAM_FAULTS).")) is Kind.GARBAGE:
            return "".join(GARBAGE) + await ask() + "x" * _LONG
        return await ask()


@dataclass
class _Begun:
    """An utterance, a reply or a phrase, and what strikes it."""

    struck: Struck
    given: int = 0
    """Pieces of the answer: partials that say something, tokens, or pieces of speech."""
    crashed: bool = False
    wait: Wait = field(default_factory=Wait)
    delayed: bool = False
    garbage: deque[str] = field(default_factory=lambda: deque(GARBAGE))
    letters: deque[str] = field(default_factory=deque)
    """Of a token that is given one by one."""


class FaultTap(Keeping[_Begun]):
    """Strikes those calls that ``faults`` say."""

    def __init__(self, faults: Faults, stages: Mapping[Stage, object], store: Store) -> None:
        """``stages`` are the engines that may lose their processes, ``store`` the one that may run out of room."""
        super().__init__()
        self._faults = faults
        self._stages = stages
        self._store = store

    async def call(self, call: Call, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Return what ``ask`` does, late, garbled or not at all."""
        match call.asked:
            case "open" | "stream" | "speak":
                self.kept[call] = _Begun(self._faults.strike(_STAGES[call.asked]))
                return await ask()
            case "hypothesize":
                return await self._hypothesize(self.of(call), ask)
            case "settle":
                return await self._settle(self.of(call), ask)
            case "receive":
                return await self._receive(self.of(call), ask)
            case "piece":
                assert call.within is not None
                return await self._speak(self.of(call), ask, len(call.within.arguments["text"]))
            case "recall" | "commit" | "amend":
                await self._suffer(self._faults.strike(Stage.STORE, recall=call.asked == "recall"))
        return await ask()

    # --- an utterance -----------------------------------------------------------------------------------------------

    async def _hypothesize(self, utterance: _Begun, ask: Callable[[], Awaitable[Any]]) -> Hypothesis:
        await _slow(utterance.struck.seconds(Kind.DRIP))
        answer: Hypothesis = await self._recognize(utterance, ask, utterance.given)
        utterance.given += bool(answer.text)
        return answer

    async def _settle(self, utterance: _Begun, ask: Callable[[], Awaitable[Any]]) -> Transcript:
        await _slow(utterance.struck.seconds(Kind.DELAY) + utterance.struck.seconds(Kind.DRIP))
        answer: Transcript = await self._recognize(utterance, ask, inf)
        return answer

    async def _recognize(self, utterance: _Begun, ask: Callable[[], Awaitable[Any]], pieces: float) -> Any:
        kind = utterance.struck.breakdown(pieces)
        if kind is Kind.CRASH:
            # Once an utterance: a recognizer may well try again.
            kind = None if utterance.crashed else kind
            utterance.crashed = True
        return await self._answer(ask, kind, Stage.ASR)

    # --- a reply ----------------------------------------------------------------------------------------------------

    async def _receive(self, reply: _Begun, ask: Callable[[], Awaitable[Any]]) -> ReplyEvent:
        if not reply.delayed:
            if delay_s := reply.struck.seconds(Kind.DELAY):
                await reply.wait(delay_s)
            reply.delayed = True
        drip_s = reply.struck.seconds(Kind.DRIP)
        while not reply.letters:
            event = await self._next(reply, ask)
            if not isinstance(event, TextDelta):
                return event
            reply.given += 1
            if not drip_s:
                return event
            reply.letters.extend(event.text)
        await reply.wait(drip_s)
        return TextDelta(reply.letters.popleft())

    async def _next(self, reply: _Begun, ask: Callable[[], Awaitable[Any]]) -> ReplyEvent:
        kind = reply.struck.breakdown(reply.given)
        if kind is Kind.GARBAGE and reply.garbage:
            await trio.lowlevel.checkpoint()
            return TextDelta(reply.garbage.popleft())
        event: ReplyEvent = await self._answer(ask, kind, Stage.LLM)
        return event

    # --- a phrase ---------------------------------------------------------------------------------------------------

    async def _speak(self, phrase: _Begun, ask: Callable[[], Awaitable[Any]], letters: int) -> Speech | None:
        if not phrase.delayed:
            struck = phrase.struck
            if delay_s := struck.seconds(Kind.DELAY) + struck.seconds(Kind.DRIP) * letters:
                await phrase.wait(delay_s)
            phrase.delayed = True
        piece: Speech | None = await self._answer(ask, phrase.struck.breakdown(phrase.given), Stage.TTS)
        phrase.given += 1
        return piece

    # --- any of them ------------------------------------------------------------------------------------------------

    async def _answer(self, ask: Callable[[], Awaitable[Any]], kind: Kind | None, stage: Stage) -> Any:
        """Return what ``ask`` does, after ``kind`` was done to it. Raises `EngineError`."""
        match kind:
            case Kind.HANG:
                await trio.sleep_forever()
            case Kind.ERROR:
                await trio.lowlevel.checkpoint()
                raise EngineError(_CODES[stage], "This was made to fail (STREAM_FAULTS).")
            case Kind.CRASH:
                engine = self._stages[stage]
                assert isinstance(engine, HasWorkers)
                # Begun beside the call, so that it strikes when the call is under way.
                async with alongside(partial(_do, engine.kill_workers)):
                    return await ask()
            case Kind.GARBAGE:
                return _garbled(await ask())
        return await ask()

    async def _suffer(self, struck: Struck) -> None:
        match await _breakdown(struck, StoreError("this was made to fail (STREAM_FAULTS)")):
            case Kind.FULL if isinstance(self._store, SqliteStore):
                await self._store.use(fill_up)
            case Kind.FULL:
                await trio.lowlevel.checkpoint()
                raise StoreError("database or disk is full")


async def _breakdown(struck: Struck, error: Exception) -> Kind | None:
    """Take as long as ``struck`` makes it; return how it breaks down where it neither hangs nor raises ``error``."""
    await _slow(struck.seconds(Kind.DELAY))
    match kind := struck.breakdown():
        case Kind.HANG:
            await trio.sleep_forever()
        case Kind.ERROR:
            await trio.lowlevel.checkpoint()
            raise error
    return kind


async def _slow(seconds: float) -> None:
    if seconds:
        await trio.sleep(seconds)


async def _do(act: Callable[[], None]) -> None:
    act()
    await trio.lowlevel.checkpoint()


def _garbled(answer: Any) -> Any:
    """Return an answer that the engine may not give."""
    match answer:
        case Hypothesis(text=text):
            return Hypothesis("".join(GARBAGE) + text, -1)
        case Transcript(text=text):
            return Transcript("".join(GARBAGE) + text, "\ud800")
        case Speech():
            # Half a sample too much, at another rate, and words in places where there are none.
            marks = (Mark(10**9, 10**6), Mark(-1, -1), *answer.marks)
            return replace(answer, pcm=answer.pcm + b"\0", sample_rate=answer.sample_rate + 1, marks=marks)
    return answer


def fill_up(database: Database) -> None:
    """Run out of room, as on a full disk: SQLite itself finds that there is no page left. Raises `StoreError`.

    Nothing is changed by it: what was written until then is rolled back.
    """
    (pages,) = database.connection.execute("PRAGMA page_count").fetchone()
    (most,) = database.connection.execute("PRAGMA max_page_count").fetchone()
    database.connection.execute(f"PRAGMA max_page_count = {pages}")
    try:
        with database.transaction() as execute:
            execute("CREATE TABLE filling (bytes BLOB)")
            while True:
                execute("INSERT INTO filling VALUES (zeroblob(?))", (_FILLING_BYTES,))
    finally:
        database.connection.execute(f"PRAGMA max_page_count = {most}")
