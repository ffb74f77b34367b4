"""When speech into a reply is asked for its words, how long it holds the reply, and when it holds it at all."""

from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import Outcome
from voice_trio.core.sounding import Report, SoundingClock
from voice_trio.engines.base import Hypothesis
from voice_trio.session.candidate import LONGEST_HOLD_S
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, LiteralUtterance, spoken
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines, silent, voiced

LONG = ScriptedReply(tokens=["This is a long sentence of a reply, and there is more. "] * 8, token_s=0.05)
BRIEF = ScriptedReply(tokens=["This is one sentence of a reply. "])
SHORT = ScriptedReply(tokens=["Yes."])


class Counting(LiteralRecognizer):
    """Notes when it was asked for words, and may take its time to be left."""

    def __init__(self, *, leave_s=0.0, **times):
        super().__init__(**times)
        self.asked = []
        self.leave_s = leave_s

    partial_interval_ms: int = 300

    @asynccontextmanager
    async def open(self, language):
        leave_s = self.leave_s
        async with super().open(language) as utterance:
            hypothesize = utterance.hypothesize

            async def noted():
                self.asked.append(trio.current_time())
                return await hypothesize()

            utterance.hypothesize = noted  # type: ignore[method-assign]
            try:
                yield utterance
            finally:
                with trio.move_on_after(leave_s, shield=True):
                    await trio.sleep_forever()


@asynccontextmanager
async def reply_sounds(recognizer, *replies):
    engines = scripted_engines(
        recognizer=recognizer, language_model=ScriptedLanguageModel(replies=[*replies, LONG, SHORT])
    )
    with trio.fail_after(120):
        async with conversation(engines=engines) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsChunk)
            await talk.silence(500)
            yield talk


@asynccontextmanager
async def answered_at_once(*words):
    """Somebody pauses behind ``words``, and the reply begins."""
    engines = scripted_engines(
        recognizer=LiteralRecognizer(), language_model=ScriptedLanguageModel(replies=[LONG, SHORT])
    )
    with trio.fail_after(120):
        async with conversation(engines=engines, vad_silence_ms=500) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken(*words), 600)
            await talk.wait_for(m.TtsChunk, turn=1)
            yield talk


async def test_a_voice_without_words_is_asked_for_them_often_at_first_and_then_as_partials_are(autojump_clock):
    recognizer = Counting()
    recognizer.partial_interval_ms = 1000
    async with reply_sounds(recognizer) as talk:
        recognizer.asked.clear()
        await talk.say(voiced(6000), 900)
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED
    first, enough, *rest, _in_the_pause = recognizer.asked
    assert 0.03 < enough - first < 0.1
    eager = [at for at in rest if at - first < 0.9]
    assert 8 <= len(eager) <= 16
    assert all(later - earlier >= 0.03 for earlier, later in pairwise([enough, *eager]))
    assert 4 <= len(rest) - len(eager) <= 6
    assert all(later - earlier >= 0.99 for earlier, later in pairwise(rest[len(eager) :]))


async def test_it_is_asked_at_once_when_there_is_voice_enough_for_a_verdict(autojump_clock):
    async with reply_sounds(Counting()) as talk:
        began = trio.current_time()
        await talk.say(spoken("tell", "me", "about", "london", "and", "more"), 900)
        done = await talk.wait_for(m.Done, turn=1)
        await talk.wait_for(m.Done, turn=2)
    assert done.outcome is Outcome.INTERRUPTED
    # Voice of 450 ms, the pause between two words, and less than 250 ms for all else.
    assert talk.time_of(done) - began < 0.75


async def test_a_short_stop_is_understood_in_the_pause_behind_it(autojump_clock):
    async with reply_sounds(Counting()) as talk:
        began = trio.current_time()
        await talk.say(spoken("stop"), 900)
        done = await talk.wait_for(m.Done, turn=1)
    assert done.outcome is Outcome.INTERRUPTED
    assert talk.time_of(done) - began < 0.7


