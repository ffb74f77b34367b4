"""Every row of the matrix of faults in docs/testing.md, in virtual time."""

import pytest
import structlog
import trio

from tests.session.promises import RecordingStore, check, listen_in
from tools.fault_matrix import REFUSED, ROWS, SENTENCES, Kept
from voice_trio.config import ConfigError
from voice_trio.core import messages as m
from voice_trio.core.faults import KINDS, parse
from voice_trio.fault_tap import inject
from voice_trio.faults import Faults
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

REPLY = "".join(SENTENCES)
TOKENS = [word + " " for word in REPLY.split(" ")]


def two_sentences():
    return scripted_engines(language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=TOKENS)]))


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


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.faults)
async def test_a_fault_comes_to_what_the_matrix_says(autojump_clock, row):
    faults = Faults(parse(row.faults))
    plain, store = two_sentences(), RecordingStore(fails=False)
    engines, faulty_store = inject(faults, plain, store)
    with structlog.testing.capture_logs() as lines, trio.fail_after(200):
        async with conversation(engines=engines, store=faulty_store) as talk:
            said = listen_in(talk.session)
            dones = []
            for _ in range(2):
                await talk.ask(m.Start())
                await talk.say(1500, 900)
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


def test_the_matrix_has_every_fault_of_every_stage():
    rows = [fault for row in ROWS for fault in parse(row.faults)] + [parse(faults)[0] for faults in REFUSED]
    assert {(fault.stage, fault.kind) for fault in rows} == {(stage, kind) for stage in KINDS for kind in KINDS[stage]}


@pytest.mark.parametrize("faults", REFUSED)
def test_a_crash_of_what_has_no_process_is_refused(faults):
    with pytest.raises(ConfigError, match=r"STREAM_FAULTS: 'llm:crash' cannot be, because scripted works without"):
        inject(Faults(parse(faults)), two_sentences(), RecordingStore(fails=False))
