"""The loudspeaker, on a clock that a test moves."""

import numpy as np
import pytest

from tools.duplex_bench.player import Player

RATE = 16_000


class Clock:
    def __init__(self):
        self.at = 0

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def player(clock):
    return Player(clock)


def noise(samples, seed=1):
    return np.random.default_rng(seed).integers(-8000, 8000, samples).astype("<i2")


def tone(samples, rate, hertz=440):
    return np.round(8000 * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)).astype("<i2")


def runs(player):
    return [(run.turn, run.source, run.begin, run.end) for run in player.runs]


def heard(player, begin, end):
    return np.round(player.sound(begin, end) * 32768).astype(int)


def test_sound_is_heard_when_it_comes_and_then_without_a_gap(player, clock):
    reply = noise(4800)
    clock.at = 1000
    player.play(1, RATE, 0, reply[:1600].tobytes())
    clock.at = 1100
    player.play(1, RATE, 1600, reply[1600:].tobytes())
    assert runs(player) == [(1, 0, 1000, 5800)]
    clock.at = 9000
    sound = heard(player, 0, 9000)
    assert np.array_equal(sound[1000:5800], reply)
    assert not sound[:1000].any()
    assert not sound[5800:].any()


def test_sound_that_comes_late_is_heard_when_it_comes(player, clock):
    player.play(1, RATE, 0, noise(1600).tobytes())
    clock.at = 2000
    player.play(1, RATE, 1600, noise(1600).tobytes())
    assert runs(player) == [(1, 0, 0, 1600), (1, 1600, 2000, 3600)]


def test_sound_that_comes_just_in_time_leaves_no_gap(player, clock):
    player.play(1, RATE, 0, noise(1600).tobytes())
    clock.at = 1600
    player.play(1, RATE, 1600, noise(1600).tobytes())
    assert runs(player) == [(1, 0, 0, 3200)]


