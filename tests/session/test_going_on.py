"""A reply that was stopped by mistake goes on when the person says so, with the words that were not heard."""

import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import CallState, Outcome
from voice_trio.engines.skills_model import SkillsModel
from voice_trio.skills.skill import Means
from voice_trio.skills.table import Skills
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer, scripted_engines


async def test_a_story_goes_on_where_it_was_stopped_after_what_was_no_question(autojump_clock):
    engines = scripted_engines(
        recognizer=LiteralRecognizer(), language_model=SkillsModel(), synthesizer=ScriptedSynthesizer(char_ms=60)
    )
    with trio.fail_after(600):
        async with conversation(engines=engines, tools=Skills(Means()).tools(), playout_lead_ms=200) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("tell", "me", "a", "story"), 900)
            await talk.wait_for(m.TtsChunk, turn=1)
            await talk.silence(9000)
            await talk.say(spoken("colorless", "green", "ideas"), 1200)
            stopped = await talk.wait_for(m.Done, turn=1)
            await talk.wait_for(m.Done, turn=2)
            await talk.say(spoken("go", "on"), 900)
            await talk.wait_for(m.Done, turn=3)
    story = talk.all(m.ToolCalled, turn=1, state=CallState.DONE)[0].result
    assert stopped.outcome is Outcome.INTERRUPTED
    assert talk.reply(2).startswith("I did not understand")
    rest = talk.reply(3)
    assert len(story) - len(rest) < stopped.heard + 5
    assert story.endswith(rest)


async def test_a_language_model_is_told_how_far_it_was_heard(autojump_clock):
    long = ScriptedReply(tokens=["This is a long sentence of a reply, and there is more. "] * 8)
    model = ScriptedLanguageModel(replies=[long, ScriptedReply(tokens=["And so on."])])
    with trio.fail_after(120):
        async with conversation(engines=scripted_engines(recognizer=LiteralRecognizer(), language_model=model)) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsChunk)
            await talk.silence(1500)
            await talk.say(spoken("no", "please", "go", "on"), 900)
            stopped = await talk.wait_for(m.Done, turn=1)
            await talk.wait_for(m.Done, turn=2)
    _, reply, said = model.prompts[-1][-3:]
    assert stopped.outcome is Outcome.INTERRUPTED
    assert stopped.heard > 0
    assert reply.content.startswith(talk.reply(1)[: stopped.heard].rstrip())
    assert len(reply.content) < stopped.heard + 30
    assert said.content == "no please go on"
