"""What belongs to good company: to stop when told to, to say what one can do, and to tell a story."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from voice_trio.core.grammar.sentences import Sentence
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances

_CAN = (
    "I can tell the time and the date anywhere, set timers, alarms and reminders, do sums, convert units, keep lists "
    "and notes, flip a coin, roll dice, tell a story, speak slower or faster, and repeat or forget what was said."
)

_STORY = (
    "The lighthouse at the end of the pier had no ships left to warn, so it had been given to an old clockmaker named "
    "Ilse. Every evening she climbed the ninety-one steps, wound the great lamp, and waited. Nobody came, and nobody "
    "had come for years, but she liked the sound of the gears.\n\n"
    "One night in November, in the thickest fog she had ever seen, she heard a small bell out on the water. It rang "
    "three times, stopped, and rang three times again. Ilse leaned out over the railing and rang the bell of the tower "
    "in reply. Three, and then three.\n\n"
    "For an hour they spoke like that, the two bells, and each time the other one was a little nearer. At last a "
    "rowing boat slid out of the grey, and in it sat a boy with a lantern that had gone out. He had lost the shore, he "
    "said, when he could no longer see his own hands. He had not been looking for the light at all. He had been "
    "listening.\n\n"
    "Ilse made him tea, and dried his coat beside the lamp. In the morning the fog was gone, and so "
    "was the boy, but on "
    "the lowest step stood his little bell, polished until it shone. From then on she left the lamp to itself on foggy "
    "nights. She sat beside the open window, with one bell in each hand, and listened."
)


async def _stop(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    return "Okay."


async def _help(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    return _CAN


async def _tell_story(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    return _STORY


STOP = Skill(
    name="stop",
    description="Does nothing, where the person wants nothing more.",
    does=_stop,
    only_alone=True,
    is_shown=False,
    example="never mind.",
    sentences=(
        Sentence(
            "(stop|stop it|stop that|stop talking|stop it now|halt|quiet|be quiet|silence|shush|hush|shut up|enough)"
        ),
        Sentence("(that is|thats) (enough|all|it|okay|fine)"),
        Sentence("(never mind|nevermind|forget it|do not bother|do not worry|nothing|no nothing|not you)"),
        Sentence("(cancel|cancel that|cancel it|abort|leave it|let it be)"),
        Sentence("(thank you|thanks) [very much|a lot|so much]"),
        Sentence("(okay|all right|good|great|fine|got it|i see)"),
    ),
)
HELP = Skill(
    name="help",
    description="Says what the assistant can do by itself.",
    does=_help,
    only_alone=True,
    is_shown=False,
    example="what can you do?",
    sentences=(
        Sentence("what (can|could|do) you do [for me]"),
        Sentence("what (else|all) can you do"),
        Sentence("what can I (ask|say|do|tell) [you] [here]"),
        Sentence("what (are you|are you able) (able to do|capable of|to do|good at|good for)"),
        Sentence("help [me]"),
        Sentence("how can you help [me]"),
        Sentence("how do (you|this|I) (work|use you|use this)"),
        Sentence("what do you (know|understand)"),
        Sentence("what are your (skills|abilities|commands|features)"),
    ),
)
STORY = Skill(
    name="tell_story",
    description="Tells a short story.",
    does=_tell_story,
    only_alone=True,
    example="tell me a story.",
    sentences=(
        Sentence(
            "(tell|read|give|tell me|read me|give me) (a|the|me a|me the|us a|another|me another|some) "
            "[short|long|bedtime|good|nice|little] story"
        ),
        Sentence("[a|another] [short|long|bedtime|good|nice] story"),
        Sentence("I want [to hear] a story"),
        Sentence("(do you know|have you got|can you tell) [me] (a|any) (story|stories)"),
    ),
)
SKILLS = (STOP, HELP, STORY)
