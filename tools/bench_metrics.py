"""Measures what /metrics costs, and shows that no client can make it longer.

    python tools/bench_metrics.py                        ten seconds without anybody who asks, ten with 20 a second
    python tools/bench_metrics.py --messages 20000       so many mutated messages before the second look

The server is one of its own, in a process of its own. It prints the CPU time of a scrape, which is the share of a core
at one a second, and how many series there are, and bytes, before and after hostile messages. It exits with 1 where a
scrape takes more than 1 % of a core at one a second, or a series has come that was not there.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import httpx2
import trio

from tools.fuzzing.mutated_messages import say_mutated
from tools.own_server import OwnServer, own_server
from tools.proc import machine
from voice_trio.client import connect
from voice_trio.core import messages as m

MOST_SHARE = 0.01
A_SECOND = 20


async def scrape(client: httpx2.AsyncClient, server: OwnServer) -> str:
    """Return what /metrics says."""
    address = "http" + server.ws_url.removeprefix("ws").removesuffix("/ws")
    answer = await client.get(f"{address}/metrics")
    answer.raise_for_status()
    return answer.text


def series_of(scraped: str) -> set[str]:
    """Return the names of its series, with their labels."""
    return {line.rpartition(" ")[0] for line in scraped.splitlines() if line and not line.startswith("#")}


async def cpu_s_in(server: OwnServer, seconds: float, client: httpx2.AsyncClient | None) -> tuple[float, int]:
    """Return how much the server computed in that time, and how often ``client`` asked it meanwhile."""
    before, asked = (await server.vitals()).cpu_s, 0
    began = trio.current_time()
    while trio.current_time() < began + seconds:
        if client is not None:
            await scrape(client, server)
            asked += 1
        await trio.sleep(1 / A_SECOND)
    return (await server.vitals()).cpu_s - before, asked


async def measure(seconds: float, messages: int) -> bool:
    """Print all of it, and return whether it is as it should be."""
    async with (
        own_server("scripted", max_sessions=100, max_utterance_ms=300_000, log_level="ERROR") as server,
        httpx2.AsyncClient(trust_env=False) as client,
        connect(server.ws_url) as person,
    ):
        await person.ask(m.Text(text="hello"))
        await person.wait_for(m.Done)
        before = await scrape(client, server)
        idle_s, _ = await cpu_s_in(server, seconds, None)
        asked_s, times = await cpu_s_in(server, seconds, client)
        share = (asked_s - idle_s) / times
        print(f"  a scrape takes {1000 * share:.2f} ms of CPU: {share:.2%} of a core at one a second ({times} of them)")
        tally = await say_mutated(server.ws_url, messages, seed=1)
        after = await scrape(client, server)
        come = series_of(after) - series_of(before)
        print(f"  {messages} hostile messages, as they deserve: {tally.well}")
        for when, scraped in (("before", before), ("after", after)):
            print(f"  {when}: {len(series_of(scraped))} series, {len(scraped)} bytes")
        for one in sorted(come):
            print(f"  new: {one}")
        return share <= MOST_SHARE and not come


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="Of each measurement.")
@click.option("--messages", default=5000, show_default=True, help="Hostile messages.")
def main(seconds: float, messages: int) -> None:
    """Measure and print."""
    print(machine())
    sys.exit(0 if trio.run(measure, seconds, messages) else 1)


if __name__ == "__main__":
    main()