class KnowsInSilence(LiteralUtterance):
    """Knows nothing of a word until silence follows it, as recognizers do that know nothing of little sound."""

    def _words(self, samples):
        return super()._words(samples) if self._pcm.endswith(bytes(2 * SAMPLE_RATE // 10)) else ""


@pytest.mark.parametrize("hypothesize_s", [0.0, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("word_ms", [330, 420, 540])
async def test_a_word_is_asked_for_when_the_voice_pauses_whenever_that_is(autojump_clock, word_ms, hypothesize_s):
    recognizer = Counting(hypothesize_s=hypothesize_s, utterance=KnowsInSilence)
    async with reply_sounds(recognizer) as talk:
        began = trio.current_time()
        await talk.say(spoken("stop", word_ms=word_ms), 900)
        done = await talk.wait_for(m.Done, turn=1)
    assert done.outcome is Outcome.INTERRUPTED
    # The pause is there 200 ms after the voice; what was asked for before it is to be answered first.
    assert talk.time_of(done) - began < word_ms / 1000 + 0.3 + 2 * hypothesize_s


@pytest.mark.parametrize(
    ("silence_ms", "outcome"), [(1600, Outcome.INTERRUPTED), (2300, Outcome.COMPLETED)], ids=["at once", "later"]
)
async def test_a_word_too_short_for_an_interruption_is_more_of_what_was_said_before_the_reply_can_have_been_heard(
    autojump_clock, silence_ms, outcome
):
    model = ScriptedLanguageModel(replies=[LONG, SHORT])
    engines = scripted_engines(recognizer=LiteralRecognizer(), language_model=model)
    with trio.fail_after(120):
        async with conversation(engines=engines, vad_silence_ms=1400) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("call", "me", "later"), silence_ms)
            await talk.wait_for(m.TtsChunk, turn=1)
            await talk.say(spoken("please"), 2000)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is outcome
            if outcome is Outcome.INTERRUPTED:
                assert (await talk.wait_for(m.Final, turn=2)).text == "please"


async def test_however_long_a_person_may_think_the_reply_does_not_wait_for_what_was_no_word(autojump_clock):
    engines = scripted_engines(recognizer=LiteralRecognizer(), language_model=ScriptedLanguageModel(replies=[LONG]))
    with trio.fail_after(120):
        async with conversation(engines=engines, vad_silence_ms=2400) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 3000)
            await talk.wait_for(m.TtsChunk)
            await talk.say(spoken("mhm"))
            began = trio.current_time()
            await talk.silence(3000)
            released = await talk.wait_for(m.Release)
            await talk.say(spoken("stop"), 3000)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
            assert (await talk.wait_for(m.Final, turn=2)).text == "stop"
    assert 1.1 < talk.time_of(released) - began < 1.35


@pytest.mark.parametrize("silence_ms", [900, 1260], ids=["before", "while it is thought to be over"])
async def test_who_goes_on_after_a_silence_is_heard_with_all_their_words(autojump_clock, silence_ms):
    recognizer = LiteralRecognizer(settle_s=0.6)
    engines = scripted_engines(recognizer=recognizer, language_model=ScriptedLanguageModel(replies=[LONG, SHORT]))
    with trio.fail_after(120):
        async with conversation(engines=engines, vad_silence_ms=2400) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 4000)
            await talk.wait_for(m.TtsChunk)
            await talk.say(spoken("yes"), silence_ms)
            await talk.say(spoken("but", "what", "about", "london"), 4000)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
            assert (await talk.wait_for(m.Final, turn=2)).text == "yes but what about london"


@pytest.mark.parametrize("stall_s", [0.7, 1.0, 1.5])
async def test_audio_that_is_late_is_no_silence(autojump_clock, stall_s):
    engines = scripted_engines(
        recognizer=LiteralRecognizer(), language_model=ScriptedLanguageModel(replies=[LONG, SHORT])
    )
    with trio.fail_after(120):
        async with conversation(engines=engines) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsChunk)
            await talk.silence(2500)
            await talk.say(spoken("please"), 240)
            await trio.sleep(stall_s)
            await talk.ask(m.Audio(silent(60) + spoken("tell", "me", "about", "london")))
            await talk.silence(2000)
            assert (await talk.wait_for(m.Final, turn=2)).text == "please tell me about london"


async def test_little_words_of_a_client_that_sends_no_silence_end_no_reply(autojump_clock):
    engines = scripted_engines(recognizer=LiteralRecognizer(), language_model=ScriptedLanguageModel(replies=[LONG]))
    with trio.fail_after(120):
        async with conversation(engines=engines) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsChunk)
            await talk.silence(4000)
            await talk.say(spoken("of", "her", word_ms=150, gap_ms=30))
            await trio.sleep(6)
            await talk.silence(100)
            assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED


@pytest.mark.parametrize(("after_s", "outcome"), [(0.0, Outcome.INTERRUPTED), (3.0, Outcome.COMPLETED)])
async def test_two_little_words_are_more_of_what_was_said_just_before(autojump_clock, after_s, outcome):
    async with answered_at_once("play", "it") as talk:
        await talk.silence(round(after_s * 1000))
        await talk.say(spoken("for", "me", word_ms=180, gap_ms=30), 1500)
        assert (await talk.wait_for(m.Done, turn=1)).outcome is outcome


