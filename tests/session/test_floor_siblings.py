"""Speech that no turn asked for, at odd moments of the clock, the network, the client and the engines."""

import pytest
import structlog
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome, State
from voice_trio.memory.holds import Claims
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.candidate import LONGEST_HOLD_S
from voice_trio.tapped import tapped
from voice_trio.testing.conversation import conversation
from voice_trio.testing.explorer.breakable import BreakingTap
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
)

LONG = ScriptedReply(tokens=["This is a long sentence of a reply, and there is more. "] * 8, token_s=0.05)
SLOW = ScriptedReply(tokens=[5.0, "At last. "])
SHORT = ScriptedReply(tokens=["Yes."])


def engines(*replies, recognizer=None, **voice):
    return scripted_engines(
        recognizer=recognizer or LiteralRecognizer(),
        language_model=ScriptedLanguageModel(replies=replies or [LONG, SHORT]),
        synthesizer=ScriptedSynthesizer(**voice),
    )


async def reply_sounds(talk, **start):
    """Ask something, and return when the reply is heard."""
    await talk.ask(m.Start(**{"mode": "hands_free", **start}))
    await talk.say(spoken("hello"), 900)
    await talk.wait_for(m.TtsChunk)
    await talk.silence(500)


def finals(talk):
    return [event.text for event in talk.all(m.Final)]


def kinds(talk, *of):
    return [type(event) for event in talk.heard if isinstance(event, of)]


# --- what the clock decides -------------------------------------------------------------------------------------------


async def test_a_microphone_that_is_muted_in_a_word_ends_what_was_said_by_the_clock(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines()) as talk:
            await reply_sounds(talk)
            await talk.say(spoken("london", word_ms=600, gap_ms=0))
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
            assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
    assert finals(talk) == ["hello", "london"]


async def test_a_sign_whose_microphone_is_muted_lets_the_reply_go_on(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines()) as talk:
            await reply_sounds(talk)
            await talk.say(spoken("mhm", gap_ms=0))
            await talk.wait_for(m.Release)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("muted", [True, False])
async def test_a_recognizer_that_hangs_holds_the_reply_for_three_seconds(autojump_clock, muted):
    """What it did not hear is heard when the reply is over, in a turn of its own."""
    hearing = LiteralRecognizer()
    with trio.fail_after(120):
        async with conversation(engines=engines(LONG, SHORT, recognizer=hearing)) as talk:
            await reply_sounds(talk)
            hearing.hypothesize_s = hearing.settle_s = 1000.0
            await talk.say(spoken("london", word_ms=600))
            async with trio.open_nursery() as nursery:
                if not muted:
                    nursery.start_soon(talk.silence, 20_000)
                hold, release = await talk.wait_for(m.Hold), await talk.wait_for(m.Release)
                hearing.hypothesize_s = hearing.settle_s = 0.05
                done = await talk.wait_for(m.Done, turn=1)
                await talk.wait_for(m.Done, turn=2)
                nursery.cancel_scope.cancel()
    assert talk.time_of(release) - talk.time_of(hold) == pytest.approx(LONGEST_HOLD_S)
    assert done.outcome is Outcome.COMPLETED
    assert done.heard == len(talk.reply(1))
    assert finals(talk) == ["hello", "london"]


async def test_what_a_recognizer_failed_to_hear_is_heard_with_what_is_said_next(autojump_clock):
    hearing = LiteralRecognizer()
    with trio.fail_after(120):
        async with conversation(engines=engines(recognizer=hearing)) as talk:
            await reply_sounds(talk)
            hearing.hypothesize_s = hearing.settle_s = 30.0
            await talk.say(spoken("london", word_ms=600), 900)
            await talk.silence(10_500)
            assert not talk.all(m.Done), "the reply sounds still"
            hearing.hypothesize_s = hearing.settle_s = 0.05
            await talk.say(spoken("please"), 900)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
            await talk.wait_for(m.Done, turn=2)
    assert kinds(talk, m.Hold, m.Release) == [m.Hold, m.Release, m.Hold]
    assert finals(talk) == ["hello", "london please"]


