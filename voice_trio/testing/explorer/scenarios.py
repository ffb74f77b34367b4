"""The conversation that is explored where no other is given: a spoken turn with partials, then a longer reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import trio

from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.engines.base import Engines, ToolCall
from voice_trio.memory.base import Store
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.settings import SessionSettings
from voice_trio.testing.explorer.link import ExploredLink
from voice_trio.testing.explorer.realtime import realtime_codec, talk_over_realtime
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import (
    ScriptedEndOfTurn,
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedSynthesizer,
    ScriptedTool,
    scripted_engines,
    silent,
    voiced,
)
from voice_trio.toolbox.base import ServerTool
from voice_trio.wire.codec import Codec


@dataclass(frozen=True)
class Scenario:
    """A conversation to explore. It must be the same every time: no chance, no clock but Trio's, no threads."""

    talk: Callable[[ExploredLink], Awaitable[None]]
    """What the client does. It may raise `LinkClosed`, and must bear a turn that ends too early."""
    engines: Callable[[], Engines]
    """Returns engines that have done nothing yet."""
    store: Callable[[], Store] = InProcessStore
    """Returns a store that remembers nothing yet."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """As `config.load` takes them."""
    read_s: float = 0.0
    """How long the client takes to read each event."""
    paced: bool = True
    """Whether audio goes out as it is heard, and not as fast as it is made."""
    codec: Callable[[Engines], Codec] | None = None
    """Returns what spells the client's messages to a server with these engines, where they are not commands at once."""
    tools: Callable[[], Sequence[ServerTool]] = tuple
    """Returns the tools that the server has."""
    with_skills: bool = False
    """Whether it has our skills besides, and a wall clock that runs."""
    resumable: bool = False
    """Whether the session outlives its connections: then these are cut, and nothing else happens."""

    @cached_property
    def session_settings(self) -> SessionSettings:
        """`settings` as a session has them; to read them takes as long as to live a whole case."""
        return SessionSettings.of(config.load(**{"log_latency": False, **self.settings}))


REPLIES = (
    ("It ", "is ", "sunny."),
    ("Rain ", "in the ", "morning. ", "Then ", "the sun ", "comes ", "out. ", "Take ", "a coat!"),
    ("Good ", "bye."),
)


def engines() -> Engines:
    """Return engines that answer as `REPLIES` says."""
    return scripted_engines(
        language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=tokens) for tokens in REPLIES]),
        synthesizer=ScriptedSynthesizer(char_ms=25),
    )


async def talk(client: ExploredLink) -> None:
    """Ask aloud, then in writing, each time hearing the answer out."""
    await client.wait_for(m.SessionOpened)
    await client.ask(m.Start())
    await client.say(voiced(1200) + silent(900))
    await client.wait_for(m.Done, turn=1)
    await client.ask(m.Text(text="And tomorrow?"))
    await client.wait_for(m.Done, turn=2)
    # Long enough for whatever should not come after it.
    await trio.sleep(1)


async def hesitate(client: ExploredLink) -> None:
    """Ask aloud with pauses in it: one is over before it is judged, one is judged to be none, one to be the end."""
    await client.wait_for(m.SessionOpened)
    await client.ask(m.Start())
    await client.say(voiced(900) + silent(240) + voiced(600) + silent(900) + voiced(600) + silent(900))
    await client.wait_for(m.Done, turn=1)
    await trio.sleep(1)


async def read_slowly(client: ExploredLink) -> None:
    """Ask for more than fits into the outbox."""
    await client.wait_for(m.SessionOpened)
    await client.ask(m.Text(text="Tell me all."))
    await client.wait_for(m.Done, turn=1)
    await trio.sleep(1)


PAUSE = silent(360)
"""Longer than the utterances of ``duplex`` may pause, and shorter than those of ``drafts``."""
LONG_PAUSE = silent(660)
"""Longer than those."""


async def talk_into_replies(client: ExploredLink) -> None:
    """Go on before the answer comes, show that one listens to it, and then interrupt it."""
    await client.wait_for(m.SessionOpened)
    await client.ask(m.Start(mode="hands_free"))
    await client.say(spoken("tell", "me") + PAUSE + spoken("please") + PAUSE)
    with trio.move_on_after(10):
        await client.wait_for(m.TtsChunk)
    await client.say(silent(180) + spoken("mhm") + PAUSE + silent(180))
    await client.say(spoken("stop", "there") + PAUSE + silent(180))
    # Where something went wrong, there may be more turns than two, or fewer.
    with trio.move_on_after(120):
        while client.in_a_turn:
            await client.wait_for(m.Done)
    await trio.sleep(1)


def duplex_engines() -> Engines:
    """Return engines that hear what is said, and answer at length."""
    replies = [
        # The first is too slow for who speaks on, the second is spoken into.
        ScriptedReply(tokens=(3.0, "Late. ")),
        ScriptedReply(tokens=("A long ", "reply, ", "and more ", "of it. ", "And then ", "a second ", "sentence.")),
        ScriptedReply(tokens=("Good ", "bye.")),
    ]
    return scripted_engines(
        recognizer=LiteralRecognizer(),
        language_model=ScriptedLanguageModel(replies=replies),
        synthesizer=ScriptedSynthesizer(char_ms=60),
    )


async def hesitate_before_replies(client: ExploredLink) -> None:
    """Have a reply drafted that is for nothing, one that becomes a reply and is taken back, and one that is heard."""
    await client.wait_for(m.SessionOpened)
    await client.ask(m.Start(mode="hands_free"))
    await client.say(spoken("tell", "me") + PAUSE + spoken("it") + LONG_PAUSE)
    await client.say(spoken("please") + LONG_PAUSE)
    with trio.move_on_after(10):
        await client.wait_for(m.TtsChunk)
    # Where something went wrong, there may be no turn, or more than one.
    with trio.move_on_after(60):
        while client.in_a_turn:
            await client.wait_for(m.Done)
    await trio.sleep(1)


