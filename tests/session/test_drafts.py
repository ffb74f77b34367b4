"""A reply is begun in the pause that may be the end, and nobody hears of it unless it was."""

from collections import Counter

import pytest
import trio
from structlog.testing import capture_logs

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.engines.base import EngineError
from voice_trio.session.draft import MOST
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, LiteralUtterance, spoken
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
    silent,
    voiced,
)

WINDOW_MS = 700
PAUSE_MS = 360
"""Long enough to look like the end, and shorter than the window."""


def engines(*replies, recognizer=None, synthesizer=None):
    return scripted_engines(
        recognizer=recognizer or LiteralRecognizer(settles_early=True),
        language_model=ScriptedLanguageModel(replies=replies or [ScriptedReply()]),
        synthesizer=synthesizer or ScriptedSynthesizer(),
    )


def fates(logs):
    return Counter(str(line["fate"]) for line in logs if line["event"] == "draft")


async def ask(talk, pcm, **start):
    """Say ``pcm`` and the silence that ends it; return the turn's end, and how long after the final its sound came."""
    await talk.ask(m.Start(**start))
    await talk.say(pcm + silent(WINDOW_MS + 60))
    final = await talk.wait_for(m.Final)
    chunk = await talk.wait_for(m.TtsChunk)
    return await talk.wait_for(m.Done), talk.time_of(chunk) - talk.time_of(final)


async def test_what_takes_no_longer_than_the_window_takes_no_time(autojump_clock):
    given = engines(ScriptedReply(tokens=("It is sunny. ", "And warm."), token_s=0.2))
    with trio.fail_after(60), capture_logs() as logs:
        async with conversation(engines=given) as talk:
            done, waited_s = await ask(talk, spoken("what", "now"))
        async with conversation(engines=given, drafts="off") as talk:
            _, waited_without_s = await ask(talk, spoken("what", "now"))
    assert waited_s == 0
    assert waited_without_s >= 0.2
    assert (done.outcome, done.remembered) == (Outcome.COMPLETED, True)
    assert [message.content for message in given.language_model.prompts[0]][-1] == "what now"
    assert fates(logs) == {"promoted": 1}


async def test_its_events_are_those_of_any_turn_in_their_order(autojump_clock):
    kinds = []
    with trio.fail_after(60):
        for drafts in ("on", "off"):
            async with conversation(engines=engines(), drafts=drafts) as talk:
                await ask(talk, spoken("what", "now"))
                kinds.append([kind for kind in talk.kinds(1) if kind not in ("Partial", "Token")])
                assert talk.reply(1) == "It is sunny. Enjoy your day."
                assert len(talk.audio(1)) > 0
    # Where the reply was written before, its tokens and its sound come closer to each other.
    assert kinds[0] == kinds[1]


async def test_it_is_discarded_when_the_person_goes_on(autojump_clock):
    given = engines(ScriptedReply(tokens=("Wrong. ",)), ScriptedReply(tokens=("Right. ",)))
    with trio.fail_after(60), capture_logs() as logs:
        async with conversation(engines=given) as talk:
            await ask(talk, spoken("what") + silent(PAUSE_MS) + spoken("now"))
            assert talk.reply(1) == "Right. "
            assert not any("Wrong" in str(event) for event in talk.heard)
            assert given.language_model.open_now == 0
    assert [prompt[-1].content for prompt in given.language_model.prompts] == ["what", "what now"]
    assert fates(logs) == {"discarded": 1, "promoted": 1}
    [line] = [line for line in logs if line["event"] == "latency"]
    assert (line["drafts_promoted"], line["drafts_discarded"], line["drafts_failed"]) == (1, 1, 0)
    assert line["drafts_wasted_tokens"] == 1


async def test_its_stream_is_left_as_soon_as_the_person_goes_on(autojump_clock):
    given = engines(ScriptedReply(tokens=("Very ", 60.0, "slow."), token_s=0.01))
    with trio.fail_after(60):
        async with conversation(engines=given) as talk:
            await talk.ask(m.Start())
            await talk.say(spoken("what") + silent(PAUSE_MS))
            assert given.language_model.open_now == 1
            await talk.say(spoken("now"))
            assert given.language_model.open_now == 0
            await talk.ask(m.Cancel())


async def test_it_is_discarded_when_the_final_says_something_else(autojump_clock):
    class Fickle(LiteralUtterance):
        async def anticipate(self, voiced_through):
            return (await super().anticipate(voiced_through))._replace(text="something else")

    given = engines(recognizer=LiteralRecognizer(settles_early=True, utterance=Fickle))
    with trio.fail_after(60), capture_logs() as logs:
        async with conversation(engines=given) as talk:
            done, _ = await ask(talk, spoken("what", "now"))
    assert done.outcome is Outcome.COMPLETED
    assert [prompt[-1].content for prompt in given.language_model.prompts] == ["something else", "what now"]
    assert fates(logs) == {"discarded": 1}


