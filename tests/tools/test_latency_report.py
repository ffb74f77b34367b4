"""The latency report: ratios, the goals, and what the recording has to say."""

from dataclasses import replace

import pytest

from tools.latency_report import FIGURES, TOLERANCE_MS, Turn, failures, markdown, picture, table
from tools.raw_engines import Raw
from voice_trio.core.messages import Latency

PARTIAL, FINAL, TOKEN, AUDIO = FIGURES
TURN = Turn(
    name="question",
    words_wrong=0.1,
    speech_ms=3000,
    silence_ms=700,
    latency=Latency(
        t_first_partial_ms=600, t_final_transcript_ms=800, t_first_token_ms=990, t_first_audio_ms=1600, total_reply_ms=9
    ),
    raw=Raw(recognizer=100, first_token=100, first_phrase=50, voice=50),
    gap_ms=1650,
)


def late(**changes):
    return replace(TURN, latency=replace(TURN.latency, **changes))


def test_each_figure_has_its_ratio_to_its_limit():
    ratios = [TURN.ratio(figure) for figure in FIGURES]
    assert ratios == pytest.approx([600 / 1500, 800 / 800, 990 / 900, 1600 / 1000])


def test_engines_that_cannot_be_asked_count_for_nothing():
    assert replace(TURN, raw=None).ratio(AUDIO) == pytest.approx(1600 / 700)


def test_what_did_not_come_has_no_ratio_and_is_said():
    turn = late(t_first_partial_ms=None)
    assert turn.ratio(PARTIAL) is None
    assert failures([TURN, turn]) == ["first partial did not come in 1 of 2 turns"]


def test_a_table_ends_with_median_and_p95():
    head, one, two, median, p95 = table([TURN, late(t_first_audio_ms=1000)])
    assert len({len(row) for row in (head, one, two, median, p95)}) == 1
    assert one == ["question", "10%", "600 (0.40)", "800 (1.00)", "990 (1.10)", "1600 (1.60)", "1650"]
    assert (median[5], p95[5]) == ("1300 (1.30)", "1600 (1.60)")


def test_goals_are_for_medians():
    slow = late(t_first_audio_ms=3600)
    slow = replace(slow, gap_ms=3650)
    assert failures([TURN, TURN, slow]) == []
    assert failures([TURN, slow, slow]) == ["median first audio is 3600 ms, goal 3500"]


@pytest.mark.parametrize("gap_ms", [None, 1600 + TOLERANCE_MS + 1, 1600 - TOLERANCE_MS - 1])
def test_a_recording_that_says_otherwise_is_believed(gap_ms):
    (failure,) = failures([TURN, replace(TURN, gap_ms=gap_ms)])
    assert "recording" in failure


def test_the_report_has_it_all():
    text = markdown("Latency", [TURN], "it.svg", "python tools/latency.py", "on a machine")
    assert "(it.svg)" in text
    assert "| question | 10% |" in text
    assert "median 1650 ms; it differs from first audio by at most 50 ms" in text
    svg = picture("Latency", [TURN, late(t_first_partial_ms=None, t_first_audio_ms=None)])
    assert svg.count(">question<") == 2
