"""The final is begun in the pause that may be the end, and a language that was heard once is kept."""

import trio
from structlog.testing import capture_logs

from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.engines.base import EngineError, Transcript
from voice_trio.session.asr import SpokenLanguage
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedRecognizer, ScriptedUtterance, scripted_engines

FRAME = SAMPLE_RATE * 30 // 1000


async def test_the_final_is_begun_in_the_pause_and_not_at_its_end(autojump_clock):
    settled = []

    class Watching(ScriptedUtterance):
        async def settle(self, through_sample, voiced_through=None):
            settled.append((trio.current_time(), through_sample, voiced_through))
            return await super().settle(through_sample, voiced_through)

    ears = ScriptedRecognizer(anticipate_s=10, utterance=Watching)
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(recognizer=ears)) as talk:
            await talk.ask(m.Start())
            began = trio.current_time()
            await talk.say(1500, 900)
            await talk.wait_for(m.Final)
    [(at, through, voiced)] = settled
    assert [voiced] == ears.anticipated
    assert abs(voiced - 1.5 * SAMPLE_RATE) <= 2 * FRAME
    assert through - voiced >= 0.7 * SAMPLE_RATE
    assert 2.2 <= at - began <= 2.32


async def test_speech_that_goes_on_takes_it_back(autojump_clock):
    ears = ScriptedRecognizer(anticipate_s=10)
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(recognizer=ears)) as talk:
            await talk.ask(m.Start())
            for _ in range(3):
                await talk.say(900, 420)
            assert ears.taken_back == 2
            await talk.say(900, 900)
            done = await talk.wait_for(m.Done)
    assert done.outcome is Outcome.COMPLETED
    assert len(ears.anticipated) == 4
    assert ears.anticipated == sorted(ears.anticipated)
    assert ears.open_now == 0


async def test_what_goes_wrong_in_a_pause_is_said_only_if_it_goes_wrong_at_the_end(autojump_clock):
    class Failing(ScriptedUtterance):
        async def anticipate(self, voiced_through):
            raise EngineError(ErrorCode.ASR_FAIL, "not this time")

    ears = ScriptedRecognizer(utterance=Failing)
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(recognizer=ears)) as talk:
            await talk.ask(m.Start())
            await talk.say(900, 900)
            done = await talk.wait_for(m.Done)
    assert done.outcome is Outcome.COMPLETED
    assert not [event for event in talk.heard if isinstance(event, m.Error)]


async def test_a_key_that_is_let_go_says_nothing_about_who_spoke_when(autojump_clock):
    seen = []

    class Watching(ScriptedUtterance):
        async def settle(self, through_sample, voiced_through=None):
            seen.append(voiced_through)
            return await super().settle(through_sample, voiced_through)

    ears = ScriptedRecognizer(utterance=Watching)
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(recognizer=ears)) as talk:
            await talk.ask(m.Start(mode="hold"))
            await talk.say(900, 900)
            await talk.say(900, 60)
            await talk.ask(m.Stop())
            await talk.wait_for(m.Done)
    assert seen == [None]
    # A final begun in its pause would be for nothing.
    assert ears.anticipated == []


async def test_a_language_that_was_heard_clearly_is_kept_for_the_session(autojump_clock):
    ears = ScriptedRecognizer(language_probability=0.9)
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(recognizer=ears)) as talk:
            for ms, start in [(1500, m.Start()), (2400, m.Start()), (900, m.Start()), (900, m.Start(language="de"))]:
                await talk.ask(start)
                await talk.say(ms, 900)
                await talk.wait_for(m.Done)
    assert ears.asked_for == [None, None, "en", "de"]


async def test_a_language_that_is_not_known_is_guided_to_what_the_client_is_set_up_for(autojump_clock):
    ears = ScriptedRecognizer(language_probability=0.9)
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(recognizer=ears)) as talk:
            for ms, start in [
                (900, m.Start(locale="de-CH")),
                (900, m.Start()),
                (900, m.Start(locale="de-CH", language="fr")),
                (900, m.Start(locale="no locale at all")),
                (2400, m.Start(locale="nb-NO")),
                # From here on it is known, and nobody is guided.
                (900, m.Start(locale="de-CH")),
            ]:
                await talk.ask(start)
                await talk.say(ms, 900)
                await talk.wait_for(m.Done)
    assert ears.asked_for == [None, None, "fr", None, None, "en"]
    assert ears.guided_to == ["de", "no"]


async def test_a_recognizer_that_takes_no_guiding_is_opened_as_ever(autojump_clock):
    ears = ScriptedRecognizer()

    class Plain:
        name, languages, ready, open = ears.name, ears.languages, ears.ready, ears.open

    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(recognizer=Plain())) as talk:
            await talk.ask(m.Start(locale="de"))
            await talk.say(900, 900)
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
    assert (ears.asked_for, ears.guided_to) == ([None], [])


def test_what_is_short_or_doubtful_or_empty_decides_nothing():
    spoken = SpokenLanguage()
    for text, probability, seconds in [("Hi.", 0.9, 1.9), ("Hello there.", 0.7, 5), ("", 0.99, 5)]:
        spoken.hear(Transcript(text, "cy", probability), int(seconds * SAMPLE_RATE))
        assert spoken.known is None
    spoken.hear(Transcript("Guten Tag.", "de", 0.8), 2 * SAMPLE_RATE)
    spoken.hear(Transcript("Good day.", "en", 0.99), 5 * SAMPLE_RATE)
    assert spoken.known == "de"


async def test_a_defect_beside_an_engines_error_is_reported_with_its_incident(autojump_clock):
    settling = trio.Event()

    class Failing(ScriptedUtterance):
        async def anticipate(self, voiced_through):
            await settling.wait()
            raise KeyError("a defect")

        async def settle(self, through_sample, voiced_through=None):
            settling.set()
            raise EngineError(ErrorCode.ASR_FAIL, "no")

    with trio.fail_after(60), capture_logs() as logged:
        async with conversation(engines=scripted_engines(recognizer=ScriptedRecognizer(utterance=Failing))) as talk:
            await talk.ask(m.Start())
            await talk.say(1500, 900)
            error = await talk.wait_for(m.Error)
            done = await talk.wait_for(m.Done)
            await talk.ask(m.Text(text="still here"))
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
    assert (error.code, error.recoverable, done.outcome) == (ErrorCode.INTERNAL, True, Outcome.FAILED)
    assert talk.kinds(1).count("Error") == 1
    [line] = [line for line in logged if line["event"] == "incident"]
    assert line["incident"] == error.incident
    assert "a defect" in repr(line["exc_info"])
