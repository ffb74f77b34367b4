"""Speech that no turn asked for: into a reply, and before one."""

from contextlib import asynccontextmanager

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, Outcome, State
from voice_trio.engines.base import EngineError
from voice_trio.session.echo import Echo
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedRecognizer, ScriptedReply, scripted_engines

LONG = ScriptedReply(tokens=["This is a long sentence of a reply, and there is more. "] * 8, token_s=0.05)
SLOW = ScriptedReply(tokens=[5.0, "At last."])


WORDS = ("tell", "me", "about", "london", "please")


def scripted(*replies):
    return scripted_engines(
        recognizer=ScriptedRecognizer(words=WORDS), language_model=ScriptedLanguageModel(replies=replies or [LONG])
    )


@asynccontextmanager
async def replying(*then, engines=None, start=None, **settings):
    """Hold a conversation in which a reply sounds for some seconds, and ``then`` is what is heard."""
    engines = engines or scripted()
    async with conversation(engines=engines, **settings) as talk:
        await talk.ask(m.Start(**{"mode": "hands_free", **(start or {})}))
        await talk.say(1500, 900)
        await talk.ask(*[m.Stop()] * ((start or {}).get("mode") == "hold"))
        await talk.wait_for(m.StateChanged, state=State.RESPONDING)
        await talk.say(0, 1000)
        engines.recognizer.words = then
        yield talk


def names(talk, turn):
    """Return what was said of ``turn``, but for its words and its audio."""
    kept = (m.StateChanged, m.Hold, m.Release, m.Reopened, m.Done)
    return [
        event.state if isinstance(event, m.StateChanged) else type(event)
        for event in talk.heard
        if isinstance(event, kept) and event.turn == turn
    ]


async def test_words_into_a_reply_end_it_and_begin_the_next_turn(autojump_clock):
    with trio.fail_after(120):
        async with replying("no", "tell", "me", "about", "london") as talk:
            await talk.say(1500, 900)
            done = await talk.wait_for(m.Done, turn=1)
            final = await talk.wait_for(m.Final, turn=2)
            assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
    assert done.outcome is Outcome.INTERRUPTED
    assert 0 < done.heard < len(talk.reply(1))
    assert done.remembered
    assert final.text == "no tell me about london"
    assert names(talk, 1)[-3:] == [m.Hold, State.COMPLETE, m.Done]


async def test_the_first_words_of_an_interruption_are_said_once_and_none_is_lost(autojump_clock):
    with trio.fail_after(120):
        async with replying("one", "two", "three", "four", "five", "six", "seven") as talk:
            await talk.say(2100, 900)
            assert (await talk.wait_for(m.Final, turn=2)).text == "one two three four five six seven"


@pytest.mark.parametrize(
    ("echo", "words", "meant"),
    [
        # What sounds just then is "This is a long sentence".
        ("none", ("long", "sentence"), False),
        ("none", ("a", "long", "sentence"), False),
        ("none", ("a", "short", "sentence"), True),
        ("none", ("there", "is", "more"), True),
        ("browser", ("long", "sentence"), True),
    ],
)
async def test_words_of_the_reply_that_come_back_from_the_loudspeaker_do_not_end_it(
    autojump_clock, monkeypatch, echo, words, meant
):
    async def without_canceller(self):
        await trio.lowlevel.checkpoint()

    # What a canceller leaves is what this is about.
    monkeypatch.setattr(Echo, "run", without_canceller)
    with trio.fail_after(120):
        async with replying(*words, start={"echo": echo}) as talk:
            await talk.say(900, 900)
            done = await talk.wait_for(m.Done, turn=1)
    assert (done.outcome is Outcome.INTERRUPTED) == meant
    assert (m.Release in names(talk, 1)) == (not meant)


async def test_a_listeners_sign_holds_the_reply_and_it_goes_on_to_its_end(autojump_clock):
    with trio.fail_after(120):
        async with replying("uh-huh", "yeah", "Right.") as talk:
            await talk.say(300, 900)
            release = await talk.wait_for(m.Release)
            done = await talk.wait_for(m.Done, turn=1)
    hold = next(event for event in talk.heard if isinstance(event, m.Hold))
    assert hold.sample == release.sample > 0
    assert done.outcome is Outcome.COMPLETED
    assert done.heard == len(talk.reply(1))
    assert names(talk, 1)[-4:] == [m.Hold, m.Release, State.COMPLETE, m.Done]


async def test_a_reply_goes_on_where_the_player_says_that_it_stands(autojump_clock):
    """Or a player that goes on where it is told to would say words again: its word before was of a moment earlier."""
    with trio.fail_after(120):
        async with replying("uh-huh", "yeah", "Right.") as talk:
            await talk.ask(m.Played(turn=1, samples=1000))
            await talk.say(300, 60)
            hold = await talk.wait_for(m.Hold)
            assert hold.sample == 1000
            await talk.ask(m.Played(turn=1, samples=1800))
            await talk.say(0, 900)
            assert (await talk.wait_for(m.Release)).sample == 1800


async def test_nothing_is_sent_while_the_reply_is_held(autojump_clock):
    with trio.fail_after(120):
        async with replying("mm", playout_lead_ms=200) as talk:
            await talk.say(2000)
            await talk.wait_for(m.Hold)
            await trio.testing.wait_all_tasks_blocked()
            before = len(talk.heard)
            await talk.say(500)
            assert not any(isinstance(event, m.TtsChunk) for event in talk.heard[before:])
            await talk.say(0, 900)
            await talk.wait_for(m.Release)
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED


