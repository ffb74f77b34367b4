"""Pauses are weighed: by a model that is asked about each, by the last word, and by this person's pauses."""

from dataclasses import replace

import pytest
import trio
from structlog.testing import capture_logs

from voice_trio.core import messages as m
from voice_trio.core.audio import FRAME_SAMPLES, SAMPLE_RATE, ms_to_samples
from voice_trio.core.end_of_turn import JUDGED_AFTER_MS
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.engines.base import EngineError
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import (
    ScriptedEndOfTurn,
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    scripted_engines,
)

UNFINISHED = ScriptedRecognizer(words=["so", "turn", "left", "and"], settles_early=True)
FINISHED = ScriptedRecognizer(words=["so", "turn", "left", "now"], settles_early=True)


def weighing(*judgements, recognizer=FINISHED, judge_s=0.03):
    weigher = ScriptedEndOfTurn(judgements, judge_s=judge_s)
    return weigher, scripted_engines(recognizer=recognizer, end_of_turn=weigher)


async def gap_ms(engines, start=None, **settings):
    """Return how long after the last of the voice an utterance of 1.5 s is over, in ms."""
    with trio.fail_after(60):
        async with conversation(
            engines=engines, **{"endpointing": "adaptive", "partial_interval_ms": 300, **settings}
        ) as talk:
            await talk.ask(start or m.Start())
            await talk.say(1500, 6000)
            done = await talk.wait_for(m.Done)
    assert done.outcome is Outcome.COMPLETED
    # The recognizer takes 100 ms; a microphone brings 20 ms at a time.
    return round(done.latency.t_final_transcript_ms - 100, -1)


DEAF = EngineError(ErrorCode.ASR_FAIL, "It hears nothing.")
GAPS = {
    "it sounds like the end": ([0.99], FINISHED, 330),
    "it does not": ([0.1], FINISHED, 1320),
    "nobody can tell": ([0.9], FINISHED, 1020),
    "a word is missing": ([0.99], UNFINISHED, 1320),
    "a word is missing, and the model cannot tell": ([None], UNFINISHED, 1320),
    "the model fails, and words decide": ([DEAF], UNFINISHED, 1320),
    "the model fails, and words decide nothing": ([DEAF], FINISHED, 720),
}


@pytest.mark.parametrize(("judgements", "recognizer", "gap"), GAPS.values(), ids=GAPS)
async def test_what_is_known_of_a_pause_makes_its_window(autojump_clock, judgements, recognizer, gap):
    _, engines = weighing(*judgements, recognizer=recognizer)
    assert abs(await gap_ms(engines) - gap) <= 30


@pytest.mark.parametrize(("settles_early", "gap"), [(True, 1320), (False, 520)])
async def test_the_final_that_is_begun_in_the_pause_tells_its_words_where_no_partial_does(
    autojump_clock, settles_early, gap
):
    words = UNFINISHED.words
    recognizer = ScriptedRecognizer(words=words, settles_early=settles_early, anticipate_s=0.1)
    _, engines = weighing(0.99, recognizer=recognizer)
    assert abs(await gap_ms(engines, partial_interval_ms=5_000) - gap) <= 30


async def test_a_judgement_that_is_late_is_waited_for_by_nobody(autojump_clock):
    weigher, engines = weighing(0.1, judge_s=3)
    assert abs(await gap_ms(engines) - 720) <= 30
    # The utterance is over, so nobody wants it any more.
    assert (len(weigher.asked), weigher.answered) == (1, 0)


async def test_one_that_comes_in_the_middle_of_the_window_counts_from_then_on(autojump_clock):
    _, engines = weighing(0.99, judge_s=0.3)
    assert 460 <= await gap_ms(engines) <= 500


@pytest.mark.parametrize(
    ("start", "settings", "gap"),
    [
        (m.Start(), {"endpointing": "fixed"}, 720),
        (m.Start(), {"endpointing": "share", "vad_silence_ms": 500}, 520),
        (m.Start(), {"endpointing": "strict"}, 720),
        (m.Start(silence_ms=900), {}, 920),
        (m.Start(endpointing="fixed"), {}, 720),
        (m.Start(silence_ms=900, endpointing="adaptive"), {}, 330),
        (m.Start(endpointing="adaptive"), {"endpointing": "fixed"}, 330),
    ],
)
async def test_who_asks_for_a_fixed_window_has_one_and_who_does_not_has_none(autojump_clock, start, settings, gap):
    weigher, engines = weighing(0.99)
    assert abs(await gap_ms(engines, start, **settings) - gap) <= 30
    assert bool(weigher.asked) == (gap == 330)


@pytest.mark.parametrize(
    ("configured", "start", "gap"),
    [
        (m.Configure(endpointing="fixed"), m.Start(), 720),
        (m.Configure(silence_ms=1000), m.Start(), 1020),
        (m.Configure(silence_ms=1000), m.Start(silence_ms=500), 520),
        (m.Configure(silence_ms=1000), m.Start(endpointing="adaptive"), 330),
        (m.Configure(silence_ms=1000, endpointing="adaptive"), m.Start(), 330),
        (m.Configure(), m.Start(), 330),
    ],
)
async def test_a_session_may_be_configured(autojump_clock, configured, start, gap):
    _, engines = weighing(0.99)
    with trio.fail_after(60):
        async with conversation(engines=engines, endpointing="adaptive") as talk:
            await talk.ask(configured, start)
            await talk.say(1500, 3000)
            done = await talk.wait_for(m.Done)
    assert abs(done.latency.t_final_transcript_ms - 100 - gap) <= 30


