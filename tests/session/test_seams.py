"""Between two utterances, and over them all: each sample is somebody's, and its number is exact."""

from array import array

import pytest
import trio

from tests.session.test_listener import SETTINGS, capturing, feed, listening
from voice_trio.core import messages as m
from voice_trio.core.audio import FRAME_SAMPLES
from voice_trio.core.timeline import Timeline
from voice_trio.session.ending import Ending
from voice_trio.session.listener import Listener
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import (
    ScriptedDetector,
    ScriptedLanguageModel,
    ScriptedReply,
    scripted_engines,
    silent,
    voiced,
)


def going_on(listener, **changes):
    capture = capturing(changes.pop("max_ms", 30_000))
    listener.listen(capture, Timeline(), **{**SETTINGS, **changes}, going_on=True)
    return capture


def numbered(pcm):
    """Return ``pcm`` with each voiced sample a number of its own, so that one that is lost or doubled can be told."""
    samples = array("H", pcm)
    return array("H", (n % 30_000 + 1000 if sample else 0 for n, sample in enumerate(samples))).tobytes()


@pytest.mark.parametrize("message_ms", [7, 20, 50, 60, 90, 120])
@pytest.mark.parametrize("window_ms", [210, 240, 270])
async def test_what_comes_behind_an_end_in_the_same_message_is_the_next_utterances(message_ms, window_ms):
    """Its first sounds come while the silence that ends the one before it is still being counted."""
    listener, capture, _ = listening(silence_ms=window_ms)
    said = numbered(voiced(600) + silent(window_ms + 30) + voiced(600) + silent(900))
    captures = [capture]
    step = 32 * message_ms
    for at in range(0, len(said), step):
        listener.feed(said[at : at + step], 0.0)
        if captures[-1].has_ended():
            captures.append(going_on(listener, silence_ms=window_ms))
    heard = b"".join(bytes(one.take()) for one in captures)
    assert heard == said[: len(heard)]
    assert [one.ending for one in captures[:2]] == [Ending.SILENCE] * 2


@pytest.mark.parametrize("max_ms", [1000, 1013, 1050])
@pytest.mark.parametrize("message_ms", [20, 50, 120])
async def test_the_sample_behind_the_longest_utterance_is_the_next_ones_first(max_ms, message_ms):
    listener, capture, _ = listening(max_ms=max_ms)
    said = numbered(voiced(4000))
    captures = [capture]
    step = 32 * message_ms
    for at in range(0, len(said), step):
        listener.feed(said[at : at + step], 0.0)
        if captures[-1].has_ended():
            captures.append(going_on(listener, max_ms=max_ms))
    heard = b"".join(bytes(one.take()) for one in captures)
    whole = len(said) - len(said) % (2 * FRAME_SAMPLES)
    assert heard == said[:whole]
    assert len(captures) == 4


@pytest.mark.parametrize("message_ms", [20, 50, 70])
async def test_a_stop_in_the_middle_of_a_frame_loses_nothing_and_doubles_nothing(message_ms):
    listener, capture, _ = listening()
    said = numbered(voiced(1500) + silent(900))
    cut = 32 * message_ms * 10
    feed(listener, said[:cut], message_ms=message_ms)
    listener.stop()
    following = going_on(listener)
    feed(listener, said[cut:], message_ms=message_ms)
    first = capture.take()
    assert first == said[:cut]
    assert following.take().startswith(said[cut : 32 * 1500])


async def test_who_asks_to_be_heard_is_heard_from_that_sample_on():
    listener, _, _ = listening()
    said = numbered(voiced(700))
    listener.feed(said[: 32 * 35], 0.0)
    capture = capturing()
    listener.listen(capture, Timeline(), **SETTINGS)
    listener.feed(said[32 * 35 :], 0.0)
    assert listener.position == 16 * 700
    assert capture.take().startswith(said[32 * 35 : 32 * 300])


async def test_what_was_said_while_nobody_listened_is_nobodys():
    listener, capture, _ = listening()
    feed(listener, voiced(600) + silent(900))
    assert capture.has_ended()
    feed(listener, voiced(900))
    following = going_on(listener)
    feed(listener, silent(300))
    assert not following.begun


async def test_a_voice_that_begins_behind_the_end_and_stops_coming_ends_by_the_clock():
    """The frames that begin it were heard before anybody knew that they do."""
    listener, _, _ = listening(silence_ms=240)
    listener.feed(voiced(600) + silent(240) + voiced(120), 1.0)
    following = going_on(listener, silence_ms=240)
    assert following.begun
    assert following._still_at == pytest.approx(1.0 + 0.96 + 1.8)


