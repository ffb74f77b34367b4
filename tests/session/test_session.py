"""Whole turns, in virtual time, with scripted engines."""

import json
from itertools import pairwise

import pytest
import structlog
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome, State
from voice_trio.core.playout import LATE_S, WholePlayout
from voice_trio.engines.base import EngineError
from voice_trio.memory.base import StoreError, StoreUnsure
from voice_trio.memory.holds import Claims
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed, Malformed
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
    silent,
    voiced,
)
from voice_trio.wire import native


def spoken(text, **kwargs):
    """Engines whose model writes ``text`` word by word."""
    words = [word + " " for word in text.split(" ")]
    words[-1] = words[-1][:-1]
    return scripted_engines(language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=words)]), **kwargs)


async def test_a_spoken_turn_from_start_to_done(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            opened = await talk.wait_for(m.SessionOpened)
            assert opened.sample_rate == 16000
            await talk.ask(m.Start())
            await talk.say(1500, 900)
            done = await talk.wait_for(m.Done)
    assert done.outcome is Outcome.COMPLETED
    assert done.remembered
    assert done.heard == len("It is sunny. Enjoy your day.")
    assert talk.states(1) == [State.CAPTURING, State.THINKING, State.RESPONDING, State.COMPLETE]
    assert talk.kinds(1)[-2:] == ["StateChanged", "Done"]
    assert talk.reply(1) == "It is sunny. Enjoy your day."
    phrases = [event for event in talk.of_turn(1) if isinstance(event, m.TtsPhrase)]
    assert "".join(talk.reply(1)[p.start : p.end] for p in phrases) == talk.reply(1)
    ends = [event for event in talk.of_turn(1) if isinstance(event, m.TtsPhraseDone)]
    assert [end.phrase for end in ends] == [phrase.phrase for phrase in phrases]
    assert sum(end.samples for end in ends) * 2 == len(talk.audio(1))


async def test_partials_rebuild_and_the_final_replaces_them(autojump_clock):
    with trio.fail_after(60):
        async with conversation(partial_interval_ms=300) as talk:
            await talk.ask(m.Start())
            await talk.say(1800, 900)
            final = await talk.wait_for(m.Final)
            await talk.wait_for(m.Done)
    shown = ""
    partials = [event for event in talk.of_turn(1) if isinstance(event, m.Partial)]
    for partial in partials:
        shown = shown[: partial.keep] + partial.text
        assert partial.stable <= len(shown)
    assert len(partials) >= 3
    assert final.text.startswith(shown)
    times = [talk.time_of(partial) for partial in partials]
    assert all(later - earlier >= 0.299 for earlier, later in pairwise(times))
    assert talk.time_of(final) > times[-1]


async def test_the_first_partial_comes_early_and_the_next_an_interval_later(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.ask(m.Start())
            await talk.say(4000, 900)
            await talk.wait_for(m.Final)
    times = [talk.time_of(event) for event in talk.of_turn(1) if isinstance(event, m.Partial)]
    assert times[0] < 0.7
    assert all(later - earlier == pytest.approx(1.0, abs=0.06) for earlier, later in pairwise(times))


async def test_latencies_count_from_the_first_and_the_last_speech(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.ask(m.Start())
            await talk.say(1500, 900)
            latency = (await talk.wait_for(m.Done)).latency
    # 700 ms of silence, the frame that completes it, 100 ms to settle.
    assert latency.t_final_transcript_ms == pytest.approx(820, abs=60)
    assert latency.t_first_token_ms == latency.t_final_transcript_ms + 20
    assert 0 < latency.t_first_audio_ms - latency.t_first_token_ms < 300
    assert latency.total_reply_ms > latency.t_first_audio_ms


async def test_a_typed_turn(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.ask(m.Text(text="hello"))
            done = await talk.wait_for(m.Done)
    assert done.outcome is Outcome.COMPLETED
    assert talk.states(1) == [State.THINKING, State.RESPONDING, State.COMPLETE]
    assert "Final" not in talk.kinds(1)
    assert done.latency.t_first_partial_ms is None


async def test_hold_ends_on_stop_and_not_on_silence(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.ask(m.Start(mode="hold"))
            await talk.say(900, 3000)
            await talk.say(900)
            assert talk.states(1) == [State.CAPTURING]
            await talk.ask(m.Stop())
            final = await talk.wait_for(m.Final)
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
    assert final.text == "what is the weather like today"


async def test_audio_in_messages_of_seconds_is_one_utterance(autojump_clock):
    """Between two of them no more comes for as long as the first has to be said."""
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.ask(m.Start())
            for pcm in (voiced(2000), voiced(2000), voiced(300) + silent(1700)):
                await talk.ask(m.Audio(pcm))
                assert talk.states(1) in ([], [State.CAPTURING])
                await trio.sleep(2)
            await talk.wait_for(m.Final)
            await talk.wait_for(m.Done)
    assert not [event for event in talk.heard if isinstance(event, m.Info) and event.code is InfoCode.LATE_AUDIO]


async def test_silence_until_stop_is_an_empty_turn(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.ask(m.Start(), m.Audio(silent(600)), m.Stop())
            await talk.wait_for(m.Info, code=InfoCode.NO_SPEECH)
            done = await talk.wait_for(m.Done)
    assert (done.outcome, done.remembered) == (Outcome.EMPTY, False)
    assert talk.states(1) == [State.CAPTURING, State.COMPLETE]


async def test_silence_for_the_longest_utterance_is_an_empty_turn(autojump_clock):
    with trio.fail_after(60):
        async with conversation(max_utterance_ms=2000) as talk:
            await talk.ask(m.Start())
            await talk.say(0, 2100)
            await talk.wait_for(m.Info, code=InfoCode.NO_SPEECH)
            assert (await talk.wait_for(m.Done)).outcome is Outcome.EMPTY


async def test_speech_in_which_nothing_is_recognised_is_an_empty_turn(autojump_clock):
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(recognizer=ScriptedRecognizer(words=()))) as talk:
            await talk.ask(m.Start())
            await talk.say(1500, 900)
            assert (await talk.wait_for(m.Final)).text == ""
            assert (await talk.wait_for(m.Done)).outcome is Outcome.EMPTY
    assert talk.states(1) == [State.CAPTURING, State.COMPLETE]


async def test_too_long_an_utterance_is_said_and_answered(autojump_clock):
    with trio.fail_after(60):
        async with conversation(max_utterance_ms=2000) as talk:
            await talk.ask(m.Start())
            await talk.say(2500)
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable, error.turn) == (ErrorCode.MAX_DURATION_EXCEEDED, True, 1)
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED


async def test_a_reply_of_three_thousand_characters_is_spoken_to_its_end(autojump_clock):
    text = " ".join(["Every word of this long reply is to be heard by the person who asked for it."] * 39)
    assert len(text) > 3000
    with trio.fail_after(3600):
        async with conversation(engines=spoken(text)) as talk:
            await talk.ask(m.Text(text="tell me everything"))
            done = await talk.wait_for(m.Done)
            began_at, ended_at = talk.time_of(await_first_chunk(talk)), talk.time_of(done)
    assert done.outcome is Outcome.COMPLETED
    assert done.heard == len(text)
    assert talk.reply(1) == text
    seconds = len(talk.audio(1)) / 2 / 16000
    assert seconds > 100
    # The turn lasts as long as its audio, and not the time limits of the model, which only wrote for a few seconds.
    assert ended_at - began_at == pytest.approx(seconds, rel=0.01)


def await_first_chunk(talk):
    return next(event for event in talk.of_turn(1) if isinstance(event, m.TtsChunk))


async def test_audio_is_never_further_ahead_than_the_lead(autojump_clock):
    text = "This sentence is long enough to be more than one second of audio, so that it must be paced."
    with trio.fail_after(60):
        async with conversation(engines=spoken(text), playout_lead_ms=400) as talk:
            await talk.ask(m.Text(text="go"))
            await talk.wait_for(m.Done)
    chunks = [event for event in talk.of_turn(1) if isinstance(event, m.TtsChunk)]
    began_at = talk.time_of(chunks[0])
    assert len(chunks) > 20
    for chunk in chunks:
        heard = (talk.time_of(chunk) - began_at) * 16000
        assert chunk.first_sample + len(chunk.pcm) // 2 - heard <= 0.4 * 16000 + 1
    assert [chunk.seq for chunk in chunks] == list(range(len(chunks)))
    assert all(len(chunk.pcm) == 3200 for chunk in chunks if chunk is not chunks[-1] and chunk.seq < 5)


@pytest.mark.parametrize("at", ["capturing", "thinking", "responding"])
async def test_cancel_is_followed_by_the_end_and_by_nothing_else(autojump_clock, at):
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=[1.0, *["Words go on and on. "] * 40])])
    with trio.fail_after(120):
        async with conversation(engines=scripted_engines(language_model=model)) as talk:
            await talk.ask(m.Start())
            if at == "capturing":
                await talk.say(900)
            else:
                await talk.say(1500, 900)
                await talk.wait_for(m.StateChanged, state=State[at.upper()])
                # Off the beat of the audio: a chunk of the very same instant may be on its way already.
                await trio.sleep(0.53)
            before = len(talk.of_turn(1))
            cancelled_at = trio.current_time()
            await talk.ask(m.Cancel())
            done = await talk.wait_for(m.Done)
            assert (done.outcome, talk.time_of(done)) == (Outcome.CANCELLED, cancelled_at)
            assert talk.kinds(1)[before:] == ["StateChanged", "Done"]
            await trio.sleep(30)
            assert talk.kinds(1)[before:] == ["StateChanged", "Done"]
            assert model.open_now == 0
            await talk.ask(m.Text(text="again"))
            assert (await talk.wait_for(m.Done)).turn == 2


async def test_cancel_and_start_in_one_breath(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.question()
            await talk.ask(m.Cancel(), m.Start(mode="hold"), m.Cancel(), m.Start())
            await talk.say(1500, 900)
            done = await talk.wait_for(m.Done, turn=3)
    assert done.outcome is Outcome.COMPLETED
    assert [(event.turn, event.outcome) for event in talk.heard if isinstance(event, m.Done)] == [
        (1, Outcome.CANCELLED),
        (2, Outcome.CANCELLED),
        (3, Outcome.COMPLETED),
    ]
    turns = [getattr(event, "turn", None) or 0 for event in talk.heard if not isinstance(event, m.Aside)]
    assert turns == sorted(turns)


async def test_cancel_twice_too_late_or_of_an_old_turn_is_an_info(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.ask(m.Cancel())
            await talk.wait_for(m.Info, code=InfoCode.NOTHING_TO_CANCEL)
            await talk.question()
            await talk.ask(m.Cancel(turn=7))
            await talk.wait_for(m.Info, code=InfoCode.NOTHING_TO_CANCEL)
            await talk.ask(m.Cancel(turn=1), m.Cancel(turn=1))
            await talk.wait_for(m.Done, outcome=Outcome.CANCELLED)
            await talk.ask(m.Cancel(turn=1))
            await talk.wait_for(m.Info, code=InfoCode.NOTHING_TO_CANCEL)
    assert [type(event) for event in talk.heard].count(m.Done) == 1


TWELVE = "One two three four five six seven eight nine ten eleven twelve."


async def hear_for_a_second(talk):
    """Type a question, and hear a second of its answer."""
    await talk.ask(m.Text(text="count"))
    await talk.wait_for(m.TtsChunk)
    await trio.sleep(1.0)


async def test_what_was_heard_of_a_cancelled_reply_is_what_is_remembered(autojump_clock):
    engines = spoken(TWELVE)
    with trio.fail_after(60):
        async with conversation(engines=engines) as talk:
            await hear_for_a_second(talk)
            await trio.sleep(LATE_S)
            await talk.ask(m.Cancel())
            done = await talk.wait_for(m.Done)
            await talk.ask(m.Text(text="what did you say?"))
            await talk.wait_for(m.Done)
    heard = talk.reply(1)[: done.heard]
    # One second is sure, at 50 ms a character: twenty of them, and only whole words.
    assert heard.split() == ["One", "two", "three", "four"]
    assert engines.language_model.prompts[1][-2].content.startswith(heard.strip())


async def test_played_tells_how_much_was_heard(autojump_clock):
    engines = spoken(TWELVE)
    with trio.fail_after(60):
        async with conversation(engines=engines) as talk:
            await hear_for_a_second(talk)
            await talk.ask(m.Played(turn=1, samples=8 * 800), m.Cancel())
            done = await talk.wait_for(m.Done)
    assert talk.reply(1)[: done.heard].split() == ["One", "two"]


@pytest.mark.parametrize(
    ("turn", "samples", "heard"),
    [
        (1, 8 * 800, ["One", "two"]),
        (None, 8 * 800, ["One", "two"]),
        (1, 0, []),
        # No more than can have been, which is what counts where nobody says anything.
        (1, 10**6, ["One", "two", "three", "four"]),
    ],
)
async def test_a_cancel_itself_tells_how_much_was_heard(autojump_clock, turn, samples, heard):
    with trio.fail_after(60):
        async with conversation(engines=spoken(TWELVE)) as talk:
            await hear_for_a_second(talk)
            await talk.ask(m.Played(turn=1, samples=0), m.Cancel(turn=turn, samples=samples))
            done = await talk.wait_for(m.Done)
    assert done.outcome is Outcome.CANCELLED
    assert talk.reply(1)[: done.heard].split() == heard


async def test_a_cancel_of_another_turn_tells_nothing_of_this_one(autojump_clock):
    with trio.fail_after(60):
        async with conversation(engines=spoken(TWELVE)) as talk:
            await talk.ask(m.Cancel(samples=10))
            assert (await talk.wait_for(m.Info)).code is InfoCode.NOTHING_TO_CANCEL
            await hear_for_a_second(talk)
            await talk.ask(m.Cancel(turn=7, samples=0))
            assert (await talk.wait_for(m.Info)).code is InfoCode.NOTHING_TO_CANCEL
            await talk.ask(m.Cancel())
            done = await talk.wait_for(m.Done)
    assert talk.reply(1)[: done.heard].split() == ["One", "two", "three"]


async def test_a_phrase_tells_where_its_words_begin(autojump_clock):
    reply = "It is **very** warm. That is $5 for you, please."
    with trio.fail_after(60):
        async with conversation(engines=spoken(reply)) as talk:
            await talk.ask(m.Text(text="tell me"))
            await talk.wait_for(m.Done)
    phrases = [event for event in talk.of_turn(1) if isinstance(event, m.TtsPhrase)]
    assert len(phrases) == 2
    for phrase in phrases:
        assert phrase.words[0][0] == 0, "samples count from the phrase's first"
        for (sample, char), (later, following) in pairwise([*phrase.words, (len(talk.audio(1)), phrase.end)]):
            assert sample < later
            assert phrase.start <= char < following
    places = [char for phrase in phrases for _, char in phrase.words]
    # What is written as one word and said in several ("five dollars") is one, at the first sign of it that is said.
    assert [reply[char:].split(" ")[0] for char in places] == [
        *("It", "is", "very**", "warm."),
        *("That", "is", "5", "for", "you,", "please."),
    ]


@pytest.mark.parametrize(("asked", "told"), [(True, "ItisnoonSo"), (False, None), (None, None)])
async def test_phonemes_are_told_to_who_asks_for_them(autojump_clock, asked, told):
    with trio.fail_after(60):
        async with conversation(engines=spoken("It is noon. So")) as talk:
            await talk.ask(m.Text(text="tell me", phonemes=asked))
            await talk.wait_for(m.Done)
    phrases = [event for event in talk.of_turn(1) if isinstance(event, m.TtsPhrase)]
    if told is None:
        assert [phrase.phonemes for phrase in phrases] == [None, None]
    else:
        assert "".join(symbol for phrase in phrases for _, symbol in phrase.phonemes) == told
        assert all(phrase.phonemes[0] == (0, phrase_of) for phrase, phrase_of in zip(phrases, "IS", strict=True))


async def test_a_turn_in_another_language_is_spoken_by_a_voice_that_is_named_for_it(autojump_clock):
    class Heard(ScriptedSynthesizer):
        def speak(self, text, *, seconds, voice=None, speed=1.0):
            asked.append(voice)
            return super().speak(text, seconds=seconds, voice=voice, speed=speed)

    asked: list[str | None] = []
    with trio.fail_after(60):
        async with conversation(engines=spoken("Ja", synthesizer=Heard(voices=("heart", "en-us", "de")))) as talk:
            for language, voice in ((None, None), ("en", None), ("de", None), ("de", "heart"), ("fi", None)):
                await talk.ask(m.Text(text="tell me", language=language, voice=voice))
                await talk.wait_for(m.Done)
    assert asked == [None, None, "de", "heart", None]


async def test_a_voice_that_knows_no_words_tells_of_none(autojump_clock):
    with trio.fail_after(60):
        async with conversation(
            engines=spoken("It is noon.", synthesizer=ScriptedSynthesizer(knows_words=False))
        ) as talk:
            await talk.ask(m.Text(text="tell me", phonemes=True))
            phrase = await talk.wait_for(m.TtsPhrase)
            assert (phrase.words, phrase.phonemes) == (None, None)
            await talk.wait_for(m.Done)


async def test_a_conversation_is_remembered_and_can_be_named(autojump_clock):
    model = ScriptedLanguageModel()
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(language_model=model)) as talk:
            opened = await talk.wait_for(m.SessionOpened)
            await talk.ask(m.Text(text="first"))
            await talk.wait_for(m.Done)
            await talk.ask(m.Text(text="second", conversation=opened.conversation))
            await talk.wait_for(m.Done)
            await talk.ask(m.Text(text="third", conversation="never issued"))
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable) == (ErrorCode.PROTOCOL_VIOLATION, True)
            assert error.retry_after_s is None, "it will not be there later either"
            assert (await talk.wait_for(m.Done)).outcome is Outcome.FAILED
    contents = [message.content for message in model.prompts[1]]
    assert contents[1:] == ["first", "It is sunny. Enjoy your day.", "second"]


LLM_FAIL = EngineError(ErrorCode.LLM_FAIL, "refused")


@pytest.mark.parametrize(
    ("reply", "code", "outcome"),
    [
        (ScriptedReply(tokens=[60.0]), ErrorCode.LLM_TIMEOUT, Outcome.TIMED_OUT),
        (ScriptedReply(tokens=["Well, ", 60.0, "so."]), ErrorCode.LLM_TIMEOUT, Outcome.TIMED_OUT),
        (ScriptedReply(tokens=["A "] * 100, token_s=1.0), ErrorCode.LLM_TIMEOUT, Outcome.TIMED_OUT),
        (ScriptedReply(tokens=["Well, "], finish=None), ErrorCode.LLM_FAIL, Outcome.FAILED),
        (ScriptedReply(tokens=[LLM_FAIL]), ErrorCode.LLM_FAIL, Outcome.FAILED),
        (ScriptedReply(tokens=["Well. ", LLM_FAIL]), ErrorCode.LLM_FAIL, Outcome.FAILED),
        (ScriptedReply(tokens=["Well. ", ValueError("a defect")]), ErrorCode.INTERNAL, Outcome.FAILED),
    ],
)
async def test_a_model_that_fails_ends_the_turn_and_not_the_session(autojump_clock, reply, code, outcome):
    model = ScriptedLanguageModel(replies=[reply, ScriptedReply()])
    with trio.fail_after(200):
        async with conversation(engines=scripted_engines(language_model=model)) as talk:
            await talk.ask(m.Text(text="hello"))
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable, error.turn) == (code, True, 1)
            assert (await talk.wait_for(m.Done)).outcome is outcome
            await talk.ask(m.Text(text="again"))
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
            assert model.open_now == 0


