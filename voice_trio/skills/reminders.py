"""Reminders: what the person wants to be told, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_trio.core.alerts import MAX_LABEL_CHARS
from voice_trio.core.grammar.sentences import Sentence
from voice_trio.skills import alert_words as words, arguments as given
from voice_trio.skills.alarms import MOMENT
from voice_trio.skills.moments import moment
from voice_trio.skills.putting import put
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError

_AROUND = " .,;:!?\"'“”"


async def _set(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    what = given.text(arguments, "what", most=MAX_LABEL_CHARS).strip(_AROUND)
    if not what:
        raise ToolError("I did not make out what to remind you of.")
    due = moment(arguments, circumstances.now, afternoons=True)
    fields = {"due_at": due.at, "zone": due.zone, "wall": due.wall, "weekdays": due.weekdays}
    alert = await put(circumstances, means, kind="reminder", label=what, **fields)
    in_a_while = "" if due.wall else f"in {words.length(due.at - circumstances.now.timestamp())}"
    return f"I will remind you to {words.yours(what)} {in_a_while or f'at {words.when(alert, circumstances.now)}'}."


_REMIND = "(remind me|do not let me forget|make sure I do not forget)"
_SET = "(set|make|create|add|give me|set me|set up) (a|another) reminder"

SET = Skill(
    name="set_reminder",
    description="Reminds the person of something at a time, once or each week; it is told aloud.",
    does=_set,
    properties={
        "what": {"type": "string", "description": "What to do, in the person's own words: call my mum"},
        **MOMENT,
    },
    required=("what",),
    has_effects=True,
    example="remind me to water the plants in ten minutes.",
    sentences=(
        *(
            sentence
            for begin in (f"{_REMIND} to {{what:text}}", f"{_SET} (to|for|that) {{what:text}}")
            for sentence in (
                Sentence(f"{begin} in {{after:duration}} [from now]"),
                Sentence(f"{begin} {{after:duration}} from now"),
                Sentence(f"{begin} (at|by) {{at:clocktime}}"),
                Sentence(f"{begin} (at|by) {{at:clocktime}} [on] {{day:someday}}"),
                Sentence(f"{begin} {{day:someday}}"),
                Sentence(f"{begin} {{day:someday}} (at|by) {{at:clocktime}}"),
                Sentence(f"{begin} {{every:weekly}} at {{at:clocktime}}"),
                Sentence(f"{begin} at {{at:clocktime}} {{every:weekly}}"),
            )
        ),
        *(
            sentence
            for begin in (_REMIND, _SET)
            for sentence in (
                Sentence(f"{begin} [for|in] {{after:duration}} [from now] (to|for) {{what:text}}"),
                Sentence(f"{begin} (at|by|for) {{at:clocktime}} (to|for) {{what:text}}"),
                Sentence(f"{begin} (at|by|for) {{at:clocktime}} [on] {{day:someday}} (to|for) {{what:text}}"),
                Sentence(f"{begin} [for] {{day:someday}} (at|by) {{at:clocktime}} (to|for) {{what:text}}"),
                Sentence(f"{begin} [for] {{day:someday}} (to|for) {{what:text}}"),
                Sentence(f"{begin} {{every:weekly}} at {{at:clocktime}} to {{what:text}}"),
            )
        ),
        Sentence("(in|at) {after:duration} remind me to {what:text}"),
        Sentence("at {at:clocktime} remind me to {what:text}"),
        Sentence("{day:someday} at {at:clocktime} remind me to {what:text}"),
        Sentence("remind me to {what:text}"),
    ),
)
SKILLS = (SET,)