async def test_the_position_is_exact_over_a_session(autojump_clock):
    engines = scripted_engines(
        recognizer=LiteralRecognizer(),
        language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=["Yes. "])] * 3),
    )
    fed = 0
    with trio.fail_after(60):
        async with conversation(engines=engines) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            for turn in (1, 2, 3):
                said = spoken("hello") + silent(900)
                for at in range(0, len(said), 32 * 50):
                    await talk.ask(m.Audio(said[at : at + 32 * 50]))
                    await trio.sleep(0.05)
                    fed += len(said[at : at + 32 * 50]) // 2
                await talk.wait_for(m.Done, turn=turn)
            assert talk.session._listener.position == fed


@pytest.mark.parametrize("before_ms", range(0, 120, 30))
async def test_a_short_word_in_the_message_that_holds_the_end_is_heard(autojump_clock, before_ms):
    engines = scripted_engines(
        recognizer=LiteralRecognizer(),
        language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=[5.0, "Yes. "])] * 3),
    )
    said = silent(before_ms) + spoken("one") + silent(660) + spoken("two", word_ms=90, gap_ms=300) + spoken("three")
    with trio.fail_after(60):
        async with conversation(engines=engines, endpointing="fixed", vad_silence_ms=700) as talk:
            await talk.ask(m.Start(mode="hands_free"))
            for at in range(0, len(said), 32 * 120):
                await talk.ask(m.Audio(said[at : at + 32 * 120]))
                await trio.sleep(0.12)
            await talk.silence(900)
            await talk.wait_for(m.Done, turn=1)
    assert talk.all(m.Final)[-1].text == "one two three"


class Soft(ScriptedDetector):
    """Knows nobody's voice before it has heard a while, as it is with soft voices in noise."""

    def __init__(self):
        super().__init__()
        self.heard = 0

    def speech_probability(self, frame):
        self.heard += 1
        return super().speech_probability(frame) if self.heard > 10 else 0.0

    def reset(self):
        self.heard = 0


@pytest.mark.parametrize("message_ms", [30, 60, 1000])
async def test_a_detector_that_goes_on_listening_has_heard_what_came_before(message_ms):
    listener = Listener(Soft())
    first = going_on(listener)
    feed(listener, silent(600) + voiced(600) + silent(720), message_ms=message_ms)
    assert first.has_ended()
    following = going_on(listener)
    feed(listener, voiced(240) + silent(60), message_ms=message_ms)
    assert following.begun


async def test_behind_a_gap_in_the_audio_it_begins_anew(autojump_clock):
    listener = Listener(Soft())
    first = going_on(listener)
    feed(listener, silent(600) + voiced(600), began_at=trio.current_time())
    await first.wait_ended()
    assert first.by_clock
    following = going_on(listener)
    feed(listener, voiced(240) + silent(60))
    assert not following.begun
    assert following.lead == b""


async def test_the_lead_is_no_more_than_there_is_room_for():
    capture = capturing(max_ms=1000)
    capture.append(voiced(900))
    capture.lead = voiced(300)
    capture.lead_in()
    assert (capture.samples, len(capture.take())) == (16_000, 32_000)


async def test_behind_a_gap_it_begins_anew():
    listener = Listener(Soft())
    first = going_on(listener)
    feed(listener, silent(600) + voiced(600) + silent(720) + silent(120), message_ms=30)
    assert first.has_ended()
    following = going_on(listener)
    feed(listener, voiced(240) + silent(60), message_ms=30)
    assert not following.begun


class Late(ScriptedDetector):
    """Does not know the first 120 ms of a voice, as it is with soft consonants."""

    def __init__(self):
        super().__init__()
        self.voiced = 0

    def speech_probability(self, frame):
        probability = super().speech_probability(frame)
        self.voiced = self.voiced + 1 if probability >= 0.5 else 0
        return probability if self.voiced > 4 else 0.0


@pytest.mark.parametrize("is_more", [False, True])
async def test_the_soft_beginning_of_a_word_may_lie_in_what_ended_the_words_before(is_more):
    said = numbered(silent(600) + voiced(720) + silent(480) + voiced(600))
    word = len(silent(600) + voiced(720) + silent(480))
    listener = Listener(Late())
    captures = [going_on(listener, silence_ms=600)]
    for at in range(0, len(said), 960):
        listener.feed(said[at : at + 960], 0.0)
        if captures[-1].has_ended():
            captures.append(going_on(listener, silence_ms=600))
    first, following = captures
    end = said.index(first.take()) + first.samples * 2
    assert word < end
    if is_more:
        following.go_on_from(first)
        assert said.endswith(following.take())
        assert following.samples > first.samples
    else:
        following.lead_in()
        heard = following.take()
        assert said.endswith(heard)
        assert len(said) - len(heard) <= word
        assert len(heard) == 2 * following.samples
        following.lead_in()
        following.rewind()
        assert following.take() == heard
