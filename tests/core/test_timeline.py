from voice_trio.core.messages import Latency
from voice_trio.core.timeline import MOST_INTERVALS, Interval, Moment, Stage, Timeline


def test_the_first_partial_counts_from_the_first_speech_and_the_rest_from_the_last():
    timeline = Timeline()
    timeline.first(Moment.SPEECH_START, 10.0)
    timeline.first(Moment.FIRST_PARTIAL, 10.6)
    timeline.first(Moment.FIRST_PARTIAL, 11.6)
    timeline.latest(Moment.SPEECH_END, 11.0)
    timeline.latest(Moment.SPEECH_END, 12.0)
    timeline.first(Moment.FINAL, 12.8)
    timeline.first(Moment.FIRST_TOKEN, 13.0)
    timeline.first(Moment.FIRST_AUDIO, 13.2)
    timeline.latest(Moment.LAST_AUDIO, 20.0)
    assert timeline.latency() == Latency(
        t_first_partial_ms=600,
        t_final_transcript_ms=800,
        t_first_token_ms=1000,
        t_first_audio_ms=1200,
        total_reply_ms=8000,
    )


def test_a_typed_turn_counts_from_its_text():
    timeline = Timeline()
    timeline.first(Moment.ASKED, 1.0)
    timeline.first(Moment.FIRST_TOKEN, 1.5)
    assert timeline.latency() == Latency(t_first_token_ms=500)


def test_what_never_came_has_no_time():
    assert Timeline().latency() == Latency()


def test_of_what_was_done_for_a_turn_the_first_is_kept():
    timeline = Timeline()
    for at in range(MOST_INTERVALS + 50):
        timeline.note(Interval(Stage.SYNTHESIS, at, at + 0.5))
    assert len(timeline.intervals) == MOST_INTERVALS
    assert timeline.intervals[-1].began == MOST_INTERVALS - 1


def test_an_utterance_that_is_taken_up_again_began_when_it_began():
    before, after = Timeline(), Timeline()
    before.first(Moment.BEGUN, 1.0)
    before.first(Moment.SPEECH_START, 1.5)
    before.first(Moment.CAPTURED, 3.0)
    after.first(Moment.SPEECH_START, 4.0)
    after.go_on_from(before)
    assert after.moments == {Moment.BEGUN: 1.0, Moment.SPEECH_START: 1.5}
