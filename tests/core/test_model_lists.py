"""Lists of models as servers give them: which can talk, by their fields or else by their names."""

import json

import pytest

from voice_trio.core.model_lists import ModelList, is_called, read_models


def listed(*names, **fields):
    return json.dumps(
        {"object": "list", "data": [{"id": name, "object": "model", **fields} for name in names]}
    ).encode()


CAN_TALK = [
    "llama3.2:latest",
    "gpt-oss:20b",
    "qwen3-vl:8b",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "mistralai/Mistral-7B-Instruct-v0.3",
    "/models/Llama-3.2-3B-Instruct-Q4_K_M.gguf",
    "gemma3:1b",
    "smollm2:135m",
    "phi4-mini",
    "deepseek-r1:1.5b",
    "hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M",
    "tinyllama",
]
CANNOT_TALK = [
    "nomic-embed-text:latest",
    "text-embedding-nomic-embed-text-v1.5",
    "mxbai-embed-large",
    "all-minilm:33m",
    "bge-m3",
    "BAAI/bge-reranker-v2-m3",
    "snowflake-arctic-embed2",
    "qwen3-embedding:0.6b",
    "Qwen/Qwen3-Reranker-0.6B",
    "whisper-large-v3",
    "faster-whisper-small",
    "openai/tts-1",
    "kokoro-82m",
    "intfloat/e5-mistral-7b-instruct",
    "google/siglip-so400m",
    "openai/clip-vit-base",
    "stable-diffusion-3.5",
    "llama-guard3:1b",
    "omni-moderation-latest",
    "paraphrase-multilingual",
]


def test_where_nothing_else_is_told_the_name_tells():
    assert read_models(listed(*CAN_TALK, *CANNOT_TALK)) == ModelList(tuple(CAN_TALK), tuple(CANNOT_TALK))


@pytest.mark.parametrize(
    ("fields", "can_talk"),
    [
        ({"type": "llm"}, True),
        ({"type": "vlm"}, True),
        ({"type": "embeddings"}, False),
        ({"type": "reranker"}, False),
        ({"details": {"family": "llama"}}, True),
        ({"details": {"family": "nomic-bert"}}, False),
        ({"details": {"family": "bert"}}, False),
        ({"details": {"family": None}}, True),
        ({"details": None}, True),
        ({"capabilities": ["completion", "multimodal"]}, True),
        ({"capabilities": ["embedding"]}, False),
        ({"capabilities": [["completion"], {}, "embedding"]}, False),
        ({"capabilities": []}, True),
        ({"capabilities": {"completion": True}}, True),
    ],
)
def test_fields_tell_where_there_are_any(fields, can_talk):
    assert read_models(listed("some", **fields)) == (ModelList(("some",)) if can_talk else ModelList((), ("some",)))


def test_what_is_loaded_comes_first():
    models = [{"id": name, "type": "llm", "state": state} for name, state in [("a", "not-loaded"), ("b", "loaded")]]
    assert read_models(json.dumps({"data": models}).encode()) == ModelList(("b", "a"))


def test_one_of_two_lists_may_know_better():
    both = {"models": [{"name": "m", "capabilities": ["embedding"]}], "data": [{"id": "m"}, {"id": "n"}]}
    assert read_models(json.dumps(both).encode()) == ModelList(("n",), ("m",))


def test_no_models_at_all_are_a_list_too():
    for body in (b'{"object":"list","data":null}', b'{"object":"list","data":[]}', b'{"models":[]}'):
        assert read_models(body) == ModelList()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>It works!</body></html>",
        b"\xff\xfe\x00",
        b"[]",
        b'"data"',
        b"{}",
        b'{"data": 5}',
        b'{"data": {"id": "m"}}',
        b'{"data": null}',
        b'{"error": "no"}',
        b"[" * 100_000,
        b'{"data": ' + b"[" * 100_000,
        b"9" * 10_000,
    ],
)
def test_what_is_no_list(body):
    assert read_models(body) is None


@pytest.mark.parametrize("name", ["", None, 5, {}, ["m"], "a" * 201, "\x1b[2J", "two\nlines", "\ud800"])
def test_a_model_that_nobody_could_be_shown_is_none(name):
    body = json.dumps({"data": [{"id": name}, "text", None, 7, {"id": "m"}]}).encode()
    assert read_models(body) == ModelList(("m",))


def test_a_tag_need_not_be_said():
    assert is_called("llama3.2:latest", "llama3.2:latest")
    assert is_called("llama3.2:latest", "llama3.2")
    assert not is_called("llama3.2:1b", "llama3.2")
    assert not is_called("llama3.2", "llama3.2:latest")
