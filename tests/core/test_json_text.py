"""Parsing never wakes the garbage collector, and leaves it as it was."""

import gc

import pytest

from voice_trio.core.strange_text import parse


@pytest.fixture
def collections():
    """Return a list that grows with each collection, of which there is one every ten objects."""
    seen, thresholds = [], gc.get_threshold()

    def collected(phase, info):
        seen.append(phase)

    gc.callbacks.append(collected)
    gc.set_threshold(10, 1, 1)
    yield seen
    gc.set_threshold(*thresholds)
    gc.callbacks.remove(collected)


def test_no_collection_comes_in_between(collections):
    text = "[" + "[]," * 20_000 + "0]"
    before = len(collections)
    value = parse(text)
    after = len(collections)
    assert len(value) == 20_001
    assert after - before <= 2
    assert gc.isenabled()


@pytest.mark.parametrize("text", ["", "[", "nonsense", "[" * 200_000])
def test_what_is_none_leaves_the_collector_on(text):
    with pytest.raises((ValueError, RecursionError)):
        parse(text)
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        assert parse(b'{"a": 1}') == {"a": 1}
        assert not gc.isenabled()
    finally:
        gc.enable()
