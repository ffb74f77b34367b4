"""Tools of the server in use: each call is a task inside of its reply, under a limit of time, and ends with it.

Whatever becomes of a call is an answer to the language model: a result, why there is none, or that it was no call at
all. None of it ends the turn.

What a tool with effects has begun is not begun again in the same turn by the same call, whether its reply goes on, was
void, or asks twice: then the first answer counts once more. A draft does not begin it at all, but waits until it is the
reply.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import trio

from voice_trio.core.called import MAX_CALL_CHARS, MAX_NAME_CHARS, UNANSWERED, Called, arguments_in, bounded
from voice_trio.core.errors import leaves
from voice_trio.core.history import Message
from voice_trio.core.items import ToolUse, own_use_id
from voice_trio.core.messages import CallState, ToolCalled
from voice_trio.core.strange_text import mend
from voice_trio.core.timeline import Stage
from voice_trio.engines.base import Prompt, ToolCall
from voice_trio.session.outbox import Outbox
from voice_trio.session.outlet import Outlet
from voice_trio.session.question import Hands
from voice_trio.session.report import report
from voice_trio.toolbox.base import ServerTool, ToolError

AT_ONCE = 8
"""Calls that are made of those that a model asks for together; the others are as if it had not asked."""

RESULTS_CHARS = 24_000
"""Of all results in a reply: of what comes then, no more than `LEAST_CHARS` of each is left."""

LEAST_CHARS = 400

_FAILED = "The tool failed."

_ASK = (
    "Not done yet: it needs the person's yes. Ask them now, in one short question that says exactly what will be done. "
    "When they say yes, it is done, and you are told."
)
_ASK_ALONE = "Not done: it needs the person's yes, and they can be asked for one thing at a time."


@dataclass(slots=True, eq=False)
class Use:
    """One call, as far as it has come."""

    call: str
    number: int
    name: str
    arguments: str
    """An object, in JSON."""
    state: CallState = CallState.STARTED
    result: str = ""
    again: Use | None = None
    """The one before it of which this is a repetition, and has the answer."""
    over: trio.Event = field(default_factory=trio.Event)

    @property
    def is_answered(self) -> bool:
        """Whether the tool came to its answer, or could give none; else nobody knows what it did."""
        return self.state in (CallState.DONE, CallState.FAILED)

    def end(self, state: CallState, result: str) -> None:
        """It is over, and ``result`` is what the model is told."""
        self.state, self.result = state, result


class Deeds:
    """What tools of the server do in one turn, over all that the turn tries. None of it waits."""

    def __init__(self, turn: int, session: str) -> None:
        """``session`` is the name that the log has for the session."""
        self.turn = turn
        self.session = session
        self.covered = False
        """Whether the time that a tool took was bridged."""
        self._effects: dict[tuple[str, str], Use] = {}
        """By name and arguments: the calls of tools with effects that were begun, and not declined by the tool."""
        self._told: dict[str, Use] = {}
        """By id: those of which it was said that they started, and not yet how they ended."""
        self._numbers = 0

    def new(self, call: ToolCall, arguments: str) -> Use:
        """Return a call that is about to be made."""
        number, self._numbers = self._numbers, self._numbers + 1
        return Use(own_use_id(self.turn, number), number, mend(call.name)[:MAX_NAME_CHARS], arguments)

    def began(self, use: Use) -> Use | None:
        """Have ``use`` have an effect now, unless the same was begun before: then return that."""
        key = _key(use)
        if (before := self._effects.get(key)) is None:
            self._effects[key] = use
        return before

    def has_begun(self, use: Use) -> bool:
        """Return whether the same was begun before, with an effect."""
        return _key(use) in self._effects

    def after_effects(self, prompt: Prompt, agreed: ToolCall | None) -> Prompt:
        """Return ``prompt`` as it is asked behind what had effects in this turn, before it was taken up anew.

        What the person has ``agreed`` to is told once it is asked for again.
        """
        done = [
            use if use.is_answered else replace(use, result=UNANSWERED)
            for use in self._effects.values()
            if agreed is None or _key(use) != _key(agreed)
        ]
        return following(prompt, "", done, more=True) if done else prompt

    def declined(self, use: Use) -> None:
        """The tool says that it did not do it: it may be asked again."""
        self._effects = {key: one for key, one in self._effects.items() if one is not use}

    def start(self, use: Use) -> ToolCalled:
        """Return what says that it starts."""
        self._told[use.call] = use
        return self._event(use, CallState.STARTED)

    def end(self, use: Use) -> ToolCalled:
        """Return what says how it ended."""
        del self._told[use.call]
        return self._event(use, use.state)

    def end_rest(self, outbox: Outbox) -> None:
        """Say the ends that were not said, of calls that nobody is at any more."""
        for use in [*self._told.values()]:
            if use.state is CallState.STARTED:
                use.state = CallState.CANCELLED
            outbox.append(self.end(use))

    def calls(self, uses: Sequence[Use]) -> tuple[Called, ...]:
        """Return what is to be remembered: the ``uses`` of the reply, and what had effects and is of none.

        What was done once is in it once.
        """
        made = {use.again or use for use in uses} | {*self._effects.values()}
        return tuple(map(_called, sorted(made, key=lambda use: use.number)))

    def _event(self, use: Use, state: CallState) -> ToolCalled:
        result = use.result if state in (CallState.DONE, CallState.FAILED) else None
        return ToolCalled(
            turn=self.turn, call=use.call, name=use.name, arguments=use.arguments, state=state, result=result
        )


def _called(use: Use) -> Called:
    state = CallState.CANCELLED if use.state is CallState.STARTED else use.state
    return Called(name=use.name, arguments=use.arguments, result=use.result, state=state)


def _key(use: Use | ToolCall) -> tuple[str, str]:
    return use.name, json.dumps(json.loads(use.arguments), sort_keys=True)


class Using:
    """The calls of one reply."""

    def __init__(self, deeds: Deeds, timeout_s: float) -> None:
        """Each may take ``timeout_s``."""
        self.uses: list[Use] = []
        """Those that were begun."""
        self.wanted: ToolCall | None = None
        """The first that waits for the person's yes."""
        self._deeds = deeds
        self._timeout_s = timeout_s
        self._left_chars = RESULTS_CHARS

    async def use(self, calls: Sequence[ToolCall], hands: Hands, outlet: Outlet, *, agreed: bool = False) -> list[Use]:
        """Make ``calls`` side by side, `AT_ONCE` at most, and return them, in their order, when all have an answer.

        They begin in that order, but those first that wait for nothing. ``agreed`` says that the person has said yes.
        """
        made = [self._checked(call, hands, agreed=agreed) for call in calls[:AT_ONCE]]
        tools = {use.call: hands.tools[use.name] if use.state is CallState.STARTED else None for use in made}
        async with trio.open_nursery() as nursery:
            for use in sorted(made, key=lambda use: _waits(tools[use.call])):
                await nursery.start(self._make, use, tools[use.call], hands, outlet)
        return made

    def _checked(self, call: ToolCall, hands: Hands, *, agreed: bool) -> Use:
        """Return the use that ``call`` is, which is over already where it cannot be made."""
        arguments = arguments_in(call.arguments)
        use = self._deeds.new(call, "{}" if arguments is None else arguments)
        if use.name not in hands.tools:
            there = f"There is no tool {use.name!r}; there are {', '.join(hands.tools)}."
            use.end(CallState.FAILED, bounded(there, LEAST_CHARS))
        elif arguments is None:
            use.end(CallState.FAILED, "The arguments are no object in JSON.")
        elif len(arguments) > MAX_CALL_CHARS:
            use.arguments = "{}"
            use.end(CallState.FAILED, f"The arguments are longer than {MAX_CALL_CHARS} characters.")
        elif hands.tools[use.name].confirm and not agreed and not self._deeds.has_begun(use):
            use.end(CallState.FAILED, _ASK if self.wanted in (None, call) else _ASK_ALONE)
            self.wanted = self.wanted or call
        return use

    async def _make(
        self,
        use: Use,
        tool: ServerTool | None,
        hands: Hands,
        outlet: Outlet,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Say that the call starts, have it made if it can be, and say how it ended."""
        if _waits(tool):
            await outlet.wait_open()
        await outlet.say(partial(self._deeds.start, use))
        # The others begin after this one has: there is no checkpoint before the tool's own first.
        task_status.started()
        self.uses.append(use)
        try:
            if tool is not None and use.state is CallState.STARTED:
                await self._answer(use, tool, hands, outlet)
        finally:
            use.over.set()
        self._left_chars -= len(use.result)
        await outlet.say(partial(self._deeds.end, use))

    async def _answer(self, use: Use, tool: ServerTool, hands: Hands, outlet: Outlet) -> None:
        before = self._deeds.began(use) if tool.has_effects else None
        if before is None:
            with outlet.during(Stage.TOOL, use.name):
                await self._ask(use, tool, hands)
            return
        await before.over.wait()
        use.again = before
        if before.is_answered:
            use.end(before.state, before.result)
        else:
            use.end(CallState.FAILED, UNANSWERED)

    async def _ask(self, use: Use, tool: ServerTool, hands: Hands) -> None:
        limit = trio.CancelScope(deadline=trio.current_time() + self._timeout_s)
        try:
            with limit:
                result = await tool.use(json.loads(use.arguments), hands.circumstances())
                if not isinstance(result, str):
                    raise TypeError(f"the tool {tool.tool.name} returned {type(result).__name__}, and no text")
                most = min(MAX_CALL_CHARS, max(LEAST_CHARS, self._left_chars))
                use.end(CallState.DONE, bounded(mend(result[: most + 1]), most))
        except* (Exception, SystemExit) as group:
            self._fail(use, group)
        if use.state is CallState.STARTED:
            doubt = " It may be done all the same." if tool.has_effects else ""
            use.end(CallState.FAILED, f"The tool did not answer within {self._timeout_s:g} seconds.{doubt}")

    def _fail(self, use: Use, error: BaseException) -> None:
        causes = [*leaves(error)]
        if all(isinstance(cause, ToolError) for cause in causes):
            self._deeds.declined(use)
            use.end(CallState.FAILED, bounded(mend(str(causes[0]) or _FAILED), LEAST_CHARS))
        else:
            # What it says is for the log alone: it may be anything.
            report(error, session=self._deeds.session, turn=self._deeds.turn)
            use.end(CallState.FAILED, _FAILED)


def _waits(tool: ServerTool | None) -> bool:
    """Return whether a call of ``tool`` waits for a draft to become the reply."""
    return tool is not None and tool.has_effects


def following(prompt: Prompt, text: str, uses: Sequence[Use], *, more: bool) -> Prompt:
    """Return what is asked next: ``prompt``, what the model said to it, its calls and their answers.

    Without ``more`` it can ask for no tools. What it was forced to ask for, it did.
    """
    calls = tuple(ToolUse(id=use.call, call=use.call, name=use.name, arguments=use.arguments) for use in uses)
    asked = Message("assistant", text, calls=calls)
    answers = [Message("tool", use.result, answers=use.call) for use in uses]
    messages = [*prompt.messages, asked, *answers]
    return replace(prompt, messages=messages, tools=prompt.tools if more else (), tool_choice="auto")
