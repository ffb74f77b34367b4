"""Percentiles, and the verdict about growth."""

import random

import pytest

from tools.figures import percentile, trend

TIMES = [2.0 * i for i in range(200)]


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (1, 1), (50, 50), (50.1, 51), (95, 95), (99, 99), (100, 100)])
def test_a_percentile_is_one_of_the_values(percent, value):
    assert percentile([*range(100, 0, -1)], percent) == value


def test_of_nothing_there_is_no_percentile():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def wandering(seed, *, step):
    """Return values that each are much like the one before, as memory's are: a wave with noise on it, and no trend."""
    chance = random.Random(seed)
    level, values = 0.0, []
    for _ in TIMES:
        level = 0.9 * level + chance.gauss(0, step)
        values.append(100 + level)
    return values


def test_what_only_wanders_hardly_ever_grows():
    found = sum(trend(TIMES, wandering(seed, step=1.0)).grows(1.0) for seed in range(400))
    # One in 200 would be, if neighbours were not so much alike.
    assert found <= 400 * 0.03


def test_what_leaks_under_the_same_noise_grows():
    leaking = [[value + 0.2 * i for i, value in enumerate(wandering(seed, step=1.0))] for seed in range(100)]
    assert sum(trend(TIMES, values).grows(1.0) for values in leaking) >= 95


def test_a_line_is_found_to_the_last_digit():
    found = trend(TIMES, [5 + 0.5 * t for t in TIMES])
    assert found.growth == pytest.approx(0.5 * 198)
    assert found.margin == pytest.approx(0, abs=1e-6)
    assert found.grows(floor=98)
    assert not found.grows(floor=100), "certain, and too little to matter"


def test_warming_up_is_no_growth():
    assert not trend(TIMES, [min(t, 150.0) for t in TIMES]).grows(0.0)


def test_what_falls_does_not_grow():
    assert not trend(TIMES, [-t for t in TIMES]).grows(0.0)


def test_few_samples_have_no_trend():
    with pytest.raises(ValueError, match="are needed"):
        trend(TIMES[:10], TIMES[:10])
