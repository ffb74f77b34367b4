"""What `watching` says is left behind: what the block left, and nothing that was there before it."""

import trio

from voice_trio.testing.explorer.leftovers import watching


def test_a_token_that_the_block_kept_is_left():
    limiter = trio.CapacityLimiter(2)
    with watching() as left:
        limiter.acquire_on_behalf_of_nowait("the block")
    assert left == ["a limiter of which 1 tokens are held"]


def test_a_token_that_somebody_else_had_before_is_not_left():
    """A thread that is abandoned holds its token for as long as it runs, and after its run of Trio for ever."""
    limiter = trio.CapacityLimiter(2)
    limiter.acquire_on_behalf_of_nowait("somebody else")
    with watching() as left:
        pass
    assert left == []
    with watching() as left:
        limiter.acquire_on_behalf_of_nowait("the block")
    assert left == ["a limiter of which 2 tokens are held"]
