"""A real model, though a very small one, trained for these tests on made-up speech: heard on what it never saw."""

import numpy as np
import pytest
import trio

from tests.tiny_whisper.training import held_out
from tools.asr_bench import models, words
from tools.latency import SILENCE, ask, word_errors
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.transcript import TranscriptDiffer
from voice_trio.engines.whisper.context import spoken
from voice_trio.engines.whisper.decode import PADDED_S
from voice_trio.engines.whisper.plug import open_whisper
from voice_trio.server.run import open_server

pytestmark = pytest.mark.real

CLIPS = [clip for clip in held_out.read() if clip.kind == "held-out"]


@pytest.fixture(scope="module")
def decoder():
    return models.decoder(models.TINY)


def test_new_sentences_are_understood_in_short_contexts_as_in_padded_ones(decoder):
    short, padded = (words.word_error(decoder, CLIPS[::2], least_s) for least_s in (0.0, PADDED_S))
    assert max(short, padded) <= 0.05
    assert short <= 1.05 * padded + 0.01


def test_what_is_no_speech_gives_no_words(decoder):
    assert words.empty_share(decoder, 60) >= 0.95


async def test_partials_come_to_the_final_and_take_back_nothing_stable():
    joined = b"".join(clip.pcm for clip in CLIPS[:3])
    said = [word for clip in CLIPS[:3] for word in spoken(clip.words)]
    step = SAMPLE_RATE // 2 * BYTES_PER_SAMPLE
    differ, stable, windows = TranscriptDiffer(), "", []
    with trio.fail_after(60):
        settings = models.settings(models.TINY, asr_context="short")
        async with open_whisper(settings) as ears, ears.open("en") as utterance:
            for at in range(0, len(joined), step):
                utterance.feed(joined[at : at + step])
                begin = utterance._window.begin
                hypothesis = await utterance.hypothesize()
                windows.append(hypothesis.through_sample - begin)
                differ.push(hypothesis.text)
                assert differ.text.startswith(stable)
                stable = differ.text[: differ.stable]
            final = await utterance.settle(len(joined) // BYTES_PER_SAMPLE)
    assert word_errors(said, spoken(final.text)) <= 0.1 * len(said)
    # Windows begin in the middle of what this model has only seen whole.
    assert word_errors(said, spoken(differ.text)) <= 0.25 * len(said)
    assert max(windows) <= 12 * SAMPLE_RATE
    assert np.mean(windows) <= 7 * SAMPLE_RATE


async def test_the_right_words_come_through_the_socket():
    said = wrong = 0
    with trio.fail_after(120):
        settings = models.settings(models.TINY, port=0, asr_context="short")
        async with open_server(settings) as running, connect(running.ws_url) as client:
            opened = await client.hear()
            assert isinstance(opened, m.SessionOpened)
            assert opened.asr == "faster-whisper model"
            for clip in CLIPS[:6]:
                final, _ = await ask(client, clip.pcm + SILENCE)
                said += len(spoken(clip.words))
                wrong += word_errors(spoken(clip.words), spoken(final.text))
                assert final.language == "en"
    assert wrong <= 0.1 * said