@pytest.mark.parametrize(
    "reply",
    [
        ScriptedReply(tokens=(EngineError(ErrorCode.LLM_FAIL, "no"),)),
        ScriptedReply(tokens=("Half ", EngineError(ErrorCode.LLM_FAIL, "no"))),
        ScriptedReply(tokens=("A whole sentence. ", EngineError(ErrorCode.LLM_FAIL, "no"))),
        ScriptedReply(tokens=("Half ",), finish=None),
        ScriptedReply(tokens=(KeyError("a defect"),)),
    ],
    ids=["at once", "in the middle", "after a sentence", "broken off", "defect"],
)
async def test_what_fails_it_is_told_only_if_it_fails_the_reply_too(autojump_clock, reply):
    with trio.fail_after(60), capture_logs() as logs:
        async with conversation(engines=engines(reply, ScriptedReply())) as talk:
            done, _ = await ask(talk, spoken("what", "now"))
            assert not talk.all(m.Error)
    assert done.outcome is Outcome.COMPLETED
    assert fates(logs) == {"failed": 1}
    assert [line["event"] for line in logs if line["log_level"] == "error"] == (
        ["incident"] if isinstance(reply.tokens[0], KeyError) else []
    )


async def test_what_fails_once_it_is_the_reply_is_told_as_ever(autojump_clock):
    late = 2.0
    for error, code, outcome in [
        (EngineError(ErrorCode.LLM_FAIL, "no"), ErrorCode.LLM_FAIL, Outcome.FAILED),
        (KeyError("a defect"), ErrorCode.INTERNAL, Outcome.FAILED),
    ]:
        with trio.fail_after(60), capture_logs() as logs:
            async with conversation(engines=engines(ScriptedReply(tokens=("Half. ", late, error)))) as talk:
                done, _ = await ask(talk, spoken("what", "now"))
                assert [event.code for event in talk.all(m.Error)] == [code]
        assert done.outcome is outcome
        assert fates(logs) == {"promoted": 1}


async def test_there_are_so_many_in_a_turn_and_no_more(autojump_clock):
    given = engines()
    words = [f"w{n}" for n in range(MOST + 2)]
    with trio.fail_after(60), capture_logs() as logs:
        async with conversation(engines=given) as talk:
            pcm = b"".join(spoken(word) + silent(PAUSE_MS) for word in words[:-1]) + spoken(words[-1])
            done, _ = await ask(talk, pcm)
    assert done.outcome is Outcome.COMPLETED
    assert fates(logs) == {"discarded": MOST}
    assert len(given.language_model.prompts) == MOST + 1
    assert given.language_model.prompts[-1][-1].content == " ".join(words)


async def test_where_somebody_pays_there_is_none_unless_it_is_asked_for(autojump_clock):
    for drafts, metered, promoted in [("auto", True, 0), ("auto", False, 1), ("on", True, 1), ("off", False, 0)]:
        given = engines()
        given.language_model.metered = metered
        with trio.fail_after(60), capture_logs() as logs:
            async with conversation(engines=given, drafts=drafts) as talk:
                await ask(talk, spoken("what", "now"))
        assert fates(logs)["promoted"] == promoted
        assert len(given.language_model.prompts) == 1


async def test_there_is_none_of_nothing_or_where_only_the_person_ends_it(autojump_clock):
    given = engines()
    with trio.fail_after(60), capture_logs() as logs:
        async with conversation(engines=given) as talk:
            await talk.ask(m.Start())
            await talk.say(voiced(300) + silent(WINDOW_MS + 60))
            assert (await talk.wait_for(m.Done)).outcome is Outcome.EMPTY
            await talk.ask(m.Start(mode="hold"))
            await talk.say(spoken("what") + silent(PAUSE_MS) + spoken("now"))
            await talk.ask(m.Stop())
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
    assert not fates(logs)


async def test_a_turn_that_is_reopened_voids_what_was_promoted_and_counts_on(autojump_clock):
    given = engines(*[ScriptedReply(tokens=(5.0, "Late. "))] * MOST, ScriptedReply(tokens=("In time. ",)))
    with trio.fail_after(60), capture_logs() as logs:
        async with conversation(engines=given) as talk:
            await talk.ask(m.Start(mode="hands_free", barge_in=True))
            for word in ("one", "two", "three"):
                await talk.say(spoken(word) + silent(WINDOW_MS + 240))
            await talk.say(spoken("four") + silent(WINDOW_MS + 240))
            done = await talk.wait_for(m.Done)
            assert talk.reply(1) == "In time. "
            finals = [final.text for final in talk.all(m.Final)]
    assert done.outcome is Outcome.COMPLETED
    assert finals[-1] == "one two three four"
    assert fates(logs) == {"promoted": MOST}
    assert given.language_model.open_now == 0


async def test_a_voice_that_is_not_here_costs_no_draft(autojump_clock):
    given = engines()
    with trio.fail_after(60), capture_logs() as logs:
        async with conversation(engines=given) as talk:
            await talk.ask(m.Start(voice="nobody"))
            await talk.say(spoken("what", "now") + silent(WINDOW_MS + 60))
            assert (await talk.wait_for(m.Done)).outcome is Outcome.FAILED
    assert not fates(logs)
    assert given.language_model.prompts == []


async def test_a_long_reply_waits_at_its_outlet_and_then_goes_out_whole(autojump_clock):
    text = [f"word{n} " for n in range(400)]
    given = engines(ScriptedReply(tokens=text, token_s=0.001), synthesizer=ScriptedSynthesizer(char_ms=1))
    with trio.fail_after(120):
        async with conversation(engines=given) as talk:
            done, waited_s = await ask(talk, spoken("what", "now"))
            assert talk.reply(1) == "".join(text)
            assert done.heard == len("".join(text).rstrip()) or done.heard == len("".join(text))
    assert waited_s == 0