async def test_the_listener_is_not_held_against_the_model(autojump_clock):
    # Twenty slow phrases: the model is done waiting for within a second, and its words are heard for a minute.
    text = " ".join(["This is a sentence of some length that takes a while to be heard."] * 20)
    with trio.fail_after(600):
        async with conversation(engines=spoken(text), llm_timeout_s=8.0) as talk:
            await talk.ask(m.Text(text="go"))
            done = await talk.wait_for(m.Done)
    assert done.outcome is Outcome.COMPLETED
    assert talk.time_of(done) > 30


async def test_a_phrase_ends_at_a_gap_between_tokens(autojump_clock):
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=["Let me see", 2.0, " what there is."])])
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(language_model=model)) as talk:
            await talk.ask(m.Text(text="hello"))
            token = await talk.wait_for(m.Token)
            chunk = await talk.wait_for(m.TtsChunk)
            await talk.wait_for(m.Done, outcome=Outcome.COMPLETED)
    assert talk.time_of(chunk) - talk.time_of(token) == pytest.approx(0.72, abs=0.01)


@pytest.mark.parametrize("what", ["fails", "hangs"])
async def test_a_phrase_that_cannot_be_spoken_is_skipped(autojump_clock, what):
    failing = (
        {"fails": [None, EngineError(ErrorCode.TTS_FAIL, "broken")]} if what == "fails" else {"hangs": frozenset({1})}
    )
    voice = ScriptedSynthesizer(**failing)
    with trio.fail_after(60):
        async with conversation(engines=spoken("One. Two. Three.", synthesizer=voice)) as talk:
            await talk.ask(m.Text(text="count"))
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable, error.phrase) == (ErrorCode.TTS_FAIL, True, 1)
            assert (await talk.wait_for(m.TtsPhraseDone, phrase=1)).samples == 0
            done = await talk.wait_for(m.Done)
    assert (done.outcome, done.heard) == (Outcome.COMPLETED, len("One. Two. Three."))