@pytest.mark.parametrize(("first", "gap_ms", "then", "said"), [
    ("a", 750, "little", "a little"),
    ("a", 750, "for", "a for"),
    ("a", 1500, "little", None),
    ("yeah", 750, "little", None),
    ("a", 750, "yeah", None),
])  # fmt: skip
async def test_words_that_are_too_little_each_are_more_of_a_sentence_together(
    autojump_clock, first, gap_ms, then, said
):
    async with answered_at_once("turn", "it", "up") as talk:
        await talk.say(spoken(first, word_ms=180), gap_ms)
        assert (await talk.wait_for(m.Release)).turn == 1
        await talk.say(spoken(then, word_ms=210), 1500)
        done = await talk.wait_for(m.Done, turn=1)
        if said is None:
            assert done.outcome is Outcome.COMPLETED
        else:
            assert done.outcome is Outcome.INTERRUPTED
            assert (await talk.wait_for(m.Final, turn=2)).text == said


async def test_the_words_that_have_ended_a_reply_are_answered_though_they_are_not_heard_again(autojump_clock):
    heard: list[bytes] = []

    class UnsureAgain(LiteralUtterance):
        """Knows what is said only when it is over, and of the same sound nothing the second time."""

        async def hypothesize(self):
            return Hypothesis("", (await super().hypothesize()).through_sample)

        async def settle(self, through_sample, voiced_through=None):
            settled = await super().settle(through_sample, voiced_through)
            heard.append(bytes(self._pcm))
            return settled._replace(text="") if heard.count(heard[-1]) > 1 else settled

    async with reply_sounds(LiteralRecognizer(utterance=UnsureAgain)) as talk:
        await talk.say(spoken("what"), 900)
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
        assert (await talk.wait_for(m.Final, turn=2)).text == "what"
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED


async def test_three_seconds_count_though_the_candidate_before_is_still_being_left(autojump_clock):
    """Its recognizer takes long to close, and meanwhile the next reply is spoken into."""
    recognizer = Counting()
    async with reply_sounds(recognizer, BRIEF) as talk:
        recognizer.leave_s, recognizer.hypothesize_s, recognizer.settle_s = 20.0, 60.0, 60.0
        await talk.say(spoken("stop", "there"), 900)
        recognizer.leave_s, recognizer.hypothesize_s, recognizer.settle_s = 0.0, 0.05, 0.05
        await talk.wait_for(m.Done, turn=1)
        await talk.wait_for(m.TtsChunk, turn=2)
        await talk.silence(500)
        hold = await hold_in(talk)
        release = await talk.wait_for(m.Release, turn=2)
    assert talk.time_of(release) - talk.time_of(hold) == pytest.approx(LONGEST_HOLD_S)


async def hold_in(talk):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.say, voiced(6000), 900)
        hold = await talk.wait_for(m.Hold, turn=2)
        nursery.cancel_scope.cancel()
    return hold


class Passing:
    """Cancels no echo, but doubts as the canceller does."""

    def __init__(self):
        self._clock, self._position = SoundingClock(), 0

    @property
    def is_doubtful(self):
        return self._clock.is_doubtful(self._position)

    def sounding(self, turn, sample, position):
        self._clock.report(Report(position, turn, sample / 16_000))

    def played_audio(self, turn, first_sample, pcm, rate):
        pass

    def clean(self, frame, position):
        self._clock.spans(position, len(frame) // 2)
        self._position = position + len(frame) // 2
        return frame


@pytest.mark.parametrize(("jumps", "sound", "kinds"), [
    (False, voiced(150), [m.Hold, m.Release]),
    (True, voiced(150), []),
    (True, voiced(900), [m.Hold, m.Release]),
    (True, spoken("stop"), []),
    (True, spoken("stop", "there"), [m.Hold]),
])  # fmt: skip
async def test_what_may_be_the_reply_itself_holds_it_only_when_it_lasts(autojump_clock, jumps, sound, kinds):
    async with reply_sounds(LiteralRecognizer()) as talk:
        talk.session._echo._canceller = Passing()
        await talk.ask(m.Sounding(turn=1, sample=8000))
        await talk.silence(300)
        await talk.ask(m.Sounding(turn=1, sample=8000 + 4800 + 3200 * jumps))
        await talk.say(sound, 900)
        await talk.wait_for(m.Done, turn=1)
    assert [type(e) for e in talk.heard if isinstance(e, m.Hold | m.Release) and e.turn == 1] == kinds


@pytest.mark.parametrize(("jumps", "outcome"), [(False, Outcome.INTERRUPTED), (True, Outcome.COMPLETED)])
async def test_what_may_be_the_reply_itself_is_no_part_of_a_sentence(autojump_clock, monkeypatch, jumps, outcome):
    async with answered_at_once("turn", "it", "up") as talk:
        monkeypatch.setattr(talk.session._echo, "_canceller", Passing())
        await talk.ask(m.Sounding(turn=1, sample=0))
        await talk.silence(60)
        await talk.ask(m.Sounding(turn=1, sample=960 + 3200 * jumps))
        await talk.say(spoken("the", word_ms=180), 750)
        await talk.say(spoken("little", word_ms=210), 1500)
        assert (await talk.wait_for(m.Done, turn=1)).outcome is outcome
