"""Engines that break the promises of their interface, one at a time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.engines.base import Mark, Speech
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedRecognizer, ScriptedSynthesizer, scripted_engines


@dataclass
class OddVoice(ScriptedSynthesizer):
    """Says what no voice may; ``odd`` changes what a good one says."""

    odd: Callable[[Speech], Speech] = lambda speech: speech

    def said(self, piece, number):
        return self.odd(piece)


@pytest.mark.parametrize(
    "odd",
    [
        lambda speech: replace(speech, pcm=speech.pcm + b"\0"),
        lambda speech: replace(speech, sample_rate=8000),
    ],
)
async def test_a_sound_that_cannot_be_played_is_not_sent(autojump_clock, odd):
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(synthesizer=OddVoice(odd=odd))) as talk:
            await talk.ask(m.Text(text="hello"))
            assert (await talk.wait_for(m.Error)).code is ErrorCode.TTS_FAIL
            assert (await talk.wait_for(m.Done)).outcome is Outcome.FAILED
    assert talk.audio(1) == b""


@pytest.mark.parametrize(
    "marks", [[(-1, 0)], [(0, 0), (800, 3), (400, 6)], [(0, 9), (400, 3)], [(10**9, 3)], [(0, 999)]]
)
async def test_words_in_impossible_places_are_placed_by_the_pace_of_the_voice(autojump_clock, marks):
    def odd(speech):
        return replace(speech, marks=tuple(Mark(*mark) for mark in marks))

    heard = []
    for voice in (ScriptedSynthesizer(knows_words=False), OddVoice(odd=odd)):
        with trio.fail_after(60):
            async with conversation(engines=scripted_engines(synthesizer=voice)) as talk:
                await talk.ask(m.Text(text="hello"))
                await talk.wait_for(m.TtsChunk)
                await trio.sleep(0.8)
                await talk.ask(m.Cancel())
                heard.append((await talk.wait_for(m.Done)).heard)
    assert heard[0] == heard[1] > 0


async def test_half_characters_of_a_recogniser_are_neither_sent_nor_kept(autojump_clock):
    ears = ScriptedRecognizer(words=["\ud83d\ude00", "\ud800", "yes"])
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(recognizer=ears)) as talk:
            await talk.ask(m.Start())
            await talk.say(1500, 900)
            assert (await talk.wait_for(m.Final)).text == "😀 \ufffd yes"
            assert (await talk.wait_for(m.Done)).remembered
    assert "\ud800" not in "".join(event.text for event in talk.heard if isinstance(event, m.Partial))
    [record] = await talk.store.recall(talk.session._turns.conversation.name)
    assert record.said == "😀 \ufffd yes"