async def test_a_voice_that_says_nothing_at_all_fails_the_turn(autojump_clock):
    voice = ScriptedSynthesizer(fails=[EngineError(ErrorCode.TTS_FAIL, "broken")] * 3)
    with trio.fail_after(60):
        async with conversation(engines=spoken("One. Two. Three.", synthesizer=voice)) as talk:
            await talk.ask(m.Text(text="count"))
            done = await talk.wait_for(m.Done)
    assert (done.outcome, done.heard) == (Outcome.FAILED, 0)
    assert talk.kinds(1).count("Error") == 3
    assert talk.states(1) == [State.THINKING, State.COMPLETE]


async def test_a_reply_with_nothing_to_say_aloud_completes(autojump_clock):
    with trio.fail_after(60):
        async with conversation(engines=spoken("👍")) as talk:
            await talk.ask(m.Text(text="ok?"))
            done = await talk.wait_for(m.Done)
    assert (done.outcome, done.heard) == (Outcome.COMPLETED, 0)
    assert talk.audio(1) == b""


@pytest.mark.parametrize(
    ("recognizer", "code", "outcome"),
    [
        (ScriptedRecognizer(settle_s=100), ErrorCode.ASR_TIMEOUT, Outcome.TIMED_OUT),
        (ScriptedRecognizer(open_s=100), ErrorCode.ASR_TIMEOUT, Outcome.TIMED_OUT),
        (ScriptedRecognizer(fails=[EngineError(ErrorCode.ASR_FAIL, "no")]), ErrorCode.ASR_FAIL, Outcome.FAILED),
    ],
)
async def test_a_recogniser_that_fails_ends_the_turn(autojump_clock, recognizer, code, outcome):
    with trio.fail_after(200):
        async with conversation(engines=scripted_engines(recognizer=recognizer)) as talk:
            await talk.ask(m.Start())
            await talk.say(1500, 900)
            ended_at = trio.current_time()
            assert (await talk.wait_for(m.Error)).code is code
            done = await talk.wait_for(m.Done)
            assert (done.outcome, done.remembered) == (outcome, False)
            if outcome is Outcome.TIMED_OUT:
                assert talk.time_of(done) - ended_at == pytest.approx(15.0, abs=0.3)
            assert recognizer.open_now == 0


