"""Turn after turn without a button."""

import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode, Outcome, State
from voice_trio.testing.conversation import conversation


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
