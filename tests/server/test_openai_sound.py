"""Speech on its way out: rate, tempo and formats as a stream, and subtitles of what came in. Without a socket."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.recordings import decoded
from voice_trio.server.openai import encoding
from voice_trio.server.openai.encoding import MIMETYPES, encoder_for
from voice_trio.server.openai.hearing import Segment
from voice_trio.server.openai.tempo import RATE, Tempo
from voice_trio.server.openai.transcript import srt, vtt, written
from voice_trio.server.openai.transcription_request import kind_of

HERTZ = 440


def tone(rate, seconds=2.0, peak=8000):
    return (np.sin(2 * np.pi * HERTZ * np.arange(int(rate * seconds)) / rate) * peak).astype("<i2").tobytes()


def in_steps(push, finish, pcm, step):
    return b"".join([*(push(pcm[at : at + step]) for at in range(0, len(pcm), step)), finish()])


def clicks_in(samples, rate=RATE):
    """Return the largest step between two neighbours, as a multiple of the largest that the tone itself has."""
    of_the_tone = 2 * np.pi * HERTZ / rate * np.abs(samples).max()
    return np.abs(np.diff(samples.astype(int))).max() / of_the_tone


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100])
@pytest.mark.parametrize("step_ms", [1, 20, 333])
def test_another_rate_is_the_same_tone_without_clicks_between_pieces(rate, step_ms):
    tempo = Tempo(rate, 1.0)
    step = rate * step_ms // 1000 * 2
    made = np.frombuffer(in_steps(tempo.push, lambda: tempo.push(b"", last=True), tone(rate), step), "<i2")
    assert len(made) == pytest.approx(2 * RATE, abs=RATE * 0.002)
    inside = made[1000:-1000]
    assert clicks_in(inside) < 1.1
    assert np.abs(np.fft.rfft(inside)).argmax() * RATE / len(inside) == pytest.approx(HERTZ, abs=1)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
@pytest.mark.parametrize("step_ms", [20, 500])
def test_another_tempo_is_as_much_longer_or_shorter_at_the_same_pitch(factor, step_ms):
    tempo = Tempo(RATE, factor)
    step = RATE * step_ms // 1000 * 2
    made = np.frombuffer(in_steps(tempo.push, lambda: tempo.push(b"", last=True), tone(RATE), step), "<i2")
    assert len(made) / RATE == pytest.approx(2.0 / factor, rel=0.05)
    inside = made[2000:-2000]
    assert np.abs(np.fft.rfft(inside)).argmax() * RATE / len(inside) == pytest.approx(HERTZ, abs=5)


@pytest.mark.parametrize("name", MIMETYPES)
@pytest.mark.parametrize("step_ms", [7, 500])
def test_a_format_is_the_tone_again_when_it_is_read(name, step_ms):
    encoding.load()
    encoder = encoder_for(name)
    made = in_steps(encoder.push, encoder.finish, tone(RATE), RATE * step_ms // 1000 * 2)
    if name == "pcm":
        assert made == tone(RATE)
        return
    samples, rate, _ = decoded(made)
    assert len(samples) / rate == pytest.approx(2.0, abs=0.1)
    inside = samples[3000:-3000]
    loudest = np.abs(np.fft.rfft(inside * np.hanning(len(inside)))).argmax() * rate / len(inside)
    assert loudest == pytest.approx(HERTZ, abs=1)
    # Lossy ones round a little.
    assert clicks_in(inside, rate) < 1.3
    assert kind_of(made) == {"opus": "ogg"}.get(name, name)


@pytest.mark.parametrize("name", MIMETYPES)
def test_what_comes_is_there_before_the_end(name):
    encoding.load()
    encoder = encoder_for(name)
    sent = sum(len(encoder.push(tone(RATE, 0.1))) for _ in range(10))
    assert sent > 0.6 * (sent + len(encoder.finish()))


def test_nothing_is_no_sound_in_any_format():
    encoding.load()
    assert {name: len(encoder_for(name).finish()) < 100 for name in MIMETYPES} == dict.fromkeys(MIMETYPES, True)


def test_subtitles():
    segments = [Segment(0.0, 1.2345, "a < b & c --> d"), Segment(3661.5, 3662.0, "two\n\nlines")]
    assert srt(segments) == (
        "1\n00:00:00,000 --> 00:00:01,234\na < b & c -> d\n\n2\n01:01:01,500 --> 01:01:02,000\ntwo lines\n\n"
    )
    assert vtt(segments) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.234\na &lt; b &amp; c -&gt; d\n\n"
        "01:01:01.500 --> 01:01:02.000\ntwo lines\n\n"
    )


def test_of_no_words_there_is_no_language():
    hearing: Any = SimpleNamespace(text="", segments=[], seconds=1.0, language=None)
    assert written(hearing, "verbose_json").startswith('{"task":"transcribe","language":"","duration":1.0,"text":""')
    assert written(hearing, "text") == "\n"