async def test_a_defect_of_the_recognizer_is_logged_and_interrupts_nothing(autojump_clock):
    hearing = LiteralRecognizer()
    with structlog.testing.capture_logs() as lines, trio.fail_after(120):
        async with conversation(engines=engines(LONG, SHORT, recognizer=hearing)) as talk:
            await reply_sounds(talk)
            hearing.fails = [ValueError("a defect")]
            await talk.say(spoken("mhm"), 900)
            await talk.wait_for(m.Release)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED
    assert [line["turn"] for line in lines if line["event"] == "incident"] == [1]
    assert not talk.all(m.Error)


# --- what the network does --------------------------------------------------------------------------------------------


async def test_audio_that_comes_late_in_a_burst_is_weighed_like_any(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines()) as talk:
            await reply_sounds(talk)
            await trio.sleep(1.0)
            await talk.ask(m.Audio(spoken("tell", "me", "more")))
            await talk.silence(900)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
            await talk.wait_for(m.Done, turn=2)
    assert finals(talk) == ["hello", "tell me more"]


async def test_what_comes_after_a_gap_in_the_audio_belongs_to_the_interruption(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines(LONG, SLOW)) as talk:
            await reply_sounds(talk)
            await talk.say(spoken("tell", "me"))
            await trio.sleep(1.5)
            await talk.ask(m.Audio(spoken("about", "london")))
            await talk.silence(900)
            await talk.wait_for(m.Done, turn=2)
    assert finals(talk)[-1] == "tell me about london"
    assert not talk.all(m.Info, code=InfoCode.LATE_AUDIO)


# --- what is said meanwhile -------------------------------------------------------------------------------------------


async def test_what_is_said_while_a_candidate_is_weighed_is_heard_with_it(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines(recognizer=LiteralRecognizer(hypothesize_s=2.0, settle_s=2.0))) as talk:
            await reply_sounds(talk)
            await talk.say(spoken("tell", "me"), 900)
            await talk.say(spoken("about", "london"), 900)
            await talk.say(spoken("please"), 900)
            await talk.wait_for(m.Done, turn=2)
    assert finals(talk)[-1] == "tell me about london please"


async def test_words_behind_a_sign_that_is_still_weighed_interrupt(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines(recognizer=LiteralRecognizer(settle_s=1.0))) as talk:
            await reply_sounds(talk)
            await talk.say(spoken("mhm"), 900)
            await talk.say(spoken("stop"), 900)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
            await talk.wait_for(m.Done, turn=2)
    assert kinds(talk, m.Hold, m.Release) == [m.Hold, m.Release, m.Hold]
    assert finals(talk) == ["hello", "stop"]


async def test_speech_while_a_typed_turn_thinks_is_kept_for_its_reply(autojump_clock):
    with trio.fail_after(120):
        thinks_long = ScriptedReply(tokens=[4.5, *LONG.tokens])
        async with conversation(engines=engines(SHORT, thinks_long, SHORT)) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.Done, turn=1)
            await talk.ask(m.Text(text="typed"))
            await talk.say(spoken("one"), 900)
            await talk.say(spoken("two"), 900)
            await talk.silence(3000)
            assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.INTERRUPTED
            await talk.wait_for(m.Done, turn=3)
    assert finals(talk) == ["hello", "one two"]


@pytest.mark.parametrize("wait_ms", [0, 1200])
async def test_an_interruption_may_be_gone_on_with(autojump_clock, wait_ms):
    """While the interrupting turn is CAPTURING it is one utterance, while it is THINKING it is reopened."""
    with trio.fail_after(120):
        async with conversation(engines=engines(LONG, SLOW, SHORT)) as talk:
            await reply_sounds(talk)
            await talk.say(spoken("stop", "and", "tell"))
            await talk.silence(wait_ms)
            await talk.say(spoken("me"), 900)
            await talk.wait_for(m.Done, turn=2)
    assert finals(talk)[-1] == "stop and tell me"
    assert len(talk.all(m.Reopened, turn=2)) == (wait_ms > 0)


