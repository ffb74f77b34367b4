"""How long it takes until a turn is remembered, with so many at once."""

from __future__ import annotations

import time
from collections.abc import Sequence

import trio

from tests.memory.records import record
from voice_trio.config import Settings
from voice_trio.memory.base import Store
from voice_trio.memory.holds import Claims
from voice_trio.memory.open import open_holds, open_store

_WARM_UP = 5
"""Turns of each that are not counted."""


async def measure(settings: Settings, *, at_once: int, each: int) -> Sequence[float]:
    """Return the seconds of each commit, where so many conversations go on at once, with ``each`` so many turns."""
    took: list[float] = []

    async def talk(store: Store, claims: Claims, name: str) -> None:
        conversation = await store.begin()
        assert await claims.claim(conversation, name)
        for turn in range(_WARM_UP + each):
            one = record(conversation, turn, said="What is the weather like today? " * 3, reply="It is fine. " * 20)
            began_at = time.perf_counter()
            await store.commit(one)
            if turn >= _WARM_UP:
                took.append(time.perf_counter() - began_at)

    async with open_store(settings) as store:
        with open_holds(settings, store) as holds:
            claims = Claims(holds)
            async with trio.open_nursery() as nursery:
                for number in range(at_once):
                    nursery.start_soon(talk, store, claims, f"session {number}")
    return took
