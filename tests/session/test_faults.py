"""Every row of the matrix of faults in docs/testing.md, in virtual time."""

import pytest
import structlog
import trio

from tests.session.promises import RecordingStore, check, listen_in
from tools.fault_matrix import DRAFTED, INTO_REPLIES, LONG_REPLY, REFUSED, ROWS, SENTENCES, Kept
from voice_trio.config import ConfigError
from voice_trio.core import messages as m
from voice_trio.core.faults import KINDS, parse
from voice_trio.fault_tap import inject
from voice_trio.faults import Faults
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

REPLY = "".join(SENTENCES)
TOKENS = [word + " " for word in REPLY.split(" ")]


def two_sentences(*, drafts=False):
    return scripted_engines(
        recognizer=LiteralRecognizer(settles_early=True) if drafts else None,
        language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=TOKENS)]),
    )


def kept_of(records):
    """Return what is remembered of a turn, as the matrix calls it."""
    if not records:
        return Kept.NOTHING
    [record] = records
    assert record.said
    if not record.reply:
        return Kept.WORDS
    if not record.heard:
        return Kept.UNHEARD
    return Kept.ALL if record.heard == len(record.reply) and REPLY in record.reply + " " else Kept.PART


@pytest.mark.parametrize(
    ("row", "drafts"),
    [pytest.param(row, False, id=row.faults) for row in ROWS]
    + [pytest.param(row, True, id=f"{row.faults} drafted") for row in DRAFTED],
)
async def test_a_fault_comes_to_what_the_matrix_says(autojump_clock, row, drafts):
    faults = Faults(parse(row.faults))
    plain, store = two_sentences(drafts=drafts), RecordingStore(fails=False)
    engines, faulty_store = inject(faults, plain, store)
    with structlog.testing.capture_logs() as lines, trio.fail_after(200):
        async with conversation(engines=engines, store=faulty_store) as talk:
            said = listen_in(talk.session)
            dones = []
            for _ in range(2):
                await talk.ask(m.Start())
                await talk.say(spoken("how", "is", "it", "today") if drafts else 1500, 900)
                dones.append(await talk.wait_for(m.Done))
    first, second = dones
    errors = [event for event in talk.of_turn(1) if isinstance(event, m.Error)]
    assert [error.code for error in errors] == list(row.errors)
    assert all(error.recoverable for error in errors)
    assert (first.outcome, second.outcome) == (row.outcome, row.next_outcome)
    assert kept_of([record for record in store.records if record.turn == 1]) is row.kept
    assert first.remembered == (row.kept is not Kept.NOTHING)
    assert second.remembered
    assert not [event for event in talk.of_turn(2) if isinstance(event, m.Error)]
    check(talk, said, "stay", plain, store)
    injected = [line["fault"] for line in lines if line["event"] == "fault injected"]
    assert sorted(injected) == sorted(fault.text for fault in faults)


@pytest.mark.parametrize("row", INTO_REPLIES, ids=lambda row: f"{row.faults} {row.said}")
async def test_a_fault_while_a_reply_is_held_comes_to_what_the_matrix_says(autojump_clock, row):
    faults = Faults(parse(row.faults))
    tokens = [word + " " for word in "".join(LONG_REPLY).split()]
    replies = [ScriptedReply(tokens, token_s=0.25), ScriptedReply()]
    plain = scripted_engines(recognizer=LiteralRecognizer(), language_model=ScriptedLanguageModel(replies=replies))
    store = RecordingStore(fails=False)
    engines, faulty_store = inject(faults, plain, store)
    with trio.fail_after(200):
        async with conversation(engines=engines, store=faulty_store) as talk:
            said = listen_in(talk.session)
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsChunk)
            await talk.silence(1000)
            await talk.say(spoken(*row.said.split(), word_ms=120))
            done = None
            while done is None or (row.next_final and not talk.all(m.Done, turn=2)):
                await talk.silence(300)
                done = next(iter(talk.all(m.Done)), None)
            await talk.silence(3000)
    assert done.outcome is row.outcome
    assert [event.code for event in talk.of_turn(1) if isinstance(event, m.Error)] == list(row.errors)
    assert bool(talk.all(m.Release)) is row.released
    assert len(talk.all(m.Hold)) == 1
    finals = [event.text for event in talk.all(m.Final)]
    assert finals == ["hello"] + [row.next_final] * (row.next_final is not None)
    assert len(talk.all(m.Done)) == len(finals)
    check(talk, said, "stay", plain, store)


def test_the_matrix_has_every_fault_of_every_stage():
    rows = [fault for row in ROWS for fault in parse(row.faults)] + [parse(faults)[0] for faults in REFUSED]
    assert {(fault.stage, fault.kind) for fault in rows} == {(stage, kind) for stage in KINDS for kind in KINDS[stage]}


@pytest.mark.parametrize("faults", REFUSED)
def test_a_crash_of_what_has_no_process_is_refused(faults):
    with pytest.raises(ConfigError, match=r"STREAM_FAULTS: 'llm:crash' cannot be, because scripted works without"):
        inject(Faults(parse(faults)), two_sentences(), RecordingStore(fails=False))
