"""What wraps engines is an engine."""

from itertools import pairwise

import pytest
import trio

from voice_trio.core.faults import parse
from voice_trio.core.history import Message
from voice_trio.engines.base import EngineError, Finish, Prompt, ReplyEvent, TextDelta
from voice_trio.fault_tap import inject
from voice_trio.faults import Faults
from voice_trio.memory.in_process import InProcessStore
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
    voiced,
)

TOKENS = ("One ", "two ", "three.")


def faulty(text, **engines):
    return inject(Faults(parse(text)), scripted_engines(**engines), InProcessStore())[0]


async def reply_of(text):
    """Return the pieces of a reply and the times at which they came."""
    model = faulty(text, language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=TOKENS, token_s=0.0)]))
    pieces: list[tuple[float, ReplyEvent]] = []
    async with model.language_model.stream(Prompt([Message("user", "hello")])) as stream:
        while not pieces or not isinstance(pieces[-1][1], Finish):
            event = await stream.receive()
            pieces.append((round(trio.current_time(), 3), event))
    return pieces


def test_without_faults_nothing_stands_between():
    engines, store = scripted_engines(), InProcessStore()
    assert inject(Faults([]), engines, store) == (engines, store)


@pytest.mark.parametrize("ready", [True, False])
def test_it_shows_what_is_inside(ready):
    plain = scripted_engines(
        recognizer=ScriptedRecognizer(ready=ready, name="ears", languages=("de",)),
        synthesizer=(voice := ScriptedSynthesizer(name="voice", sample_rate=8000, voices=("a", "b"))),
    )
    wrapped, _ = inject(Faults(parse("asr:hang, llm:hang, tts:hang")), plain, InProcessStore())
    assert wrapped.ready is ready
    assert (wrapped.recognizer.name, wrapped.recognizer.languages) == ("ears", ("de",))
    assert (wrapped.language_model.name, wrapped.language_model.synthetic) == ("scripted", False)
    assert (wrapped.synthesizer.name, wrapped.synthesizer.sample_rate) == ("voice", 8000)
    assert wrapped.synthesizer.voices == ("a", "b")
    voice.ready = False
    assert not wrapped.ready


async def test_a_call_that_is_not_struck_is_answered_as_ever(autojump_clock):
    wrapped = faulty("asr:hang#2, llm:hang#2, tts:hang#2")
    plain = scripted_engines()
    with trio.fail_after(10):
        assert await wrapped.synthesizer.speak("hello", seconds=5) == await plain.synthesizer.speak("hello", seconds=5)
        async with wrapped.recognizer.open("en") as utterance, plain.recognizer.open("en") as other:
            for one in (utterance, other):
                one.feed(voiced(900))
            assert await utterance.hypothesize() == await other.hypothesize()
            assert await utterance.settle(14_400) == await other.settle(14_400)
            assert utterance.compute_s == other.compute_s > 0


async def test_a_reply_drips_letter_by_letter_and_is_the_same(autojump_clock):
    pieces = await reply_of("llm:drip=500ms")
    *letters, (_, end) = pieces
    assert end == Finish("stop")
    assert [event.text for _, event in letters] == list("".join(TOKENS))
    times = [at for at, _ in letters]
    assert [round(after - at, 3) for at, after in pairwise(times)] == [0.5] * (len(times) - 1)


async def test_garbage_comes_between_and_nothing_is_lost(autojump_clock):
    for text in ("llm:garbage=1", "llm:garbage=1, llm:drip=1ms"):
        said = "".join(event.text for _, event in await reply_of(text) if isinstance(event, TextDelta))
        assert said.startswith("One ")
        assert said.endswith("two three.")
        assert "\ud800" in said


async def test_a_reply_is_late_once(autojump_clock):
    assert [at for at, _ in await reply_of("llm:delay=2s")] == [2.0] * 4


async def test_delays_and_a_slow_drip_of_a_phrase_add_up(autojump_clock):
    wrapped = faulty("tts:delay=2s, tts:drip=100ms", synthesizer=ScriptedSynthesizer(speak_s=0.0))
    await wrapped.synthesizer.speak("ten chars.", seconds=60)
    assert round(trio.current_time(), 3) == 3.0


async def test_a_crash_kills_the_workers_of_its_stage_once_in_an_utterance(autojump_clock):
    ears, voice = ScriptedRecognizer(), ScriptedSynthesizer()
    wrapped = faulty("asr:crash", recognizer=ears, synthesizer=voice)
    async with wrapped.recognizer.open("en") as utterance:
        utterance.feed(voiced(900))
        for _ in range(2):
            assert (await utterance.settle(14_400)).text == "what is the"
    assert (ears.crashes, voice.crashes) == (1, 0)


async def test_a_crash_takes_the_phrase_along(autojump_clock):
    ears, voice = ScriptedRecognizer(), ScriptedSynthesizer()
    wrapped = faulty("tts:crash#1", recognizer=ears, synthesizer=voice)
    with pytest.raises(EngineError, match="The voice failed"):
        await wrapped.synthesizer.speak("hello", seconds=5)
    assert (await wrapped.synthesizer.speak("hello", seconds=5)).samples
    assert (ears.crashes, voice.crashes) == (0, 1)