async def test_a_message_in_the_wrong_state_is_answered_and_the_fifth_closes(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            for _ in range(4):
                await talk.ask(m.Stop())
                error = await talk.wait_for(m.Error)
                assert (error.code, error.recoverable) == (ErrorCode.PROTOCOL_VIOLATION, True)
            await trio.sleep(20)
            await talk.ask(m.Text(text="still here"))
            await talk.wait_for(m.Done)
            for recoverable in (True, True, True, True, False):
                await talk.ask(m.Played(turn=9, samples=1))
                assert (await talk.wait_for(m.Error)).recoverable is recoverable
    assert talk.link.closed.farewell is Farewell.WRONG_STATE


async def test_audio_before_a_start_is_an_error_and_not_used(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.say(60)
            assert (await talk.wait_for(m.Error)).recoverable
            await talk.ask(m.Start())
            await talk.say(1500, 900)
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED


async def test_a_message_that_cannot_be_read_ends_turn_and_session(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.question()
            await talk.link.ask(Malformed("unknown message type 'sing'", Farewell.UNSUPPORTED))
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable) == (ErrorCode.PROTOCOL_VIOLATION, False)
            await talk.wait_for(m.Done, outcome=Outcome.CANCELLED)
    assert talk.link.closed == (Farewell.UNSUPPORTED, "unknown message type 'sing'")


async def test_a_client_that_vanishes_leaves_nothing_but_the_record(autojump_clock):
    model = ScriptedLanguageModel()
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(language_model=model)) as talk:
            opened = await talk.wait_for(m.SessionOpened)
            await talk.question()
            await trio.sleep(0.5)
        records = await talk.store.recall(opened.conversation)
    assert [record.outcome for record in records] == [Outcome.CANCELLED]
    assert model.open_now == 0


async def test_a_session_cancelled_from_outside_still_remembers(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            opened = await talk.wait_for(m.SessionOpened)
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery, conversation(store=talk.store) as other:
                    inner = await other.wait_for(m.SessionOpened)
                    await other.question()
                    nursery.cancel_scope.cancel()
            assert scope.cancelled_caught is False
            assert opened.conversation != inner.conversation
            records = await talk.store.recall(inner.conversation)
    assert [record.outcome for record in records] == [Outcome.CANCELLED]


async def test_a_store_that_fails_is_told_and_the_session_goes_on(autojump_clock, full_store):
    with trio.fail_after(60):
        async with conversation(store=full_store) as talk:
            for turn in (1, 2):
                await talk.ask(m.Text(text="hello"))
                error = await talk.wait_for(m.Error)
                assert (error.code, error.recoverable) == (ErrorCode.INTERNAL, True)
                assert error.incident
                done = await talk.wait_for(m.Done, turn=turn)
                assert (done.outcome, done.remembered) == (Outcome.COMPLETED, False)


async def test_drain_lets_a_reply_finish_and_says_goodbye(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.question()
            talk.session.drain(10.0)
            assert (await talk.wait_for(m.Info, code=InfoCode.SHUTTING_DOWN)).grace_s == 10.0
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
    assert talk.link.closed.farewell is Farewell.SERVER_STOPPING


async def test_drain_ends_a_capture_at_once_and_a_long_reply_at_the_grace(autojump_clock):
    with trio.fail_after(600):
        async with conversation() as talk:
            await talk.ask(m.Start())
            await talk.say(600)
            talk.session.drain(10.0)
            assert (await talk.wait_for(m.Done)).outcome is Outcome.CANCELLED
        assert talk.link.closed.farewell is Farewell.SERVER_STOPPING
        async with conversation(engines=spoken("A sentence that goes on. " * 50)) as talk:
            await talk.ask(m.Text(text="go"))
            await talk.wait_for(m.TtsChunk)
            began_at = trio.current_time()
            talk.session.drain(3.0)
            done = await talk.wait_for(m.Done)
            assert done.outcome is Outcome.CANCELLED
            assert talk.time_of(done) == pytest.approx(began_at + 3.0)


async def test_a_client_that_reads_nothing_is_let_go(autojump_clock):
    with trio.fail_after(600):
        async with conversation(read_s=None) as talk:
            with pytest.raises(LinkClosed):
                await talk.ask(*[m.Cancel()] * 1000)
    assert talk.link.closed == (Farewell.SLOW_READER, "the client reads too slowly")


async def test_who_ends_a_turn_first_decides_how_it_ended(autojump_clock):
    """A cancel on the very instant of the natural end: what `done` says agrees with what was dropped."""
    outcomes = set()
    for pause in [1.4 + 0.005 * n for n in range(40)]:
        with trio.fail_after(60):
            async with conversation(engines=spoken("Twenty-eight characters yes.")) as talk:
                await talk.ask(m.Text(text="go"))
                await trio.sleep(pause)
                await talk.ask(m.Cancel())
                done = await talk.wait_for(m.Done)
                await trio.sleep(1)
        outcomes.add(done.outcome)
        too_late = any(isinstance(event, m.Info) for event in talk.heard)
        assert too_late is (done.outcome is Outcome.COMPLETED)
        if done.outcome is Outcome.COMPLETED:
            assert talk.kinds(1).count("TtsPhraseDone") == 1
    assert outcomes == {Outcome.CANCELLED, Outcome.COMPLETED}


async def test_a_commit_that_takes_too_long_is_told(autojump_clock):
    class SlowStore(InProcessStore):
        async def commit(self, record):
            await trio.sleep_forever()

    with trio.fail_after(60):
        async with conversation(store=SlowStore()) as talk:
            await talk.ask(m.Text(text="hello"))
            assert (await talk.wait_for(m.Error)).code is ErrorCode.INTERNAL
            assert not (await talk.wait_for(m.Done)).remembered


async def test_what_is_logged_in_a_turn_bears_its_number(autojump_clock):
    bound = []

    class LoggingStore(InProcessStore):
        async def commit(self, record):
            bound.append(structlog.contextvars.get_contextvars().get("turn"))
            return await super().commit(record)

    class LoggingRecognizer(ScriptedRecognizer):
        def open(self, language):
            bound.append(structlog.contextvars.get_contextvars().get("turn"))
            return super().open(language)

    with trio.fail_after(60):
        engines = scripted_engines(recognizer=LoggingRecognizer())
        async with conversation(engines=engines, store=LoggingStore()) as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.Done)
            await talk.ask(m.Start())
            await talk.say(then_silent_ms=1500)
            await talk.wait_for(m.Done)
    assert bound == [1, 2, 2]


async def test_a_store_that_cannot_begin_ends_the_session_and_says_so(autojump_clock):
    class NoStore(InProcessStore):
        async def begin(self):
            raise StoreError("no disk")

    with trio.fail_after(60):
        async with conversation(store=NoStore()) as talk:
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable) == (ErrorCode.INTERNAL, False)
            await trio.sleep(1)
    assert talk.link.closed.farewell is Farewell.INTERNAL


async def test_a_conversation_belongs_to_one_live_session(autojump_clock):
    store, claims = InProcessStore(), Claims()
    with trio.fail_after(60):
        async with conversation(store=store, claims=claims) as one:
            name = (await one.wait_for(m.SessionOpened)).conversation
            async with conversation(store=store, claims=claims) as other:
                await other.ask(m.Text(text="let me in", conversation=name))
                error = await other.wait_for(m.Error)
                assert (error.code, error.message) == (
                    ErrorCode.PROTOCOL_VIOLATION,
                    "Another session is using this conversation.",
                )
                assert error.retry_after_s
                assert not (await other.wait_for(m.Done)).remembered
        async with conversation(store=store, claims=claims) as third:
            await third.ask(m.Text(text="now it is free", conversation=name))
            assert (await third.wait_for(m.Done)).remembered
    assert [record.said for record in await store.recall(name)] == ["now it is free"]


async def test_a_conversation_is_claimed_before_it_is_recalled_and_given_back_where_there_is_none(autojump_clock):
    """Or what another session adds in between would be missing from the prompt."""
    claims, seen = Claims(), []

    class LookingStore(InProcessStore):
        async def recall(self, conversation):
            seen.append((conversation, conversation in claims._holders))
            return await super().recall(conversation)

    store = LookingStore()
    with trio.fail_after(60):
        name = await store.begin()
        async with conversation(store=store, claims=claims) as talk:
            own = (await talk.wait_for(m.SessionOpened)).conversation
            for turn, asked in enumerate((name, "no such conversation", None), start=1):
                await talk.ask(m.Text(text="hello", conversation=asked))
                await talk.wait_for(m.Done, turn=turn)
            assert {*claims._holders} == {name, own}
    assert seen == [(name, True), ("no such conversation", True), (own, True)]


@pytest.mark.parametrize("written", [True, False])
async def test_what_another_session_added_meanwhile_is_in_the_next_prompt_and_nothing_twice(autojump_clock, written):
    """A server that was cut off may lose a conversation to another one, and get it back."""
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=["Yes."])])

    class LostStore(InProcessStore):
        async def commit(self, record):
            if record.said != "three" or written:
                await super().commit(record)
            if record.said == "three":
                raise StoreUnsure("the connection was lost")

    store = LostStore()
    with trio.fail_after(60):
        async with conversation(store=store, engines=scripted_engines(language_model=model)) as talk:
            name = (await talk.wait_for(m.SessionOpened)).conversation
            for turn, said in enumerate(("one", "two", "three", "four"), start=1):
                await talk.ask(m.Text(text=said))
                await talk.wait_for(m.Done, turn=turn)
            assert said_in(model.prompts[-1]) == ["one", "two", "three", "four"]
            # Each has its own claims, as if it were another server.
            async with conversation(store=store, engines=scripted_engines(language_model=model)) as other:
                for turn, said in enumerate(("five", "six"), start=1):
                    await other.ask(m.Text(text=said, conversation=name))
                    await other.wait_for(m.Done, turn=turn)
            await talk.ask(m.Text(text="seven"))
            await talk.wait_for(m.Done, turn=5)
    assert sorted(said_in(model.prompts[-1])) == sorted(["one", "two", "three", "four", "five", "six", "seven"])
    assert said_in(model.prompts[-1])[-1] == "seven"


