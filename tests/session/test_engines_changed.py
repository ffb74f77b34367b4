"""Other engines take the place of those with which a session began."""

from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
import trio

from tests.journal.conversations import difference, record, recording, spelled
from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode, Outcome
from voice_trio.engines.base import Fallback, LanguageModel
from voice_trio.engines.synthetic import SyntheticModel
from voice_trio.entry_points import Kind
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.greeting import NO_MODEL, changed
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
)

OLD = ScriptedSynthesizer(name="old voice", voices=("anna", "ben"))
NEW = ScriptedSynthesizer(name="new voice", voices=("ben", "carl"), sample_rate=24_000)


class Changing:
    """Engines of which some can be replaced; counts who keeps each set open."""

    def __init__(self):
        self.leased = {"old voice": 0, "new voice": 0}
        self.now = self._with(OLD)

    def __call__(self):
        return self.now

    def change(self):
        self.now = replace(self._with(NEW), recognizer=ScriptedRecognizer(name="new ears", languages=("de", "en")))

    def _with(self, synthesizer):
        @contextmanager
        def keep_open():
            self.leased[synthesizer.name] += 1
            try:
                yield
            finally:
                self.leased[synthesizer.name] -= 1

        return replace(scripted_engines(synthesizer=synthesizer), keep_open=keep_open)


@dataclass
class Swapped:
    """What is here until it is another one."""

    now: LanguageModel

    name = property(lambda self: self.now.name)
    synthetic = property(lambda self: self.now.synthetic)
    advice = property(lambda self: self.now.advice)
    stream = property(lambda self: self.now.stream)

    def leased(self):
        return self.now


def replying(*tokens):
    return ScriptedLanguageModel(replies=[ScriptedReply(tokens=tokens)], name="model (Ollama)")


async def test_a_turn_keeps_what_it_leased_and_the_next_one_has_the_new(autojump_clock):
    engines = Changing()
    with trio.fail_after(120):
        async with conversation(engines=engines) as talk:
            await talk.ask(m.Text(text="hello", voice="anna"))
            assert (await talk.wait_for(m.TtsPhrase)).sample_rate == OLD.sample_rate
            assert engines.leased == {"old voice": 1, "new voice": 0}
            engines.change()
            talk.session.engines_changed(Kind.SYNTHESIZER)
            assert await talk.wait_for(m.Info) == m.Info(
                code=InfoCode.ENGINES_CHANGED,
                message="new voice speaks from now on.",
                asr="new ears",
                llm="scripted",
                synthetic=False,
                voices=("ben", "carl"),
                languages=("de", "en"),
            )
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
            await talk.ask(m.Text(text="hello", voice="carl"))
            assert {event.sample_rate for event in talk.of_turn(1) if isinstance(event, m.TtsPhrase)} == {16_000}
            assert (await talk.wait_for(m.TtsPhrase)).sample_rate == NEW.sample_rate
            assert engines.leased == {"old voice": 0, "new voice": 1}
            await talk.wait_for(m.Done)
            assert engines.leased == {"old voice": 0, "new voice": 0}


async def test_a_turn_keeps_the_model_that_was_there_when_it_began(autojump_clock):
    model = Swapped(replying("From ", "the ", "first."))
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(language_model=model)) as talk:
            await talk.ask(m.Start())
            await talk.say(1500)
            model.now = replying("From the second.")
            await talk.say(0, 900)
            await talk.wait_for(m.Done)
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.Done)
    replies = {turn: "".join(event.text for event in talk.all(m.Token, turn=turn)) for turn in (1, 2)}
    assert replies == {1: "From the first.", 2: "From the second."}


