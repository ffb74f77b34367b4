"""Alarms: a time of the day, once or on days of each week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_trio.core.alerts import MAX_LABEL_CHARS
from voice_trio.core.grammar.sentences import Sentence
from voice_trio.skills import alert_words as words, arguments as given
from voice_trio.skills.moments import moment
from voice_trio.skills.putting import put
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances

MOMENT = {
    "at": {
        "type": "string",
        "description": "The time of the day, 24 hours: 07:30, 19:00; or in words, and it is the next such time",
    },
    "day": {"type": "string", "description": "Which day, if one was said: tomorrow, friday, march 3rd, 2026-03-05"},
    "every": {"type": "string", "description": "Each week again: day, weekday, weekend, monday and friday"},
    "after": {"type": "string", "description": "Instead of a time: how long from now, such as 20 minutes"},
}


async def _set(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    label = given.text(arguments, "name", most=MAX_LABEL_CHARS)
    due = moment(arguments, circumstances.now, afternoons=False)
    fields = {"due_at": due.at, "zone": due.zone, "wall": due.wall, "weekdays": due.weekdays}
    alert = await put(circumstances, means, kind="alarm", label=label, **fields)
    return f"I set an alarm for {words.when(alert, circumstances.now)}."


_WAKE = "(wake me|wake me up|get me up)"
_SET = "(set|make|create|add|set up|put|set me|turn on|I need) (a|an|the|my|another) alarm [clock]"

SET = Skill(
    name="set_alarm",
    description="Sets an alarm for a time of the day, once or each week; when it is due, it is told aloud.",
    does=_set,
    properties={**MOMENT, "name": {"type": "string", "description": "What it is for, if the person said so"}},
    has_effects=True,
    example="wake me at seven.",
    sentences=(
        Sentence(f"{_WAKE} (at|by|around) {{at:morning}}"),
        Sentence(f"{_WAKE} (at|by|around) {{at:morning}} [on] {{day:someday}}"),
        Sentence(f"{_WAKE} [on] {{day:someday}} (at|by|around) {{at:morning}}"),
        Sentence(f"{_WAKE} (at|by) {{at:morning}} {{every:weekly}}"),
        Sentence(f"{_WAKE} {{every:weekly}} (at|by) {{at:morning}}"),
        Sentence(f"{_WAKE} in {{after:duration}}"),
        Sentence(f"{_SET} (for|at|to) {{at:clocktime}}"),
        Sentence(f"{_SET} (for|at|to) {{at:clocktime}} [on|for] {{day:someday}}"),
        Sentence(f"{_SET} [for|on] {{day:someday}} (at|for) {{at:clocktime}}"),
        Sentence(f"{_SET} (for|at) {{at:morning}} {{every:weekly}}"),
        Sentence(f"{_SET} [for] {{every:weekly}} (at|for) {{at:morning}}"),
        Sentence(f"{_SET} [for] {{after:duration}} from now"),
        Sentence(f"{_SET} (for|in) {{after:duration}}"),
        Sentence("(set|make) (a|an|the) {at:clocktime} alarm [for {day:someday}]"),
        Sentence("[an|the] alarm (at|for) {at:clocktime}"),
        Sentence("[an|the] alarm (at|for) {at:clocktime} [on|for] {day:someday}"),
        Sentence("[an|the] alarm [for|on] {day:someday} at {at:clocktime}"),
    ),
)
SKILLS = (SET,)
