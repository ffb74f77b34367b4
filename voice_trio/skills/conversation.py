"""What was said, said again or forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import trio

from voice_trio.core.grammar.sentences import Sentence
from voice_trio.core.items import ToolOutput, Words
from voice_trio.skills import spoken
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError

_LONGEST_CHARS = 2000
_BETWEEN = " \n.,;:!?-"
"""No sentence begins with that."""
_GOES_BACK = 3
"""Replies: what was cut off by a noise may be followed by an answer to that."""


async def _repeat(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    replies = _words(circumstances, "assistant")
    if not replies:
        raise ToolError("I have not said anything yet.")
    return replies[-1][:_LONGEST_CHARS]


async def _go_on(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    answer = ""
    replies: list[tuple[str, str]] = []
    """What was written of each, and what was not heard."""
    for item in circumstances.items:
        match item:
            case Words(by="person"):
                answer = ""
            case ToolOutput(output=output):
                answer = output.strip()
            case Words(by="assistant", text=text, heard=heard) if text:
                # What was cut off may not have been written to its end, but the tool's answer has all of it.
                whole = answer if answer.startswith(text.rstrip()) else text
                replies.append((text.strip(), "" if heard is None else whole[heard:].lstrip(_BETWEEN)))
    latest = replies[-_GOES_BACK:]
    for at, (_, rest) in reversed([*enumerate(latest)]):
        # What was told of it since is its beginning.
        if rest and not any(rest.startswith(written) for written, _ in latest[at + 1 :]):
            return rest
    raise ToolError("I was not saying anything more.")


async def _what_was_said(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    # The last of them are those that ask for it.
    said = _words(circumstances, "person")[:-1]
    if not said:
        raise ToolError("You have not said anything before that.")
    words = said[-1][:_LONGEST_CHARS]
    return f"You said: {words}{'' if words.endswith(('.', '!', '?')) else '.'}"


def _words(circumstances: Circumstances, by: str) -> list[str]:
    return [item.text for item in circumstances.items if isinstance(item, Words) and item.by == by and item.text]


async def _forget(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    return "Forgotten." if circumstances.control.forget_latest() else "There is nothing to forget."


async def _how_fast(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    latency = circumstances.control.latest_latency()
    if latency is None or latency.t_first_audio_ms is None:
        raise ToolError("I have not answered anything yet.")
    began = _seconds(latency.t_first_audio_ms)
    words = latency.t_final_transcript_ms
    if not words or words > latency.t_first_audio_ms:
        return f"I began to answer {began} after you had finished."
    return f"I began to answer {began} after you had finished, and had your words after {_seconds(words)}."


def _seconds(ms: int) -> str:
    figure = spoken.figure(Fraction(round(ms, -2 if ms >= 1000 else -1), 1000))
    return f"{figure} second{'' if figure == '1' else 's'}"


REPEAT = Skill(
    name="repeat",
    description="Says the assistant's last reply again.",
    does=_repeat,
    only_alone=True,
    is_shown=False,
    example="say that again.",
    sentences=(
        Sentence("(repeat|say) (that|it|this|the last one) [again|once more|one more time]"),
        Sentence("repeat [the|your] [last] (reply|answer|sentence)"),
        Sentence("repeat"),
        Sentence("[say|tell me] (that|it) (again|once more|one more time)"),
        Sentence("(say again|again)"),
        Sentence("(once more|one more time|come again|pardon|pardon me|I beg your pardon)"),
        Sentence("what did you [just] say"),
        Sentence("what was that"),
        Sentence("I did not (hear|catch|get|understand) (that|you|it)"),
    ),
)
GO_ON = Skill(
    name="go_on",
    description="Says the rest of what the assistant was saying when it was interrupted.",
    does=_go_on,
    only_alone=True,
    is_shown=False,
    example="go on.",
    sentences=(
        Sentence("[you can] (go on|go ahead|carry on|keep going|continue|proceed|keep talking) [with (that|it)]"),
        Sentence("(go on|carry on|continue) where you (were|stopped|left off)"),
        Sentence("(what were you saying|you were saying|where were (you|we)|and then|and then what|what then)"),
        Sentence("(tell me|say) the rest [of (it|that)]"),
        Sentence("I did not (say|mean) (stop|anything)"),
    ),
)
WHAT_I_SAID = Skill(
    name="what_did_i_say",
    description="Tells what the person said before.",
    does=_what_was_said,
    only_alone=True,
    is_shown=False,
    example="what did I say?",
    sentences=(
        Sentence("what did I [just] (say|ask|tell you) [before|before that|last|a moment ago|you]"),
        Sentence("what (have|had) I [just] (said|asked) [before|last]"),
        Sentence("what was my [last|latest|previous] (question|sentence)"),
        Sentence("repeat what I [just] said"),
        Sentence("what were my [last] words"),
    ),
)
FORGET = Skill(
    name="forget_that",
    description="Takes the latest exchange out of what is remembered, when the person asks for it.",
    does=_forget,
    has_effects=True,
    is_shown=False,
    example="forget that.",
    sentences=(
        Sentence("forget (that|this|what I [just] said|what I just told you|the last thing [I said]|about that)"),
        Sentence("(do not|never) remember (that|this|what I [just] said)"),
        Sentence("(delete|erase) (that|the last thing I said|what I [just] said) [from your memory]"),
        Sentence("you (can|may|should) forget (that|it|this)"),
    ),
)
HOW_FAST = Skill(
    name="how_fast",
    description="Tells how soon the latest reply began.",
    does=_how_fast,
    is_shown=False,
    example="how fast was that?",
    sentences=(
        Sentence(
            "how (fast|quick|slow) (was that|was it|were you|was your [last] answer|was your [last] "
            "reply|are you|did you answer|did you reply)"
        ),
        Sentence("how long did (that|it|you) take [you] [to answer|to reply]"),
        Sentence("how (quickly|fast) did you (answer|reply|respond) [to] [me|that]"),
        Sentence("what was (your|the) (latency|response time|delay) [of that]"),
        Sentence("how long did I [have to] wait"),
    ),
)
SKILLS = (REPEAT, GO_ON, WHAT_I_SAID, FORGET, HOW_FAST)
