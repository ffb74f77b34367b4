"""A fleet in virtual time: some hundred people, a proxy and servers that fill, die, start and are told to stop.

What is imitated is what stands between people and machines: a proxy that knows how full each server was when it last
asked, tries another one where it is refused with 503, and needs a while to see that one is dead; clients that come
again after `Retry-After`; claims that a dead server leaves behind for their time to live; new servers that take a
while to be there. Computing is a queue for each server's processors.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

import trio

from tools.capacity.demand import Demand, drawn


@dataclass(frozen=True, slots=True)
class Plan:
    """What a fleet is made of, and what happens to it."""

    servers: int = 4
    processors: int = 4
    places: int = 40
    """Sessions that a server takes (STREAM_MAX_SESSIONS)."""
    people: int = 120
    """Who come over the first two minutes, and whenever somebody has left."""
    seconds: float = 900.0
    kill_at_s: float = inf
    """One server dies then."""
    stop_at_s: float = inf
    """One is told to stop then: it takes nobody, and ends when its people have gone."""
    burst_at_s: float = inf
    burst: int = 0
    """So many come at once then, beside the others, for one conversation."""
    grows: bool = False
    """Whether servers are started where the fleet is over `full_share`."""
    seed: int = 1

    check_s: float = 2.0
    """Between two questions of the proxy to each server."""
    falls: int = 2
    """Answers that must be missing before it holds a server for dead."""
    tries: int = 3
    """Servers that it asks for one client."""
    retry_after_s: float = 5.0
    claim_ttl_s: float = 10.0
    boot_s: float = 45.0
    """Until a server that was asked for takes people."""
    look_s: float = 15.0
    full_share: float = 0.7


@dataclass
class Outcome:
    """What people met with."""

    gaps_s: list[float] = field(default_factory=list)
    admissions_s: list[float] = field(default_factory=list)
    """From the wish to talk until a server took them."""
    refused: int = 0
    """Times that somebody was told to come again."""
    gave_up: int = 0
    resumed_s: list[float] = field(default_factory=list)
    """From the death of a server until a conversation went on elsewhere."""
    most_servers: int = 0
    most_people: int = 0


class Server:
    """One of the fleet."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.people = 0
        self.stopping = False
        self.died_at: float | None = None
        self.died = trio.Event()
        self.computing = trio.CapacityLimiter(plan.processors)
        self.told = 1.0
        """Share of its places that was free when the proxy asked last."""
        self.missed = 0

    @property
    def takes_people(self) -> bool:
        """Whether it has a place, as it knows itself."""
        return self.died_at is None and not self.stopping and self.people < self.plan.places

    @property
    def looks_up(self) -> bool:
        """Whether the proxy would ask it."""
        return self.missed < self.plan.falls and self.told > 0

    async def compute(self, seconds: float) -> None:
        """Wait for a processor and use it."""
        async with self.computing:
            await trio.sleep(seconds)


