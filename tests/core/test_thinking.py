"""What a model says, told from what it thinks, and from the marks of its template."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.thinking import MAX_DOUBTFUL_CHARS, SaidText

NOON = "It is noon."

SAID = {
    # Thinking.
    "<think>\nThey ask.\n</think>\n\nIt is noon.": NOON,
    "<thinking>Hm.</thinking>It is noon.": NOON,
    "<thought>Hm.</thought> It is noon.": NOON,
    "<reasoning>Hm.</reasoning>\nIt is noon.": NOON,
    "<THINK>Hm.</Think>It is noon.": NOON,
    '<think type="deep" n=3>Hm.</think >It is noon.': NOON,
    "<seed:think>Hm.</seed:think>It is noon.": NOON,
    "[THINK]Hm. [a] < b[/THINK]It is noon.": NOON,
    "◁think▷Hm.◁/think▷It is noon.": NOON,
    "<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>It is noon.<|END_RESPONSE|>": NOON,
    "<|channel>thought\nHm.<channel|>It is noon.<turn|>": NOON,
    "It is <think>Hm.</think>noon.": NOON,
    "<think>Hm.</think><think>Hm.</think><answer>It is noon.</answer>": NOON,
    "<think></think>\nIt is noon.": NOON,
    "<think/>It is noon.": NOON,
    "<think>They wrote <thing> and </thing>.</think>It is noon.": NOON,
    "<think>Hm. It never ends": "",
    "It is noon. <think>Hm.": "It is noon. ",
    # Opened by the template, and only closed here.
    "They ask.\n\nSo I say.\n</think>\n\nIt is noon.": NOON,
    "They ask.[/THINK]It is noon.": NOON,
    "They ask.◁/think▷It is noon.": NOON,
    "</think>It is noon.": NOON,
    # Channels and turns.
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>It is noon.<|return|>": NOON,
    "<|start|>assistant<|channel|>final<|message|>It is noon.": NOON,
    "<|channel|>analysis<|message|>Hm.": "",
    '<|channel|>commentary to=functions.look <|constrain|>json<|message|>{"at": "clock"}<|call|>': "",
    "<|start_header_id|>assistant<|end_header_id|>\n\nIt is noon.<|eot_id|>": NOON,
    "<|im_start|>assistant\nIt is noon.<|im_end|>": NOON,
    "<start_of_turn>model\nIt is noon.<end_of_turn>": NOON,
    "It is noon.<|im_end|>\n<|im_start|>user\nAnd in Rome?<|im_end|>\n": "It is noon.\n",
    "It is noon.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nThanks.": NOON,
    "It is noon.<|user|>Thanks.": NOON,
    "It is noon.[INST] Thanks. [/INST]": NOON,
    # Tokens of templates.
    "It is noon.</s>": NOON,
    "<s>It is noon.": NOON,
    "It is noon.<｜end▁of▁sentence｜>": NOON,
    "It is noon.<|endoftext|>": NOON,
    "It is noon.<eos>": NOON,
    "It is <|some_new_token|>noon.": NOON,
    # Calls of tools.
    '<tool_call>\n{"name": "look"}\n</tool_call>\nIt is noon.': NOON,
    '<function=look>{"at": "clock"}</function>It is noon.': NOON,
    '<function_calls><invoke name="look"><parameter name="at">x</parameter></invoke></function_calls>It is noon.': NOON,
    '[TOOL_CALLS] [{"name": "look", "arguments": {}}]': "",
    '<|python_tag|>look.call(at="clock")<|eom_id|>': "",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>look<｜tool▁call▁end｜><｜tool▁calls▁end｜>": "",
    "<|tool_calls_section_begin|><|tool_call_begin|>look<|tool_call_end|><|tool_calls_section_end|>It is noon.": NOON,
    # Text.
    **dict.fromkeys(
        [
            "a < b and c > d, so a <b> c",
            "I think <that> it is. I <3 you, <3.",
            "Use `<div>` and <div class='x'>, [note] [1], [THINKING] [think].",
            "Models write `<think>` and then `</think>`.",
            "It is called \"<think>\", or “<tool_call>”, or '<|im_end|>'.",
            "x <- y |> z <| w <|> v <| a b |> <>",
            "<answer> me, <output> it",
            "It ends in <thin",
            "It ends in <",
            "It ends in [TH",
            "  It begins with white space.\n",
            "<string>, <strong>, <script>, <thinker>, </thinker>",
        ]
    ),
}
SAID = {text: text if said is None else said for text, said in SAID.items()}


def said(text: str, cuts: list[int] | None = None) -> str:
    """Return what is said of ``text`` that comes in pieces, and is in doubt to the end."""
    reply = SaidText()
    places = [0, *(cuts or []), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]
    return "".join([*map(reply.push, pieces), reply.finish()])


@pytest.mark.parametrize("text", SAID)
def test_what_is_said(text):
    assert said(text) == SAID[text]


@pytest.mark.parametrize("text", SAID)
def test_no_cut_changes_what_is_said(text):
    assert said(text, list(range(1, len(text)))) == SAID[text]
    chance = random.Random(text)
    for _ in range(50):
        assert said(text, sorted(chance.choices(range(len(text)), k=4))) == SAID[text]


MARKS = [
    *'<>|/[]`"a\n ◁▷',
    "</",
    "<|",
    "|>",
    "think",
    "THINK",
    "tool_call",
    "channel",
    "message",
    "im_start",
    "user",
    "=x",
]
WHOLE = [
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "<|im_end|>",
    "<|channel|>",
    "<|message|>",
    "</answer>",
    " ",
]


@given(st.lists(st.sampled_from(MARKS + WHOLE), max_size=20), st.data())
def test_no_cut_changes_what_is_said_of_anything(parts, data):
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    assert said(text, cuts) == said(text) == said(text, list(range(1, len(text))))


def test_what_is_settled_streams():
    reply = SaidText()
    assert (reply.push("It is "), reply.in_doubt) == ("", True)
    assert (reply.settle(), reply.in_doubt) == ("It is ", False)
    assert reply.push("noon. A <") == "noon. A "
    assert reply.push("b> is") == "<b> is"
    assert (reply.push("</think> it"), reply.closed_only) == ("it", True)


@pytest.mark.parametrize(
    ("text", "thought", "called", "closed_only"),
    [
        ("It is noon.", False, False, False),
        ("<think>a</think>", True, False, False),
        ("a</think>", True, False, True),
        ("<tool_call>{}</tool_call>", False, True, False),
        ("<|channel|>analysis<|message|>a", True, False, False),
        ("<think>a</think>b</think>c", True, False, False),
    ],
)
def test_what_there_was_besides(text, thought, called, closed_only):
    reply = SaidText()
    reply.push(text)
    assert (reply.thought, reply.called, reply.closed_only) == (thought, called, closed_only)


def test_what_is_in_doubt_is_kept_only_as_long_as_a_reply_can_be():
    reply = SaidText()
    for _ in range(300):
        reply.push("x" * 1000)
    assert len(reply.finish()) == MAX_DOUBTFUL_CHARS


@pytest.mark.parametrize("text", ["<", "<think", "[TH", "`<think>`", "<|a", "<think x", "</", "◁", "<tool_call>"])
def test_no_more_than_a_mark_is_held_back(text):
    reply = SaidText()
    reply.settle()
    out = "".join(reply.push(char) for char in text * 500)
    assert len(reply.finish()) <= 160
    assert len(out) <= len(text) * 500
