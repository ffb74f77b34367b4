"""A tap that breaks what passes it when it is told to, at any moment.

It also keeps a note of what was asked and what was given, which is what a session is held against.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import trio

from voice_trio.core.history import Message, Record
from voice_trio.engines.base import TextDelta, Transcript
from voice_trio.tap import Call, Tap

T = TypeVar("T")


class Breaker:
    """Stands between an engine and who uses it. What it breaks is the call under way, or if there is none the next."""

    def __init__(self) -> None:
        self.busy = 0
        """Calls under way."""
        self.open = 0
        """Utterances, replies or phrases that are open."""
        self.raised = 0
        """Calls that were broken by an error."""
        self._fault: Exception | None = None
        self._hangs = False
        self._under_way: set[trio.CancelScope] = set()

    def fail(self, error: Exception) -> None:
        """Have one call raise ``error``."""
        self._fault = error
        self._break()

    def hang(self) -> None:
        """Have one call never answer."""
        self._hangs = True
        self._break()

    def mend(self) -> None:
        """Work again."""
        self._fault, self._hangs = None, False

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` does, or break."""
        self.busy += 1
        try:
            with trio.CancelScope() as scope:
                if not self._broken:
                    self._under_way.add(scope)
                    return await work()
            await trio.lowlevel.checkpoint_if_cancelled()
            if self._hangs:
                self._hangs = False
                await trio.sleep_forever()
            error, self._fault = self._fault, None
            assert error is not None
            self.raised += 1
            raise error
        finally:
            self._under_way.discard(scope)
            self.busy -= 1

    @property
    def _broken(self) -> bool:
        return self._hangs or self._fault is not None

    def _break(self) -> None:
        for scope in self._under_way:
            scope.cancel()


@dataclass
class Breakers:
    """The stages of a turn, and the store."""

    asr: Breaker = field(default_factory=Breaker)
    llm: Breaker = field(default_factory=Breaker)
    tts: Breaker = field(default_factory=Breaker)
    tool: Breaker = field(default_factory=Breaker)
    store: Breaker = field(default_factory=Breaker)

    @property
    def stages(self) -> tuple[Breaker, Breaker, Breaker]:
        """The engines, which may not be at work any more when a turn ends, and nor may a tool."""
        return self.asr, self.llm, self.tts

    def mend(self) -> None:
        """Have everything work again."""
        for breaker in (*self.stages, self.tool, self.store):
            breaker.mend()

    def at_work(self, *, but_asr: bool = False) -> int:
        """Return how many calls of the stages and of tools are under way, and how much is open."""
        stages = (self.llm, self.tts, self.tool) if but_asr else (*self.stages, self.tool)
        return sum(breaker.busy + breaker.open for breaker in stages)


class BreakingTap(Tap):
    """Calls of the engines, of tools and of the store, each with its breaker before it."""

    def __init__(self, committing: Callable[[Record], None]) -> None:
        """``committing`` is called with each record before it is written."""
        self.breakers = Breakers()
        self.transcripts: list[str] = []
        """What the recognizer settled on, in order."""
        self.prompts: list[Sequence[Message]] = []
        """What the language model was asked, in order."""
        self.replies: list[str] = []
        """What it wrote, in order."""
        self.records: list[Record] = []
        """What the store wrote, in order."""
        self.uses: list[tuple[int, str, str]] = []
        """Turn, name and arguments of the uses of tools that were begun, in order."""
        self._committing = committing

    async def call(self, call: Call, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what ``ask`` does, or break."""
        breakers = self.breakers
        match call.asked:
            case "open":
                breakers.asr.open += 1
                return await ask()
            case "stream":
                self.prompts.append(tuple(call.arguments["prompt"].messages))
                self.replies.append("")
                breakers.llm.open += 1
                return await ask()
            case "hypothesize":
                return await breakers.asr.call(ask)
            case "settle":
                answer = await breakers.asr.call(ask)
                assert isinstance(answer, Transcript)
                self.transcripts.append(answer.text)
                return answer
            case "receive":
                answer = await breakers.llm.call(ask)
                if isinstance(answer, TextDelta):
                    self.replies[-1] += answer.text
                return answer
            case "speak":
                breakers.tts.open += 1
                return await ask()
            case "piece":
                return await breakers.tts.call(ask)
            case "use":
                told = call.arguments
                self.uses.append((told["turn"], told["name"], repr(told["arguments"])))
                return await breakers.tool.call(ask)
            case "commit":
                self._committing(call.arguments["record"])
                answer = await breakers.store.call(ask)
                self.records.append(call.arguments["record"])
                return answer
        return await ask()

    def left(self, begun: Call) -> None:
        """Note that it is closed."""
        breakers = self.breakers
        breaker = {"open": breakers.asr, "stream": breakers.llm, "speak": breakers.tts}[begun.asked]
        breaker.open -= 1
