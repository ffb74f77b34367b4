"""Each promise that `broken_promises` knows, broken on purpose: it says so, and says nothing where all are kept."""

from dataclasses import replace

import pytest

from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State
from voice_trio.testing.promises import broken_ledger, broken_promises, check_promises

OPENED = m.SessionOpened(
    session="s", conversation="c", sample_rate=16_000, max_utterance_ms=30_000, silence_ms=700, asr="a", llm="l",
    voices=(), languages=(),
)  # fmt: skip


def state(turn, to):
    return m.StateChanged(turn=turn, state=to)


CAPTURING, THINKING, RESPONDING, COMPLETE = (
    state(1, to) for to in (State.CAPTURING, State.THINKING, State.RESPONDING, State.COMPLETE)
)
FIRST_PARTIAL = m.Partial(turn=1, keep=0, text="what is", stable=4)
SECOND_PARTIAL = m.Partial(turn=1, keep=5, text="in it", stable=5)
FINAL = m.Final(turn=1, text="what is it")
TOKEN = m.Token(turn=1, text="It is. Is it?")
PHRASE = m.TtsPhrase(turn=1, phrase=0, start=0, end=6, sample_rate=16_000, words=((0, 0), (4, 3)))
CHUNK = m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=bytes(20))
NEXT_CHUNK = m.TtsChunk(turn=1, phrase=0, seq=1, first_sample=10, pcm=bytes(10))
PHRASE_DONE = m.TtsPhraseDone(turn=1, phrase=0, samples=15)
NEXT_PHRASE = m.TtsPhrase(turn=1, phrase=1, start=7, end=13, sample_rate=16_000)
NEXT_PHRASE_DONE = m.TtsPhraseDone(turn=1, phrase=1, samples=0)
DONE = m.Done(turn=1, outcome=Outcome.COMPLETED, remembered=True, heard=13)
SECOND_TURN = (
    state(2, State.THINKING),
    state(2, State.COMPLETE),
    m.Done(turn=2, outcome=Outcome.COMPLETED, remembered=True, heard=0),
)
KEPT = (
    OPENED, CAPTURING, FIRST_PARTIAL, SECOND_PARTIAL, FINAL, THINKING, TOKEN, PHRASE, RESPONDING, CHUNK, NEXT_CHUNK,
    PHRASE_DONE, NEXT_PHRASE, NEXT_PHRASE_DONE, COMPLETE, DONE, *SECOND_TURN,
)  # fmt: skip


def without(*events):
    return [event for event in KEPT if event not in events]


def with_instead(event, *others):
    at = KEPT.index(event)
    return [*KEPT[:at], *others, *KEPT[at + 1 :]]


def with_after(event, *others):
    return with_instead(event, event, *others)


def swapped(one, other):
    return [other if event is one else one if event is other else event for event in KEPT]