async def test_a_store_that_hangs_at_the_interruption_costs_no_word(autojump_clock):
    tap = BreakingTap(lambda record: None)
    tapped_engines, store = tapped(engines(), InProcessStore(), tap)
    with trio.fail_after(120):
        async with conversation(engines=tapped_engines, store=store) as talk:
            await reply_sounds(talk)
            tap.breakers.store.hang()
            await talk.say(spoken("stop", "one"), 900)
            await talk.say(spoken("two"), 900)
            await talk.say(spoken("three"), 900)
            await talk.wait_for(m.Done, turn=2)
    assert finals(talk)[-1] == "stop one two three"


async def test_speech_that_grows_too_long_by_being_reopened_is_said_to_be_and_answered(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines(SLOW, SLOW, SHORT, SHORT), max_utterance_ms=3000) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("one", "two", "three"), 900)
            await talk.say(spoken("four", "five", "six", "seven", "eight"), 900)
            await talk.wait_for(m.Done, turn=1)
            await talk.silence(3000)
    assert talk.all(m.Error, code=ErrorCode.MAX_DURATION_EXCEEDED)
    assert finals(talk)[1].split()[:4] == ["one", "two", "three", "four"]


# --- where the reply stands -------------------------------------------------------------------------------------------


async def test_speech_before_the_first_sound_was_sent_reopens_the_turn(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines(SHORT, SHORT, speak_s=1.0)) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("one"), 900)
            await talk.wait_for(m.Token)
            await talk.say(spoken("two"), 900)
            await talk.wait_for(m.Done, turn=1)
    assert kinds(talk, m.Hold, m.Reopened) == [m.Reopened]
    assert finals(talk) == ["one", "one two"]


@pytest.mark.parametrize(("wait_s", "words"), [(0.2, ""), (1.0, "This is a ")])
async def test_a_word_of_the_player_that_is_under_way_over_a_reopening_claims_nothing_unheard(
    autojump_clock, wait_s, words
):
    with trio.fail_after(120):
        async with conversation(engines=engines(SHORT, LONG, speak_s=1.0, char_ms=100), playout_lead_ms=2000) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("one"), 900)
            await talk.wait_for(m.Token)
            await talk.say(spoken("two"), 900)
            await talk.wait_for(m.Reopened)
            await talk.wait_for(m.TtsChunk)
            await trio.sleep(wait_s)
            await talk.ask(m.Played(turn=1, samples=10**6))
            await talk.ask(m.Cancel())
            done = await talk.wait_for(m.Done, turn=1)
    assert "".join(map(str, LONG.tokens))[: done.heard] == words


async def test_a_reply_of_which_everything_was_sent_is_held_too(autojump_clock):
    """Its last second is still at the player."""
    with trio.fail_after(120):
        async with conversation(engines=engines(SHORT, char_ms=200), playout_lead_ms=2000) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsPhraseDone)
            await talk.say(spoken("mhm"), 3000)
            done = await talk.wait_for(m.Done, turn=1)
    assert kinds(talk, m.Hold, m.Release, m.Done)[:3] == [m.Hold, m.Release, m.Done]
    assert (done.outcome, done.heard) == (Outcome.COMPLETED, len("Yes."))


async def test_a_held_reply_that_fails_is_released_before_its_end(autojump_clock):
    """What is queued of it counts as heard, so it has to be."""
    broken = ScriptedReply(tokens=["A first sentence. "] * 5 + [0.5, ValueError("a defect")], token_s=0.02)
    with trio.fail_after(120):
        async with conversation(engines=engines(broken, SHORT)) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsChunk)
            await talk.say(spoken("one", "two"), 900)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.FAILED
            await talk.wait_for(m.Done, turn=2)
    assert kinds(talk, m.Hold, m.Release) == [m.Hold, m.Release]
    assert finals(talk) == ["hello", "one two"]


# --- what the client does ---------------------------------------------------------------------------------------------


async def test_a_turn_that_is_asked_for_while_a_candidate_is_weighed_takes_its_place(autojump_clock):
    """Where a tap began the turn, what is said at the very end of a reply is weighed on when it is over."""
    with trio.fail_after(120):
        hearing = LiteralRecognizer(settle_s=5.0, hypothesize_s=5.0)
        async with conversation(engines=engines(SHORT, SHORT, recognizer=hearing, char_ms=300)) as talk:
            await talk.ask(m.Start(mode="tap", barge_in=True))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsChunk)
            await talk.say(spoken("mhm"), 900)
            await talk.wait_for(m.Done, turn=1)
            hearing.settle_s = hearing.hypothesize_s = 0.05
            await talk.ask(m.Start(mode="tap"))
            await talk.say(spoken("again"), 900)
            assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
    assert finals(talk) == ["hello", "again"]
    assert not talk.all(m.Error)


