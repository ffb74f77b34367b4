"""Where a client is told that items stand, whatever comes, goes and is put off."""

from hypothesis import given, strategies as st

from voice_trio.core.items import MAX_ITEMS
from voice_trio.wire.realtime.items import Order

KEYS = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.tuples(st.sampled_from(["add", "put_off", "tell", "remove"]), KEYS, st.none() | KEYS)


def order_of(*ids):
    order = Order()
    for before, item in zip((None, *ids), ids, strict=False):
        order.add(item, before)
    return order


def test_what_was_put_off_and_removed_may_come_back_anywhere():
    order = Order()
    order.put_off("call_1_1", None)
    order.put_off("call_1_0", "call_1_1")
    order.remove("call_1_1")
    order.put_off("call_1_1", "call_1_0")
    assert order.add("a", "call_1_0") is None
    assert order.add("b", "call_1_1") == "a"


@given(st.lists(STEPS, max_size=20))
def test_an_item_is_told_to_be_behind_one_that_was_told(steps):
    order, told = Order(), set()
    for step, item, after in steps:
        match step:
            case "add":
                told.discard(item)
                before = order.add(item, after)
                assert before is None or before in told
                assert after not in told or before == after
                told.add(item)
            case "put_off":
                order.put_off(item, after)
                told.discard(item)
            case "remove":
                order.remove(item)
                told.discard(item)
            case "tell" if item in order._ids:
                order.tell(item)
                told.add(item)
        assert set(order._ids) - order._untold == told
        assert order._untold <= set(order._ids)


def test_what_was_behind_one_that_is_gone_is_behind_the_one_before_it():
    order = order_of("a", "b")
    order.put_off("c", "b")
    order.remove("b")
    order.tell("c")
    assert order.before("c") == "a"


def test_no_more_items_are_kept_than_the_session_keeps():
    order = order_of(*map(str, range(MAX_ITEMS + 5)))
    assert order._ids == [str(number) for number in range(5, MAX_ITEMS + 5)]
    assert order.before("5") is None
    # As in the session, it is not the newest that leaves.
    assert order.add("new", None) is None
    assert order._ids[:2] == ["new", "6"]
    assert len(order._ids) == MAX_ITEMS
