"""A Realtime conversation is disturbed before each of its steps, in every way: what was begun is ended all the same.

    EVERY=1 pytest tests/wire/realtime/test_explored.py

It has a turn by voice that is answered, one that is typed, whose reply is cut and looked at, a response that runs
beside it, and what is said into a reply. Without EVERY one step in many is taken.
"""

import json
import os
from contextlib import suppress
from functools import cache

import pytest
import trio
import trio.testing

from tests.wire.realtime.order import check_order
from tests.wire.realtime.talking import Client, new_codec
from tests.wire.realtime.test_turns import detection
from voice_trio.core.messages import ErrorCode
from voice_trio.core.playout import UnpacedPlayout
from voice_trio.engines.base import EngineError
from voice_trio.memory.base import StoreError
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed, MemoryLink
from voice_trio.tapped import tapped
from voice_trio.testing.conversation import session_on
from voice_trio.testing.explorer.breakable import BreakingTap
from voice_trio.testing.explorer.steps import Steps, seeded
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer, scripted_engines
from voice_trio.testing.wire import WireLink

EVERY = int(os.environ.get("EVERY", "131"))
LIMIT_S = 1000
STORY = ScriptedReply(tokens=["A sentence ", "that goes on. "] * 6, token_s=0.2)
ASIDE = ScriptedReply(tokens=["Apart ", "from that. "] * 3, token_s=0.2)


class Case:
    """One session of it, with what can be broken at hand."""

    def __init__(self, clock):
        self.clock = clock
        self.scope = trio.CancelScope()
        tap = BreakingTap(lambda record: None)
        self.breakers = tap.breakers
        replies = [ScriptedReply(), STORY, ASIDE, ScriptedReply()]
        engines, store = tapped(
            scripted_engines(
                language_model=ScriptedLanguageModel(replies=replies), synthesizer=ScriptedSynthesizer(char_ms=25)
            ),
            InProcessStore(),
            tap,
        )
        self.link = WireLink(new_codec(engines))
        # So that a client which acts between two steps need not wait.
        self.link.memory = MemoryLink(capacity=1000)
        self.session = session_on(
            self.link, engines=engines, store=store, new_playout=UnpacedPlayout, log_latency=False
        )
        self.client = Client(self.link, self.session)

    def ask(self, kind, **fields):
        """Have the client send an event, now."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            self.link.memory._commands_in.send_nowait(json.dumps({"type": kind, **fields}))

    @property
    def newest(self):
        """The response that was created last."""
        created = self.client.of("response.created")
        return created[-1]["response"]["id"] if created else None

    async def live(self, began, ended):
        tasks = trio.lowlevel.current_statistics().tasks_living
        with trio.fail_after(LIMIT_S):
            async with trio.open_nursery() as nursery:
                began()
                nursery.start_soon(self._run)
                nursery.start_soon(self.client.collect)
                with suppress(LinkClosed, EOFError):
                    await self._talk()
                ended()
                self.link.memory.vanish()
        assert trio.lowlevel.current_statistics().tasks_living == tasks
        assert not self.breakers.at_work()

    async def _run(self):
        with self.scope:
            await self.session.run()
        if self.link.memory.closed is None:
            # Nobody said goodbye to the client, who would wait for ever.
            self.link.memory.vanish()

    async def _talk(self):
        client = self.client
        await client.update(**detection())
        await client.speak(900, then_silent_ms=700)
        await self._wait_for("response.done")
        await client.write("Tell me a story.")
        await client.send("response.create")
        await self._wait_for("response.output_audio.delta")
        await client.send("response.create", response={"conversation": "none"})
        await trio.sleep(0.5)
        await client.send("conversation.item.truncate", item_id="reply_2", content_index=0, audio_end_ms=300)
        await client.send("conversation.item.retrieve", item_id="reply_2")
        await client.speak(900, then_silent_ms=700)
        # Longer than whatever a disturbance leaves to be waited for.
        await trio.sleep(150)

    async def _wait_for(self, kind):
        """Wait for what may never come, where something went wrong."""
        with trio.move_on_after(60), suppress(trio.TooSlowError):
            await self.client.wait_for(kind)


def fails(stage, error):
    return lambda case: getattr(case.breakers, stage).fail(error)


def hangs(stage):
    return lambda case: getattr(case.breakers, stage).hang()


ENDS = {
    "nothing": lambda case: None,
    "cancel": lambda case: case.ask("response.cancel"),
    "clear": lambda case: case.ask("input_audio_buffer.clear"),
    "commit": lambda case: case.ask("input_audio_buffer.commit"),
    "respond": lambda case: case.ask("response.create"),
    "aside": lambda case: case.ask("response.create", response={"conversation": "none"}),
    "cancel_newest": lambda case: case.ask("response.cancel", response_id=case.newest),
    "push_to_talk": lambda case: case.ask("session.update", session={"audio": {"input": {"turn_detection": None}}}),
    "delete": lambda case: case.ask("conversation.item.delete", item_id="reply_2"),
    "delete_said": lambda case: case.ask("conversation.item.delete", item_id="said_1"),
    "cut": lambda case: case.ask("conversation.item.truncate", item_id="reply_2", content_index=0, audio_end_ms=0),
    "gone": lambda case: case.link.memory.vanish(),
    "killed": lambda case: case.scope.cancel(),
    "late": lambda case: case.clock.jump(20),
    "shutdown": lambda case: case.session.drain(60),
    "shutdown_now": lambda case: case.session.drain(0),
    "asr_error": fails("asr", EngineError(ErrorCode.ASR_FAIL, "It broke.")),
    "llm_error": fails("llm", EngineError(ErrorCode.LLM_FAIL, "It broke.")),
    "tts_error": fails("tts", EngineError(ErrorCode.TTS_FAIL, "It broke.")),
    "asr_hang": hangs("asr"),
    "llm_hang": hangs("llm"),
    "tts_hang": hangs("tts"),
    "store_error": fails("store", StoreError("It is full.")),
}
CUT = ("gone", "killed")
"""After these the client hears no more."""


def lived(act=None, at=None):
    """Live a case, with ``act`` before step ``at``; return its steps and what the client was told."""
    steps = Steps(at=at)
    cases: list[Case] = []

    async def live():
        case = Case(clock)
        cases.append(case)
        if act is not None:
            steps.act = lambda: act(case)
        await case.live(steps.begin, steps.end)

    with seeded(0):
        clock = trio.testing.MockClock(autojump_threshold=0)
        trio.run(live, clock=clock, instruments=[steps])
    assert steps.error is None, repr(steps.error)
    [case] = cases
    closed = case.link.memory.closed
    assert closed is None or closed.farewell in (Farewell.NORMAL, Farewell.SERVER_STOPPING), closed
    return steps, case.client.events


@cache
def undisturbed():
    """Return how many steps there are."""
    lived()
    steps, events = lived()
    types = [event["type"] for event in events]
    assert types.count("response.done") == 4
    assert types.count("conversation.item.retrieved") == 1
    return steps.count


@pytest.mark.parametrize("end", ENDS)
def test_whatever_comes_between_two_steps(end):
    # Each end takes other steps than those before it.
    first = 1 + list(ENDS).index(end) * 7 % EVERY
    for step in range(first, undisturbed() + 1, EVERY):
        try:
            _, events = lived(ENDS[end], step)
            check_order(events, to_the_end=end not in CUT)
        except BaseException as error:
            error.add_note(f"{end} before step {step}")
            raise