def test_the_next_reply_waits_until_the_one_before_is_heard_out(player, clock):
    player.play(1, RATE, 0, noise(1600).tobytes())
    clock.at = 500
    player.play(2, RATE, 0, noise(800).tobytes())
    player.play(2, RATE, 800, noise(800).tobytes())
    assert runs(player) == [(1, 0, 0, 1600), (2, 0, 1600, 3200)]
    assert player.dry_at() == 3200
    clock.at = 1700
    assert player.heard(1) == 1600
    assert player.heard(2) == 100


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100, 48_000])
def test_any_rate_is_heard_at_its_pace(player, clock, rate):
    second = tone(rate, rate)
    for first in range(0, rate, rate // 10):
        player.play(1, rate, first, second[first : first + rate // 10].tobytes())
    assert runs(player) == [(1, 0, 0, RATE)]
    clock.at = RATE
    # Asked for in pieces, as a microphone does that hears the echo of it.
    sound = np.concatenate([player.sound(at, min(RATE, at + 960)) for at in range(0, RATE, 960)])
    expected = tone(RATE, RATE) / 32768
    assert np.abs(sound - expected)[320:-320].max() < 0.002
    assert player.heard(1) == rate


def test_a_rate_that_has_no_whole_samples_in_a_block_is_refused(player):
    with pytest.raises(ValueError, match="11025"):
        player.play(1, 11_025, 0, bytes(200))


def test_a_hold_is_heard_at_once_and_a_release_goes_on_where_it_was(player, clock):
    reply = noise(8000)
    player.play(1, RATE, 0, reply[:4000].tobytes())
    clock.at = 1000
    player.hold(1)
    assert not player.sounds()
    player.play(1, RATE, 4000, reply[4000:].tobytes())
    clock.at = 5000
    assert not player.sounds()
    assert player.heard(1) == 1000
    player.release(1)
    assert player.sounds()
    clock.at = 20_000
    assert runs(player) == [(1, 0, 0, 1000), (1, 1000, 5000, 12_000)]
    assert np.array_equal(heard(player, 5000, 12_000), reply[1000:])


@pytest.mark.parametrize("sample", [400, 2000])
def test_a_release_goes_on_at_any_sample(player, clock, sample):
    player.play(1, 24_000, 0, noise(4800).tobytes())
    clock.at = 1000
    player.hold(1)
    clock.at = 3000
    player.release(1, sample)
    assert runs(player)[-1] == (1, sample, 3000, 3000 + (4800 - sample) * 2 // 3)


def test_a_release_without_a_hold_jumps(player, clock):
    player.play(1, RATE, 0, noise(4000).tobytes())
    clock.at = 1000
    player.release(1, 3000)
    assert runs(player) == [(1, 0, 0, 1000), (1, 3000, 1000, 2000)]


def test_a_release_of_what_never_came_is_nothing(player):
    player.release(7, 100)
    assert player.runs == []


def test_sound_for_a_released_reply_that_ran_dry_is_heard(player, clock):
    player.play(1, RATE, 0, noise(1600).tobytes())
    clock.at = 1600
    player.hold(1)
    player.release(1)
    clock.at = 1700
    player.play(1, RATE, 1600, noise(1600).tobytes())
    clock.at = 9000
    assert player.heard(1) == 3200
    assert player.sound(1700, 3300).any()


def test_what_is_dropped_is_never_heard(player, clock):
    player.play(1, RATE, 0, noise(4000).tobytes())
    clock.at = 1000
    player.drop(1)
    player.play(1, RATE, 4000, noise(4000).tobytes())
    player.release(1)
    player.play(2, RATE, 0, noise(1000).tobytes())
    assert runs(player) == [(1, 0, 0, 1000), (2, 0, 1000, 2000)]


def test_a_reply_that_waits_is_taken_back_whole(player, clock):
    player.play(1, RATE, 0, noise(4000).tobytes())
    player.play(2, RATE, 0, noise(4000).tobytes())
    clock.at = 1000
    player.drop(2)
    assert runs(player) == [(1, 0, 0, 4000)]
    assert player.heard(2) == 0


def test_dropping_one_reply_leaves_the_next(player, clock):
    player.play(1, RATE, 0, noise(4000).tobytes())
    clock.at = 3000
    player.hold(1)
    player.drop(1)
    clock.at = 3500
    player.play(2, RATE, 0, noise(1000).tobytes())
    assert runs(player) == [(1, 0, 0, 3000), (2, 0, 3500, 4500)]


def test_another_reply_is_not_held_by_a_hold(player, clock):
    player.play(1, RATE, 0, noise(1000).tobytes())
    clock.at = 500
    player.hold(1)
    player.play(2, RATE, 0, noise(1000).tobytes())
    assert runs(player) == [(1, 0, 0, 500), (2, 0, 500, 1500)]


def test_a_turn_that_is_reopened_begins_anew(player, clock):
    player.play(1, RATE, 0, noise(1000).tobytes())
    player.forget(1)
    assert player.runs == []
    clock.at = 5000
    player.play(1, RATE, 0, noise(2000, seed=2).tobytes())
    assert runs(player) == [(1, 0, 5000, 7000)]
    clock.at = 8000
    assert np.array_equal(heard(player, 5000, 7000), noise(2000, seed=2))


def test_what_was_heard_of_a_turn_stays_heard_when_it_is_reopened(player, clock):
    old, new = noise(4000), noise(4000, seed=2)
    player.play(1, RATE, 0, old.tobytes())
    clock.at = 500
    player.forget(1)
    player.play(1, RATE, 0, new.tobytes())
    clock.at = 9000
    assert np.array_equal(heard(player, 0, 4500), [*old[:500], *new])


def test_before_the_beginning_nothing_is_heard(player, clock):
    player.play(1, RATE, 0, noise(1000).tobytes())
    clock.at = 1000
    assert not player.sound(-960, 0).any()
    assert not player.sounds()
    assert player.heard(3) == 0


def test_what_sounds_is_told_place_by_place(player, clock):
    clock.at = 1000
    player.play(1, 8_000, 0, tone(1600, 8_000).tobytes())
    clock.at = 9_000
    assert player.sounding(0, 960) == [(0, None, 0)]
    assert player.sounding(960, 1920) == [(960, None, 0), (1000, 1, 0)]
    assert player.sounding(1920, 2880) == [(1920, 1, 460)]
    assert player.sounding(3840, 4800) == [(3840, 1, 1420), (4200, None, 0)]
