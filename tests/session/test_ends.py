"""What the cancellation explorer found: sessions that ended at a moment that nobody had thought of."""

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.farewell import Farewell
from voice_trio.testing.conversation import conversation
from voice_trio.testing.explorer.leftovers import watching
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer, scripted_engines


class StuckStore(InProcessStore):
    async def begin(self):
        await trio.sleep_forever()


async def test_a_whole_turn_leaves_no_channel_open(autojump_clock):
    with watching() as left:
        async with conversation() as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.Done)
            # This one is the link's own.
            talk.link.vanish()
            await talk.link.close(Farewell.NORMAL, "")
    assert left == []


async def test_a_session_that_is_cancelled_before_its_greeting_leaves_no_channel_open(autojump_clock):
    with watching() as left, trio.move_on_after(1):
        async with conversation(store=StuckStore()) as talk:
            talk.link.vanish()
            await talk.link.close(Farewell.NORMAL, "")
            await trio.sleep_forever()
    assert left == []


@pytest.mark.parametrize("wait_s", [0.0, 0.1, 0.6])
async def test_sound_that_never_passed_the_door_was_not_heard(autojump_clock, wait_s):
    """The outbox is full when the turn fails, so what waits for a place in it is never said."""
    reply = ScriptedReply([*["word "] * 80, wait_s, ValueError("a defect")], token_s=0)
    engines = scripted_engines(
        language_model=ScriptedLanguageModel(replies=[reply]), synthesizer=ScriptedSynthesizer(char_ms=1)
    )
    with trio.fail_after(60):
        async with conversation(engines=engines, read_s=0.02) as talk:
            await talk.ask(m.Text(text="Tell me all."))
            done = await talk.wait_for(m.Done)
    assert done.outcome is Outcome.FAILED
    # Each phrase is short enough for a single chunk.
    said = {event.phrase for event in talk.of_turn(1) if isinstance(event, m.TtsChunk)}
    assert done.heard == max(e.end for e in talk.of_turn(1) if isinstance(e, m.TtsPhrase) and e.phrase in said)
