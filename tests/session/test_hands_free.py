"""Turn after turn without a button."""

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import InfoCode, Outcome, State
from voice_trio.memory.in_process import InProcessStore
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines, silent, voiced


async def test_the_next_turn_begins_when_someone_speaks(autojump_clock):
    with trio.fail_after(120):
        async with conversation() as talk:
            await talk.ask(m.Start(mode="hands_free"))
            for turn in (1, 2, 3):
                await talk.say(1500, 900)
                done = await talk.wait_for(m.Done, turn=turn)
                assert done.outcome is Outcome.COMPLETED
                await talk.say(0, 3000)
                assert len([event for event in talk.heard if isinstance(event, m.StateChanged)]) == 4 * turn
    assert talk.states(3)[0] is State.CAPTURING
    assert talk.reply(3) == talk.reply(1)


async def test_silence_is_no_turn_and_no_news(autojump_clock):
    with trio.fail_after(120):
        async with conversation(max_utterance_ms=2000) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(0, 10_000)
            assert talk.states(1) == [State.CAPTURING]
            await talk.say(900, 900)
            await talk.wait_for(m.Done)
            before = len(talk.heard)
            await talk.say(0, 10_000)
            assert len(talk.heard) == before


async def test_typing_in_between_does_not_end_it(autojump_clock):
    with trio.fail_after(120):
        async with conversation() as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=1)
            await talk.ask(m.Text(text="typed"))
            await talk.wait_for(m.Done, turn=2)
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=3)


async def test_what_is_typed_into_a_reply_leaves_it_only_if_it_is_to(autojump_clock):
    long = ScriptedReply(tokens=["This is a long sentence of a reply, and there is more. "] * 8)
    for stays in (True, None):
        model = ScriptedLanguageModel(replies=[long, long, ScriptedReply(tokens=["Yes."])])
        engines = scripted_engines(recognizer=LiteralRecognizer(), language_model=model)
        with trio.fail_after(120):
            async with conversation(engines=engines) as talk:
                await talk.ask(m.Start(mode="hands_free", silence_ms=1500, language="en"))
                await talk.say(spoken("hello"), 1700)
                await talk.wait_for(m.TtsChunk, turn=1)
                await talk.ask(m.Cancel(), m.Text(text="typed", hands_free=stays))
                await talk.wait_for(m.TtsChunk, turn=2)
                await talk.say(spoken("no", "but", "what", "about", "london"), 1400)
                assert len(talk.all(m.Final)) == 1
                await talk.silence(400)
                if stays:
                    assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.INTERRUPTED
                    assert (await talk.wait_for(m.Final, turn=3)).text == "no but what about london"
                    await talk.wait_for(m.Done, turn=3)
                else:
                    assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("named", [False, True])
async def test_the_turns_to_come_stay_in_the_conversation_that_they_were_in(autojump_clock, named):
    store = InProcessStore()
    first, second = await store.begin(), await store.begin()
    with trio.fail_after(120):
        async with conversation(store=store) as talk:
            await talk.ask(m.Start(mode="hands_free", conversation=first))
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=1)
            await talk.ask(m.Text(text="typed", conversation=second if named else first))
            await talk.wait_for(m.Done, turn=2)
            await talk.ask(m.Text(text="typed", hands_free=True, conversation=second if named else None))
            await talk.wait_for(m.Done, turn=3)
            await talk.ask(m.Cancel(), m.Text(text="typed", hands_free=True, conversation=second if named else first))
            await talk.wait_for(m.Done, turn=4)
            await talk.ask(m.Cancel(), m.Text(text="typed", hands_free=True))
            await talk.wait_for(m.Done, turn=5)
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=6)
    turns = [[record.turn for record in await store.recall(one)] for one in (first, second)]
    assert turns == ([[1], [2, 3, 4, 6]] if named else [[1, 2, 4, 6], []])


async def test_a_text_alone_can_begin_it(autojump_clock):
    with trio.fail_after(120):
        async with conversation() as talk:
            await talk.ask(m.Text(text="typed", hands_free=True))
            await talk.wait_for(m.Done, turn=1)
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=2)
            await talk.ask(m.Text(text="typed", hands_free=False))
            await talk.wait_for(m.Done, turn=3)
            await talk.say(900, 900)
            await talk.silence(500)
    assert len(talk.all(m.Done)) == 3


async def test_what_comes_of_a_late_player_at_the_very_end_begins_no_turn(autojump_clock):
    """Nobody cancels echo here, so the microphone hears its last words, later than they can have been heard."""
    late_s = 0.4
    engines = scripted_engines(recognizer=LiteralRecognizer())
    with trio.fail_after(120):
        async with conversation(engines=engines, barge_in=False) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            began = talk.time_of(await talk.wait_for(m.TtsChunk)) + late_s
            samples, there = 0, 1
            while samples < there or not talk.all(m.Done):
                there = sum(len(chunk.pcm) // 2 for chunk in talk.all(m.TtsChunk))
                samples = min(there, max(0, round((trio.current_time() - began) * SAMPLE_RATE)))
                await talk.ask(m.Played(turn=1, samples=samples))
                await talk.say(voiced(60) if samples < there else silent(60))
            await talk.silence(2000)
    assert {event.turn for event in talk.all(m.StateChanged)} == {1}


async def test_cancel_leaves_it_in_a_turn_and_between_turns(autojump_clock):
    with trio.fail_after(120):
        async with conversation() as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(600)
            await talk.ask(m.Cancel())
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.CANCELLED
            await talk.say(900, 900)
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=2)
            await talk.ask(m.Cancel())
            await talk.wait_for(m.Info, code=InfoCode.NOTHING_TO_CANCEL)
            await talk.say(900, 900)
            await talk.ask(m.Text(text="typed"))
            assert (await talk.wait_for(m.Done)).turn == 3


async def test_a_stale_cancel_does_not_leave_it(autojump_clock):
    with trio.fail_after(120):
        async with conversation() as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=1)
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=2)
            await talk.ask(m.Cancel(turn=1))
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=3)


async def test_a_start_in_another_mode_leaves_it(autojump_clock):
    with trio.fail_after(120):
        async with conversation() as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=1)
            await talk.ask(m.Start())
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=2)
            await talk.say(900, 900)
            await talk.ask(m.Stop(), m.Text(text="typed"))
            assert (await talk.wait_for(m.Done)).turn == 3
