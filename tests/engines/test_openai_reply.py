"""Whole bodies of replies, in the forms that servers send them, and what a session is told of each."""

import json

import pytest

from tests.sse_server import chunk
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import Alive, EngineError, TextDelta
from voice_trio.engines.openai_chat.reply import Place, ReplyReader, is_thinker

NOON = "It is noon."
ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop")
WHOLE = {"object": "chat.completion", "choices": [{"index": 0, "message": {"content": NOON}, "finish_reason": "stop"}]}
PLACE = Place("http://here/v1", "OPENAI_BASE_URL")


def stream(*events: str, end: str = "\n\n") -> str:
    return "".join(f"data: {event}{end}" for event in events)


def read(body: str, *, piece: int = 4096, reader: ReplyReader | None = None):
    """Return what is said of ``body``, the signs of life, and the reader, or the error instead of it."""
    reader = reader or ReplyReader(PLACE, "m", thinks_first=None)
    said, signs = "", set()
    data = body.encode()
    error = None

    def take(events):
        nonlocal said
        for event in events:
            if isinstance(event, TextDelta):
                assert 0 < len(event.text) <= 1000
                said += event.text
            elif isinstance(event, Alive):
                signs.add(event.at)

    try:
        for at in range(0, len(data), piece):
            take(reader.push(data[at : at + piece]))
            if reader.over:
                break
            take(reader.pause())
        take(reader.finish())
    except EngineError as failure:
        error = failure
    if error:
        assert error.code is ErrorCode.LLM_FAIL
        return said, signs, error.message
    return said, signs, reader


SPOKEN = {
    "as it should be": stream(ROLE, chunk({"content": "It is "}), chunk({"content": "noon."}), STOP, "[DONE]"),
    "done without a finish": stream(chunk({"content": NOON}), "[DONE]"),
    "a finish without done": stream(chunk({"content": NOON}), STOP),
    "stop with every piece": stream(
        chunk({"content": "It is "}, "stop"), chunk({"content": "noon."}, "stop"), "[DONE]"
    ),
    "text behind the finish": stream(chunk({"content": "It is "}), STOP, chunk({"content": "noon."}), "[DONE]"),
    "a whole completion": json.dumps(WHOLE),
    "the same over many lines": json.dumps(WHOLE, indent=2),
    "a whole completion as an event": stream(json.dumps(WHOLE)),
    "objects without data": chunk({"content": "It is "}) + "\n" + chunk({"content": "noon."}, "stop") + "\n",
    "no blank lines": stream(chunk({"content": "It is "}), chunk({"content": "noon."}), STOP, "[DONE]", end="\n"),
    "keep-alive comments": ": wait\n\n: wait\n\n" + stream(chunk({"content": NOON}), STOP),
    "thinking in the content": stream(chunk({"content": "<think>a"}), chunk({"content": "b</think>It is noon."}), STOP),
    "thinking that is only closed": stream(
        chunk({"content": "a. b."}), chunk({"content": "</think>It is noon."}), STOP
    ),
    "thinking apart": stream(chunk({"reasoning_content": "a"}), chunk({"content": NOON}), STOP),
    "a refusal": stream(chunk({"content": None, "refusal": NOON}), STOP),
    "usage behind the finish": stream(chunk({"content": NOON}), STOP, '{"choices": [], "usage": {}}', "[DONE]"),
}


@pytest.mark.parametrize("form", SPOKEN)
def test_a_form_is_a_whole_reply(form):
    said, _, reader = read(SPOKEN[form])
    assert (said, reader.is_whole) == (NOON, True)


@pytest.mark.parametrize("form", [form for form in SPOKEN if form != "thinking that is only closed"])
def test_no_cut_changes_a_form(form):
    said, _, reader = read(SPOKEN[form], piece=1)
    assert (said, reader.is_whole) == (NOON, True)


