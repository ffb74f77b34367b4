"""What each client's connections may cost the loop, in which all clients are served.

Whatever a client sends has a price in units of work. A connection pays from an allowance of its own: its equal share
of what its address may cost in the long run, so that a neighbour behind the same address cannot take it; a session has
one that no share makes smaller. For bursts there is a pot that all connections of an address share, and that a new
connection does not refill. Where both are empty, the connection is read no further until its own share has paid: what
it sends then waits at its sender's side. Nobody is cut off for being fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import trio

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.rate import TokenBucket
from voice_trio.server.addresses import client_of

ALLOWANCE = "allowance"
"""Under this name a request's ``state`` holds its connection's."""

# A unit is about 20 us of one core: what it takes to read one frame of a WebSocket and to throw it away.
MESSAGE = 10
"""A whole message, which goes up to a session."""
FRAME = 5
"""Any other frame: a fragment, a ping, a pong. Honest clients need few of them."""
ANSWERED_FRAME = 25
"""A ping, which is answered at once."""
BODY_PIECE = 15
"""A piece of a request's body, however small."""
REQUEST = 120
"""Also for a small answer: what takes it and gives it passes five layers of two libraries."""
HEAD_BYTE = 0.05
"""Of a request: headers and a query's parameters are taken apart one by one."""
BAD_REQUEST = 150
"""What is no request, to have been read and answered."""
SESSION = 150
"""Also for an upload."""
WALK = 1_000
"""Through what is remembered, to find some of it."""
CONNECTION = 60
"""With its end."""

_UNITS_PER_S = 4_000.0
"""Of one address, shared by its connections: a twelfth of a core."""
_LEAST_UNITS_PER_S = 200.0
"""Of one connection, however many there are."""
_SESSION_UNITS_PER_S = 1_600.0
"""The same where there is a session: speech in messages of 8 ms needs 1,250."""
_OWN_UNITS = 100.0
"""What a connection may save up of its own; it begins with nothing."""
_POT_UNITS = 20_000.0
_POT_UNITS_PER_S = 1_000.0
_FIRST_UNITS = 600.0
"""What a connection may have cost before it leaves half of the pot to the others: enough to begin a session."""

_POT_SAMPLES = 120.0 * SAMPLE_RATE
_POT_SAMPLES_PER_S = 20.0 * SAMPLE_RATE
"""Audio beyond the speed of speech, of all sessions of an address: to look for speech in a second of it costs 5 ms."""
_CANCELLING = 5
"""Times as much it costs where the echo is taken out of it as well: 24 ms a second."""
_OWN_SAMPLES = 2.0 * SAMPLE_RATE
_OWN_SAMPLES_PER_S = 1.5 * SAMPLE_RATE

_SWEEP_FROM = 1_000
"""So many addresses may be remembered before those that are as new are looked for."""


class Address:
    """One client's connections, and what they share."""

    def __init__(self) -> None:
        self.connections = 0
        self.sessions = 0
        """So many of them."""
        self.units = TokenBucket(_POT_UNITS, _POT_UNITS_PER_S)
        self.samples = TokenBucket(_POT_SAMPLES, _POT_SAMPLES_PER_S)

    def is_as_new(self, now: float) -> bool:
        """Return whether a new one would be no different."""
        return not self.connections and self.units.is_full(now) and self.samples.is_full(now)


class Allowance:
    """One connection's. Times are Trio's, in seconds."""

    def __init__(self, address: Address) -> None:
        self.address = address
        """Of those who share the pots."""
        self.has_session = False
        self._paid_units = 0.0
        self._units = TokenBucket(_OWN_UNITS, _UNITS_PER_S, level=0.0)
        self._samples = TokenBucket(_OWN_SAMPLES, _OWN_SAMPLES_PER_S, level=0.0)

    async def pay(self, units: float) -> None:
        """Pay for work, and wait until it is paid; a checkpoint in any case."""
        sharing = self.address.connections - self.address.sessions
        least = _SESSION_UNITS_PER_S if self.has_session else _LEAST_UNITS_PER_S
        self._units.per_s = max(_UNITS_PER_S / max(1, sharing), least)
        self._paid_units += units
        leave = 0.0 if self._paid_units <= _FIRST_UNITS else _POT_UNITS / 2
        await self._pay(self._units, self.address.units, units, leave)

    async def pay_for_session(self) -> None:
        """Pay for a session that begins, and may be kept from speaking by nobody from now on."""
        if not self.has_session:
            self.has_session = True
            self.address.sessions += 1
        await self.pay(SESSION)

    async def pay_for_audio(self, samples: int, *, cancelling: bool = False) -> None:
        """Pay for ``samples`` of audio that is to be heard. There is a checkpoint only if they come fast.

        ``cancelling`` says that an echo is taken out of them: what comes as it is spoken is as free as any, and the
        rest costs the others more.
        """
        if not self._samples.take(samples, trio.current_time()):
            await self._pay(self._samples, self.address.samples, samples, price=_CANCELLING if cancelling else 1)

    @staticmethod
    async def _pay(own: TokenBucket, shared: TokenBucket, amount: float, leave: float = 0.0, *, price: int = 1) -> None:
        now = trio.current_time()
        if own.take(amount, now) or shared.take(price * amount, now, leave=leave):
            await trio.lowlevel.checkpoint()
        else:
            await trio.sleep(own.owe(amount, now))


class Allowances:
    """The register of the addresses whose connections are open, or have not paid yet."""

    def __init__(self) -> None:
        self._addresses: dict[str, Address] = {}
        self._sweep_at = _SWEEP_FROM

    def __len__(self) -> int:
        return len(self._addresses)

    @contextmanager
    def open(self, address: str | None) -> Iterator[Allowance]:
        """Hold the allowance of one connection from ``address``; None shares with nobody: a proxy is many people."""
        shared = Address() if address is None else self._of(address)
        shared.connections += 1
        allowance = Allowance(shared)
        try:
            yield allowance
        finally:
            self._leave(allowance)

    def move(self, allowance: Allowance, address: str) -> None:
        """Charge what ``allowance`` does not have to ``address`` from now on."""
        self._leave(allowance)
        allowance.address = self._of(address)
        allowance.address.connections += 1
        allowance.address.sessions += allowance.has_session

    @staticmethod
    def _leave(allowance: Allowance) -> None:
        allowance.address.connections -= 1
        allowance.address.sessions -= allowance.has_session

    def _of(self, address: str) -> Address:
        address = client_of(address)
        found = self._addresses.get(address)
        if found is None:
            if len(self._addresses) >= self._sweep_at:
                now = trio.current_time()
                self._addresses = {key: one for key, one in self._addresses.items() if not one.is_as_new(now)}
                self._sweep_at = max(_SWEEP_FROM, 2 * len(self._addresses))
            found = self._addresses[address] = Address()
        return found


def allowance_of(scope: Mapping[str, Any]) -> Allowance | None:
    """Return what the connection of an ASGI ``scope`` may cost, where our Hypercorn serves it."""
    found: Allowance | None = scope.get("state", {}).get(ALLOWANCE)
    return found
