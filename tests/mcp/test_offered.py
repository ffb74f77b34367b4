import json
import re

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.called import CUT, MAX_CALL_CHARS
from voice_trio.mcp.answer import NOTHING, text_of
from voice_trio.mcp.config import Command, ServerConfig
from voice_trio.mcp.offered import MOST_ALL_BYTES, MOST_TOOLS, Offers, name_for

AT = Command(argv=("x",), env={}, cwd=None)
EMPTY = {"type": "object"}


def offers(listed, **config):
    found = Offers(ServerConfig(name=config.pop("name", "s"), at=AT, **config))
    found.add(listed)
    return found


def test_a_tool_is_offered_as_apis_take_it():
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": []}
    entry = {"name": "read", "title": "Read a file", "inputSchema": schema, "annotations": {"readOnlyHint": True}}
    (one,) = offers([entry]).offered
    assert one.tool.name == "s__read"
    assert one.tool.description == "Read a file"
    assert one.tool.parameters == {"type": "object", "required": [], "properties": {}}
    assert not one.has_effects


@pytest.mark.parametrize("hint", [None, False, "true", 1])
def test_what_does_not_say_that_it_only_reads_has_effects(hint):
    (one,) = offers([{"name": "a", "inputSchema": EMPTY, "annotations": {"readOnlyHint": hint}}]).offered
    assert one.has_effects


def test_definitions_that_many_refer_to_are_counted_as_often():
    """Each level refers twice to the next: a few hundred bytes would be written out as a million parts."""
    levels = {
        f"d{level}": {"type": "object", "properties": {"a": {"$ref": f"#/$defs/d{level + 1}"}}}
        | {"additionalProperties": {"$ref": f"#/$defs/d{level + 1}"}}
        for level in range(9)
    }
    schema = EMPTY | {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": levels | {"d9": {"type": "string"}}}
    assert offers([{"name": "a", "inputSchema": schema}]).left_out == {"a": "has a schema of too many parts"}


def test_a_reference_with_a_strange_name_is_followed():
    schema = EMPTY | {"properties": {"a": {"$ref": "#/$defs/a~1b~0c"}}, "$defs": {"a/b~c": {"type": "string"}}}
    assert len(offers([{"name": "a", "inputSchema": schema}]).offered) == 1


def test_references_that_lead_from_one_to_the_next_are_not_followed_for_ever():
    chain = {f"d{number}": {"$ref": f"#/$defs/d{number + 1}"} for number in range(500)}
    schema = EMPTY | {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": chain | {"d500": {"type": "string"}}}
    assert offers([{"name": "a", "inputSchema": schema}]).left_out == {"a": "has a schema of more than 12 levels"}


def test_half_a_character_is_mended():
    schema = EMPTY | {"properties": {"a": {"description": "\ud83d"}}}
    (one,) = offers([{"name": "a", "description": "\ud83d", "inputSchema": schema}]).offered
    assert one.tool.description == "\ufffd"
    assert one.tool.parameters["properties"] == {"a": {"description": "\ufffd"}}


def test_all_together_are_bounded():
    listed = [{"name": str(number), "description": "x" * 5000, "inputSchema": EMPTY} for number in range(1000)]
    found = offers(listed)
    assert 100 < len(found.offered) <= MOST_TOOLS
    assert sum(len(one.tool.description) for one in found.offered) < MOST_ALL_BYTES
    assert 0 < len(found.left_out) < 50


@given(st.lists(st.text(min_size=1), unique=True, max_size=20), st.text(min_size=1, max_size=100))
def test_names_can_be_written_and_differ(tools, server):
    config = ServerConfig(name=server, at=AT)
    found = [name_for(config, tool) for tool in tools]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in found)
    assert len(set(found)) == len(found)


def test_a_name_stays_as_it_is_where_it_can():
    config = ServerConfig(name="s", at=AT)
    assert name_for(config, "a-b_C9") == "s__a-b_C9"
    assert name_for(config, "x" * 61) == "s__" + "x" * 61
    assert re.fullmatch(r"s__x{52}_[0-9a-f]{8}", name_for(config, "x" * 62))
    assert re.fullmatch(r"s__a_b_[0-9a-f]{8}", name_for(config, "a.b"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["name", "type", "text", "content", "inputSchema", "properties", "resource", "uri", "$ref"])
            | st.text(),
            inner,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON))
def test_any_list_at_all_is_taken(listed):
    for one in offers(listed).offered:
        json.dumps(one.tool.parameters, ensure_ascii=False).encode()


@given(st.dictionaries(st.sampled_from(["content", "structuredContent", "isError"]), JSON | st.lists(JSON)))
def test_any_answer_at_all_is_text(result):
    text = text_of(result)
    assert 0 < len(text) <= MAX_CALL_CHARS
    text.encode()


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}, "One.\nTwo."),
        ({"content": [{"type": "text", "text": "One."}], "structuredContent": {"a": 1}}, "One."),
        ({"content": [], "structuredContent": {"a": "é"}}, '{"a": "é"}'),
        ({"content": [{"type": "image", "data": "AAAA"}, {"type": "audio"}]}, "[an image]\n[a recording]"),
        ({"content": [{"type": "resource", "resource": {"uri": "a:b", "text": "In it."}}]}, "In it."),
        (
            {"content": [{"type": "resource", "resource": {"uri": "a:b", "blob": "AAAA"}}]},
            "[a file that is no text: a:b]",
        ),
        ({"content": [{"type": "resource_link", "uri": "data:image/png;base64,AAAA"}]}, "[a link: data]"),
        ({"content": [{"type": "hologram"}]}, "[something that is no text]"),
        ({"content": [{"type": "text", "text": " \n"}]}, NOTHING),
        ({"content": "text"}, NOTHING),
        ({}, NOTHING),
        ({"content": [{"type": "text", "text": "\ud83d"}]}, "\ufffd"),
    ],
)
def test_an_answer_is_text(result, text):
    assert text_of(result) == text


def test_a_long_answer_says_that_it_was_cut():
    fits = {"content": [{"type": "text", "text": "x" * MAX_CALL_CHARS}]}
    assert text_of(fits) == "x" * MAX_CALL_CHARS
    for content in (["x" * (MAX_CALL_CHARS + 1)], ["x" * MAX_CALL_CHARS, "y"], ["x"] * MAX_CALL_CHARS):
        text = text_of({"content": [{"type": "text", "text": part} for part in content]})
        assert len(text) == MAX_CALL_CHARS
        assert text.endswith(CUT)
