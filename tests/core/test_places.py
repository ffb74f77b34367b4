"""Who gets a place, and who has to leave for that: by table, and in drawn crowds."""

from contextlib import ExitStack

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.places import Places


class Guest:
    """A holder of a place; ``idle_since`` is a time, or None."""

    def __init__(self, client, idle_since):
        self.client = client
        self.idle_since = idle_since
        self.here = True
        self.stack = ExitStack()

    def make_way(self):
        assert self.here
        self.here = False

    def __repr__(self):
        return f"{self.client}{'+' if self.idle_since is None else self.idle_since}"


def came(places, guest):
    """Return whether ``guest`` got a place."""
    if not places.have_room(guest.client):
        return False
    guest.stack.enter_context(places.hold(guest.client, guest))
    return True


def guests(text):
    """Return who ``text`` names: each with a letter for its client, and when it fell idle; + is at work."""
    return [Guest(one[0], None if one[1:] == "+" else int(one[1:])) for one in text.split()]


@pytest.mark.parametrize(
    ("most", "share", "there", "comes", "leaves"),
    [
        # There is room: nobody leaves, however many each has.
        (4, 1, "a1 a2 a3", "a9", ""),
        (4, 1, "a1 a2 a3", "b9", ""),
        # One has all of it. Who has been idle longest goes first, then the latest at work.
        (4, 2, "a1 a2 a3 a4", "b9", "a1"),
        (4, 2, "a4 a3 a2 a1", "b9", "a1"),
        (4, 2, "a+ a+ a5 a+", "b9", "a5"),
        (4, 2, "a+ a+ a+ a+", "b9", "the last"),
        # Not for another of the same, and not for one who has as much, or would have.
        (4, 2, "a1 a2 a3 a4", "a9", None),
        (4, 2, "a1 a2 b3 b4", "b9", None),
        (5, 1, "a1 a2 a3 b4 b5", "b9", None),
        (6, 1, "a1 a2 a3 a4 b5 b6", "b9", "a1"),
        # Who has a share loses nothing, also where another has less.
        (4, 2, "a1 a2 b3 b4", "c9", None),
        (4, 1, "a1 a2 b3 b4", "c9", "a1"),
        (4, 1, "a1 b2 c3 d4", "e9", None),
        # From the client that has most, as long as there is an idle one.
        (5, 1, "a+ a+ a+ b1 b2", "c9", "b1"),
        (5, 1, "a8 a+ a+ b1 b2", "c9", "a8"),
        (5, 1, "b+ b+ a+ a+ a+", "c9", "the last"),
        # Somebody at work is cut off only for who has less than a share.
        (8, 1, "a+ a+ a+ a+ a+ a+ b1 b2", "b9", None),
        (8, 1, "a+ a+ a+ a+ a+ a1 b1 b2", "b9", "a1"),
        (8, 3, "a+ a+ a+ a+ a+ a+ b1 b2", "b9", "the last of a"),
        # A share is half at most, and one at least.
        (2, 9, "a1 a2", "b9", "a1"),
        (3, 9, "a1 a2 a3", "b9", "a1"),
        (1, 9, "a1", "b9", None),
        (1, 1, "a+", "b9", None),
    ],
)
def test_who_leaves_for_whom(most, share, there, comes, leaves):
    places = Places(most, share)
    crowd = guests(there)
    assert all(came(places, guest) for guest in crowd)
    (newcomer,) = guests(comes)
    assert came(places, newcomer) is (leaves is not None)
    gone = [guest for guest in crowd if not guest.here]
    if leaves == "the last":
        assert gone == crowd[-1:]
    elif leaves == "the last of a":
        assert gone == [[guest for guest in crowd if guest.client == "a"][-1]]
    else:
        assert " ".join(map(repr, gone)) == (leaves or "")
    assert len(places) == len(crowd) - len(gone) + (leaves is not None)


moments = st.none() | st.integers(0, 20)
arrivals = st.tuples(st.just("comes"), st.sampled_from("abcdef"), moments)
others = st.tuples(st.sampled_from(["leaves", "turns"]), st.integers(0, 99), moments)


@given(st.integers(1, 9), st.integers(1, 9), st.lists(arrivals | others, max_size=60))
def test_what_is_promised_in_every_crowd(most, share, happenings):
    places = Places(most, share)
    here: list[Guest] = []
    share = max(1, min(share, most // 2))

    def count(client):
        return sum(guest.client == client for guest in here)

    for what, who, moment in happenings:
        if what == "comes":
            guest, before = Guest(who, moment), {client: count(client) for client in "abcdef"}
            entered = came(places, guest)
            gone = [one for one in here if not one.here]
            here = [one for one in here if one.here] + [guest] * entered
            assert entered >= (sum(before.values()) < most), "a free place is anybody's"
            assert entered or before[who] >= share or max(before.values()) <= share
            assert len(gone) == (entered and sum(before.values()) == most)
            for one in gone:
                assert one.client != who
                assert before[one.client] > share, "a share is not taken from anybody"
                assert count(one.client) >= count(who), "nor does anybody end up with less than whom it went to"
                assert not places.have_room(one.client), "and it does not come back"
                if one.idle_since is None:
                    assert before[who] < share
        elif here and what == "leaves":
            here.pop(who % len(here)).stack.close()
        elif here:
            here[who % len(here)].idle_since = moment
        assert len(places) == len(here) <= most
    places.clear()
    assert len(places) == 0
    assert not any(guest.here for guest in here)


def test_who_made_way_gives_its_place_back_only_once():
    places = Places(2, 1)
    first, second, third = guests("a1 a2 b3")
    with places.hold("a", second):
        with places.hold("a", first):
            third.stack.enter_context(places.hold("b", third))
            assert not first.here
            assert len(places) == 2
        assert len(places) == 2
    third.stack.close()
    assert len(places) == 0
