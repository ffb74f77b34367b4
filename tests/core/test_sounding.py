"""Which of a turn's samples sound while the microphone captures: by reports that are exact, rough, late or wrong."""

import random

import pytest

from voice_trio.core.audio import SAMPLE_RATE as S
from voice_trio.core.sounding import DOUBT_S, JUMP_S, STALE_S, Report, SoundingClock, Span

FRAME = 480
MESSAGE = 960


def heard(clock, position, samples=FRAME):
    """Return (turn, second rounded to a tenth of a millisecond, samples) of each span."""
    return [(s.turn, round(s.second, 4), s.samples) for s in clock.spans(position, samples)]


# Reports as (position, turn, second); a frame's position; its spans as (turn, second, samples).
TABLE = {
    "nothing was said": ([], 0, [(None, 0.0, 480)]),
    "from the beginning": ([(0, 1, 0.0)], 0, [(1, 0.0, 480)]),
    "goes on": ([(0, 1, 0.0)], 4800, [(1, 0.3, 480)]),
    "from the middle of the turn": ([(0, 1, 2.5)], 1600, [(1, 2.6, 480)]),
    "begins inside the frame": ([(0, None, 0.0), (160, 1, 0.0)], 0, [(None, 0.0, 160), (1, 0.0, 320)]),
    "breaks off inside the frame": ([(0, 1, 0.0), (160, None, 0.0)], 0, [(1, 0.0, 160), (None, 0.0, 320)]),
    "a gap inside the frame": (
        [(0, 1, 0.0), (160, None, 0.0), (320, 1, 0.01)],
        0,
        [(1, 0.0, 160), (None, 0.0, 160), (1, 0.01, 160)],
    ),
    "another turn": ([(0, 1, 0.0), (320, 2, 0.0)], 160, [(1, 0.01, 160), (2, 0.0, 320)]),
    "cancelled in the middle": ([(0, 1, 0.0), (960, None, 0.0)], 960, [(None, 0.0, 480)]),
    "paused, then from an earlier word": (
        [(0, 1, 0.0), (4800, None, 0.0), (9600, 1, 0.2)],
        11200,
        [(1, 0.3, 480)],
    ),
    "of the future": ([(0, 1, 0.0), (9600, None, 0.0)], 480, [(1, 0.03, 480)]),
    "in the wrong order": ([(320, None, 0.0), (0, 1, 0.0)], 0, [(1, 0.0, 320), (None, 0.0, 160)]),
    "of the past": ([(0, 1, 0.0)], 7_990, [(1, 0.4994, 480)]),
    "stale": ([(0, 1, 0.0)], round(STALE_S * S) + 1, [(None, 0.0, 480)]),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_sounds(name):
    reports, position, spans = TABLE[name]
    clock = SoundingClock()
    for report in reports:
        clock.report(Report(*report))
    assert heard(clock, position) == spans
    assert clock.jumps == 0
    assert not clock.is_doubtful(position + FRAME)


def follow(clock, seconds, second_at, *, begin=0, turn=1):
    """Report every message what ``second_at`` says; return the greatest error of what was said of each frame, in ms,
    after the first two seconds, and the last span.
    """
    worst, span = 0.0, None
    for position in range(begin, begin + seconds * S, MESSAGE):
        clock.report(Report(position, turn, second_at(position)))
        for frame in (position, position + FRAME):
            (span,) = clock.spans(frame, FRAME)
            if position > begin + 2 * S:
                worst = max(worst, abs(span.second - second_at(frame)))
    return worst * 1000, span


@pytest.mark.parametrize("ppm", [0, 20, -100, 100, 500, -1000])
def test_drift_is_followed(ppm):
    clock = SoundingClock()
    worst, span = follow(clock, 20, lambda position: position / S * (1 + ppm / 1e6))
    assert worst < 0.02
    assert clock.drift * 1e6 == pytest.approx(ppm, abs=5)
    assert span.step == pytest.approx((1 + ppm / 1e6) / S, rel=1e-5)
    assert clock.jumps == 0


def test_drift_is_known_from_turn_to_turn():
    clock = SoundingClock()
    follow(clock, 20, lambda position: position / S * 1.0005)
    clock.report(Report(20 * S, 2, 0.0))
    (span,) = clock.spans(20 * S + S // 2, FRAME)
    assert span.turn == 2
    assert span.second == pytest.approx(0.5 * 1.0005, abs=2e-5)


@pytest.mark.parametrize("ms", [1, 5])
@pytest.mark.parametrize("seed", range(3))
def test_rough_reports_are_evened_out(ms, seed):
    chance = random.Random(seed)
    clock = SoundingClock()
    errors: dict[int, float] = {}

    def rough(position):
        return position / S + errors.setdefault(position, chance.uniform(-ms, ms) / 1000)

    for position in range(0, 20 * S, MESSAGE):
        clock.report(Report(position, 1, rough(position)))
        (span,) = clock.spans(position, FRAME)
        clock.spans(position + FRAME, FRAME)
        if position > 5 * S:
            assert abs(span.second - position / S) * 1000 < ms * 0.5
    assert clock.jumps == 0


@pytest.mark.parametrize("jump_s", [0.03, -0.03, 0.5, -0.2])
def test_a_jump_is_believed_when_two_agree_and_doubted_for_a_while(jump_s):
    clock = SoundingClock()
    follow(clock, 5, lambda position: position / S)
    first, second = 5 * S, 5 * S + MESSAGE
    clock.report(Report(first, 1, first / S + jump_s))
    assert heard(clock, first, MESSAGE)[0][1] == pytest.approx(first / S)
    assert clock.is_doubtful(second)
    assert clock.jumps == 0
    clock.report(Report(second, 1, second / S + jump_s))
    assert heard(clock, second)[0][1] == pytest.approx(second / S + jump_s, abs=1e-3)
    assert clock.jumps == 1
    assert clock.is_doubtful(second + round(DOUBT_S * S) - 1)
    assert not clock.is_doubtful(second + round(DOUBT_S * S))


def test_one_wrong_report_changes_nothing():
    clock = SoundingClock()
    follow(clock, 5, lambda position: position / S)
    clock.report(Report(5 * S, 1, 77.0))
    worst, _ = follow(clock, 5, lambda position: position / S, begin=5 * S + MESSAGE)
    assert worst < 0.1
    assert clock.jumps == 0


def test_a_gap_that_was_announced_is_no_jump():
    clock = SoundingClock()
    follow(clock, 2, lambda position: position / S)
    clock.report(Report(2 * S, None))
    clock.report(Report(3 * S, 1, 2.0))
    assert heard(clock, 3 * S + S // 10) == [(1, 2.1, 480)]
    assert not clock.is_doubtful(3 * S + S // 5)


def test_no_error_within_a_jump_is_one():
    clock = SoundingClock()
    clock.report(Report(0, 1, 0.0))
    clock.spans(0, FRAME)
    clock.report(Report(FRAME, 1, FRAME / S + 0.9 * JUMP_S))
    clock.spans(FRAME, FRAME)
    assert not clock.is_doubtful(2 * FRAME)


def test_a_flood_of_reports_costs_little_and_breaks_nothing():
    chance = random.Random(5)
    clock = SoundingClock()
    for position in range(0, 3 * S, FRAME):
        for _ in range(20):
            turn = chance.choice([None, 1, 2])
            clock.report(Report(chance.randrange(position, position + S), turn, chance.uniform(0, 90)))
        spans = clock.spans(position, FRAME)
        assert sum(span.samples for span in spans) == FRAME
        assert len(spans) <= 65
    assert abs(clock.drift) <= 0.002
    assert all(isinstance(span, Span) for span in spans)
