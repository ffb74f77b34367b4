"""Which calls a fault strikes."""

import structlog

from voice_trio import config
from voice_trio.core.faults import Kind, Stage, parse
from voice_trio.faults import Faults


def struck(text, calls, *, seed=0, stage=Stage.LLM):
    """Return the numbers of the calls that go wrong."""
    faults = Faults(parse(text), seed)
    return [number for number in range(1, calls + 1) if faults.strike(stage).breakdown() is not None]


def test_the_third_call_is_the_third_of_its_own_stage():
    faults = Faults(parse("llm:hang#3"))
    for _ in range(5):
        assert not faults.strike(Stage.TTS)
    assert [bool(faults.strike(Stage.LLM)) for _ in range(5)] == [False, False, True, False, False]


def test_recalls_and_commits_are_counted_apart():
    faults = Faults(parse("store:error=recall#2, store:full#1"))
    calls = [faults.strike(Stage.STORE, recall=recall).breakdown() for recall in (True, False, True, False)]
    assert calls == [None, Kind.FULL, Kind.ERROR, None]


def test_without_a_number_it_is_every_call():
    assert struck("llm:error", 4) == [1, 2, 3, 4]


def test_a_share_is_drawn_alike_for_a_seed_and_otherwise_for_another():
    calls = struck("llm:error@10%", 2000)
    assert 150 < len(calls) < 250
    assert struck("llm:error@10%", 2000) == calls
    assert struck("llm:error@10%", 2000, seed=1) != calls


def test_another_fault_changes_nothing_for_the_first():
    calls = struck("llm:error@10%", 500)
    faults = Faults(parse("llm:error@10%, llm:delay@50%"))
    assert [n for n in range(1, 501) if faults.strike(Stage.LLM).breakdown() is not None] == calls


def test_the_first_listed_that_is_due_counts_and_slowness_is_added_up():
    call = Faults(parse("llm:delay=1s, llm:delay=2s, llm:error=2, llm:hang")).strike(Stage.LLM)
    assert call.seconds(Kind.DELAY) == 3.0
    assert [call.breakdown(pieces) for pieces in (0, 1, 2)] == [Kind.HANG, Kind.HANG, Kind.ERROR]


def test_each_is_logged_once_when_it_strikes():
    with structlog.testing.capture_logs() as lines:
        faults = Faults(parse("llm:error=2, llm:hang#9"))
        faults.strike(Stage.LLM)
        call = faults.strike(Stage.LLM)
        for pieces in range(5):
            call.breakdown(pieces)
    assert [(line["stage"], line["kind"], line["call"], line["fault"]) for line in lines] == [
        ("llm", "error", 2, "llm:error=2")
    ]


def test_the_settings_say_which_and_by_which_seed():
    def drawn(seed):
        faults = Faults.of(config.load(allow_faults=True, faults="llm:error@50%", faults_seed=seed))
        return [faults.strike(Stage.LLM).breakdown() for _ in range(50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert list(Faults.of(config.load())) == []