async def test_a_start_while_the_reply_is_held_is_out_of_place_and_changes_nothing(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines()) as talk:
            await reply_sounds(talk)
            await talk.say(spoken("mhm"))
            await talk.wait_for(m.Hold)
            await talk.ask(m.Start())
            await talk.wait_for(m.Error, code=ErrorCode.PROTOCOL_VIOLATION)
            await talk.silence(900)
            await talk.wait_for(m.Release)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED


async def test_a_stop_that_comes_after_the_end_leaves_the_session_listening(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines(SHORT, recognizer=LiteralRecognizer(settle_s=2.0))) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("one"), 900)
            assert talk.states(1) == [State.CAPTURING]
            await talk.ask(m.Stop())
            await talk.silence(4000)
            await talk.wait_for(m.Done, turn=1)
            await talk.say(spoken("two"), 900)
            await talk.wait_for(m.Done, turn=2)
    assert finals(talk) == ["one", "two"]


async def test_hands_free_goes_on_where_nobody_may_interrupt(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines(SHORT), barge_in=False) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            for turn in (1, 2, 3):
                await talk.say(spoken("one"), 900)
                await talk.wait_for(m.Done, turn=turn)
                await talk.silence(500)


@pytest.mark.parametrize("candidate", ["stop", "mhm"])
async def test_a_client_that_goes_while_the_reply_is_held_leaves_nothing(autojump_clock, candidate):
    set_up = engines()
    with trio.fail_after(120):
        async with conversation(engines=set_up) as talk:
            await reply_sounds(talk)
            await talk.say(spoken(candidate))
            await talk.wait_for(m.Hold)
            talk.link.vanish()
    assert (set_up.recognizer.open_now, set_up.language_model.open_now) == (0, 0)
    records = await talk.store.recall(next(e for e in talk.heard if isinstance(e, m.SessionOpened)).conversation)
    assert [record.said for record in records] in (["hello"], ["hello", candidate])


async def test_a_conversation_that_is_anothers_is_refused_however_often_one_speaks(autojump_clock):
    with trio.fail_after(120):
        store, claims = InProcessStore(), Claims()
        async with conversation(engines=engines(SHORT), store=store, claims=claims) as other:
            theirs = (await other.wait_for(m.SessionOpened)).conversation
            async with conversation(engines=engines(SHORT), store=store, claims=claims) as talk:
                await talk.ask(m.Start(mode="hands_free", conversation=theirs))
                for turn in (1, 2):
                    await talk.say(spoken("one"), 900)
                    assert (await talk.wait_for(m.Done, turn=turn)).outcome is Outcome.FAILED
            assert not talk.all(m.Final)


async def test_a_stop_is_not_taken_back_by_who_speaks_beside_it(autojump_clock):
    with trio.fail_after(120):
        async with conversation(engines=engines(ScriptedReply(tokens=[2.0, "At last. "]), SHORT)) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello", "there"))
            await talk.ask(m.Stop())
            await talk.say(spoken("from", "the", "television"), 900)
            assert (await talk.wait_for(m.Done, turn=1)).outcome in (Outcome.COMPLETED, Outcome.INTERRUPTED)
    assert not talk.all(m.Reopened)
    assert finals(talk)[0] == "hello there"


async def test_a_candidate_is_heard_in_the_language_of_the_turn(autojump_clock):
    recognizer = ScriptedRecognizer()
    made = scripted_engines(recognizer=recognizer, language_model=ScriptedLanguageModel(replies=[LONG, SHORT]))
    with trio.fail_after(120):
        async with conversation(engines=made, language="de") as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(1500, 900)
            await talk.wait_for(m.TtsChunk)
            await talk.silence(500)
            await talk.say(1500, 900)
            await talk.wait_for(m.Done, turn=1)
    assert set(recognizer.asked_for) == {"de"}
