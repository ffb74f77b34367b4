"""Replies as no model should write them: what a person hears of them, and is told."""

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome
from voice_trio.engines.base import Alive, EngineError, ToolCall
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer, scripted_engines

THINKS = Alive("thinking")
WAITS = Alive("waiting")
LLM_FAIL = EngineError(ErrorCode.LLM_FAIL, "refused")


async def turn(*tokens, finish="stop", synthesizer=None, **settings):
    """Return the conversation of one turn that is answered with ``tokens``, and its `Done`."""
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=tokens, token_s=0.0, finish=finish)])
    engines = scripted_engines(language_model=model, synthesizer=synthesizer)
    with trio.fail_after(10_000):
        async with conversation(engines=engines, **settings) as talk:
            await talk.ask(m.Text(text="hello"))
            done = await talk.wait_for(m.Done)
    assert model.open_now == 0
    return talk, done


def told(talk) -> list[m.Info]:
    return [event for event in talk.heard if isinstance(event, m.Info) and event.turn is not None]


def errors(talk) -> list[ErrorCode]:
    return [event.code for event in talk.heard if isinstance(event, m.Error)]


# --- a model that works, and says nothing yet -------------------------------------------------------------------------


async def test_a_model_that_reasons_is_not_stalled(autojump_clock):
    # Longer than the limits for the first token and for all waiting, which are 5 and 30 s.
    talk, done = await turn(*[4.0, THINKS] * 13, "It is noon.")
    assert (done.outcome, talk.reply(1), errors(talk)) == (Outcome.COMPLETED, "It is noon.", [])
    assert talk.time_of(done) > 50


async def test_reasoning_has_a_limit_of_its_own(autojump_clock):
    talk, done = await turn(*[4.0, THINKS] * 100, "It is noon.")
    assert (done.outcome, errors(talk)) == (Outcome.TIMED_OUT, [ErrorCode.LLM_TIMEOUT])
    assert 60 <= talk.time_of(done) <= 65


async def test_a_stall_between_signs_of_life_is_one(autojump_clock):
    talk, done = await turn(THINKS, 4.0, WAITS, 6.0, "It is noon.")
    assert (done.outcome, errors(talk)) == (Outcome.TIMED_OUT, [ErrorCode.LLM_TIMEOUT])
    assert 9 <= talk.time_of(done) < 10


async def test_reasoning_leaves_the_limit_for_tokens_as_it_is(autojump_clock):
    # 48 s of reasoning, and 28 s of waiting for tokens.
    talk, done = await turn(*[4.0, THINKS] * 12, *[4.0, "word "] * 7)
    assert (done.outcome, errors(talk)) == (Outcome.COMPLETED, [])
    assert talk.reply(1) == "word " * 7


async def test_a_phrase_ends_at_a_gap_although_the_model_goes_on_reasoning(autojump_clock):
    talk, _ = await turn("One moment", *[0.2, THINKS] * 20, " please.")
    phrases = [event for event in talk.heard if isinstance(event, m.TtsPhrase)]
    assert [talk.reply(1)[phrase.start : phrase.end] for phrase in phrases] == ["One moment", " please."]
    assert talk.time_of(phrases[0]) < 1.5


# --- a reply with nothing to say --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "finish", "words"),
    [
        ([], "stop", "empty"),
        (["  ", "\n"], "stop", "empty"),
        ([], "content_filter", "filter"),
        ([], "refusal", "refused"),
        ([Alive("tool_call")], "tool_calls", "tool"),
        ([ToolCall("a", "look", "{}")], "stop", "tool"),
        ([THINKS, 1.0, THINKS], "stop", "only thinking"),
        ([THINKS], "length", "limit of length"),
        (["***", " ---"], "stop", "can be spoken"),
    ],
)
async def test_a_reply_with_nothing_to_say_is_told(autojump_clock, tokens, finish, words):
    talk, done = await turn(*tokens, finish=finish)
    (info,) = told(talk)
    assert (info.code, info.turn, words in info.message) == (InfoCode.EMPTY_REPLY, 1, True)
    assert (done.outcome, done.remembered, errors(talk)) == (Outcome.COMPLETED, True, [])