async def test_a_pause_inside_a_sentence_is_spoken_through(autojump_clock):
    """The window of a pause that was none is forgotten with it, and each pause is judged by all that was said."""
    weigher, engines = weighing(0.05, 0.99)
    with trio.fail_after(60):
        async with conversation(engines=engines, endpointing="adaptive") as talk:
            await talk.ask(m.Start())
            await talk.say(1500, 1200)
            await talk.say(1200, 3000)
            final = await talk.wait_for(m.Final)
            done = await talk.wait_for(m.Done)
    assert final.text == "so turn left now"
    assert abs(done.latency.t_final_transcript_ms - 100 - 330) <= 30
    first, second = (len(pcm) / 2 / SAMPLE_RATE for pcm in weigher.asked)
    assert first == pytest.approx(1.5 + 0.15, abs=0.06)
    assert second == pytest.approx(1.5 + 1.2 + 1.2 + 0.15, abs=0.07)


async def test_a_judgement_of_a_pause_that_is_over_is_of_no_other(autojump_clock):
    weigher, engines = weighing(0.99, 0.9, judge_s=0.3)
    with trio.fail_after(60):
        async with conversation(engines=engines, endpointing="adaptive") as talk:
            await talk.ask(m.Start())
            await talk.say(900, 240)
            await talk.say(900, 3000)
            done = await talk.wait_for(m.Done)
    assert abs(done.latency.t_final_transcript_ms - 100 - 1020) <= 30
    assert (len(weigher.asked), weigher.answered) == (2, 1)


async def test_the_last_eight_seconds_are_judged(autojump_clock):
    weigher, engines = weighing(0.99)
    with trio.fail_after(60):
        async with conversation(engines=engines, endpointing="adaptive") as talk:
            await talk.ask(m.Start())
            await talk.say(21_000, 900)
            await talk.wait_for(m.Done)
    [pcm] = weigher.asked
    assert len(pcm) == 2 * 8 * SAMPLE_RATE
    silence = bytes(2 * ms_to_samples(JUDGED_AFTER_MS))
    assert pcm.endswith(silence)
    assert not pcm.endswith(silence + bytes(2 * FRAME_SAMPLES))
    assert any(pcm[: 2 * SAMPLE_RATE])


async def test_a_person_who_pauses_long_is_given_longer(autojump_clock):
    async def gap(pauses):
        _, engines = weighing(0.9)
        async with conversation(engines=engines, endpointing="adaptive") as talk:
            await talk.ask(m.Start())
            for ms in pauses:
                await talk.say(900, ms)
            await talk.say(900, 3000)
            return (await talk.wait_for(m.Done)).latency.t_final_transcript_ms - 100

    with trio.fail_after(60):
        assert abs(await gap([300] * 4) - 1020) <= 30
        assert abs(await gap([640] * 4) - 1100) <= 60


@pytest.mark.parametrize(("pause_ms", "gap_ms"), [(500, 1020), (800, 1210)])
async def test_a_pause_that_was_taken_for_the_end_counts_among_a_persons_pauses(autojump_clock, pause_ms, gap_ms):
    _, engines = weighing(0.99, 0.99, 0.99, 0.9)
    slow = ScriptedLanguageModel(replies=[ScriptedReply(tokens=[5.0, "Yes."])] * 4)
    engines = replace(engines, language_model=slow)
    with trio.fail_after(60):
        async with conversation(engines=engines, endpointing="adaptive") as talk:
            await talk.ask(m.Start(mode="hands_free", barge_in=True))
            for _ in range(3):
                await talk.say(900, pause_ms)
            await talk.say(900, 3000)
            done = await talk.wait_for(m.Done)
    assert [event.revision for event in talk.heard if isinstance(event, m.Reopened)] == [1, 2, 3]
    assert abs(done.latency.t_final_transcript_ms - 100 - gap_ms) <= 30


async def test_where_only_the_person_ends_it_nothing_is_weighed(autojump_clock):
    weigher, engines = weighing(0.99)
    with trio.fail_after(60):
        async with conversation(engines=engines, endpointing="adaptive") as talk:
            await talk.ask(m.Start(mode="hold"))
            await talk.say(900, 3000)
            await talk.ask(m.Stop())
            await talk.wait_for(m.Done)
    assert weigher.asked == []


@pytest.mark.parametrize(
    ("silence_ms", "probability", "ends_s"), [(5000, 0.99, 2.1), (5000, 0.9, 5.0), (700, 0.1, 2.1)]
)
async def test_where_audio_stops_coming_the_clock_goes_by_the_same_window(
    autojump_clock, silence_ms, probability, ends_s
):
    _, engines = weighing(probability)
    with trio.fail_after(60):
        async with conversation(engines=engines, endpointing="adaptive", vad_silence_ms=silence_ms) as talk:
            await talk.ask(m.Start())
            await talk.say(1500, 240)
            done = await talk.wait_for(m.Done)
    assert done.latency.t_final_transcript_ms / 1000 - 0.1 == pytest.approx(ends_s, abs=0.1)


async def test_developers_see_what_a_pause_was_taken_for_and_no_word_of_it(autojump_clock):
    _, engines = weighing(0.99, recognizer=UNFINISHED)
    with capture_logs() as lines:
        await gap_ms(engines)
    weighed = [line for line in lines if line["event"] == "pause weighed"]
    assert (weighed[-1]["probability"], weighed[-1]["words"], weighed[-1]["window_ms"]) == (0.99, "BROKEN_OFF", 1300)
    assert "left" not in str(lines)


async def test_a_client_is_told_what_weighs_pauses(autojump_clock):
    for engines, name in [(weighing(0.9)[1], "scripted"), (scripted_engines(), None)]:
        with trio.fail_after(60):
            async with conversation(engines=engines, endpointing="adaptive") as talk:
                assert (await talk.wait_for(m.SessionOpened)).end_of_turn == name
