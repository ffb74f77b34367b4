"""Which conversations this process, a node of a fleet, has against the others that use the same database.

# Theory

A claim is a row with an epoch, and every turn is committed in one transaction with a look at it: so whatever a node
believes, nothing gets into a conversation that another has taken over. That alone keeps the record in order.

So that nobody waits for a node that is dead, each puts a deadline off by one heartbeat for all it has, three times
within the TTL. Until the deadline that it knows of, by its own clock, a node need not ask whether it still has what
it claimed: nobody may bury it before. It asks again after that, since it may have stood still, or have been cut off.
If it was buried, all that it had is lost, and it begins anew under another name; if it was not, nothing is. A
database that was away for longer than the TTL costs nobody a claim, unless another node came and wanted it.

The clock goes on while the machine sleeps, where the system has such a one.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Final

import structlog
import trio

from voice_trio.memory.base import ClaimLost, StoreError, StoreUnsure
from voice_trio.memory.postgres import claim_rows as rows
from voice_trio.memory.postgres.connection import Orphan
from voice_trio.memory.postgres.connections import USE_S, Connections

log = structlog.get_logger()

_BEATS: Final = 3
"""Heartbeats within the TTL."""

_AGAIN_S: Final = 0.5
"""After so long a heartbeat that failed is tried again, and what could not be given back is."""

_LEAVE_S: Final = 2.0

_NAME_BYTES: Final = 12

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(slots=True)
class _Held:
    """A conversation that was claimed."""

    epoch: int | None
    """Of the claim; None where that was lost."""
    recalled_in: int | None = None
    """The epoch in which it was recalled last: what is said since then goes on from there."""


class NodeClaims:
    """What one node has. `run` has to run meanwhile."""

    def __init__(self, connections: Connections, heart: Connections, *, ttl_s: float) -> None:
        """The heartbeat has connections of its own, ``heart``, so that it waits for nobody."""
        self._connections = connections
        self._heart = heart
        self._ttl_s = ttl_s
        self._node: str | None = None
        """None before there was anything to claim, and after the node was buried."""
        self._ours_until = -inf
        """By `_now`: nobody may bury the node before."""
        self._held: dict[str, _Held] = {}
        self._left: deque[tuple[str, int]] = deque()
        """What is to be given back, with the epoch of the claim."""
        self._unsure: set[str] = set()
        """What may have been claimed, or not, for an answer was lost: that is given back as well."""
        self._leaving = trio.Event()
        self._one_tidies = trio.Lock()
        self._one_beats = trio.Lock()

    async def hold(self, conversation: str) -> bool:
        """Have ``conversation`` until it is let go; False where another node has it. Raises `StoreError`."""
        while True:
            await self._be_current()
            if (held := self._held.get(conversation)) is not None and held.epoch is not None:
                return True
            node = self._node
            assert node is not None
            try:
                async with self._one_tidies if conversation in self._unsure else nullcontext():
                    epoch = await self._connections.use(partial(rows.claim, conversation=conversation, node=node))
            except Orphan:
                self._ours_until = -inf
                continue
            except StoreUnsure:
                self._unsure.add(conversation)
                self._leaving.set()
                raise
            if node == self._node:
                break
        self._unsure.discard(conversation)
        if epoch is not None:
            self._held.setdefault(conversation, _Held(epoch)).epoch = epoch
        return epoch is not None

    def let_go(self, conversation: str) -> None:
        """Leave ``conversation`` to others, soon; one that is not held is no matter. Never waits."""
        held = self._held.pop(conversation, None)
        if held is not None and held.epoch is not None:
            self._left.append((conversation, held.epoch))
            self._leaving.set()

    def has(self, conversation: str) -> bool:
        """Return whether it was held, and not let go since, though it may be lost."""
        return conversation in self._held

    def recalled(self, conversation: str) -> None:
        """Note that ``conversation`` is recalled now, if it is held."""
        if conversation in self._held:
            self._held[conversation].recalled_in = self._held[conversation].epoch

    def epoch(self, conversation: str) -> int:
        """Return the epoch that a commit has to look at: where it was lost and is held again, still the one before.

        So what was begun before does not come in behind what others added. Raises `ClaimLost`.
        """
        held = self._held[conversation]
        epoch = held.epoch if held.recalled_in is None else held.recalled_in
        if epoch is None:
            raise ClaimLost("another server has that conversation by now")
        return epoch

    def lost(self, conversation: str, epoch: int) -> None:
        """Note that a commit found the claim of ``epoch`` gone, so that it is asked for anew."""
        held = self._held.get(conversation)
        if held is not None and held.epoch == epoch:
            held.epoch = None

    async def run(self) -> None:
        """Beat, and give back what was let go, until cancelled; then leave, so that nobody waits for us."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._beat_on)
                nursery.start_soon(self._give_back_on)
        finally:
            if self._node is not None:
                with trio.move_on_after(_LEAVE_S, shield=True), suppress(StoreError):
                    await self._heart.use(partial(rows.leave, node=self._node), seconds=_LEAVE_S)

    async def _beat_on(self) -> None:
        pause_s, told = self._ttl_s / _BEATS, False
        while True:
            await trio.sleep(pause_s)
            if self._node is None:
                continue
            try:
                async with self._one_beats:
                    await self._beat()
            except StoreError as error:
                if not told:
                    log.warning("PostgreSQL does not hear of us: others may take our conversations", reason=str(error))
                pause_s, told = min(_AGAIN_S, self._ttl_s / _BEATS), True
            else:
                pause_s, told = self._ttl_s / _BEATS, False

    async def _give_back_on(self) -> None:
        while True:
            await self._leaving.wait()
            self._leaving = trio.Event()
            while self._left or self._unsure:
                try:
                    await self._give_back_one()
                except StoreError:
                    # Nobody else can have it until then.
                    await trio.sleep(_AGAIN_S)

    async def _give_back_one(self) -> None:
        if self._left:
            conversation, epoch = self._left[0]
            await self._connections.use(partial(rows.give_back, conversation=conversation, epoch=epoch))
            if self._left and self._left[0] == (conversation, epoch):
                self._left.popleft()
            return
        async with self._one_tidies:
            # Whoever wants it meanwhile waits for the end of this.
            for conversation in [*self._unsure][:1]:
                if self._node is not None:
                    await self._connections.use(partial(rows.forsake, conversation=conversation, node=self._node))
                self._unsure.discard(conversation)

    async def _be_current(self) -> None:
        """See to it that what we believe to have is ours."""
        if _now() >= self._ours_until:
            async with self._one_beats:
                if _now() >= self._ours_until:
                    await self._beat()

    async def _beat(self) -> None:
        seconds = min(USE_S, self._ttl_s / _BEATS)
        began_at = _now()
        if self._node is not None:
            renew = partial(rows.renew, node=self._node, ttl_s=self._ttl_s)
            if not await self._heart.use(renew, seconds=seconds):
                log.warning("PostgreSQL had not heard of us for too long: we begin anew", conversations=len(self._held))
                self._node, self._ours_until = None, -inf
                for held in self._held.values():
                    held.epoch = None
                self._left.clear()
                self._unsure.clear()
        if self._node is None:
            # Each time under another name, so that nobody takes us for the one that was buried.
            node, began_at = secrets.token_urlsafe(_NAME_BYTES), _now()
            await self._heart.use(partial(rows.enter, node=node, ttl_s=self._ttl_s), seconds=seconds)
            self._node = node
        self._ours_until = began_at + self._ttl_s


def _now() -> float:
    return time.clock_gettime(_CLOCK)