BROKEN = {
    "opened twice": (with_after(OPENED, OPENED), "opened once more"),
    "opened after a turn": ([*KEPT, OPENED], "opened once more, or after a turn"),
    "turns that fall": ([OPENED, *SECOND_TURN, *without(OPENED, *SECOND_TURN)], "turn 1 came after turn 2"),
    "two turns at once": ([*without(DONE), DONE], "turn 1 went on after turn 2 had begun"),
    "not announced": (without(CAPTURING), "it began with Partial"),
    "no terminal": (without(DONE), "turn 1: it had no terminal"),
    "no last terminal": (KEPT[:-1], "turn 2: it had no terminal"),
    "a second terminal": (with_after(DONE, DONE), "is a second terminal"),
    "something after the terminal": (with_after(DONE, TOKEN), "came after its terminal"),
    "a state that does not follow": (without(THINKING), "CAPTURING was followed by RESPONDING"),
    "a terminal before the last state": (without(COMPLETE), "came in RESPONDING"),
    "an outcome of another state": (
        with_instead(DONE, replace(DONE, outcome=Outcome.EMPTY)),
        "it was empty in RESPONDING",
    ),
    "more heard than written": (with_instead(DONE, replace(DONE, heard=14)), "14 characters were heard"),
    "a partial after the final": (swapped(SECOND_PARTIAL, FINAL), "came after the final"),
    "a partial of a typed turn": (with_after(THINKING, FIRST_PARTIAL), "came in THINKING"),
    "stable words taken back": (
        with_instead(SECOND_PARTIAL, replace(SECOND_PARTIAL, keep=3)),
        "drops of the 4 stable characters",
    ),
    "words kept that were not there": (
        with_instead(SECOND_PARTIAL, replace(SECOND_PARTIAL, keep=8)),
        "keeps what is not there",
    ),
    "stable beyond the end": (
        with_instead(SECOND_PARTIAL, replace(SECOND_PARTIAL, stable=11)),
        "calls stable what is not there",
    ),
    "two finals": (with_after(FINAL, FINAL), "is a second final"),
    "a final too late": (swapped(FINAL, THINKING), "came in THINKING"),
    "a token too early": (with_after(FINAL, TOKEN), "came in CAPTURING"),
    "a phrase left out": (without(PHRASE), "chunk 0 is of phrase 0, which is not being spoken"),
    "a phrase within another": (swapped(PHRASE_DONE, NEXT_PHRASE), "came where phrase 0 was to be next, or to end"),
    "a phrase of nothing": (without(TOKEN), "has 0 characters of reply behind it"),
    "phrases that overlap": (
        with_instead(NEXT_PHRASE, replace(NEXT_PHRASE, start=5)),
        "overlaps with the phrase before it",
    ),
    "words that fall": (
        with_instead(PHRASE, replace(PHRASE, words=((4, 0), (0, 3)))),
        "has words that do not rise",
    ),
    "a chunk left out": (without(CHUNK), "chunk 1 at sample 10 came where 0 at 0 belongs"),
    "chunks that change places": (swapped(CHUNK, NEXT_CHUNK), "chunk 1 at sample 10 came where 0 at 0 belongs"),
    "samples left out": (
        with_instead(NEXT_CHUNK, replace(NEXT_CHUNK, first_sample=11)),
        "chunk 1 at sample 11 came where 1 at 10 belongs",
    ),
    "a chunk of another phrase": (with_instead(CHUNK, replace(CHUNK, phrase=1)), "of phrase 1, which is not being"),
    "a chunk that ends within a sample": (
        with_instead(CHUNK, replace(CHUNK, pcm=bytes(21))),
        "ends within a sample",
    ),
    "sound before it responds": (swapped(RESPONDING, CHUNK), "came in THINKING"),
    "the wrong phrase ends": (
        with_instead(PHRASE_DONE, replace(PHRASE_DONE, phrase=1)),
        "phrase 1 ended where 0 was to end",
    ),
    "a phrase of another length": (
        with_instead(PHRASE_DONE, replace(PHRASE_DONE, samples=14)),
        "of which there were 15 samples",
    ),
}


def test_a_session_that_keeps_its_promises_has_broken_none():
    assert list(broken_promises(KEPT, to_the_end=True)) == []


@pytest.mark.parametrize("length", range(len(KEPT)))
def test_nor_has_one_that_was_heard_in_part(length):
    assert list(broken_promises(KEPT[:length], to_the_end=False)) == []


@pytest.mark.parametrize(("events", "complaint"), BROKEN.values(), ids=BROKEN)
def test_a_broken_promise_is_found(events, complaint):
    assert complaint in "; ".join(broken_promises(events, to_the_end=True))
    with pytest.raises(AssertionError, match="the session broke its promises"):
        check_promises(events, to_the_end=True)


def test_only_the_last_turn_of_a_session_that_was_not_heard_out_may_be_unfinished():
    assert list(broken_promises(without(DONE), to_the_end=False)) == ["turn 1: it had no terminal"]


@pytest.mark.parametrize(
    ("begun", "promoted", "discarded", "failed"), [(0, 0, 0, 0), (3, 1, 2, 0), (2, 0, 1, 1), (2, 1, 0, 0), (1, 1, 1, 0)]
)
def test_each_draft_has_one_fate(begun, promoted, discarded, failed):
    drafts = {
        "drafts_begun": begun,
        "drafts_promoted": promoted,
        "drafts_discarded": discarded,
        "drafts_failed": failed,
        "drafts_wasted_tokens": 5,
    }
    assert bool([*broken_ledger(drafts)]) is (begun != promoted + discarded + failed)
    assert not [*broken_ledger({})]
