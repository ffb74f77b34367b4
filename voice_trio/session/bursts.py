"""A burst of audio is heard a slice at a time, in turn with those of all the sessions that share the loop.

To look for speech takes up to 0.2 ms a frame, and a client may send a whole utterance at once. Audio that comes as it
is spoken is in messages of a slice or less, and never waits here.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from voice_trio.core.audio import FRAME_BYTES

SLICE_BYTES = 4 * FRAME_BYTES
"""Heard in one step of the loop, which takes up to a millisecond."""

_TURNS: trio.lowlevel.RunVar[trio.Lock] = trio.lowlevel.RunVar("turns of bursts")


async def hear_in_turn(pcm: bytes, hear: Callable[[bytes, int], None]) -> None:
    """Have ``hear`` take ``pcm`` a slice at a time, each with the bytes that all of it has.

    A checkpoint lies between any two slices, and other sessions' bursts.
    """
    if len(pcm) <= SLICE_BYTES:
        hear(pcm, len(pcm))
        return
    try:
        turns = _TURNS.get()
    except LookupError:
        turns = trio.Lock()
        _TURNS.set(turns)
    for at in range(0, len(pcm), SLICE_BYTES):
        # The session that waited longest is next: a lock that is given back goes to it.
        async with turns:
            hear(pcm[at : at + SLICE_BYTES], len(pcm))