async def test_who_is_there_already_is_told_and_who_comes_later_is_greeted_with_it(autojump_clock):
    model = Swapped(SyntheticModel("Start one."))
    engines = scripted_engines(language_model=model)
    with trio.fail_after(60):
        async with conversation(engines=engines) as talk:
            opened = await talk.wait_for(m.SessionOpened)
            advised = await talk.wait_for(m.Info)
            model.now = replying("Hello.")
            talk.session.engines_changed(Kind.LANGUAGE_MODEL)
            told = await talk.wait_for(m.Info)
        async with conversation(engines=engines) as later:
            greeted = await later.wait_for(m.SessionOpened)
            await later.ask(m.Text(text="hello"))
            await later.wait_for(m.Done)
    assert (opened.llm, told.llm, greeted.llm) == ("synthetic", "model (Ollama)", "model (Ollama)")
    assert (advised.code, advised.message) == (
        InfoCode.LLM_SYNTHETIC,
        f"{NO_MODEL}: replies only repeat what was heard. Start one.",
    )
    assert (told.code, told.message) == (InfoCode.ENGINES_CHANGED, "model (Ollama) answers from now on.")
    assert later.all(m.Info) == []


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Kind.RECOGNIZER, "scripted recognises speech from now on."),
        (Kind.SYNTHESIZER, "scripted speaks from now on."),
        (
            Kind.LANGUAGE_MODEL,
            "The language model is gone: replies only repeat what was heard until another one is there.",
        ),
    ],
)
def test_what_the_server_does_without_is_told_with_every_change_and_the_advice_is_not(kind, message):
    fallback = Fallback("It is small.", "get a better one")
    engines = replace(scripted_engines(language_model=SyntheticModel("Start one.")), asr_fallback=fallback)
    told = changed(kind, engines)
    assert (told.message, told.synthetic, told.command) == (message, True, "get a better one")


@pytest.mark.parametrize("is_left", [False, True])
async def test_hands_free_goes_on_where_its_voice_is_gone(autojump_clock, is_left):
    engines = Changing()
    with trio.fail_after(120):
        async with conversation(engines=engines) as talk:
            await talk.ask(m.Start(mode="hands_free", voice="anna", language="en"))
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=1)
            engines.change()
            talk.session.engines_changed(Kind.SYNTHESIZER)
            if is_left:
                await talk.ask(m.Cancel(), m.Text(text="typed", hands_free=True))
                assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
            await talk.say(900, 900)
            assert (await talk.wait_for(m.Done, turn=2 + is_left)).outcome is Outcome.COMPLETED


async def test_before_the_greeting_there_is_nothing_to_tell(autojump_clock):
    class SlowStore(InProcessStore):
        async def begin(self):
            await trio.sleep(1)
            return await super().begin()

    engines = Changing()
    with trio.fail_after(120):
        async with conversation(engines=engines, store=SlowStore()) as talk:
            await trio.sleep(0.5)
            engines.change()
            talk.session.engines_changed(Kind.SYNTHESIZER)
            assert (await talk.wait_for(m.SessionOpened)).voices == ("ben", "carl")
            assert [type(event) for event in talk.heard] == [m.SessionOpened]


def test_it_is_lived_again_from_a_session_log():
    async def converse(notes):
        engines = Changing()
        async with recording(notes, engines=engines) as talk:
            await talk.ask(m.Text(text="hello", voice="anna"))
            await talk.wait_for(m.TtsPhrase)
            engines.change()
            talk.session.engines_changed(Kind.SYNTHESIZER)
            await talk.wait_for(m.Done)
            await talk.ask(m.Text(text="hello", voice="carl"))
            await talk.wait_for(m.Done)
            engines.now = replace(engines.now, language_model=SyntheticModel("Start one."))
            talk.session.engines_changed(Kind.LANGUAGE_MODEL)
            assert (await talk.wait_for(m.Info, llm="synthetic")).message.startswith("The language model is gone")

    notes = record(converse)
    assert [note.what for note in notes if note.kind == "changed"] == [Kind.SYNTHESIZER, Kind.LANGUAGE_MODEL]
    assert difference(spelled(notes)) is None
