from math import inf

import pytest

from voice_trio.core.faults import KINDS, BadFault, Fault, Kind, Stage, parse

OF_ENGINES = "delay, drip, hang, error, crash, garbage"


def only(text):
    [fault] = parse(text)
    assert fault.text == text
    return fault


def test_the_parts_are_read_in_order_and_blanks_do_not_matter():
    faults = parse(" llm:hang#3,tts:delay=2s@10%, ,asr:error#2 ")
    assert [fault.text for fault in faults] == ["llm:hang#3", "tts:delay=2s@10%", "asr:error#2"]
    assert parse("") == parse(" , ") == ()


def test_each_part_means_what_it_says():
    assert only("llm:hang#3") == Fault(text="llm:hang#3", stage=Stage.LLM, kind=Kind.HANG, call=3)
    assert only("tts:delay=2.5s@10%") == Fault(
        text="tts:delay=2.5s@10%", stage=Stage.TTS, kind=Kind.DELAY, seconds=2.5, share=0.1
    )
    assert only("store:error=recall") == Fault(
        text="store:error=recall", stage=Stage.STORE, kind=Kind.ERROR, recall=True
    )


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("tts:delay=500ms", "seconds", 0.5),
        ("tts:delay", "seconds", 1.0),
        ("llm:drip", "seconds", 0.1),
        ("asr:error", "after", inf),
        ("asr:error=0", "after", 0),
        ("llm:error", "after", 0),
        ("llm:error=12@0.5%", "after", 12),
        ("llm:error=12@0.5%", "share", 0.005),
        ("store:hang=commit#1000000", "call", 1_000_000),
    ],
)
def test_a_part_has_its_values(text, field, value):
    assert getattr(only(text), field) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hang", "'hang' is no fault; one looks like llm:hang, llm:hang#3 or tts:delay=2s@10%"),
        ("llm:hang#1@10%", "'llm:hang#1@10%': # takes the number of a call, from 1 to 1000000"),
        ("mic:hang", "'mic:hang' names no stage; stages are asr, llm, tts, tool, mcp, store, remote"),
        ("LLM:hang", "'LLM:hang' names no stage; stages are asr, llm, tts, tool, mcp, store, remote"),
        ("store:crash", "'store:crash' is nothing that store can suffer; it can suffer delay, hang, error, full"),
        (
            "tts:full",
            "'tts:full' is nothing that tts can suffer; it can suffer delay, drip, hang, error, crash, garbage",
        ),
        ("tts:delay=soon", "'tts:delay=soon': tts:delay takes a time, as 2s or 500ms"),
        ("tts:delay=0s", "'tts:delay=0s': tts:delay takes a time, as 2s or 500ms"),
        ("tts:delay=3601s", "'tts:delay=3601s': tts:delay takes a time, as 2s or 500ms"),
        ("tts:delay=2", "'tts:delay=2': tts:delay takes a time, as 2s or 500ms"),
        ("llm:error=-1", "'llm:error=-1': llm:error takes a number: after so many pieces of the answer"),
        ("store:full=1", "'store:full=1': store:full takes nothing"),
        ("store:error=begin", "'store:error=begin': store:error takes commit or recall"),
        ("llm:hang#0", "'llm:hang#0': # takes the number of a call, from 1 to 1000000"),
        ("llm:hang#", "'llm:hang#': # takes the number of a call, from 1 to 1000000"),
        ("llm:hang@0%", "'llm:hang@0%': @ takes a share of the calls, above 0% and up to 100%"),
        ("llm:hang@10", "'llm:hang@10': @ takes a share of the calls, above 0% and up to 100%"),
        ("llm:hang@101%", "'llm:hang@101%': @ takes a share of the calls, above 0% and up to 100%"),
        ("llm:hang#٣", "'llm:hang#٣': # takes the number of a call, from 1 to 1000000"),
        (
            "asr:hang, llm:",
            "'llm:' is nothing that llm can suffer; it can suffer delay, drip, hang, error, crash, garbage",
        ),
    ],
)
def test_what_is_no_fault_is_named_with_what_is_allowed(text, said):
    with pytest.raises(BadFault) as caught:
        parse(text)
    assert str(caught.value) == said


def test_every_kind_of_every_stage_can_be_asked_for():
    for stage, kinds in KINDS.items():
        for kind in kinds:
            fault = only(f"{stage}:{kind}")
            assert (fault.stage, fault.kind) == (stage, kind)