def said_in(prompt):
    return [message.content for message in prompt if message.role == "user"]


async def test_where_a_commit_s_answer_was_lost_nobody_claims_to_know(autojump_clock):
    class UnsureStore(InProcessStore):
        async def commit(self, record):
            await super().commit(record)
            raise StoreUnsure("the connection was lost")

    store = UnsureStore()
    with trio.fail_after(60):
        async with conversation(store=store) as talk:
            for turn in (1, 2):
                await talk.ask(m.Text(text=f"hello {turn}"))
                error = await talk.wait_for(m.Error)
                assert error.code is ErrorCode.INTERNAL
                assert error.recoverable
                assert "whether this is remembered is not known" in error.message
                done = await talk.wait_for(m.Done, turn=turn)
                assert (done.outcome, done.remembered) == (Outcome.COMPLETED, None)
                assert json.loads(native.encode_event(done))["remembered"] is None
                assert native.decode_event(native.encode_event(done)) == done


async def test_a_reply_that_breaks_off_is_spoken_as_far_as_it_was_written(autojump_clock):
    reply = ScriptedReply(tokens=["One sentence. ", "Another sentence. ", "A third", LLM_FAIL])
    model = ScriptedLanguageModel(replies=[reply])
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(language_model=model)) as talk:
            await talk.ask(m.Text(text="hello"))
            error = await talk.wait_for(m.Error)
            done = await talk.wait_for(m.Done)
    assert talk.time_of(done) - talk.time_of(error) > 1.0
    assert (done.outcome, talk.reply(1)[: done.heard]) == (Outcome.FAILED, "One sentence. Another sentence. ")
    assert talk.kinds(1).count("TtsPhrase") == talk.kinds(1).count("TtsPhraseDone")


