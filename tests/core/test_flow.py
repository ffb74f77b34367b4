"""Whether audio comes as speech does."""

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.flow import SHARE, Flow
from voice_trio.testing.scripted import silent, voiced

SPAN_S = 2.7
STREAM = [(n / 5, 200) for n in range(1, 26)]

ROWS = {
    "nothing at all": ([], 2.7),
    "speech, then nothing": (STREAM, 4.4 + 2.7),
    "a burst, then nothing": ([(1.0, 30_000)], 1.0 + 2.7),
    "a frame a second": ([(float(n), 30) for n in range(1, 20)], 2.7),
    "speech at half its speed": ([(n / 2.5, 200) for n in range(1, 26)], 8.8 + 2.7),
    "speech, then a frame a second": ([*STREAM, (6.0, 30), (7.0, 30)], 4.4 + 2.7),
}


@pytest.mark.parametrize(("came", "fallow_at"), ROWS.values(), ids=ROWS)
def test_it_lies_fallow_once_too_little_has_come(came, fallow_at):
    flow = Flow(SPAN_S, 0.0)
    for at_s, ms in came:
        flow.push(voiced(ms), at_s)
    assert flow.fallow_at == pytest.approx(fallow_at)


def test_digital_silence_is_nothing():
    flow = Flow(SPAN_S, 0.0)
    for at_s, ms in STREAM:
        flow.push(silent(ms), at_s)
    assert flow.fallow_at == SPAN_S


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.06, 0.2, 1.0, 3.0]), st.sampled_from([10, 60, 200, 700, 2000]))))
def test_it_is_fallow_when_less_than_its_share_has_come_within_its_span(drawn):
    # No sum of the gaps, so that nothing falls on its edge.
    span_s = 2.71
    flow, now, came = Flow(span_s, 0.0), 0.0, []
    for gap_s, ms in drawn:
        now += gap_s
        flow.push(voiced(ms), now)
        came.append((now, ms))
        recent_ms = sum(ms for at_s, ms in came if at_s > now - span_s)
        enough = recent_ms >= SHARE * span_s * 1000
        assert (now < flow.fallow_at) == (enough or now < span_s)
