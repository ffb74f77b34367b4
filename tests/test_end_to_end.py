"""The main job with nothing scripted: recorded speech through a real socket, recognizer, voice and server."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import trio

from tools.latency import CLIPS, SILENCE, ask, word_errors, words_of
from voice_trio import config, sound_file
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.engines.moonshine import model as moonshine
from voice_trio.server.run import open_server

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).parent.parent / "examples" / "question.wav"
WORDS_SPOKEN = json.loads((CLIPS / "clips.json").read_text())


def embedded():
    """Return settings of the recognizer that needs no download, whatever else is on this machine.

    The recordings are flite's, whose voices mean nothing to what weighs pauses.
    """
    recognizer = "pocketsphinx" if moonshine.assets() is None else "moonshine"
    return config.load(port=0, asr_engine=recognizer, tts_engine="auto", endpointing="fixed")


async def test_a_question_is_understood_and_answered_aloud():
    with trio.fail_after(90):
        async with open_server(embedded()) as running, connect(running.ws_url) as client:
            reply = bytearray()
            events: list[m.Event] = []
            await client.ask(m.Start())
            await client.speak(sound_file.read(EXAMPLE) + SILENCE, real_time=False)
            while not events or not isinstance(events[-1], m.Done):
                events.append(await client.hear())
                if isinstance(events[-1], m.TtsChunk):
                    reply += events[-1].pcm
    done = events[-1]
    text = "".join(event.text for event in events if isinstance(event, m.Token))
    assert done.outcome is m.Outcome.COMPLETED
    assert (done.remembered, done.heard) == (True, len(text))
    expected = words_of(WORDS_SPOKEN["question"]["words"])
    final = next(event for event in events if isinstance(event, m.Final))
    assert word_errors(expected, words_of(final.text)) / len(expected) <= 0.2
    assert final.text in text

    rate = next(event.sample_rate for event in events if isinstance(event, m.TtsPhrase))
    seconds = len(reply) / 2 / rate
    words_a_minute = len(text.split()) / seconds * 60
    assert 120 <= words_a_minute <= 280
    samples = np.frombuffer(bytes(reply), "<i2").astype(int)
    assert 3000 < abs(samples).max() < 32767, "neither silent nor clipped"
    assert abs(samples[-rate // 100 :]).max() < 300, "it ends in silence, not in the middle of a sound"
    assert longest_gap_inside_a_sentence(events, samples, text, rate) < 0.08


def longest_gap_inside_a_sentence(events, samples, text, rate):
    """Return the longest silence, in seconds, around a seam between two phrases of one sentence."""
    phrases = [event for event in events if isinstance(event, m.TtsPhrase)]
    first = {event.phrase: event.first_sample for event in reversed(events) if isinstance(event, m.TtsChunk)}
    gaps = [0.0]
    for one, other in pairwise(phrases):
        inside = text[: one.end].rstrip()[-1] not in ".!?"
        if inside and other.phrase in first:
            seam = first[other.phrase]
            loud = np.flatnonzero(abs(samples) > 300)
            gaps.append((loud[loud >= seam].min() - loud[loud < seam].max()) / rate)
    assert len(gaps) > 1, "the reply has such a seam"
    return max(gaps)


async def test_five_recordings_are_understood():
    expected, wrong = 0, 0
    with trio.fail_after(120):
        async with open_server(embedded()) as running, connect(running.ws_url) as client:
            for name, clip in WORDS_SPOKEN.items():
                final, done = await ask(client, sound_file.read(CLIPS / f"{name}.wav") + SILENCE)
                assert done.outcome is m.Outcome.CANCELLED
                words = words_of(clip["words"])
                expected += len(words)
                wrong += word_errors(words, words_of(final.text))
    assert wrong / expected <= 0.2
