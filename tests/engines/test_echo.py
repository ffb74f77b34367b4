"""The echo canceller: the reference it is given, where it finds the echo, and rooms that it is tried in."""

from pathlib import Path

import numpy as np
import pytest

from tests import noise
from tests.echo_room import SPEECH_RMS, TURN, frames, play
from voice_trio import sound_file
from voice_trio.core.audio import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE as S
from voice_trio.core.errors import EngineError
from voice_trio.core.messages import ErrorCode
from voice_trio.core.sounding import Span
from voice_trio.engines import silero
from voice_trio.engines.echo import aec3
from voice_trio.engines.echo.alignment import EVERY, MOVED, Alignment
from voice_trio.engines.echo.canceller import TAIL_SAMPLES, EchoCanceller
from voice_trio.engines.echo.sent import KEPT_S, SentAudio

pytestmark = pytest.mark.real

SENTENCES = (
    "Last summer we walked along the river for three days and never saw another soul.",
    "Before you go to bed, close all of the windows, because there will be a storm tonight.",
    "If it rains tomorrow, we will visit the museum instead of the zoo.",
)


def tone(hertz, rate, seconds):
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype("<i2").tobytes()


# --- what was sent ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("ppm", [0, 300])
def test_audio_of_any_rate_is_read_at_the_microphones(rate, ppm):
    sent = SentAudio()
    sent.add(1, 0, tone(440, rate, 2), rate)
    step = (1 + ppm / 1e6) / S
    found = np.concatenate(
        [sent.read(Span(FRAME_SAMPLES, 1, n * step, step)) for n in range(4800, 9600, FRAME_SAMPLES)]
    )
    wanted = 8000 * np.sin(2 * np.pi * 440 * step * np.arange(4800, 9600))
    assert np.sqrt(np.mean((found - wanted) ** 2)) < 8000 * 0.005


def test_what_16_khz_cannot_hold_is_kept_out():
    sent = SentAudio()
    sent.add(1, 0, tone(11_000, 24_000, 1), 24_000)
    assert np.abs(sent.read(Span(4800, 1, 0.3, 1 / S))).max() < 8000 * 0.01


def test_silence_where_nothing_is_known():
    sent = SentAudio()
    assert not sent.read(Span(480, None, 0.0, 0.0)).any()
    assert not sent.read(Span(480, 3, 0.0, 1 / S)).any()
    sent.add(3, 2400, tone(300, 24_000, 0.1), 24_000)
    assert not sent.read(Span(480, 3, 0.0, 1 / S)).any()
    assert sent.read(Span(480, 3, 0.12, 1 / S)).any()
    assert not sent.read(Span(480, 3, 0.3, 1 / S)).any()
    assert not sent.read(Span(480, 3, -5.0, 1 / S)).any()
    assert not sent.read(Span(480, 3, 1e5, 1 / S)).any()


def test_audio_said_anew_takes_the_place_of_the_old():
    sent = SentAudio()
    sent.add(1, 0, tone(300, 16_000, 1), 16_000)
    sent.add(1, 0, bytes(2 * S), 16_000)
    assert not sent.read(Span(480, 1, 0.5, 1 / S)).any()


def test_it_holds_some_seconds_and_forgets_what_has_sounded():
    sent = SentAudio()
    second = tone(300, 24_000, 1)
    for turn in range(1, 9):
        for number in range(60):
            sent.add(turn, number * 24_000, second, 24_000)
    assert sent.bytes_held <= 3 * KEPT_S * len(second)
    sent.read(Span(480, 8, 59.0, 1 / S))
    sent.read(Span(480, 7, 59.0, 1 / S))
    sent.read(Span(480, 6, 59.0, 1 / S))
    assert sent.bytes_held <= 3 * 2 * len(second)


# --- where the echo is ------------------------------------------------------------------------------------------------


def aligned(alignment, reference, lag, *, seconds=4.0):
    """Let the echo come ``lag`` samples late, and return what was said of it."""
    heard = np.zeros_like(reference)
    heard[max(0, lag) :] = reference[: len(reference) - lag] if lag > 0 else reference
    return pushed(alignment, 0.3 * heard, reference, range(0, round(seconds * S), FRAME_SAMPLES))


def pushed(alignment, heard, reference, frames):
    """Give it the frames that begin at these samples, and return what it said of each."""
    return [alignment.push(heard[at : at + FRAME_SAMPLES], reference[at : at + FRAME_SAMPLES]) for at in frames]


@pytest.fixture(scope="module")
def reference(reply):
    return np.frombuffer(play(reply, 24_000, db=0, delay_ms=0).heard, "<i2").astype(np.float32)