@pytest.mark.parametrize("tokens", [["It is noon."], ["So. ", LLM_FAIL], [LLM_FAIL], [60.0]])
async def test_any_other_is_not(autojump_clock, tokens):
    talk, _ = await turn(*tokens)
    assert not told(talk)


async def test_a_voice_that_fails_is_no_empty_reply(autojump_clock):
    voice = ScriptedSynthesizer(fails=[EngineError(ErrorCode.TTS_FAIL, "broken")])
    talk, done = await turn("It is noon.", synthesizer=voice)
    assert (done.outcome, told(talk)) == (Outcome.FAILED, [])


# --- one without an end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["word ", "word " * 2000])
async def test_a_reply_that_is_too_long_is_cut_and_told(autojump_clock, token):
    talk, done = await turn(*[token] * 1000, max_reply_chars=100)
    (info,) = told(talk)
    assert (info.code, info.turn) == (InfoCode.REPLY_CUT, 1)
    assert (done.outcome, done.heard, len(talk.reply(1))) == (Outcome.COMPLETED, 100, 100)


async def test_a_reply_of_just_that_length_is_not_cut(autojump_clock):
    talk, done = await turn(*["word "] * 20, max_reply_chars=100)
    assert (done.heard, told(talk)) == (100, [])


async def test_phrases_are_cut_before_their_number_does_not_fit(autojump_clock, monkeypatch):
    monkeypatch.setattr("voice_trio.session.llm.MAX_PHRASES", 5)
    talk, done = await turn("```\n", *["x\n"] * 1000)
    assert [info.code for info in told(talk) if info.code is not InfoCode.EMPTY_REPLY] == [InfoCode.REPLY_CUT]
    assert done.outcome is Outcome.COMPLETED
    assert max(event.phrase for event in talk.heard if isinstance(event, m.TtsPhraseDone)) < 10


async def test_a_huge_token_is_shown_in_slices(autojump_clock):
    talk, _ = await turn("word " * 1_000_000, max_reply_chars=2000)
    assert max(len(event.text) for event in talk.heard if isinstance(event, m.Token)) <= 500


# --- one that breaks off ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "heard"),
    [
        (["It is noon. ", "The sun is out.", LLM_FAIL], "It is noon. The sun is out."),
        (["It is noon. ", "The sun is", LLM_FAIL], "It is noon. "),
        (["It is noon.", LLM_FAIL], "It is noon."),
        (["It is", LLM_FAIL], ""),
        (["It is noon. ", "The sun is out.", None], "It is noon. The sun is out."),
    ],
)
async def test_whole_sentences_of_a_reply_that_breaks_off_are_spoken(autojump_clock, tokens, heard):
    breaks = tokens[-1] is None
    talk, done = await turn(*tokens[:-1] if breaks else tokens, finish=None if breaks else "stop")
    assert (done.outcome, errors(talk)) == (Outcome.FAILED, [ErrorCode.LLM_FAIL])
    assert talk.reply(1)[: done.heard] == heard


async def test_that_it_broke_off_is_told_before_the_rest_is_spoken(autojump_clock):
    talk, done = await turn(*["This is a sentence of some length. "] * 20, LLM_FAIL)
    (error,) = [event for event in talk.heard if isinstance(event, m.Error)]
    assert talk.time_of(done) - talk.time_of(error) > 5


async def test_nothing_is_lost_of_what_was_written_while_the_voice_was_behind(autojump_clock):
    text = " ".join(f"This is sentence {number} of a reply." for number in range(20))
    talk, done = await turn(text, LLM_FAIL)
    assert (done.outcome, errors(talk)) == (Outcome.FAILED, [ErrorCode.LLM_FAIL])
    assert talk.reply(1)[: done.heard] == text