async def test_a_sound_without_words_holds_it_for_no_longer_than_three_seconds(autojump_clock):
    with trio.fail_after(120):
        async with replying() as talk:
            began = trio.current_time()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(talk.say, 8000, 900)
                await talk.wait_for(m.Release)
                assert 2.5 < trio.current_time() - began < 4
            assert [type(e) for e in talk.heard].count(m.Hold) == 1
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED


async def test_words_count_though_the_hold_was_given_up(autojump_clock):
    with trio.fail_after(120):
        async with replying(*[""] * 14, "what", "about", "london") as talk:
            await talk.say(5500, 900)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
            await talk.wait_for(m.Done, turn=2)
    assert names(talk, 1)[-4:] == [m.Hold, m.Release, State.COMPLETE, m.Done]


async def test_a_recognizer_that_fails_interrupts_nothing(autojump_clock):
    engines = scripted()
    with trio.fail_after(120):
        async with replying("mm", engines=engines) as talk:
            engines.recognizer.fails = [EngineError(ErrorCode.ASR_FAIL, "broken")]
            await talk.say(900, 900)
            await talk.wait_for(m.Release)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED
    assert not any(isinstance(event, m.Error) for event in talk.heard)


@pytest.mark.parametrize(
    ("start", "settings"),
    [
        ({"mode": "tap"}, {}),
        ({"barge_in": False}, {}),
        ({}, {"barge_in": False}),
        ({"mode": "hold", "barge_in": True}, {}),
    ],
)
async def test_where_nobody_asked_for_it_speech_into_a_reply_counts_for_nothing(start, settings, autojump_clock):
    with trio.fail_after(120):
        async with replying("no", "stop", start=start, **settings) as talk:
            await talk.say(1500, 900)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED
    assert not any(isinstance(event, m.Hold | m.Reopened) for event in talk.heard)


async def test_a_turn_begun_by_a_tap_may_allow_it(autojump_clock):
    with trio.fail_after(120):
        async with replying(*WORDS, start={"mode": "tap", "barge_in": True}) as talk:
            await talk.say(1500, 900)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
            await talk.wait_for(m.Done, turn=2)
            await talk.say(1500, 900)
    assert max(event.turn for event in talk.heard if isinstance(event, m.StateChanged)) == 2


async def test_a_typed_turn_can_be_interrupted_where_the_others_are_hands_free(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=scripted()) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=1)
            await talk.ask(m.Text(text="typed"))
            await talk.wait_for(m.StateChanged, turn=2, state=State.RESPONDING)
            await talk.say(0, 500)
            await talk.say(1500, 900)
            assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.INTERRUPTED
            await talk.wait_for(m.Done, turn=3)


async def test_speech_before_the_reply_is_heard_takes_the_end_back(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=scripted(SLOW, LONG)) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(600, 900)
            await talk.wait_for(m.Final, turn=1)
            await talk.say(900, 900)
            reopened = await talk.wait_for(m.Reopened, turn=1)
            done = await talk.wait_for(m.Done, turn=1)
    assert reopened.revision == 1
    finals = [event.text for event in talk.heard if isinstance(event, m.Final)]
    assert finals == ["tell me about london", "tell me about london please"]
    assert done.outcome is Outcome.COMPLETED
    assert names(talk, 1) == [
        State.CAPTURING,
        State.THINKING,
        m.Reopened,
        State.CAPTURING,
        State.THINKING,
        State.RESPONDING,
        State.COMPLETE,
        m.Done,
    ]
    records = await talk.store.recall(next(e for e in talk.heard if isinstance(e, m.SessionOpened)).conversation)
    assert [record.said for record in records] == [finals[-1]]


@pytest.mark.parametrize(("heard", "kind"), [(0, m.Reopened), (800, m.Hold)], ids=["nothing yet", "a little"])
async def test_whether_the_reply_was_heard_is_for_the_player_to_say(autojump_clock, heard, kind):
    """By the clock half a second of it can have been heard."""
    with trio.fail_after(120):
        async with replying("no", "tell", "me", "about", "london") as talk:
            await talk.ask(m.Played(turn=1, samples=heard))
            await talk.say(1500, 900)
            await talk.wait_for(kind)
    assert len(talk.all(m.Reopened | m.Hold)) == 1


async def test_it_may_be_taken_back_again_and_again(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=scripted(SLOW, SLOW, SLOW, LONG)) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            for _ in range(3):
                await talk.say(300, 900)
                await talk.wait_for(m.Final, turn=1)
            await talk.wait_for(m.Done, turn=1)
    assert [event.revision for event in talk.heard if isinstance(event, m.Reopened)] == [1, 2]


async def test_a_cancel_drops_what_is_said_into_the_reply(autojump_clock):
    with trio.fail_after(120):
        async with replying("what") as talk:
            await talk.say(300)
            await talk.wait_for(m.Hold)
            await talk.ask(m.Cancel())
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.CANCELLED
            await talk.say(1500, 900)
    assert max(event.turn for event in talk.heard if isinstance(event, m.StateChanged)) == 1


async def test_a_reply_that_is_held_goes_on_when_the_server_stops(autojump_clock):
    with trio.fail_after(120):
        async with replying("what") as talk:
            await talk.say(300)
            await talk.wait_for(m.Hold)
            talk.session.drain(60.0)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED
    assert m.Release in names(talk, 1)


async def test_what_is_said_while_the_turn_fails_begins_the_next(autojump_clock):
    broken = ScriptedReply(tokens=["A first sentence. "] * 5 + [2.0, EngineError(ErrorCode.LLM_FAIL, "gone")])
    with trio.fail_after(120):
        async with replying(*WORDS, engines=scripted(broken, LONG)) as talk:
            await talk.say(0, 500)
            await talk.say(600, 900)
            await talk.wait_for(m.Done, turn=1)
            assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
