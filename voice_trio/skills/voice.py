"""How replies are spoken: faster, slower, and what is not ours to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from voice_trio.core.grammar.sentences import Sentence
from voice_trio.skills import arguments as given
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError

_SLOWEST, _FASTEST = 0.5, 2.0
_STEP = 1.25
_SPEEDS = ("slower", "faster", "normal")
_SLOWER, _FASTER, _NORMAL = ({"speed": speed} for speed in _SPEEDS)
_MUCH = "[a bit|a little|a little bit|much|even|a lot]"


async def _set_speed(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    control = circumstances.control
    match given.one_of(arguments, "speed", _SPEEDS):
        case "normal":
            control.speak_at(1.0)
            return "I speak at my normal speed again."
        case "slower":
            speed = max(control.speed / _STEP, _SLOWEST)
        case _:
            speed = min(control.speed * _STEP, _FASTEST)
    direction = "slower" if speed < control.speed else "faster"
    if speed == control.speed:
        raise ToolError(f"I cannot speak any {arguments['speed']}.")
    control.speak_at(speed)
    return f"I speak {direction} from now on."


async def _volume(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    return "The volume is your device's: please change it there."


SPEED = Skill(
    name="set_speed",
    description="Has replies spoken slower, faster or at the normal speed from now on.",
    does=_set_speed,
    properties={"speed": {"type": "string", "enum": [*_SPEEDS], "description": "Which way"}},
    required=("speed",),
    has_effects=True,
    example="speak slower.",
    sentences=(
        Sentence(f"(speak|talk|read|go|say it) {_MUCH} (slower|more slowly|slowly|slow) [from now on]", _SLOWER),
        Sentence(f"{_MUCH} (slower|more slowly)", _SLOWER),
        # So it is heard where the two words are said as one.
        Sentence("speaks lower", _SLOWER),
        Sentence("you (speak|talk|are speaking|are talking) [much] too (fast|quickly)", _SLOWER),
        Sentence("(that is|you are|that was) [much] too (fast|quick)", _SLOWER),
        Sentence("(slow down|not so fast) [a bit|a little|a little bit]", _SLOWER),
        Sentence(
            f"(speak|talk|read|go|say it) {_MUCH} (faster|more quickly|quicker|fast|quickly) [from now on]", _FASTER
        ),
        Sentence(f"{_MUCH} (faster|more quickly|quicker)", _FASTER),
        Sentence("you (speak|talk|are speaking|are talking) [much] too (slow|slowly)", _FASTER),
        Sentence("(that is|you are|that was) [much] too slow", _FASTER),
        Sentence("speed up [a bit|a little|a little bit]", _FASTER),
        Sentence("(speak|talk|go) [back] [at|to] [a|the|your] normal [speed|rate|pace] [again]", _NORMAL),
        Sentence("(speak|talk) normally [again]", _NORMAL),
        Sentence("[back to|go back to|use] [the|your] normal (speed|pace) [again]", _NORMAL),
        Sentence("(reset|restore) [the|your] [speaking] speed", _NORMAL),
    ),
)
VOLUME = Skill(
    name="set_volume",
    description="Says that the volume cannot be changed by the assistant.",
    does=_volume,
    properties={"level": {"type": "number", "description": "What the person wants it to be, in percent"}},
    only_alone=True,
    is_shown=False,
    example="speak louder.",
    sentences=(
        Sentence(f"(speak|talk|be) {_MUCH} (louder|quieter|softer|more quietly|more loudly|more softly)"),
        Sentence(f"{_MUCH} (louder|quieter|softer)"),
        Sentence(f"(turn|put) (it|the volume|the sound|yourself|that) (up|down) {_MUCH}"),
        Sentence("(turn) (up|down) the (volume|sound)"),
        Sentence("(volume|sound) (up|down)"),
        Sentence("(raise|lower|increase|decrease|change) [the|your] volume"),
        Sentence("[set] [the] volume (to|at) {level:number} [percent]"),
        Sentence("speak up"),
        Sentence("(that is|you are) too (loud|quiet)"),
    ),
)
SKILLS = (SPEED, VOLUME)
