"""The gap finder, on conversations whose gaps are known to the sample."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools import response_gap
from tools.tape import Tape

RATE = 16_000
TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE)).astype("<i2")


def sound(ms):
    return TONE[: ms * RATE // 1000].tobytes()


def silence(ms):
    return bytes(2 * (ms * RATE // 1000))


def channel(*pieces):
    return np.frombuffer(b"".join(pieces), "<i2")


def found(left, right):
    length = max(len(left), len(right))
    left, right = (np.pad(one, (0, length - len(one))) for one in (left, right))
    return [(gap.at_s, gap.ms) for gap in response_gap.gaps(left, right, RATE)]


def test_each_turn_has_its_gap():
    left = channel(silence(500), sound(1000), silence(3000), sound(2000), silence(2000))
    right = channel(silence(2250), sound(800), silence(4550), sound(300))
    assert found(left, right) == [(1.5, 750), (6.5, 1100)]


def test_pauses_of_either_are_no_ends():
    left = channel(sound(500), silence(600), sound(500), silence(3000))
    right = channel(silence(2400), sound(200), silence(400), sound(200))
    assert found(left, right) == [(1.6, 800)]


def test_noise_below_the_line_is_silence():
    noise = np.random.default_rng(1).integers(-60, 60, 5 * RATE).astype("<i2")
    left = noise.copy()
    left[:RATE] += TONE[:RATE]
    right = noise.copy()
    right[2 * RATE : 3 * RATE] += TONE[:RATE]
    assert found(left, right) == [(1.0, 1000)]


def test_without_an_answer_there_is_no_gap():
    assert found(channel(sound(500)), channel(silence(500))) == []
    assert found(channel(silence(500)), channel(sound(500))) == []


def test_who_speaks_at_the_same_time_is_not_answered_yet():
    assert found(channel(sound(1000), silence(1000)), channel(silence(500), sound(900))) == [(1.0, 0)]


def test_a_voice_has_a_span():
    assert response_gap.voiced_span_ms(silence(300) + sound(500) + silence(200), RATE) == (300, 800)
    with pytest.raises(ValueError, match="no voice"):
        response_gap.voiced_span_ms(silence(300), RATE)


def test_a_tape_has_each_sound_where_it_was(tmp_path):
    tape = Tape(began_at=100.0)
    # A message is sent when its last sample was heard.
    for end in range(160, 1061, 60):
        tape.spoke(sound(60), RATE, 100 + end / 1000)
    # The second chunk comes while the first is playing, and the third when the player has run dry.
    for came_at in (102.0, 102.05, 103.0):
        tape.played(sound(100), RATE, came_at)
    tape.write(tmp_path / "tape.wav")
    left, right, rate = response_gap.read(tmp_path / "tape.wav")
    assert [(gap.at_s, gap.ms) for gap in response_gap.gaps(left, right, rate)] == [(1.06, 940)]
    loud = np.flatnonzero(response_gap.loud(right, rate)) * response_gap.WINDOW_MS
    assert (loud[0], loud[-1]) == (2000, 3095)
    assert 2195 in loud
    assert 2200 not in loud


def test_it_is_a_program_of_its_own(tmp_path):
    tape = Tape(began_at=0.0)
    tape.spoke(sound(500), RATE, 0.5)
    tape.played(sound(500), RATE, 1.3)
    tape.write(tmp_path / "tape.wav")
    done = subprocess.run(
        [sys.executable, Path(response_gap.__file__), tmp_path / "tape.wav"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "   0.500 s      800 ms\n")