@pytest.mark.parametrize(
    ("body", "said", "words"),
    [
        (
            '{"error": "Unexpected endpoint or method. (POST /chat/completions)"}',
            "",
            "reported an error: check OPENAI_",
        ),
        (json.dumps({"error": {"message": "overloaded"}}, indent=2), "", "reported an error: check OPENAI_BASE_URL"),
        ('{"detail": "Not Found"}', "", "reported an error: check OPENAI_BASE_URL"),
        ("<!doctype html><title>Some app</title>", "", "is a web page and no chat API: check OPENAI_BASE_URL"),
        ("\n\n<html>\n<p>data: x\n\n", "", "is a web page and no chat API: check OPENAI_BASE_URL"),
        ("", "", "sent nothing of a reply: check OPENAI_BASE_URL"),
        ("It works!", "", "sent nothing of a reply: check OPENAI_BASE_URL"),
        ('{"hello": "world"}', "", "sent nothing of a reply: check OPENAI_BASE_URL"),
        (stream(chunk({"content": "So. "}), '{"error": "gone"}'), "So. ", "reported an error."),
        (stream(chunk({"content": "So. "})) + 'error: {"code": 500}\n\n', "So. ", "reported an error."),
        (stream(chunk({"content": "So. "})) + "event: error\ndata: gone\n\n", "So. ", "reported an error."),
        (stream(chunk({"content": "So. "}), "no json"), "So. ", "could not be read"),
        (stream(chunk({"content": "So. "}), "[" * 100_000), "So. ", "could not be read"),
        (stream(chunk({"content": "So. "}), "[" + "0," * 100_000 + "0]"), "So. ", "could not be read"),
        (stream(chunk({"content": "So. "}), "x" * 1_100_000), "So. ", "more in one piece than can be read"),
    ],
)
def test_what_is_no_reply_is_told_with_what_came_before_it_said(body, said, words):
    before, _, error = read(body)
    assert (before, words in error) == (said, True), error


@pytest.mark.parametrize(
    "body",
    [
        stream(ROLE),
        stream(chunk({"content": "So. "})),
        stream(chunk({"content": "So. "})) + 'data: {"choices": [{"del',
        chunk({"content": "So. "}) + "\n" + '{"choices": [',
    ],
)
def test_without_an_end_it_is_not_whole(body):
    assert not read(body)[2].is_whole


@pytest.mark.parametrize(
    ("events", "signs"),
    [
        ([chunk({"content": "<think>a</think>"})], {"thinking"}),
        ([chunk({"content": "a</think>"})], {"thinking"}),
        ([chunk({"reasoning": "a"})], {"thinking"}),
        ([chunk({"tool_calls": [{"index": 0}]})], {"tool_call"}),
        ([chunk({"content": "<tool_call>{}</tool_call>"})], {"tool_call"}),
        ([ROLE], set()),
    ],
)
def test_what_there_was_instead_of_text_is_told(events, signs):
    said, seen, _ = read(stream(*events, STOP))
    assert (said, seen - {"waiting"}) == ("", signs)


def test_a_huge_token_comes_in_slices():
    text = "word " * 60_000
    assert read(stream(chunk({"content": text}), STOP))[0] == text


def test_bytes_without_text_are_a_sign_of_life():
    reader = ReplyReader(PLACE, "m", thinks_first=None)
    assert [*reader.push(b": keep-alive\n\n")] == [Alive("waiting")]
    assert [*reader.push(b"data: {")] == [Alive("waiting")]


@pytest.mark.parametrize(
    ("events", "said", "learnt"),
    [
        (["a", "b</think>", "c"], "c", True),
        (["a", "b"], "ab", False),
        (["<think>a", "</think>b"], "b", None),
    ],
)
def test_a_model_known_for_thinking_first_is_held_back(events, said, learnt):
    reader = ReplyReader(PLACE, "some-thinking-model", thinks_first=None)
    body = stream(*[chunk({"content": text}, model="") for text in events], STOP.replace('"m"', '""'))
    assert (read(body, piece=1, reader=reader)[0], reader.learnt) == (said, learnt)


@pytest.mark.parametrize("end", [stream(chunk({}, "length")), ""])
def test_thinking_that_does_not_come_to_its_end_is_no_reply(end):
    said, signs, _ = read(stream(chunk({"content": "a"})) + end, reader=ReplyReader(PLACE, "m", thinks_first=True))
    assert (said, "thinking" in signs) == ("", True)


@pytest.mark.parametrize(
    ("name", "thinks"),
    [
        ("deepseek-r1:7b", True),
        ("DeepSeek-R1-Distill-Qwen-7B-Q4_K_M.gguf", True),
        ("/models/QwQ-32B.gguf", True),
        ("Qwen3-4B-Thinking-2507", True),
        ("deepseek-reasoner", True),
        ("phi-4-reasoning", True),
        ("gpt-4o-mini", False),
        ("qwen3-non-thinking", False),
        ("command-r1000", False),
        ("llama3.2", False),
        ("", False),
    ],
)
def test_what_a_model_is_called_says_whether_it_thinks(name, thinks):
    assert is_thinker(name) is thinks
