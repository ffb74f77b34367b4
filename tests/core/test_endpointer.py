"""The endpointer on decisions alone: `#` is a frame of speech, `.` one of silence."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given, settings, strategies as st

from voice_trio.core.audio import FRAME_MS, FRAME_SAMPLES, ms_to_samples
from voice_trio.core.endpointer import (
    TRANSITIONS,
    WEIGHED_PAUSE_MS,
    End,
    Endpointer,
    FalseStart,
    ListenerEvent,
    ListenerState,
    MaybeEnd,
    Onset,
    Resumed,
    SpeechDecision,
    Stir,
)
from voice_trio.core.transitions import IllegalTransition, next_state

EVENTS = (Stir, FalseStart, Onset, MaybeEnd, Resumed, End)
SILENCE_MS = 300
SILENCE = SILENCE_MS // FRAME_MS

runs = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=20).map(
    lambda parts: [speech for speech, length in parts for _ in range(length)]
)
decisions = st.one_of(st.lists(st.booleans(), max_size=200), runs)
silences = st.integers(200, 1500)
# A deadline would be wall time: a busy machine is no defect.
relaxed = settings(max_examples=60, deadline=None)


def hear(endpointer: Endpointer, frames: list[bool], *, eager: bool = False) -> list[ListenerEvent]:
    return [event for speech in frames for event in endpointer.push(speech, eager=eager)]


def frames_of(pattern: str) -> list[bool]:
    return [sign == "#" for sign in pattern if sign != " "]


def in_frames(events: list[ListenerEvent]) -> list[tuple[str, int] | tuple[str, int, int]]:
    return [
        (type(event).__name__, event.sample // FRAME_SAMPLES, event.at // FRAME_SAMPLES)
        if isinstance(event, End)
        else (type(event).__name__, event.sample // FRAME_SAMPLES)
        for event in events
    ]


@pytest.mark.parametrize("state", ListenerState)
@pytest.mark.parametrize("event", EVENTS)
def test_a_pair_that_is_not_listed_raises(state: ListenerState, event: type) -> None:
    if event in TRANSITIONS[state]:
        assert next_state(TRANSITIONS, state, event) in ListenerState
    else:
        with pytest.raises(IllegalTransition):
            next_state(TRANSITIONS, state, event)


def test_every_state_is_listed_and_can_be_reached_and_left() -> None:
    assert set(TRANSITIONS) == set(ListenerState)
    assert all(TRANSITIONS.values())
    assert {target for row in TRANSITIONS.values() for target in row.values()} == set(ListenerState)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("." * 50, [], id="silence"),
        pytest.param("..#.....", [], id="click"),
        pytest.param("..##....", [], id="double click"),
        pytest.param("..#.#....", [], id="two clicks"),
        pytest.param("..##..##..", [], id="two double clicks"),
        pytest.param("#...#...#...#...#...", [], id="typing"),
        pytest.param("..###", [("Onset", 2)], id="run"),
        pytest.param("..#.##", [("Onset", 2)], id="run with a hole"),
        pytest.param("..##.#", [("Onset", 2)], id="run with a later hole"),
        pytest.param("..#..###", [("Onset", 5)], id="a click before the run is no part of it"),
        pytest.param("#### ......", [("Onset", 0)], id="180 ms are no pause yet"),
        pytest.param("#### .......", [("Onset", 0), ("MaybeEnd", 4)], id="210 ms are"),
        pytest.param("#### ....... ###", [("Onset", 0), ("MaybeEnd", 4), ("Resumed", 11)], id="resumed"),
        pytest.param("#### ....... #.##", [("Onset", 0), ("MaybeEnd", 4), ("Resumed", 11)], id="resumed, with a hole"),
        pytest.param(
            "#### ....... ##....", [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 15)], id="a double click and an end"
        ),
        pytest.param("#### ..........", [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 14)], id="end"),
        pytest.param("#### .....#....", [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 14)], id="a click and an end"),
        pytest.param("#### ...#...#..", [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 14)], id="two clicks and an end"),
        pytest.param("#### ...#...##......", [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 18)], id="too many clicks"),
        pytest.param("#### ......##.###", [("Onset", 0)], id="no pause while a run begins"),
        pytest.param(
            "#### ....... ..# ##", [("Onset", 0), ("MaybeEnd", 4), ("Resumed", 13)], id="no end while a run begins"
        ),
        pytest.param("#### #.#.#.#.#.#.#.#. .......", [("Onset", 0), ("MaybeEnd", 19)], id="flicker holds speech"),
        pytest.param("#### .#......", [("Onset", 0)], id="a flicker at the end is still voice"),
        pytest.param("#### .#.......", [("Onset", 0), ("MaybeEnd", 6)], id="and silence begins after it"),
        pytest.param(
            "#### .......... .. ### ..........",
            [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 14), ("Onset", 16), ("MaybeEnd", 19), ("End", 19, 29)],
            id="two utterances",
        ),
    ],
)
def test_patterns(pattern: str, expected: list[tuple[str, int]]) -> None:
    assert in_frames(hear(Endpointer(silence_ms=SILENCE_MS), frames_of(pattern))) == expected


def test_strict_begins_to_count_anew_at_a_click() -> None:
    endpointer = Endpointer(silence_ms=SILENCE_MS, strict=True)
    events = hear(endpointer, frames_of("#### .....#.... ....... "))
    assert in_frames(events) == [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 20)]


@relaxed
@given(silences, st.integers(3, 100), st.booleans())
def test_clean_speech_ends_in_exactly_the_frames_asked_for(silence_ms: int, speech: int, strict: bool) -> None:
    endpointer = Endpointer(silence_ms=silence_ms, strict=strict)
    events = hear(endpointer, [False] * 5 + [True] * speech + [False] * 100)
    last = 5 + speech
    assert in_frames(events) == [("Onset", 5), ("MaybeEnd", last), ("End", last, last + -(-silence_ms // FRAME_MS))]
    assert endpointer.state is ListenerState.QUIET


@relaxed
@given(decisions, silences, st.booleans(), st.booleans())
def test_events_alternate_and_positions_rise(frames: list[bool], silence_ms: int, strict: bool, ends: bool) -> None:
    after: dict[type | None, set[type]] = {
        None: {Onset},
        Onset: {MaybeEnd},
        MaybeEnd: {Resumed, End} if ends else {Resumed},
        Resumed: {MaybeEnd},
        End: {Onset},
    }
    endpointer = Endpointer(silence_ms=silence_ms, strict=strict, ends_on_silence=ends)
    last: type | None = None
    position = voiced = 0
    for speech in frames:
        for event in endpointer.push(speech):
            assert type(event) in after[last]
            last = type(event)
            assert position <= event.sample <= endpointer.position
            position = event.at if isinstance(event, End) else event.sample
        assert voiced <= (endpointer.voiced_through or 0) <= endpointer.position
        voiced = endpointer.voiced_through or 0
    assert endpointer.position == len(frames) * FRAME_SAMPLES


@relaxed
@given(decisions, silences, st.booleans())
def test_an_end_has_its_silence_before_it(frames: list[bool], silence_ms: int, strict: bool) -> None:
    window = -(-silence_ms // FRAME_MS)
    for event in hear(Endpointer(silence_ms=silence_ms, strict=strict), frames):
        if isinstance(event, End):
            sample, at = event.sample // FRAME_SAMPLES, event.at // FRAME_SAMPLES
            assert event.at - event.sample >= ms_to_samples(silence_ms)
            assert frames[sample - 1]
            assert not any(frames[at - 2 : at])
            assert sum(frames[at - window : at]) <= (0 if strict else window * 0.2)
            assert all(sum(frames[i : i + 4]) < 3 for i in range(sample, at - 3))


@relaxed
@given(decisions, silences, st.integers(0, 10**9))
def test_positions_count_from_the_start_sample(frames: list[bool], silence_ms: int, start: int) -> None:
    def moved(event: ListenerEvent) -> ListenerEvent:
        if isinstance(event, End):
            return End(event.sample + start, event.at + start)
        return type(event)(event.sample + start)

    here = hear(Endpointer(silence_ms=silence_ms), frames)
    assert hear(Endpointer(silence_ms=silence_ms, start_sample=start), frames) == [moved(event) for event in here]


@relaxed
@given(decisions)
def test_a_run_in_a_pause_resumes_at_once(frames: list[bool]) -> None:
    endpointer = Endpointer(silence_ms=5000)
    hear(endpointer, [*frames, *[True] * 4, *[False] * 9])
    assert endpointer.state is ListenerState.MAYBE_END
    at = endpointer.position
    assert hear(endpointer, [True] * 3) == [Resumed(at)]


@relaxed
@given(st.lists(st.tuples(st.booleans(), st.integers(2, 30)), max_size=30))
def test_clicks_of_up_to_60_ms_are_no_onset(clicks: list[tuple[bool, int]]) -> None:
    frames = [speech for double, gap in clicks for speech in [True] * (1 + double) + [False] * gap]
    endpointer = Endpointer(silence_ms=SILENCE_MS)
    assert hear(endpointer, [False, *frames]) == []
    assert endpointer.voiced_through is None


def test_where_it_can_be_taken_back_two_frames_of_three_are_an_onset() -> None:
    for frames, begins in [("..##", 2), (".#.#", 1), (".#..#", None), ("..#.", None)]:
        said = hear(Endpointer(silence_ms=SILENCE_MS), frames_of(frames), eager=True)
        assert in_frames(said) == ([] if begins is None else [("Onset", begins)])


@relaxed
@given(silences, st.lists(st.integers(4, 12), min_size=30, max_size=30), st.integers(0, 12))
def test_clicks_150_ms_apart_delay_an_end_by_150_ms_at_most(silence_ms: int, gaps: list[int], first: int) -> None:
    window = -(-silence_ms // FRAME_MS)
    clicks = [False] * first + [frame for gap in gaps for frame in (True, *[False] * gap)]
    events = hear(Endpointer(silence_ms=silence_ms), [True] * 4 + clicks)
    assert [type(event) for event in events] == [Onset, MaybeEnd, End]
    assert events[-1].at <= (4 + window + 5) * FRAME_SAMPLES  # type: ignore[union-attr]


@relaxed
@given(runs, silences)
def test_hold_tells_pauses_and_never_ends(frames: list[bool], silence_ms: int) -> None:
    held = Endpointer(silence_ms=silence_ms, ends_on_silence=False)
    events = hear(held, frames)
    assert not any(isinstance(event, End) for event in events)
    assert (held.voiced_through is None) == (not events)
    longest = max((sum(1 for _ in group) for speech, group in groupby(frames) if speech), default=0)
    if longest >= 3:
        assert any(isinstance(event, Onset) for event in events)


def test_voiced_through_tells_whoever_stops_by_hand_where_the_voice_was() -> None:
    endpointer = Endpointer(silence_ms=SILENCE_MS, ends_on_silence=False, start_sample=1000)
    assert endpointer.voiced_through is None
    hear(endpointer, frames_of("..#####...#....#."))
    assert endpointer.voiced_through == 1000 + 7 * FRAME_SAMPLES


def test_a_pause_that_is_weighed_is_told_sooner() -> None:
    endpointer = Endpointer(silence_ms=SILENCE_MS, pause_ms=WEIGHED_PAUSE_MS)
    assert in_frames(hear(endpointer, frames_of("####.."))) == [("Onset", 0)]
    assert in_frames(hear(endpointer, frames_of(".###"))) == [("MaybeEnd", 4), ("Resumed", 7)]
    assert in_frames(hear(endpointer, frames_of("....."))) == [("MaybeEnd", 10)]


def test_a_silence_shorter_than_a_pause_is_refused() -> None:
    with pytest.raises(ValueError, match="silence_ms is 199; at least 200 is needed"):
        Endpointer(silence_ms=199)


def test_a_decision_holds_between_its_two_thresholds() -> None:
    decision = SpeechDecision(on=0.5, off=0.35)
    heard = [decision.push(probability) for probability in (0.4, 0.5, 0.4, 0.35, 0.34, 0.4, 1.0, 0.0)]
    assert heard == [False, True, True, True, False, False, True, False]


WAITS = {
    "less, which has gone by": (210, [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 12)]),
    "less": (270, [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 13)]),
    "more": (600, [("Onset", 0), ("MaybeEnd", 4), ("End", 4, 24)]),
}


@pytest.mark.parametrize(("silence_ms", "expected"), WAITS.values(), ids=WAITS)
def test_a_pause_that_was_weighed_has_a_window_of_its_own(silence_ms: int, expected: list[tuple[str, int]]) -> None:
    endpointer = Endpointer(silence_ms=SILENCE_MS)
    events = hear(endpointer, frames_of("#### ......."))
    endpointer.wait(silence_ms)
    events += hear(endpointer, frames_of("." * 20))
    assert in_frames(events) == expected


def test_a_window_of_a_pause_is_gone_with_the_pause() -> None:
    endpointer = Endpointer(silence_ms=SILENCE_MS)
    hear(endpointer, frames_of("#### ......."))
    endpointer.wait(5000)
    assert endpointer.silence_ms == 5000
    events = hear(endpointer, frames_of("....#### .........."))
    assert [type(event) for event in events] == [Resumed, MaybeEnd, End]
    assert endpointer.silence_ms == 300


def test_only_a_pause_can_be_waited_for_and_only_so_long() -> None:
    endpointer = Endpointer(silence_ms=SILENCE_MS)
    with pytest.raises(ValueError, match="there is no pause"):
        endpointer.wait(300)
    hear(endpointer, frames_of("#### ......."))
    for wrong in (199, 5001):
        with pytest.raises(ValueError, match=f"silence_ms is {wrong}; at least 200 is needed, and at most 5000"):
            endpointer.wait(wrong)


@relaxed
@given(decisions, silences, st.booleans())
def test_to_wait_for_the_usual_changes_nothing(frames: list[bool], silence_ms: int, strict: bool) -> None:
    plain, waiting = (Endpointer(silence_ms=silence_ms, strict=strict) for _ in range(2))
    for speech in frames:
        events = plain.push(speech)
        assert waiting.push(speech) == events
        if any(isinstance(event, MaybeEnd) for event in events) and waiting.state is ListenerState.MAYBE_END:
            waiting.wait(silence_ms)


@pytest.mark.parametrize(
    ("threshold", "on", "off"),
    [(None, 0.5, 0.35), (0.5, 0.5, 0.35), (0.9, 0.9, 0.75), (0.0, 0.05, 0.05), (1.0, 0.95, 0.8)],
)
def test_a_threshold_moves_both_by_as_much(threshold, on, off):
    decision = SpeechDecision.at(threshold)
    assert [decision.push(p) for p in (on - 0.01, on, off, off - 0.01)] == [False, True, True, False]