def drafting_engines() -> Engines:
    """Return engines that know in a pause what was said."""
    replies = [
        ScriptedReply(tokens=("For ", "nothing.")),
        ScriptedReply(tokens=("Late ", 3.0, "in the middle.")),
        ScriptedReply(tokens=("In ", "time. ", 0.5, "Good ", "bye.")),
    ]
    return scripted_engines(
        recognizer=LiteralRecognizer(settles_early=True, anticipate_s=0.1),
        language_model=ScriptedLanguageModel(replies=replies),
        synthesizer=ScriptedSynthesizer(char_ms=25),
    )


def hasty_engines() -> Engines:
    """Return engines that answer at length, and as fast as they are let."""
    return scripted_engines(
        language_model=ScriptedLanguageModel(replies=[ScriptedReply(("word ",) * 80, token_s=0), ScriptedReply()]),
        synthesizer=ScriptedSynthesizer(char_ms=1),
    )


def weighing_engines() -> Engines:
    """Return engines that answer as `REPLIES` says, and weigh pauses."""
    return replace(engines(), end_of_turn=ScriptedEndOfTurn([0.5, 0.1, 0.99]))


def piecewise_engines() -> Engines:
    """Return engines that answer as `REPLIES` says, each phrase in pieces."""
    return replace(engines(), synthesizer=ScriptedSynthesizer(char_ms=25, pieces=3))


async def have_things_done(client: ExploredLink) -> None:
    """Have a draft use tools that becomes the reply, and then ask for the same in writing."""
    await client.wait_for(m.SessionOpened)
    await client.ask(m.Start())
    await client.say(spoken("set", "it") + LONG_PAUSE)
    await client.wait_for(m.Done, turn=1)
    await client.ask(m.Text(text="And again."))
    await client.wait_for(m.Done, turn=2)
    await trio.sleep(1)


SET, LOOK = "set_timer", "look_up"
"""The tools of ``tools``: the first has effects."""


def tools() -> Sequence[ServerTool]:
    """Return tools that take their time."""
    return [
        ScriptedTool(SET, ["It is set."], use_s=0.3, has_effects=True).tool,
        ScriptedTool(LOOK, ["It is noon."], use_s=0.1).tool,
    ]


def using_engines() -> Engines:
    """Return engines that ask for tools in two rounds, once more for what was done, and that know it in a pause."""
    set_it, look, again = ToolCall("a", SET, "{}"), ToolCall("b", LOOK, "{}"), ToolCall("c", SET, "{ }")
    replies = [
        ScriptedReply(tokens=("Let me ", "look. ", look, set_it)),
        ScriptedReply(tokens=(again, look, ToolCall("d", "unknown", "none"))),
        ScriptedReply(tokens=("It is ", "set.")),
        ScriptedReply(tokens=("Once ", "more. ", set_it)),
        ScriptedReply(tokens=("It is.",)),
    ]
    return scripted_engines(
        recognizer=LiteralRecognizer(settles_early=True),
        language_model=ScriptedLanguageModel(replies=replies),
        synthesizer=ScriptedSynthesizer(char_ms=25),
    )


async def be_told(client: ExploredLink) -> None:
    """Have a timer set in a turn, and hear that it is up in one that nobody asked for."""
    await client.wait_for(m.SessionOpened)
    await client.ask(m.Text(text="Set a timer."))
    await client.wait_for(m.Done, turn=1)
    # Where something went wrong, there is none.
    with trio.move_on_after(20):
        await client.wait_for(m.StateChanged, turn=2)
    with trio.move_on_after(60):
        while client.in_a_turn:
            await client.wait_for(m.Done)
    await trio.sleep(1)


def timing_engines() -> Engines:
    """Return engines that ask for a timer which is up while the person is told that it is set."""
    replies = [
        ScriptedReply(tokens=(ToolCall("a", "set_timer", '{"duration": "2 seconds"}'),)),
        ScriptedReply(tokens=("It is ", "set, ", "and it ", "will be ", "up in ", "no time ", "at all.")),
        ScriptedReply(tokens=("Good ", "bye.")),
    ]
    return scripted_engines(
        language_model=ScriptedLanguageModel(replies=replies), synthesizer=ScriptedSynthesizer(char_ms=60)
    )


SCENARIO = Scenario(talk, engines, settings={"partial_interval_ms": 300})
"""The one that is explored where no other is given."""

_DUPLEX = {"vad_silence_ms": 200, "barge_in": True}

SCENARIOS = {
    "talk": SCENARIO,
    "slow": Scenario(read_slowly, hasty_engines, read_s=0.02),
    "pieces": Scenario(talk, piecewise_engines),
    "duplex": Scenario(talk_into_replies, duplex_engines, settings=_DUPLEX),
    "drafts": Scenario(hesitate_before_replies, drafting_engines, settings={"vad_silence_ms": 540, "barge_in": True}),
    "realtime": Scenario(talk_over_realtime, engines, paced=False, codec=realtime_codec),
    "tools": Scenario(have_things_done, using_engines, settings={"vad_silence_ms": 540, "drafts": "on"}, tools=tools),
    "timers": Scenario(be_told, timing_engines, with_skills=True),
    "resumed": replace(SCENARIO, resumable=True),
    "resumed_duplex": Scenario(talk_into_replies, duplex_engines, settings=_DUPLEX, resumable=True),
    "pauses": Scenario(hesitate, weighing_engines, settings={"endpointing": "adaptive", "partial_interval_ms": 300}),
}