async def test_a_character_cut_in_two_is_whole_again(autojump_clock):
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=["so \ud83d", "\ude00 it is. ", "\ud83d"])])
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(language_model=model)) as talk:
            await talk.ask(m.Text(text="hello"))
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
    assert talk.reply(1) == "so 😀 it is. "


async def test_a_voice_that_is_not_here_is_said_before_anything_is_asked_of_the_model(autojump_clock):
    model = ScriptedLanguageModel()
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(language_model=model)) as talk:
            await talk.ask(m.Text(text="hello", voice="nobody"))
            error = await talk.wait_for(m.Error)
            assert (error.code, error.message) == (
                ErrorCode.PROTOCOL_VIOLATION,
                "There is no voice 'nobody'; scripted are here.",
            )
            assert (await talk.wait_for(m.Done)).outcome is Outcome.FAILED
    assert not model.prompts


async def test_partials_are_apart_however_long_a_decode_takes(autojump_clock):
    class Uneven(ScriptedRecognizer):
        @property
        def hypothesize_s(self):
            self.calls = getattr(self, "calls", 0) + 1
            return 1.9 if self.calls % 2 else 0.0

        @hypothesize_s.setter
        def hypothesize_s(self, value):
            pass

    engines = scripted_engines(recognizer=Uneven(words=[f"word{n}" for n in range(99)], word_ms=100))
    with trio.fail_after(60):
        async with conversation(engines=engines) as talk:
            await talk.ask(m.Start())
            await talk.say(9000, 900)
            await talk.wait_for(m.Final)
    times = [talk.time_of(event) for event in talk.of_turn(1) if isinstance(event, m.Partial)]
    assert len(times) > 4
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.299


async def test_cancelling_a_capture_frees_the_listener(autojump_clock):
    with trio.fail_after(60):
        async with conversation() as talk:
            await talk.ask(m.Start())
            await talk.say(600)
            await talk.ask(m.Cancel())
            await talk.wait_for(m.Done)
            assert talk.session._listener._task.capture.has_ended()


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_reply_that_is_handed_over_whole_is_not_paced_and_heard_only_if_complete(autojump_clock, cancelled):
    store = InProcessStore()
    with trio.fail_after(60):
        async with conversation(engines=spoken("word " * 200), store=store, new_playout=WholePlayout) as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.TtsPhraseDone)
            if cancelled:
                await talk.ask(m.Cancel())
            done = await talk.wait_for(m.Done)
            (opened,) = talk.all(m.SessionOpened)
            (record,) = await store.recall(opened.conversation)
    seconds = len(talk.audio(1)) / 2 / 16000
    assert done.heard == record.heard == (0 if cancelled else len(talk.reply(1)))
    if not cancelled:
        assert seconds > 40
        assert talk.time_of(done) < 10
