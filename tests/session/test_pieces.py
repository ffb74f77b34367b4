"""A voice that gives a phrase in pieces."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from tests.journal.conversations import difference, record, recording, spelled
from voice_trio.core import messages as m
from voice_trio.core.faults import parse
from voice_trio.core.heard import SpokenPhrase, heard_text
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.engines.base import EngineError, Mark, Speaking, Speech, whole
from voice_trio.fault_tap import inject
from voice_trio.faults import Faults
from voice_trio.journal.entries import Answer
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.tts import _PIECES_AHEAD
from voice_trio.testing.conversation import conversation
from voice_trio.testing.explorer import SCENARIOS, explore
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer, scripted_engines

REPLY = ("It is sunny all day. ", "Enjoy it.")
FIRST = "It is sunny all day."
FAILURE = EngineError(ErrorCode.TTS_FAIL, "The voice failed.")


def engines_with(voice, tokens=REPLY):
    return scripted_engines(
        synthesizer=voice, language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=tokens)])
    )


async def answered(voice, tokens=REPLY, **settings):
    """Hold one typed turn to its end."""
    with trio.fail_after(300):
        async with conversation(engines=engines_with(voice, tokens), **settings) as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.Done)
    assert voice.open_now == 0
    return talk


def of_phrase(talk, phrase, *kinds):
    return [event for event in talk.of_turn(1) if isinstance(event, kinds) and event.phrase == phrase]


def words_of(talk, phrase):
    """Return all words that a client knows of ``phrase`` in the end."""
    return [word for event in of_phrase(talk, phrase, m.TtsPhrase, m.TtsWords) for word in event.words or ()]


# --- what a client gets ---------------------------------------------------------------------------------------------


async def test_it_sounds_and_is_marked_as_it_would_be_in_one_piece(autojump_clock):
    one, three = await answered(ScriptedSynthesizer()), await answered(ScriptedSynthesizer(pieces=3))
    assert three.audio(1) == one.audio(1)
    for phrase in (0, 1):
        assert words_of(three, phrase) == words_of(one, phrase)
        assert of_phrase(three, phrase, m.TtsPhraseDone) == of_phrase(one, phrase, m.TtsPhraseDone)
    assert not [event for event in one.heard if isinstance(event, m.TtsWords)]
    assert (one.heard[-1].heard, three.heard[-1].heard) == (30, 30)


async def test_a_phrase_begins_before_it_is_made_and_its_words_come_before_their_sound(autojump_clock):
    talk = await answered(ScriptedSynthesizer(pieces=5, speak_s=0.2))
    events = of_phrase(talk, 0, m.TtsPhrase, m.TtsWords, m.TtsChunk, m.TtsPhraseDone)
    assert talk.time_of(events[-1]) - talk.time_of(events[0]) >= 0.8 - 1e-6
    phrase, *rest, done = events
    assert phrase.words is None
    place = 0
    for event in rest:
        if isinstance(event, m.TtsWords):
            assert event.words[0][0] == place
        else:
            place += len(event.pcm) // 2
    assert done.samples == place
    assert [type(event) for event in rest[:2]] == [m.TtsWords, m.TtsChunk]


async def test_the_next_phrase_is_made_while_one_is_played_and_none_after_it(autojump_clock):
    voice = ScriptedSynthesizer(pieces=2, char_ms=200)
    tokens = ("One sentence is here. ", "Another one is here. ", "The third one is here. ", "The last one is here.")
    with trio.fail_after(300):
        async with conversation(engines=engines_with(voice, tokens)) as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.TtsChunk)
            await trio.sleep(1)
            assert len(voice.spoken) == 2
            await talk.wait_for(m.Done)
    assert len(voice.spoken) == 4


@dataclass
class Endless(ScriptedSynthesizer):
    """Has a piece of 50 ms whenever it is asked."""

    given: int = 0

    def speak(self, text, **manner):
        @asynccontextmanager
        async def pieces():
            yield self

        return Speaking(pieces())

    async def receive(self):
        await trio.lowlevel.checkpoint()
        self.given += 1
        return Speech(bytes(1600), 16_000)


async def test_no_more_is_made_than_there_is_room_for_and_waiting_for_room_is_no_failure(autojump_clock):
    voice = Endless()
    with trio.fail_after(300):
        async with conversation(engines=engines_with(voice), tts_timeout_s=1) as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.TtsChunk)
            await trio.sleep(20)
            played = len([event for event in talk.heard if isinstance(event, m.TtsChunk)])
            assert played > 400
            assert voice.given <= played + _PIECES_AHEAD + 3
            assert not [event for event in talk.heard if isinstance(event, m.Error)]
            await talk.ask(m.Cancel())
            assert (await talk.wait_for(m.Done)).outcome is Outcome.CANCELLED


# --- when it ends too early -----------------------------------------------------------------------------------------


async def test_a_cancel_in_the_middle_of_a_phrase_ends_the_voice_and_keeps_what_was_heard(autojump_clock):
    voice = ScriptedSynthesizer(pieces=5, speak_s=0.3)
    with trio.fail_after(60):
        async with conversation(engines=engines_with(voice)) as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.TtsChunk)
            await trio.sleep(0.4)
            assert voice.open_now == 1
            await talk.ask(m.Played(turn=1, samples=6400), m.Cancel())
            done = await talk.wait_for(m.Done)
            assert voice.open_now == 0
    assert done.outcome is Outcome.CANCELLED
    assert (FIRST[: done.heard], bool(talk.audio(1))) == ("It ", True)


@pytest.mark.parametrize("knows_words", [True, False])
async def test_an_error_after_the_first_piece_breaks_the_phrase_off(autojump_clock, knows_words):
    voice = ScriptedSynthesizer(pieces=2, after=1, fails=[FAILURE], knows_words=knows_words)
    talk = await answered(voice, tokens=("It is sunny all day.",))
    events = of_phrase(talk, 0, m.TtsPhrase, m.TtsChunk, m.Error, m.TtsPhraseDone)
    samples = sum(len(event.pcm) // 2 for event in events if isinstance(event, m.TtsChunk))
    assert isinstance(events[0], m.TtsPhrase)
    assert events[-2].code is ErrorCode.TTS_FAIL
    assert events[-1] == m.TtsPhraseDone(turn=1, phrase=0, samples=samples)
    assert samples
    done = talk.heard[-1]
    assert (done.outcome, FIRST[: done.heard]) == (Outcome.COMPLETED, "It " if knows_words else "")


async def test_the_phrase_after_one_that_broke_off_is_spoken(autojump_clock):
    talk = await answered(ScriptedSynthesizer(pieces=2, after=1, fails=[FAILURE]))
    assert of_phrase(talk, 1, m.TtsChunk)
    assert talk.heard[-1].heard == 30


async def test_one_that_hangs_after_the_first_piece_is_ended_in_time_and_told(autojump_clock):
    voice = ScriptedSynthesizer(pieces=2, after=1, hangs=frozenset({0}))
    talk = await answered(voice, tts_timeout_s=3)
    [error] = of_phrase(talk, 0, m.Error)
    assert error.message == "A phrase was not spoken within 3 seconds."
    assert talk.time_of(error) - talk.time_of(of_phrase(talk, 0, m.TtsPhrase)[0]) <= 3
    assert (talk.heard[-1].outcome, talk.heard[-1].heard) == (Outcome.COMPLETED, 30)


async def test_the_limit_is_for_all_pieces_together(autojump_clock):
    voice = ScriptedSynthesizer(pieces=5, speak_s=0.9)
    talk = await answered(voice, tokens=("It is sunny all day.",), tts_timeout_s=2)
    assert of_phrase(talk, 0, m.Error)
    assert len(of_phrase(talk, 0, m.TtsWords)) == 2


@dataclass
class Odd(ScriptedSynthesizer):
    """Has something in the place of one piece; ``at`` is its number."""

    pieces: int = 3
    at: int = 1
    odd: dict[str, Any] = field(default_factory=dict)

    def said(self, piece, number):
        return replace(piece, **self.odd) if number == self.at else piece


@pytest.mark.parametrize("odd", [{"pcm": b"\1\0\1"}, {"sample_rate": 8000}])
async def test_a_later_piece_that_cannot_be_played_breaks_the_phrase_off(autojump_clock, odd):
    talk = await answered(Odd(odd=odd), tokens=("It is sunny all day.",))
    [error] = of_phrase(talk, 0, m.Error)
    assert error.message == "The voice made no sound that can be played."
    first = ScriptedSynthesizer(pieces=3)
    async with first.speak(FIRST, seconds=5) as pieces:
        assert talk.audio(1) == (await pieces.receive()).pcm


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_a_piece_without_samples_is_passed_over(autojump_clock, at):
    talk = await answered(Odd(at=at, odd={"pcm": b"", "marks": ()}), tokens=("It is sunny all day.",))
    assert not [event for event in talk.heard if isinstance(event, m.Error)]
    assert 0 < len(talk.audio(1)) < len((await ScriptedSynthesizer().speak(FIRST, seconds=5)).pcm)
    assert talk.heard[-1].heard == len(FIRST)


async def test_a_voice_that_does_not_know_which_piece_is_the_last(autojump_clock):
    talk = await answered(Odd(at=2, odd={"last": False}))
    assert talk.audio(1) == (await answered(ScriptedSynthesizer())).audio(1)


async def test_words_in_impossible_places_of_one_piece_are_those_of_that_piece_alone(autojump_clock):
    talk = await answered(Odd(odd={"marks": (Mark(0, 9), Mark(5, 2))}), tokens=("It is sunny all day.",))
    assert [char for _, char in words_of(talk, 0)] == [0, 12, 16]


# --- by itself ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [1, 2, 4])
async def test_all_of_it_can_be_had_as_one(autojump_clock, pieces):
    speech = await ScriptedSynthesizer(pieces=pieces).speak(FIRST, seconds=5)
    assert speech == await ScriptedSynthesizer().speak(FIRST, seconds=5)
    assert (speech.samples, len(speech.marks)) == (800 * len(FIRST), 5)


@pytest.mark.parametrize("odd", [{"pcm": b"\1\0\1"}, {"sample_rate": 8000}])
async def test_pieces_that_do_not_fit_together_are_no_whole(autojump_clock, odd):
    with pytest.raises(EngineError, match="no sound that can be played"):
        await Odd(odd=odd).speak(FIRST, seconds=5)


async def test_an_error_reaches_whoever_wants_it_whole(autojump_clock):
    with pytest.raises(EngineError, match="The voice failed"):
        await ScriptedSynthesizer(pieces=2, after=1, fails=[FAILURE]).speak(FIRST, seconds=5)


async def test_a_receive_that_is_cancelled_loses_nothing(autojump_clock):
    voice = ScriptedSynthesizer(pieces=3, speak_s=1.0)
    said = b""
    async with voice.speak(FIRST, seconds=5) as pieces:
        while True:
            with trio.move_on_after(0.3):
                piece = await pieces.receive()
                if piece is None:
                    break
                said += piece.pcm
    assert said == (await voice.speak(FIRST, seconds=5)).pcm


async def test_one_piece_takes_the_steps_of_its_making_alone():
    made = Speech(b"ab", 16_000)

    async def make():
        return made

    with trio.testing.assert_no_checkpoints():
        assert await whole(make) == replace(made, last=True)
    async with whole(make) as pieces:
        assert await pieces.receive() == replace(made, last=True)
        assert await pieces.receive() is None


async def test_what_was_being_made_is_begun_anew_if_it_is_asked_for_again(autojump_clock):
    begun = []

    async def make():
        begun.append(trio.current_time())
        await trio.sleep(1)
        return Speech(b"ab", 16_000)

    async with whole(make) as pieces:
        with trio.move_on_after(0.5):
            await pieces.receive()
        assert (await pieces.receive()).pcm == b"ab"
    assert len(begun) == 2


# --- what is heard of a phrase that is not whole ----------------------------------------------------------------------


@pytest.mark.parametrize(("samples", "heard"), [(0, 0), (400, 3), (1000, 6), (1300, 6)])
def test_of_a_phrase_that_is_not_whole_its_words_count(samples, heard):
    begun = SpokenPhrase(start=0, end=20, first_sample=0, samples=1000, words=((0, 0), (400, 3), (800, 6)), whole=False)
    assert heard_text([begun], FIRST, samples) == heard
    assert heard_text([replace(begun, words=())], FIRST, samples) == 0


# --- behind taps ----------------------------------------------------------------------------------------------------


async def in_pieces(notes, voice):
    async with recording(notes, engines=engines_with(voice)) as talk:
        await talk.ask(m.Text(text="hello"))
        await talk.wait_for(m.Done)


async def cut_short(notes):
    async with recording(notes, engines=engines_with(ScriptedSynthesizer(pieces=5, speak_s=0.3))) as talk:
        await talk.ask(m.Text(text="hello"))
        await talk.wait_for(m.TtsChunk)
        await trio.sleep(0.4)
        await talk.ask(m.Cancel())
        await talk.wait_for(m.Done)


@pytest.mark.parametrize(
    "converse",
    [
        partial(in_pieces, voice=ScriptedSynthesizer(pieces=3)),
        partial(in_pieces, voice=Odd(at=2, odd={"last": False})),
        partial(in_pieces, voice=ScriptedSynthesizer(pieces=2, after=1, fails=[FAILURE])),
        partial(in_pieces, voice=ScriptedSynthesizer(pieces=2, after=1, hangs=frozenset({0}))),
        cut_short,
    ],
)
def test_a_recorded_voice_in_pieces_lives_equal(converse):
    notes = record(converse)
    voices = [note.voice for note in notes if isinstance(note, Answer) and note.voice]
    assert any(voice.more for voice in voices)
    assert difference(spelled(notes)) is None


def test_a_piece_that_sounds_otherwise_is_found():
    notes = record(partial(in_pieces, voice=ScriptedSynthesizer(pieces=3)))
    place = [place for place, note in enumerate(notes) if isinstance(note, Answer) and note.voice][1]
    voice = notes[place].voice
    notes[place] = replace(notes[place], voice=replace(voice, pcm=voice.pcm[:-2] + b"\5\0"))
    assert difference(spelled(notes)).why == "audio is different"


@pytest.mark.parametrize("fault", ["error=1", "crash=1", "garbage=1", "hang=1"])
async def test_a_fault_strikes_after_so_many_pieces(autojump_clock, fault):
    plain = engines_with(ScriptedSynthesizer(pieces=3))
    engines, store = inject(Faults(parse(f"tts:{fault}#1")), plain, InProcessStore())
    with trio.fail_after(60):
        async with conversation(engines=engines, store=store) as talk:
            await talk.ask(m.Text(text="hello"))
            done = await talk.wait_for(m.Done)
    assert [error.code for error in of_phrase(talk, 0, m.Error)] == [ErrorCode.TTS_FAIL]
    assert of_phrase(talk, 0, m.TtsChunk)
    assert (done.outcome, done.heard) == (Outcome.COMPLETED, 30)


def test_any_end_before_any_step():
    report = explore(SCENARIOS["pieces"], steps=range(120, 400, 40))
    assert report.cases > 80
    assert report.failures == []
