"""What a client configures holds for the turns from then on, where they say nothing themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedRecognizer, ScriptedSynthesizer, scripted_engines

OWN = "Own words."


@dataclass
class Voices(ScriptedSynthesizer):
    """Notes how it was to speak."""

    voices: Sequence[str] = ("first", "second", "third")
    manners: list[tuple[str | None, float]] = field(default_factory=list)

    def speak(self, text, *, seconds, voice=None, speed=1.0):
        self.manners.append((voice, speed))
        return super().speak(text, seconds=seconds, voice=voice, speed=speed)


class Heard:
    """Engines, and what the latest turn made of them."""

    def __init__(self):
        self.recognizer, self.model, self.voice = ScriptedRecognizer(), ScriptedLanguageModel(), Voices()
        self.engines = scripted_engines(recognizer=self.recognizer, language_model=self.model, synthesizer=self.voice)

    @property
    def system(self):
        return [message.content for message in self.model.prompts[-1] if message.role == "system"]

    @property
    def manner(self):
        return self.voice.manners[-1]


async def turn(talk, request):
    """Hold a turn to its end, and return its `Done`."""
    await talk.ask(request)
    if isinstance(request, m.Start):
        await talk.say(1500, 900)
    return await talk.wait_for(m.Done)


async def test_it_reaches_prompt_voice_language_and_speed_of_every_later_turn(autojump_clock):
    heard = Heard()
    with trio.fail_after(60):
        async with conversation(engines=heard.engines, llm_system_prompt=OWN, language="en") as talk:
            await turn(talk, m.Start())
            assert (heard.system, heard.manner, heard.recognizer.asked_for) == ([OWN], (None, 1.0), ["en"])
            await talk.ask(m.Configure(instructions="Be brief.", voice="second", language="de", speed=1.5))
            for _ in range(2):
                await turn(talk, m.Start())
                assert (heard.system, heard.manner) == (["Be brief."], ("second", 1.5))
            await turn(talk, m.Text(text="hello"))
            assert (heard.system, heard.manner) == (["Be brief."], ("second", 1.5))
    assert heard.recognizer.asked_for == ["en", "de", "de"]
    assert all(done.outcome is Outcome.COMPLETED for done in talk.heard if isinstance(done, m.Done))


async def test_a_turn_that_names_something_itself_has_that(autojump_clock):
    heard = Heard()
    with trio.fail_after(60):
        async with conversation(engines=heard.engines) as talk:
            await talk.ask(m.Configure(voice="second", language="de", speed=1.5))
            await turn(talk, m.Start(voice="third", language="fr", speed=0.5))
            assert (heard.manner, heard.recognizer.asked_for) == (("third", 0.5), ["fr"])
            await turn(talk, m.Text(text="hello", speed=2.0))
            assert heard.manner == ("second", 2.0)


async def test_each_replaces_the_one_before_it_as_a_whole(autojump_clock):
    heard = Heard()
    with trio.fail_after(60):
        async with conversation(engines=heard.engines, llm_system_prompt=OWN) as talk:
            await talk.ask(m.Configure(instructions="Be brief.", voice="second"), m.Configure(speed=1.5))
            await turn(talk, m.Text(text="hello"))
            assert (heard.system, heard.manner) == ([OWN], (None, 1.5))
            await talk.ask(m.Configure(instructions=""))
            await turn(talk, m.Text(text="hello"))
            assert (heard.system, heard.manner) == ([], (None, 1.0))
            await talk.ask(m.Configure())
            await turn(talk, m.Text(text="hello"))
            assert heard.system == [OWN]


async def test_a_locale_reaches_spoken_turns_that_say_nothing_of_theirs(autojump_clock):
    heard = Heard()
    with trio.fail_after(60):
        async with conversation(engines=heard.engines) as talk:
            await talk.ask(m.Configure(locale="de-CH"))
            for request in (m.Start(), m.Start(locale="fr"), m.Text(text="hello")):
                assert (await turn(talk, request)).outcome is Outcome.COMPLETED
            await talk.ask(m.Configure())
            await turn(talk, m.Start())
    assert heard.recognizer.guided_to == ["de", "fr"]


async def test_it_holds_for_turns_that_begin_by_themselves(autojump_clock):
    heard = Heard()
    with trio.fail_after(60):
        async with conversation(engines=heard.engines) as talk:
            await turn(talk, m.Start(mode="hands_free"))
            assert heard.manner == (None, 1.0)
            await talk.ask(m.Configure(instructions="Be brief.", voice="second"))
            await talk.say(1500, 900)
            assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
            assert (heard.system, heard.manner) == (["Be brief."], ("second", 1.0))


async def test_whoever_holds_the_session_may_configure_it_too(autojump_clock):
    heard = Heard()
    with trio.fail_after(60):
        async with conversation(engines=heard.engines) as talk:
            await talk.wait_for(m.SessionOpened)
            talk.session.act(m.Configure(instructions="Be brief."))
            await turn(talk, m.Text(text="hello"))
            assert heard.system == ["Be brief."]


async def test_a_cancelled_turn_is_over_for_it(autojump_clock):
    heard = Heard()
    with trio.fail_after(60):
        async with conversation(engines=heard.engines) as talk:
            await talk.ask(m.Text(text="hello"), m.Cancel(), m.Configure(voice="third"), m.Text(text="hello"))
            assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
            assert heard.manner == ("third", 1.0)
    assert not [event for event in talk.heard if isinstance(event, m.Error)]


@pytest.mark.parametrize("state", [State.CAPTURING, State.THINKING, State.RESPONDING])
async def test_during_a_turn_it_counts_for_the_next(autojump_clock, state):
    heard = Heard()
    with trio.fail_after(60):
        async with conversation(engines=heard.engines, llm_system_prompt=OWN) as talk:
            await talk.ask(m.Start() if state is State.CAPTURING else m.Text(text="hello"))
            await talk.wait_for(m.StateChanged, state=state)
            await talk.ask(m.Configure(instructions="Be brief."))
            if state is State.CAPTURING:
                await talk.say(1500, 900)
            await talk.wait_for(m.Done, turn=1)
            assert heard.system == [OWN]
            await turn(talk, m.Text(text="hello"))
    assert heard.system == ["Be brief."]
    assert not [event for event in talk.heard if isinstance(event, m.Error)]


async def test_a_voice_that_is_not_here_is_told_in_each_turn_until_another_is_configured(autojump_clock):
    with trio.fail_after(60):
        async with conversation(engines=Heard().engines) as talk:
            await talk.ask(m.Configure(voice="fourth"))
            for _ in range(2):
                assert (await turn(talk, m.Text(text="hello"))).outcome is Outcome.FAILED
            await talk.ask(m.Configure(voice="first"))
            assert (await turn(talk, m.Text(text="hello"))).outcome is Outcome.COMPLETED
    errors = [event.message for event in talk.heard if isinstance(event, m.Error)]
    assert errors == ["There is no voice 'fourth'; first, second, third are here."] * 2
