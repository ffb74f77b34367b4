"""How many people one machine, a fleet and a world of fleets can talk with.

    python -m tools.capacity                      the fleet in virtual time, and the arithmetic beyond it
    python -m tools.capacity --turn-cpu 1.4       with what a turn was measured to compute (tools/load_real.py)
    python -m tools.capacity --sessions 10000     the arithmetic for so many

What one machine does is measured by `tools/load_real.py`, with the real engines: its last column, the processors that
were busy, times the seconds, over the turns, is what a turn computes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import click
import trio
from trio.testing import MockClock

from tools.capacity import fleet
from tools.capacity.demand import Demand
from tools.capacity.queueing import machine, most_people
from tools.figures import percentile

MOST_PROCESSORS = 4
"""More a server does not keep busy, which has one interpreter lock; a larger machine takes several servers."""

WAIT_S = 0.1
"""What somebody may wait for a processor, in the mean."""
_SPARE = 0.3
"""Of a fleet's servers, that are there for those that die, are stopped, or start too late."""

_PCM_UP_KBIT, _PCM_DOWN_KBIT, _OPUS_KBIT = 16 * 16, 24 * 16, 28
_CELL = 10_000
"""Sessions of one cell: a proxy, its servers and a database that share nothing with another cell."""
_COMMITS_S = 1_250
"""What PostgreSQL was measured to take in a second from eight at once, each of them after 6.4 ms."""


_WIDTHS = (6, 8, 8, 11, 6, 8, 12)


def machines(demand: Demand) -> list[str]:
    """Return the lines about one server, by its processors."""
    lines = ["One server, people who talk all the time:", "  processors  people  busy  wait, s  gap, s"]
    for processors in (1, 2, MOST_PROCESSORS):
        people = most_people(demand, processors, WAIT_S)
        met = machine(demand, people, processors)
        lines.append(f"  {processors:10}  {people:6}  {met.busy:4.0%}  {met.wait_s:7.2f}  {met.gap_s:6.2f}")
    return lines


def fleets(demand: Demand) -> list[str]:
    """Return the lines about a fleet in virtual time."""
    titles = zip(("turns", "gap p50", "p95", "let in p95", "again", "gave up", "went on p95"), _WIDTHS, strict=True)
    head = " ".join([f"  {'':34}", *(f"{title:>{width}}" for title, width in titles)])
    plan = fleet.Plan()
    lines = [f"A fleet of {plan.servers} servers of {plan.processors} processors, {plan.places} places each:", head]
    for name, scenario in fleet.SCENARIOS:
        met = trio.run(partial(fleet.run, scenario, demand), clock=MockClock(autojump_threshold=0))
        gaps = (_of(met.gaps_s, 50), _of(met.gaps_s, 95))
        figures = (len(met.gaps_s), *gaps, _of(met.admissions_s, 95), met.refused, met.gave_up, _of(met.resumed_s, 95))
        more = f"  ({met.most_servers} servers)" if met.most_servers > scenario.servers else ""
        cells = (f"{figure!s:>{width}}" for figure, width in zip(figures, _WIDTHS, strict=True))
        lines.append(" ".join([f"  {name:34}", *cells]) + more)
    return lines


def world(demand: Demand, sessions: int, processors: int, talking: float) -> list[str]:
    """Return the lines about so many sessions, of whose people a share is ``talking`` at a time."""
    people = most_people(demand, processors, WAIT_S)
    busy = sessions * talking
    servers = math.ceil(busy / people / (1 - _SPARE))
    turns_s = busy / demand.cycle_s
    speaking, sounding = busy * demand.speech_s / demand.cycle_s, busy * demand.reply_s / demand.cycle_s
    raw = (speaking * _PCM_UP_KBIT + sounding * _PCM_DOWN_KBIT) / 1e6
    packed = (speaking + sounding) * _OPUS_KBIT / 1e6
    cells = math.ceil(sessions / _CELL)
    return [
        f"{sessions:,} sessions, {talking:.0%} of whose people are talking:",
        f"  servers of {processors} processors, of which {_SPARE:.0%} spare   {servers:,} ({people} people each)",
        f"  {f'cells of {_CELL:,} sessions':48}  {cells:,} ({math.ceil(servers / cells)} servers each)",
        f"  turns a second                                    {turns_s:,.0f} "
        f"({turns_s / cells:,.0f} a cell; one PostgreSQL takes {_COMMITS_S:,} commits)",
        f"  sound on the network, Gbit/s                      {raw:.2f} as PCM, {packed:.2f} as Opus",
        f"  processors for each session                       {servers * processors / sessions:.3f}",
    ]


def _of(values: Sequence[float], percent: float) -> str:
    return f"{percentile(values, percent):.2f} s" if values else "-"


@click.command()
@click.option("--turn-cpu", type=click.FloatRange(0.1, 60), help="Seconds of a processor that a turn computes.")
@click.option("--sessions", "counts", multiple=True, type=click.IntRange(1), help="So many; may be repeated.")
@click.option(
    "--processors",
    default=MOST_PROCESSORS,
    show_default=True,
    type=click.IntRange(1, MOST_PROCESSORS),
    help="Of a server of the fleet.",
)
@click.option("--talking", default=0.5, show_default=True, type=click.FloatRange(0.01, 1), help="Share of the people.")
def main(turn_cpu: float | None, counts: tuple[int, ...], processors: int, talking: float) -> None:
    """Print what a machine, a fleet and more than that can do."""
    demand = Demand()
    if turn_cpu is not None:
        demand = replace(demand, beside_cpu_s=max(0.0, turn_cpu - demand.gap_cpu_s))
    click.echo(f"A turn computes {demand.turn_cpu_s:.2f} s, {demand.gap_cpu_s:.2f} s of it before it sounds.\n")
    for part in (machines(demand), fleets(demand)):
        click.echo("\n".join(part) + "\n")
    for sessions in counts or (10_000, 1_000_000):
        click.echo("\n".join(world(demand, sessions, processors, talking)) + "\n")


if __name__ == "__main__":
    main()
