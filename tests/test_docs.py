"""What the documents take from the code is what the code says, and what they show can be sent."""

import json
import re

import pytest

from tools import diagrams
from tools.protocol_docs import EXAMPLES, MEANINGS
from tools.write_docs import DOCUMENTS, PARTS, ROOT, is_current
from voice_trio.core import messages as m
from voice_trio.core.endpointer import TRANSITIONS as LISTENER
from voice_trio.core.faults import KINDS, Kind, Stage
from voice_trio.core.turn_state import TRANSITIONS as TURN
from voice_trio.wire import native
from voice_trio.wire.codec import CloseCode

PROTOCOL = (ROOT / "docs/protocol.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_generated_parts_are_up_to_date(document):
    assert is_current(document), "run: python tools/write_docs.py"


@pytest.mark.parametrize("document", PARTS)
def test_all_that_is_marked_as_generated_is(document):
    marked = re.findall(r"^<!-- (\w+): written by", (ROOT / document).read_text(), re.MULTILINE)
    assert sorted(marked) == sorted(PARTS[document])


def test_every_message_has_its_section_and_an_example():
    sections = re.findall(r"^### (\w+)$", PROTOCOL, re.MULTILINE)
    assert sections == [*native.COMMANDS, *list(native.EVENTS)[:10], "tts_chunk", *list(native.EVENTS)[10:]]
    assert EXAMPLES.keys() == {*sections}
    assert MEANINGS.keys() == {*native.COMMANDS, *native.EVENTS, "latency", "ToldAlert"}


def test_every_example_is_read_as_what_it_says():
    blocks = re.findall(r"^```json\n(.*?)\n```$", PROTOCOL, re.MULTILINE | re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines()]
    said = [(name, example) for name, examples in EXAMPLES.items() for example in examples if name != "tts_chunk"]
    assert len(shown) == len(said)
    for line, (name, example) in zip(shown, said, strict=True):
        assert json.loads(line)["type"] == name
        read = native.decode_command(line) if name in native.COMMANDS else native.decode_event(line)
        assert read == example


def test_the_chunk_in_hex_is_read_as_what_it_says():
    data = bytes.fromhex(re.search(r"^```text\n([0-9a-f ]+)\n```\n\nis chunk", PROTOCOL, re.MULTILINE)[1])
    assert (native.decode_event(data),) == EXAMPLES["tts_chunk"]
    offsets = re.findall(r"^\| (\d+)(?:, \d+| to \w+(?: \w+)?)? \| (?:u|s)\d+ \| (\w+) \|", PROTOCOL, re.MULTILINE)
    assert offsets == [
        ("0", "version"),
        ("1", "kind"),
        ("2", "phrase"),
        ("4", "turn"),
        ("8", "seq"),
        ("12", "first_sample"),
        (str(native.CHUNK_HEADER.size), "samples"),
    ]


def test_the_conversation_is_one():
    lines = re.findall(r"^ *([\d.]+) (->|<-) (.*)$", PROTOCOL, re.MULTILINE)
    times = [float(at) for at, _, _ in lines]
    assert times == sorted(times)
    for _, arrow, text in lines:
        if text.startswith("{"):
            assert (native.decode_command if arrow == "->" else native.decode_event)(text) is not None
    opened = native.decode_event(lines[0][2])
    (example,) = EXAMPLES["session"]
    assert isinstance(opened, m.SessionOpened)
    assert isinstance(example, m.SessionOpened)
    assert opened.features == example.features
    assert [text for _, arrow, text in lines if arrow == "->" and text.startswith("{")] == [
        '{"type":"start","mode":"tap"}',
        '{"type":"text","text":"Count to five."}',
        '{"type":"played","turn":2,"samples":8000}',
        '{"type":"cancel"}',
    ]


def test_every_code_is_explained():
    for code in m.InfoCode:
        assert f"\n| `{code}` | " in PROTOCOL
    for outcome in m.Outcome:
        assert f"\n| `{outcome}` | " in PROTOCOL
    for state in m.State:
        assert f"\n| {state} | " in PROTOCOL
    for error in m.ErrorCode:
        assert re.search(rf"^\| {error}(,.*)? \| (yes|no) \| ", PROTOCOL, re.MULTILINE)
    for name, code in vars(CloseCode).items():
        assert name.startswith("_") or f"\n| {code} | " in PROTOCOL


def test_every_kind_of_fault_is_explained_with_its_stages():
    text = (ROOT / "docs/testing.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (all|(?:\w+, )*\w+) \| .* \| .* \|$", text, re.MULTILINE)
    shown = {kind: set(Stage) if stages == "all" else set(stages.split(", ")) for kind, stages in rows}
    assert shown == {kind: {stage for stage in Stage if kind in KINDS[stage]} for kind in Kind}


@pytest.mark.parametrize(("name", "table"), [("turn", TURN), ("listener", LISTENER)])
def test_a_diagram_has_every_way_of_its_table_and_no_other(name, table):
    drawn = set()
    for state, target, causes in re.findall(r"^    (\w+) --> (\w+): (.+)$", diagrams.DIAGRAMS[name](), re.MULTILINE):
        drawn |= {(state, cause, target) for cause in causes.split(", ")}
    assert drawn == {
        (state.name, diagrams.cause_name(cause), target.name)
        for state, leads in table.items()
        for cause, target in leads.items()
    }
