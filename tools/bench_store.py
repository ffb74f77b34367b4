"""What a store of conversations costs and withstands: PostgreSQL beside SQLite, on a database server of its own.

    python tools/bench_store.py                       everything; takes some two minutes
    python tools/bench_store.py commits races         some of it

commits: how long it takes until a turn is remembered, alone and with eight at once, to be at most 40 ms for 99 of 100
of those. races: servers ask for one conversation, and never are there to be two that have it. restarts: PostgreSQL is
ended as by a power cut and started again while turns end; of those that were announced as remembered, none is to be
missing. Exits with 1 where any of that is not so.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import trio

from tools.figures import percentile
from tools.own_postgres import MISSING, OwnPostgres, own_postgres
from tools.proc import machine
from tools.store_bench import commits, races, restarts as restarting
from voice_trio import config, log
from voice_trio.config import Settings

PARTS = ("commits", "races", "restarts")
LIMIT_S = 0.04
RACERS = 4


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--turns", default=200, show_default=True, help="Turns of each conversation.")
@click.option("--races", "times", default=10_000, show_default=True, help="Races for one conversation.")
@click.option("--restarts", default=3, show_default=True, help="Restarts of PostgreSQL.")
def main(parts: tuple[str, ...], turns: int, times: int, restarts: int) -> None:
    """Measure and print."""
    if MISSING:
        raise click.ClickException(f"There is no PostgreSQL: {MISSING}.")
    log.configure("CRITICAL")
    print(machine())
    chosen, well = parts or PARTS, True
    with own_postgres() as server, tempfile.TemporaryDirectory() as folder:
        address = server.new_database("bench")
        if "commits" in chosen:
            stores = {"SQLite": config.load(data_dir=folder), "PostgreSQL": config.load(database_url=address)}
            well &= _commits(stores, turns)
        if "races" in chosen:
            well &= _races(address, times)
        if "restarts" in chosen:
            well &= _restarts(server, address, restarts)
    sys.exit(0 if well else 1)


def _commits(stores: dict[str, Settings], turns: int) -> bool:
    slow = 0.0
    for name, settings in stores.items():
        for at_once in (1, 8):
            took = trio.run(lambda: commits.measure(settings, at_once=at_once, each=turns))  # noqa: B023
            middle, most = (1000 * percentile(took, percent) for percent in (50, 99))
            print(f"{name:<10}  {at_once} at once: p50 {middle:5.1f} ms, p99 {most:5.1f} ms of {len(took)} commits")
            slow = most / 1000
    print(f"to be at most {1000 * LIMIT_S:g} ms with eight at once in PostgreSQL")
    return slow <= LIMIT_S


def _races(address: str, times: int) -> bool:
    found = races.race(address, racers=RACERS, each=times // RACERS)
    print(
        f"{found.run} races of {RACERS} servers for one conversation: {found.won} won, {found.two_holders} two holders"
    )
    return found.two_holders == 0 and found.won > 0


def _restarts(server: OwnPostgres, address: str, restarts: int) -> bool:
    found = trio.run(lambda: restarting.live(server, address, restarts=restarts, speakers=8))
    print(
        f"{restarts} restarts: {found.count(True)} turns announced as remembered, {found.lost} of them lost, "
        f"{found.twice} there twice; {found.count(False)} refused, {found.denied} of them there; "
        f"{found.count(None)} unknown, {found.unknown_there} of them there"
    )
    return not (found.lost or found.twice or found.denied)


if __name__ == "__main__":
    main()