class Fleet:
    """Servers and the proxy before them."""

    def __init__(self, plan: Plan, demand: Demand) -> None:
        self.plan = plan
        self.demand = demand
        self.outcome = Outcome()
        self.servers = [Server(plan) for _ in range(plan.servers)]

    @property
    def people(self) -> int:
        """Who talk now."""
        return sum(one.people for one in self.servers if one.died_at is None)

    def find(self) -> Server | None:
        """Return the server that takes a new session, having asked as many as the proxy does."""
        up = sorted((one for one in self.servers if one.looks_up), key=lambda one: (one.people, -one.told))
        return next((one for one in up[: self.plan.tries] if one.takes_people), None)

    async def keep_checking(self) -> None:
        """Ask each server how full it is."""
        while True:
            for one in self.servers:
                one.missed = 0 if one.died_at is None else one.missed + 1
                one.told = 1.0 - one.people / self.plan.places if not one.stopping else 0.0
            await trio.sleep(self.plan.check_s)

    async def keep_growing(self) -> None:
        """Start a server where the fleet is too full, one at a time."""
        while True:
            await trio.sleep(self.plan.look_s)
            alive = [one for one in self.servers if one.died_at is None and not one.stopping]
            if self.people > self.plan.full_share * len(alive) * self.plan.places:
                await trio.sleep(self.plan.boot_s)
                self.servers.append(Server(self.plan))
                self.outcome.most_servers = max(self.outcome.most_servers, len(alive) + 1)

    async def happen(self) -> None:
        """Let happen what was planned to happen to a server."""
        plan = self.plan
        for at, what in sorted([(plan.kill_at_s, "kill"), (plan.stop_at_s, "stop")]):
            if at == inf:
                return
            await trio.sleep_until(at)
            victim = max((one for one in self.servers if one.died_at is None), key=lambda one: one.people)
            if what == "stop":
                victim.stopping = True
            else:
                victim.died_at = trio.current_time()
                victim.people = 0
                victim.died.set()

    async def admit(self, draw: random.Random) -> Server | None:
        """Return the server that takes somebody who wants to talk; None for who has waited long enough."""
        began_at = trio.current_time()
        for attempt in range(6):
            server = self.find()
            if server is not None:
                server.people += 1
                self.outcome.admissions_s.append(trio.current_time() - began_at)
                self.outcome.most_people = max(self.outcome.most_people, self.people)
                return server
            self.outcome.refused += 1
            # Drawn, or all who were refused together would come again together.
            await trio.sleep(self.plan.retry_after_s * 2**attempt * draw.uniform(0.5, 1.5))
        self.outcome.gave_up += 1
        return None

    async def converse(self, draw: random.Random) -> None:
        """One person's conversation, wherever it goes on."""
        server = await self.admit(draw)
        turns = max(1, round(drawn(draw, self.demand.turns)))
        while server is not None and turns:
            died = server.died
            with trio.CancelScope() as alive:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_cancel_at, died, alive)
                    while turns:
                        await self._turn(server, draw)
                        turns -= 1
                    nursery.cancel_scope.cancel()
            if server.died_at is None:
                server.people -= 1
                return
            if not turns:
                return
            # The claim of the dead is in the way until it is over.
            lost_at, free_at = server.died_at, server.died_at + self.plan.claim_ttl_s
            server = await self.admit(draw)
            await trio.sleep_until(max(free_at, trio.current_time()))
            if server is not None:
                self.outcome.resumed_s.append(trio.current_time() - lost_at)

    async def _turn(self, server: Server, draw: random.Random) -> None:
        demand = self.demand
        await trio.sleep(drawn(draw, demand.thinking_s) + drawn(draw, demand.speech_s))
        spoken_at = trio.current_time()
        await trio.sleep(demand.window_s)
        await server.compute(drawn(draw, demand.final_cpu_s))
        await trio.sleep(demand.model_s)
        await server.compute(drawn(draw, demand.voice_cpu_s))
        self.outcome.gaps_s.append(trio.current_time() - spoken_at)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, drawn(draw, demand.reply_s))
            nursery.start_soon(server.compute, drawn(draw, demand.beside_cpu_s))


async def _cancel_at(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def run(plan: Plan, demand: Demand) -> Outcome:
    """Let a fleet work for as long as ``plan`` says. Wants a clock that jumps (`trio.testing.MockClock`)."""
    fleet = Fleet(plan, demand)
    fleet.outcome.most_servers = plan.servers

    async def person(number: int, comes_at_s: float, *, again: bool) -> None:
        draw = random.Random(f"{plan.seed}/{number}")
        await trio.sleep_until(comes_at_s)
        while True:
            await fleet.converse(draw)
            if not again:
                return

    with trio.move_on_at(plan.seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fleet.keep_checking)
            nursery.start_soon(fleet.happen)
            if plan.grows:
                nursery.start_soon(fleet.keep_growing)
            for number in range(plan.people):
                comes_at_s = random.Random(f"{plan.seed}/{number}/comes").uniform(0, 120)
                nursery.start_soon(partial(person, again=True), number, comes_at_s)
            for number in range(plan.burst):
                nursery.start_soon(partial(person, again=False), plan.people + number, plan.burst_at_s)
    return fleet.outcome


SCENARIOS: Sequence[tuple[str, Plan]] = (
    ("as it should be", Plan()),
    ("twice as many as fit", Plan(people=320)),
    ("a server dies", Plan(kill_at_s=400)),
    ("a server is told to stop", Plan(stop_at_s=400)),
    ("a crowd comes at once", Plan(people=80, burst_at_s=400, burst=120)),
    ("the same, and servers are started", replace(Plan(people=80, burst_at_s=400, burst=120), grows=True)),
)
