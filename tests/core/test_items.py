import pytest
from hypothesis import given, strategies as st

from voice_trio.core.items import (
    FIRST,
    MAX_ITEM_CHARS,
    MAX_ITEMS,
    Duplicate,
    Items,
    NoSuchItem,
    ToolOutput,
    ToolUse,
    Words,
    reply_id,
    said_id,
    tool_use_id,
    turn_of,
)


def words(key, text="text", by="person"):
    return Words(id=key, by=by, text=text)


def ids(items):
    return [item.id for item in items]


@pytest.mark.parametrize(
    ("after", "order", "before"),
    [
        (None, ["a", "b", "c", "new"], "c"),
        ("c", ["a", "b", "c", "new"], "c"),
        (FIRST, ["new", "a", "b", "c"], None),
        ("a", ["a", "new", "b", "c"], "a"),
    ],
)
def test_an_item_comes_where_it_is_wanted(after, order, before):
    items = Items(map(words, "abc"))
    items.add(words("new"), after)
    assert ids(items) == order
    assert items.before("new") == before


def test_the_first_of_all():
    items = Items()
    items.add(words("a"), FIRST)
    assert items.before("a") is None
    items.add(words("b"), FIRST)
    assert ids(items) == ["b", "a"]


def test_what_is_not_there_is_no_place_and_what_is_there_comes_no_second_time():
    items = Items(map(words, "ab"))
    with pytest.raises(NoSuchItem):
        items.add(words("c"), "nowhere")
    with pytest.raises(Duplicate):
        items.add(words("a"))
    assert ids(items) == ["a", "b"]
    items.delete("a")
    items.add(words("a"))
    assert ids(items) == ["b", "a"]


@pytest.mark.parametrize(
    "act",
    [
        lambda items: items["x"],
        lambda items: items.before("x"),
        lambda items: items.delete("x"),
        lambda items: items.replace(words("x")),
        lambda items: items.cut("x", 1),
        # Only what the assistant said was heard.
        lambda items: items.cut("a", 1),
        lambda items: items.cut("t", 1),
    ],
)
def test_of_what_is_not_there_nothing_is_to_be_had(act):
    items = Items([words("a"), ToolOutput(id="t", call="c", output="o")])
    with pytest.raises(NoSuchItem):
        act(items)
    assert ids(items) == ["a", "t"]


@given(st.lists(st.integers(0, 9), min_size=1))
def test_a_cut_never_lengthens(cuts):
    items = Items([words("r", "0123456789", "assistant")])
    for cut in cuts:
        items.cut("r", cut)
    assert items["r"] == Words(id="r", by="assistant", text="0123456789", heard=min(cuts))


def test_the_oldest_leave_where_there_is_no_room_and_the_newest_stays():
    items = Items()
    for number in range(MAX_ITEMS + 5):
        items.add(words(str(number)))
    assert len(items) == MAX_ITEMS
    assert ids(items)[0] == "5"
    items.add(words("long", "x" * (MAX_ITEM_CHARS + 1)))
    assert ids(items) == ["long"]
    items.add(ToolUse(id="u", call="u", name="look", arguments="y" * MAX_ITEM_CHARS))
    assert ids(items) == ["u"]
    items.add(words("first"), FIRST)
    assert ids(items) == ["first"]


@pytest.mark.parametrize("turn", [1, 42, 2**32 - 1])
def test_ids_of_turns_are_told_from_clients(turn):
    mine = [said_id(turn), reply_id(turn), tool_use_id(turn, 0), tool_use_id(turn, 12)]
    assert {turn_of(key) for key in mine} == {turn}
    assert len({*mine}) == len(mine)
    assert max(map(len, mine)) <= 32


@pytest.mark.parametrize(
    "key", ["", "item_1", "said_", "said_0", "said_1x", "said_1_a", "xsaid_1", "remembered_1_said"]
)
def test_ids_of_clients_are_of_no_turn(key):
    assert turn_of(key) is None
