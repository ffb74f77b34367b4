"""What sounds next, and what is known of it."""

import numpy as np
import pytest

from voice_trio.sounding.device import RATE
from voice_trio.sounding.player import Mark, Player

TURN_RATE = 24_000
SECOND = (np.sin(np.arange(TURN_RATE) / 10) * 8000).astype("<i2").tobytes()


def pulled(player, count):
    pcm, marks = player.pull(count)
    samples = np.frombuffer(pcm, "<i2")
    assert len(samples) == count
    assert marks[0].at == 0
    return samples, marks


@pytest.fixture
def player():
    """One with a second of turn 1, and nothing after it."""
    player = Player()
    player.push(1, TURN_RATE, SECOND)
    player.end()
    return player


def test_nothing_sounds_where_there_is_nothing():
    samples, marks = pulled(Player(), 480)
    assert not samples.any()
    assert marks == [Mark(0, None, 0)]


def test_a_turn_sounds_whole_and_each_block_knows_where_it_is(player):
    heard = []
    for block in range(RATE // 480):
        assert player.playing() == (1, block * 240)
        samples, marks = pulled(player, 480)
        assert marks[0] == Mark(0, 1, block * 240)
        heard.append(samples)
    assert np.abs(np.concatenate(heard)).max() == pytest.approx(8000, rel=0.05)
    samples, marks = pulled(player, 480)
    assert marks[-1].turn is None
    assert player.playing() is None


def test_where_it_ends_in_a_block_is_known(player):
    _, marks = pulled(player, RATE + 300)
    assert marks[-1] == Mark(RATE, None, 0)


def test_what_is_held_fades_out_stands_still_and_goes_on_where_it_stood(player):
    pulled(player, 4800)
    player.hold(1)
    samples, marks = pulled(player, 960)
    assert samples[:240].any()
    assert not samples[480:].any()
    assert marks[-1] == Mark(480, None, 0)
    where = player.playing()
    assert not pulled(player, 960)[0].any()
    assert player.playing() == where == (1, 2640)
    player.release()
    samples, marks = pulled(player, 480)
    assert samples.any()
    assert marks == [Mark(0, 1, 2640)]


def test_another_turn_is_not_held(player):
    player.hold(2)
    assert pulled(player, 960)[0][480:].any()


def test_what_is_dropped_fades_out_and_is_gone_with_all_before_it(player):
    player.push(2, TURN_RATE, SECOND)
    pulled(player, 480)
    player.drop(2)
    samples, _ = pulled(player, 960)
    assert samples[:240].any()
    assert not samples[480:].any()
    assert player.playing() is None
    player.push(2, TURN_RATE, SECOND)
    assert player.playing() is None
    player.push(3, TURN_RATE, SECOND)
    assert player.playing() == (3, 0)


def test_the_next_turn_sounds_when_the_one_before_it_is_dropped(player):
    player.push(2, 22_050, SECOND)
    player.drop(1)
    _, marks = pulled(player, 960)
    assert [mark.turn for mark in marks][-1] == 2
    assert player.playing()[0] == 2


def test_what_is_dropped_while_it_is_held_is_gone_at_once(player):
    player.hold(1)
    pulled(player, 960)
    player.drop(1)
    assert not pulled(player, 480)[0].any()
    assert player.playing() is None
    player.push(2, TURN_RATE, SECOND)
    assert pulled(player, 480)[0].any(), "what is held is the turn, not the player"


def test_a_reply_that_is_made_anew_takes_the_place_of_the_first(player):
    pulled(player, 4800)
    player.anew(1)
    player.push(1, TURN_RATE, SECOND)
    player.end()
    _, marks = pulled(player, RATE + 480)
    assert Mark(480, 1, 0) in marks


def test_what_comes_late_goes_on_where_it_was():
    player = Player()
    player.push(1, TURN_RATE, SECOND[:4800])
    _, marks = pulled(player, RATE)
    assert marks[-1].turn is None
    where = player.playing()[1]
    player.push(1, TURN_RATE, SECOND[4800:])
    player.end()
    _, marks = pulled(player, 480)
    assert marks[0] == Mark(0, 1, where)