@pytest.mark.parametrize("ms", [20, 120, 400])
def test_it_finds_the_echo_and_its_moves(reference, ms):
    alignment = Alignment()
    aligned(alignment, reference, ms * 16)
    assert alignment.lag == pytest.approx(ms * 16, abs=2)
    said = aligned(alignment, reference, ms * 16 + 480, seconds=2.0)
    first = next(moved for moved in said if moved)
    assert first == pytest.approx(480, abs=2)
    assert said[said.index(first) - EVERY // FRAME_SAMPLES] == 0


def test_what_stands_out_before_the_echo_can_have_come_is_not_its_place(reference):
    alignment = Alignment()
    aligned(alignment, reference, 0, seconds=0.8)
    assert alignment.lag is None, "it would be kept for good"
    aligned(alignment, reference, 400 * 16)
    assert alignment.lag == pytest.approx(400 * 16, abs=2)


def test_small_moves_and_silence_say_nothing(reference):
    alignment = Alignment()
    aligned(alignment, reference, 1600)
    assert not any(moved is not None for moved in aligned(alignment, reference, 1600 + MOVED // 2)[40:])
    quiet = Alignment()
    assert set(aligned(quiet, np.zeros(4 * S, np.float32), 0)) == {None}
    assert quiet.lag is None


@pytest.mark.parametrize(
    ("says", "last_s", "ms", "gain"),
    [
        ("Wait, wait.", 0.25, 120, 0.3),
        ("Wait, wait.", 0.6, 400, 0.1),
        ("No, that is not what I meant.", 0.6, 400, 0.1),
        ("Actually, tell me about the weather.", 2.0, 120, 0.1),
    ],
)
def test_who_speaks_into_the_reply_moves_nothing(reference, says, last_s, ms, gain):
    """Some of it resembles what they say, the more so in a like voice: wherever they begin, and whether they cut it."""
    says = np.frombuffer(play(spoken(says), 24_000, db=0, delay_ms=0).heard, "<i2").astype(np.float32)
    says = says[np.flatnonzero(np.abs(says) > 200)[0] :]
    lag, last = ms * 16, round(last_s * S)
    for at in range(4 * S, 9 * S, S // 10):
        sounds = reference[: at + 2 * S].copy()
        sounds[at + last :] = 0
        heard = np.concatenate([np.zeros(lag, np.float32), gain * sounds[:-lag]])
        heard[at : at + len(says)] += says[: len(heard) - at]
        alignment = Alignment()
        frames = range(at - 3 * S, len(sounds) - FRAME_SAMPLES, FRAME_SAMPLES)
        assert not any(pushed(alignment, heard, sounds, frames))
        assert alignment.lag == pytest.approx(lag, abs=2)


@pytest.mark.parametrize("seed", range(4))
def test_reflections_in_a_room_are_no_moves(reference, seed):
    """Together they are louder than what comes straight, as far from the loudspeaker."""
    after = np.arange(S // 3) / S
    room = 0.08 * np.random.default_rng(seed).standard_normal(len(after)) * 10 ** (-3 * after / 0.35)
    room[0] = 0.35
    heard = np.convolve(reference, room)[: len(reference)].astype(np.float32)
    alignment = Alignment()
    said = pushed(alignment, 0.3 * heard, reference, range(0, len(reference) - FRAME_SAMPLES, FRAME_SAMPLES))
    assert alignment.lag is not None
    assert not any(said)


# --- the whole --------------------------------------------------------------------------------------------------------


def spoken(*sentences):
    """Return them in our own voice, at 24 kHz."""
    from hibari import Hibari

    voice = Hibari()
    sound = np.concatenate([voice(words, speed=1.0, seed=1) for words in sentences]).astype(float)
    return sound / np.sqrt(np.mean(sound**2)) * SPEECH_RMS


@pytest.fixture(scope="module")
def reply():
    return spoken(*SENTENCES)


@pytest.fixture(scope="module")
def model():
    return silero.load()


@pytest.fixture(scope="module")
def person():
    """A second and a half of somebody who says something."""
    clean = sound_file.read(Path(__file__).parent.parent / "utterances" / "human" / "cities-3.flac")
    sound = np.frombuffer(clean, "<i2").astype(float) / 32768
    begin, _ = noise.voiced_span(sound)
    sound = sound[begin : begin + 24_000]
    return sound / noise.active_rms(sound) * SPEECH_RMS


def lived(scene, canceller):
    """Give the scene to the canceller as a session would, 400 ms ahead of the sound; return the cleaned frames."""
    chunk = scene.rate // 10
    sent, reports, cleaned = 0, list(scene.reports), []
    for position, frame in frames(scene):
        while sent * S < (position + 6400) * scene.rate and sent * 2 < len(scene.reply):
            canceller.played_audio(TURN, sent, scene.reply[2 * sent : 2 * (sent + chunk)], scene.rate)
            sent += chunk
        while reports and reports[0][0] < position + FRAME_SAMPLES:
            at, turn, sample = reports.pop(0)
            canceller.sounding(turn, sample, at)
        cleaned.append(canceller.clean(frame, position))
    return cleaned


def voiced(model, heard):
    """Return for each frame whether two of the last three sound like speech to the product's detector."""
    detector = silero.SileroDetector(model)
    over = [detector.speech_probability(frame) > 0.5 for frame in heard]
    return [sum(over[max(0, n - 2) : n + 1]) >= 2 for n in range(len(over))]


def loss_db(scene, cleaned, *, begin_s=3):
    """Return by how much quieter it is than it was, past the first seconds."""
    heard, left = scene.heard[2 * S * begin_s :], b"".join(cleaned)[2 * S * begin_s :]
    return 20 * np.log10(_rms(heard) / _rms(left))


def _rms(pcm):
    return np.sqrt(np.mean(np.frombuffer(pcm, "<i2").astype(float) ** 2)) + 1e-9


@pytest.mark.parametrize(
    ("db", "delay_ms", "options"),
    [
        (-10, 20, {}),
        (-10, 400, {}),
        (-20, 120, {}),
        (-10, 120, {"skew_ppm": 100}),
        (-10, 120, {"skew_ppm": -1000}),
        (-10, 60, {"stumbles": [(4.0, 30), (7.0, 200)]}),
        (-10, 120, {"jitter_ms": 2.0}),
    ],
)
def test_its_own_voice_is_not_heard(model, reply, db, delay_ms, options):
    scene = play(reply, 24_000, db=db, delay_ms=delay_ms, **options)
    raw = [frame for _, frame in frames(scene)]
    assert sum(voiced(model, raw)) > 0.5 * len(raw), "the room gives nothing back"
    cleaned = lived(scene, EchoCanceller())
    assert sum(voiced(model, cleaned)) <= 0.02 * len(cleaned)
    assert loss_db(scene, cleaned) > 15


@pytest.mark.parametrize("db", [-10, -20])
def test_a_person_is_heard_through_it(model, reply, person, db):
    scene = play(reply, 24_000, db=db, delay_ms=120, person=person, person_at=[4 * S, 7 * S])
    heard = voiced(model, lived(scene, EchoCanceller()))
    for begin in scene.person_at:
        first = begin // FRAME_SAMPLES
        assert any(heard[first : first + 20])
        assert not any(heard[first - 30 : first])


def test_a_jump_that_nobody_told_of_is_found(model, reply):
    scene = play(reply, 24_000, db=-10, delay_ms=120, stumbles=[(5.0, 40)], told=False)
    canceller = EchoCanceller()
    assert not canceller.is_doubtful
    doubts = []

    class Watched:
        """The canceller, and after each frame whether it doubts."""

        played_audio, sounding = canceller.played_audio, canceller.sounding

        def clean(self, frame, position):
            cleaned = canceller.clean(frame, position)
            doubts.append(canceller.is_doubtful)
            return cleaned

    cleaned = lived(scene, Watched())
    jump, found = 5 * S // FRAME_SAMPLES, 2 * S // FRAME_SAMPLES
    assert all(doubts[2 : S // FRAME_SAMPLES]), "the canceller has yet to find the echo"
    assert not any(doubts[found:jump])
    assert any(doubts[jump : jump + 50])
    assert not any(doubts[jump + 70 :])
    assert not any(voiced(model, cleaned)[jump + 50 :])


def test_where_nothing_sounds_frames_are_the_same():
    canceller = EchoCanceller()
    chance = np.random.default_rng(1)
    noisy = [chance.integers(-9000, 9000, FRAME_SAMPLES).astype("<i2").tobytes() for _ in range(120)]
    assert [canceller.clean(frame, n * FRAME_SAMPLES) for n, frame in enumerate(noisy)] == noisy
    canceller.played_audio(1, 0, tone(300, 22_050, 1), 22_050)
    canceller.sounding(1, 0, 120 * FRAME_SAMPLES)
    canceller.sounding(None, 0, 130 * FRAME_SAMPLES)
    assert [canceller.clean(frame, (120 + n) * FRAME_SAMPLES) for n, frame in enumerate(noisy[:10])] != noisy[:10]
    silent_again = 130 + TAIL_SAMPLES // FRAME_SAMPLES + 1
    for n in range(130, silent_again):
        assert len(canceller.clean(noisy[0], n * FRAME_SAMPLES)) == FRAME_BYTES
    assert canceller.clean(noisy[0], silent_again * FRAME_SAMPLES) is noisy[0]


def test_a_turn_that_was_never_sent_sounds_like_nothing():
    canceller = EchoCanceller()
    canceller.sounding(7, 4000, 0)
    frame = b"\1\2" * FRAME_SAMPLES
    assert canceller.clean(frame, 0) is frame


def test_without_its_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(aec3, "find_spec", lambda name: None)
    aec3.missing.cache_clear()
    try:
        with pytest.raises(EngineError, match=r"pip install 'voice-trio\[echo\]'") as refused:
            EchoCanceller()
    finally:
        aec3.missing.cache_clear()
    assert refused.value.code is ErrorCode.INTERNAL
