"""Timers: set, told how much is left, and cancelled; what is cancelled and told may be an alarm or a reminder, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from voice_trio.core.alerts import MAX_LABEL_CHARS, Alert
from voice_trio.core.grammar.sentences import Sentence
from voice_trio.core.grammar.tokens import tokens
from voice_trio.skills import alert_words as words, arguments as given, spoken
from voice_trio.skills.moments import length
from voice_trio.skills.putting import put
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError

_NO_NAME = ("the", "my", "a", "an", "oclock")
_NEAR = 0.8
"""As alike names of timers are one: `difflib` has it."""
KINDS = ("timer", "alarm", "reminder")


async def _set(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    takes = length(given.text(arguments, "duration"))
    name = _plain(given.text(arguments, "name", most=MAX_LABEL_CHARS))
    due_at = circumstances.now.timestamp() + takes.total_seconds()
    await put(circumstances, means, kind="timer", label=name, due_at=due_at)
    return f"I set a {f'{name} ' if name else ''}timer for {words.length(takes.total_seconds())}."


async def _tell(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    kind, name = _kind(arguments), _plain(given.text(arguments, "name", most=MAX_LABEL_CHARS))
    alerts = [alert for alert in await means.alerts.of(circumstances.conversation) if kind in ("", alert.kind)]
    if not alerts:
        return f"There is no {kind or 'timer, alarm or reminder'}."
    if name:
        alerts = _meant(alerts, name)
    return " ".join(_told(alert, circumstances) for alert in alerts)


async def _cancel(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    kind, name = _kind(arguments), _plain(given.text(arguments, "name", most=MAX_LABEL_CHARS))
    alerts = [alert for alert in await means.alerts.of(circumstances.conversation) if kind in ("", alert.kind)]
    if not alerts:
        raise ToolError(f"There is no {kind or 'timer, alarm or reminder'} to cancel.")
    if name:
        alerts = _meant(alerts, name)
    if arguments.get("all") is not True and len(alerts) > 1:
        listed = spoken.listed([words.called(alert) for alert in alerts])
        raise ToolError(f"Which one? There are {listed}.")
    await means.alerts.remove(circumstances.conversation, [alert.id for alert in alerts])
    circumstances.control.alerts_changed()
    return f"I cancelled {spoken.listed([words.called(alert) for alert in alerts])}."


def _meant(alerts: Sequence[Alert], name: str) -> list[Alert]:
    """Return those of ``alerts`` that are called so, or are due then. Raises `ToolError` where none is."""
    by_name: dict[str, list[Alert]] = {}
    for alert in alerts:
        names = [alert.label, words.yours(alert.label)] if alert.label else []
        for one in {_plain(one).replace(":00", "") for one in (*names, words.called(alert).removeprefix("your "))}:
            by_name.setdefault(one, []).append(alert)
    near = get_close_matches(name, by_name, 1, _NEAR) or [key for key in by_name if f" {name} " in f" {key} "][:1]
    if not near:
        raise ToolError(f"There is none called {name}.")
    return by_name[near[0]]


def _told(alert: Alert, circumstances: Circumstances) -> str:
    name = spoken.sentence(words.called(alert))
    left = alert.due_at - circumstances.now.timestamp()
    if left <= 0:
        return f"{name} is due now."
    if alert.kind == "timer":
        return f"{name} has {words.left(left)} left."
    if alert.kind == "alarm":
        return f"You have an alarm at {words.when(alert, circumstances.now)}."
    return f"{name} is for {words.when(alert, circumstances.now)}."


def _kind(arguments: Mapping[str, Any]) -> str:
    return given.one_of(arguments, "kind", KINDS) if given.text(arguments, "kind") else ""


def _plain(name: str) -> str:
    return " ".join(token.word for token in tokens(name) if token.word not in _NO_NAME)


_WHICH = {"type": "string", "enum": [*KINDS], "description": "Which kind; all of them if left out"}
_NAME = {"type": "string", "description": "What it is called, such as pasta; left out where there is but one"}
_TIMER, _ALARM, _REMINDER = ({"kind": kind} for kind in KINDS)
_ALL = {"all": True}
_BEGIN = "(set|start|make|create|begin|run|put on|give me|add|set up|I need|start me|set me)"
_EVERY = "[all|both] [of] [my|the|your]"
_ENDING = "(cancel|stop|delete|remove|turn off|clear|end|kill|switch off|get rid of)"

SET = Skill(
    name="set_timer",
    description="Sets a timer, which is told aloud when it is up.",
    does=_set,
    properties={
        "duration": {"type": "string", "description": "How long, such as 10 minutes, or an hour and a half"},
        "name": {"type": "string", "description": "What it is for, such as pasta, if the person said so"},
    },
    required=("duration",),
    has_effects=True,
    example="set a timer for ten minutes.",
    sentences=(
        Sentence(f"{_BEGIN} (a|the|my|an|another|one) [new] timer (for|of|to|at) {{duration}}"),
        Sentence(f"{_BEGIN} [a|the|another|an|one] {{duration}} timer"),
        Sentence(f"{_BEGIN} [a|the|another|an|one] {{duration}} timer (for|called|named) {{name:timername}}"),
        Sentence(f"{_BEGIN} (a|an|the|my|another) {{name:timername}} timer (for|of|to|at) {{duration}}"),
        Sentence(f"{_BEGIN} (a|the|another) timer (for|called|named) {{name:timername}} (for|of|to|at) {{duration}}"),
        Sentence(f"{_BEGIN} (a|the|another) timer (for|of) {{duration}} (for|called|named) {{name:timername}}"),
        Sentence("[a] timer [for|of] {duration}"),
        Sentence("[a|another] {duration} timer"),
        Sentence("{name:timername} timer [for|of] {duration}"),
        Sentence("(set|time|count|count down|countdown) {duration}"),
        Sentence("(set|start) [a] countdown (for|of|from) {duration}"),
        Sentence("count down from {duration}"),
        Sentence("(tell|ping|alert|call|notify) me in {duration}"),
        Sentence("(tell|let) me [know] when {duration} (is up|are up|are over|have passed|has passed|are gone)"),
    ),
)
TELL = Skill(
    name="check_timers",
    description="Tells how much time is left on timers, and which alarms and reminders there are.",
    does=_tell,
    properties={"kind": _WHICH, "name": _NAME},
    is_shown=False,
    example="how much time is left?",
    sentences=(
        Sentence(
            "how (much time|long|much|many minutes) (is|do I have|have I got|is there|does it have) [left|still]"
            " (left|remaining|to go) [on|in|for|of] [the|my] [timer|timers]",
            _TIMER,
        ),
        Sentence("how (much time|long|much) is left (on|for) [the|my] {name:timername} [timer]", _TIMER),
        Sentence("how (much time|long|much) does (the|my) {name:timername} timer have [left]", _TIMER),
        Sentence("how (much time|long|much) does (the|my) timer have [left]", _TIMER),
        Sentence("how much longer [on|for|is] [the|my] [timer]", _TIMER),
        Sentence("how much longer (on|for) (the|my) {name:timername} [timer]", _TIMER),
        Sentence("(check|show|read|tell|list) [me] [all] (the|my) (timer|timers)", _TIMER),
        Sentence("(how is|what is|what about) (the|my) (timer|timers) [doing|at]", _TIMER),
        Sentence("(what|which|how many) timers (do I have|have I got|are there|are running|are set|are on)", _TIMER),
        Sentence("(do I have|are there|is there|have I set) (any|a) (timer|timers) [running|set|on]", _TIMER),
        Sentence("(what|which|how many) alarms (do I have|have I got|are there|are set|are on)", _ALARM),
        Sentence("(check|show|read|tell|list) [me] [all] (the|my) (alarm|alarms)", _ALARM),
        Sentence("(when|what time) is my [next] alarm [set for|for|set]", _ALARM),
        Sentence("(do I have|are there|is there|have I set) (any|an|my) (alarm|alarms) [set|on]", _ALARM),
        Sentence("(when|what time) (do|will) (I|you) wake [me] up", _ALARM),
        Sentence("(what|which|how many) reminders (do I have|have I got|are there|are set)", _REMINDER),
        Sentence("(check|show|read|tell|list) [me] [all] (the|my) (reminder|reminders)", _REMINDER),
        Sentence("(do I have|are there|is there|have I set) (any|a) (reminder|reminders) [set]", _REMINDER),
        Sentence("what (are you going to|will you|do you have to) remind me (of|about)", _REMINDER),
    ),
)
CANCEL = Skill(
    name="cancel_timer",
    description="Cancels a timer, an alarm or a reminder, or all of them.",
    does=_cancel,
    properties={
        "kind": _WHICH,
        "name": {**_NAME, "description": "What it is called or when it is due; left out where there is but one"},
        "all": {"type": "boolean", "description": "Whether all of the kind are meant"},
    },
    has_effects=True,
    is_shown=False,
    example="cancel the timer.",
    sentences=(
        Sentence(f"{_ENDING} (the|my|that|this) timer", _TIMER),
        Sentence(f"{_ENDING} (the|my|that|this) {{name:timername}} timer", _TIMER),
        Sentence(f"{_ENDING} (the|my) timer (for|called|named) [the] {{name:timername}}", _TIMER),
        Sentence(f"{_ENDING} {_EVERY} timers", {**_TIMER, **_ALL}),
        Sentence(f"{_ENDING} (the|my|that|this) alarm", _ALARM),
        Sentence(f"{_ENDING} (the|my|that|this) {{name:timername}} alarm", _ALARM),
        Sentence(f"{_ENDING} (the|my|that) alarm (for|at|called) {{name:timername}}", _ALARM),
        Sentence(f"{_ENDING} {_EVERY} alarms", {**_ALARM, **_ALL}),
        Sentence(f"{_ENDING} (the|my|that|this) reminder", _REMINDER),
        Sentence(f"{_ENDING} (the|my|that) reminder (to|about|for|of) {{name:text}}", _REMINDER),
        Sentence(f"{_ENDING} {_EVERY} reminders", {**_REMINDER, **_ALL}),
        Sentence("(do not|never mind) (wake me|wake me up) [tomorrow|anymore|any more]", _ALARM),
    ),
)
SKILLS = (SET, TELL, CANCEL)
