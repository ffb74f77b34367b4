"""Another language model while a session lives: the turn in progress keeps its own, and the person is told."""

from dataclasses import dataclass

import trio

from tests.journal.conversations import difference, record, recording, spelled
from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode
from voice_trio.engines.base import LanguageModel
from voice_trio.engines.synthetic import SyntheticModel
from voice_trio.session.greeting import NO_MODEL, another_model
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

FOUND = "model (Ollama) answers from now on."


@dataclass
class Swapped:
    """What is here until it is another one."""

    now: LanguageModel

    name = property(lambda self: self.now.name)
    synthetic = property(lambda self: self.now.synthetic)
    stream = property(lambda self: self.now.stream)

    def leased(self):
        return self.now


def replying(*tokens):
    return ScriptedLanguageModel(replies=[ScriptedReply(tokens=tokens)], name="model (Ollama)")


async def test_a_turn_keeps_the_model_that_it_began_with(autojump_clock):
    model = Swapped(replying("From ", "the ", "first."))
    engines = scripted_engines(language_model=model)
    with trio.fail_after(60):
        async with conversation(engines=engines.leased) as talk:
            await talk.ask(m.Start())
            await talk.say(1500)
            model.now = replying("From the second.")
            await talk.say(0, 900)
            await talk.wait_for(m.Done)
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.Done)
    replies = {
        turn: "".join(e.text for e in talk.heard if isinstance(e, m.Token) and e.turn == turn) for turn in (1, 2)
    }
    assert replies == {1: "From the first.", 2: "From the second."}


async def test_who_is_there_already_is_told_and_who_comes_later_is_greeted_with_it(autojump_clock):
    model = Swapped(SyntheticModel("Start one."))
    engines = scripted_engines(language_model=model)
    with trio.fail_after(60):
        async with conversation(engines=engines.leased) as talk:
            opened = await talk.wait_for(m.SessionOpened)
            advised = await talk.wait_for(m.Info)
            model.now = replying("Hello.")
            talk.session.tell(another_model(model.now))
            told = await talk.wait_for(m.Info)
        async with conversation(engines=engines.leased) as later:
            greeted = await later.wait_for(m.SessionOpened)
            await later.ask(m.Text(text="hello"))
            await later.wait_for(m.Done)
    assert (opened.llm, greeted.llm) == ("synthetic", "model (Ollama)")
    assert (advised.code, advised.message) == (InfoCode.LLM_SYNTHETIC, f"{NO_MODEL} Start one.")
    assert (told.code, told.message) == (InfoCode.LLM_FOUND, FOUND)
    assert not any(isinstance(event, m.Info) for event in later.heard)


async def test_what_is_told_before_the_greeting_is_in_the_greeting(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            talk.session.tell(another_model(replying()))
            await talk.next_is(m.SessionOpened)


def test_the_loss_of_a_model_is_told_without_the_advice():
    assert another_model(SyntheticModel("Start one.")) == m.Info(
        code=InfoCode.LLM_SYNTHETIC,
        message="The language model is gone: replies only repeat what was heard until one is there again.",
    )


def test_a_recorded_session_is_told_again_when_it_was():
    async def told(notes):
        engines = scripted_engines(language_model=SyntheticModel("Start one."))
        async with recording(notes, engines=engines) as talk:
            await talk.wait_for(m.Info)
            talk.session.tell(another_model(replying()))
            assert (await talk.wait_for(m.Info)).message == FOUND

    notes = record(told)
    assert difference(spelled(notes)) is None
