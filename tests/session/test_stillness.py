"""A client whose audio stops coming in the middle of what it says."""

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode, Outcome
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedRecognizer, scripted_engines, voiced


def words():
    return scripted_engines(recognizer=ScriptedRecognizer(words=[f"w{n}" for n in range(100)], word_ms=300))


@pytest.mark.parametrize("mode", ["tap", "hands_free"])
async def test_who_is_muted_in_the_middle_is_answered(autojump_clock, mode):
    with trio.fail_after(60):
        async with conversation(engines=words()) as talk:
            await talk.ask(m.Start(mode=mode))
            await talk.say(2900)
            muted_at = trio.current_time()
            final = await talk.wait_for(m.Final)
            assert talk.time_of(final) - muted_at == pytest.approx(1.9, abs=0.02)
            assert final.text.split()[-1] == "w8"
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
    assert not [event for event in talk.heard if isinstance(event, m.Error | m.Info)]


async def test_the_next_turn_of_a_hands_free_session_begins_after_one_that_the_clock_ended(autojump_clock):
    with trio.fail_after(60):
        async with conversation(engines=words()) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            for turn in (1, 2, 3):
                await talk.say(1200)
                assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
                assert talk.states(turn)[0] is m.State.CAPTURING


@pytest.mark.parametrize("stall_s", [0.3, 1.0, 1.7])
async def test_a_stall_of_the_network_cuts_no_words(autojump_clock, stall_s):
    with trio.fail_after(60):
        async with conversation(engines=words()) as talk:
            await talk.ask(m.Start())
            await talk.say(1200)
            await trio.sleep(stall_s)
            # What was said meanwhile comes at once.
            await talk.ask(m.Audio(voiced(round(stall_s * 1000))))
            await talk.say(1200, 900)
            final = await talk.wait_for(m.Final)
            await talk.wait_for(m.Done)
    assert len(final.text.split()) >= (2400 + stall_s * 1000) // 300
    assert not [event for event in talk.heard if isinstance(event, m.Info)]


async def test_who_speaks_behind_a_longer_stall_is_told_once_that_it_is_not_heard(autojump_clock):
    with trio.fail_after(60):
        async with conversation(engines=words()) as talk:
            await talk.ask(m.Start())
            await talk.say(1200)
            await trio.sleep(3)
            await talk.ask(m.Audio(voiced(1900)))
            await talk.say(600)
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
            await talk.say(600)
    told = [event.code for event in talk.heard if isinstance(event, m.Info)]
    assert told == [InfoCode.LATE_AUDIO]


async def test_silence_behind_a_longer_stall_is_nothing_to_tell(autojump_clock):
    with trio.fail_after(60):
        async with conversation(engines=words()) as talk:
            await talk.ask(m.Start())
            await talk.say(1200)
            await trio.sleep(3)
            await talk.say(0, 1500)
            await talk.wait_for(m.Done)
    assert not [event for event in talk.heard if isinstance(event, m.Info)]


async def test_who_holds_the_key_and_sends_nothing_ends_it_with_stop(autojump_clock):
    with trio.fail_after(60):
        async with conversation(engines=words()) as talk:
            await talk.ask(m.Start(mode="hold"))
            await talk.say(1200)
            await trio.sleep(20)
            await talk.say(1200)
            await talk.ask(m.Stop())
            final = await talk.wait_for(m.Final)
            assert len(final.text.split()) == 8
            assert talk.time_of(final) == pytest.approx(22.5, abs=0.1)


async def test_who_holds_the_key_for_ever_and_sends_nothing_is_told_that_nothing_came(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=words()) as talk:
            await talk.ask(m.Start(mode="hold"))
            await talk.say(1200)
            info = await talk.wait_for(m.Info)
            assert (info.code, round(talk.time_of(info))) == (InfoCode.NO_AUDIO, 31)
            assert info.message == "No audio came for 30 seconds; what was said until then is answered."
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
    assert not [event for event in talk.heard if isinstance(event, m.Error)]


async def test_who_holds_the_key_and_sends_hardly_anything_is_told_that_it_took_too_long(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=words()) as talk, trio.open_nursery() as nursery:
            await talk.ask(m.Start(mode="hold"))

            @nursery.start_soon
            async def _():
                while True:
                    await talk.say(120)
                    await trio.sleep(1)

            error = await talk.wait_for(m.Error)
            assert error.code is m.ErrorCode.MAX_DURATION_EXCEEDED
            assert error.message == "An utterance may take 60 seconds to come; what came until then is answered."
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
            nursery.cancel_scope.cancel()
