"""Speech that is too long for one utterance, because it waited, or goes on behind what waited: no word is lost."""

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

LONG = ScriptedReply(tokens=["This is a long sentence of a reply, and there is more. "] * 8, token_s=0.05)
SHORT = ScriptedReply(tokens=["Yes."])
LONGEST_MS = 3000


def engines(*replies, recognizer=None):
    return scripted_engines(
        recognizer=recognizer or LiteralRecognizer(),
        language_model=ScriptedLanguageModel(replies=[*replies, *[SHORT] * 20]),
    )


def numbers(first, last):
    return [f"w{n}" for n in range(first, last + 1)]


def heard(talk):
    """Return the words that count: those of each turn's last final."""
    finals = {event.turn: event.text for event in talk.all(m.Final)}
    return " ".join(finals.values()).split()


async def quiet(talk):
    while len({event.turn for event in talk.all(m.StateChanged)}) > len(talk.all(m.Done)):
        await talk.silence(1000)
    await talk.silence(3000)


async def spoken_while_a_text_is_answered(utterances, thinks_s):
    """Return a talk in which a person says ``utterances`` of five words while the model thinks about a text."""
    thinks_long = ScriptedReply(tokens=[thinks_s, *LONG.tokens])
    with trio.fail_after(300):
        async with conversation(engines=engines(SHORT, thinks_long), max_utterance_ms=LONGEST_MS) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.Done, turn=1)
            await talk.ask(m.Text(text="typed"))
            for n in range(utterances):
                await talk.say(spoken(*numbers(5 * n, 5 * n + 4)), 900)
            await quiet(talk)
    return talk


@pytest.mark.parametrize("utterances", [2, 3])
async def test_what_waits_for_a_typed_turn_is_heard_though_it_is_too_long_for_one(autojump_clock, utterances):
    talk = await spoken_while_a_text_is_answered(utterances, thinks_s=3.5 * utterances)
    assert heard(talk) == ["hello", *numbers(0, 5 * utterances - 1)]


async def test_of_more_than_that_the_person_is_told(autojump_clock):
    """What waits is bounded, since a model may think for long."""
    words = heard(talk := await spoken_while_a_text_is_answered(7, thinks_s=28.0))
    assert words[:10] == ["hello", *numbers(0, 8)]
    assert talk.all(m.Error, code=ErrorCode.MAX_DURATION_EXCEEDED)


async def test_what_no_recognizer_heard_is_heard_before_what_is_said_next(autojump_clock):
    hearing = LiteralRecognizer()
    with trio.fail_after(300):
        async with conversation(engines=engines(LONG, recognizer=hearing), max_utterance_ms=LONGEST_MS) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsChunk)
            await talk.silence(500)
            hearing.hypothesize_s = hearing.settle_s = 30.0
            await talk.say(spoken(*numbers(0, 4)), 900)
            await talk.silence(10_500)
            hearing.hypothesize_s = hearing.settle_s = 0.05
            await talk.say(spoken(*numbers(5, 9)), 900)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
            await quiet(talk)
    assert heard(talk) == ["hello", *numbers(0, 9)]


async def test_who_goes_on_for_too_long_before_the_answer_is_heard_in_the_next_turn(autojump_clock):
    slow = ScriptedReply(tokens=[4.0, *LONG.tokens])
    with trio.fail_after(300):
        async with conversation(engines=engines(slow), max_utterance_ms=LONGEST_MS) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken(*numbers(0, 5)), 900)
            await talk.wait_for(m.Final, turn=1)
            await talk.say(spoken(*numbers(6, 9)), 900)
            await quiet(talk)
    assert heard(talk) == numbers(0, 9)


@pytest.mark.parametrize("words", [10, 30, 45])
async def test_who_speaks_on_and_on_loses_no_word(autojump_clock, words):
    with trio.fail_after(300):
        async with conversation(engines=engines(), max_utterance_ms=LONGEST_MS) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken(*numbers(0, words - 1)), 900)
            await quiet(talk)
    # A word that is cut in two is heard in both halves.
    assert list(dict.fromkeys(heard(talk))) == numbers(0, words - 1)
