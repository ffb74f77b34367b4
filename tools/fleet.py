"""Servers behind HAProxy, as deploy/haproxy.cfg has it, while one of them stops, is full, or is killed.

    python tools/fleet.py --servers 2 --sigterm
    python tools/fleet.py --servers 2 --full
    STREAM_DATABASE_URL=postgresql://... python tools/fleet.py --servers 2 --kill

Each server is a process of its own, with espeak for a voice and only its skills to answer, so that replies are real
and cost little. `--sigterm` opens sessions, one after the other, while one server gets SIGTERM and people are being
answered at both. `--full` has more people come at once than there are places. `--kill` ends a server in the middle of a
reply, and has the person go on with the conversation through the proxy, which takes a memory that the servers share.
Exit status 1 where a goal is missed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import trio

from tools.figures import percentile
from tools.own_fleet import own_fleet
from tools.proc import machine
from tools.proxies import haproxy_command
from voice_trio.client import CannotConnect, Client, ServerBusy, SessionClosed, connect
from voice_trio.core import messages as m

NEW_SESSIONS = 60
_APART_S = 0.05
"""Between two of them."""

_BUSY = 3
"""People who are being answered at each server."""

LONG = "What can you do?"
"""What the embedded skills alone answer for a quarter of a minute."""

QUESTIONS = {"What is seven times eight?": "56", "What is nine times nine?": "81"}
"""One before and one after a server is killed, and what has to stand in the answer."""

PLACES = 5
"""Of each server, where they are to be full."""

_END_S = 60.0

TAKEOVER_MARGIN_S = 2.0
"""Beyond the time for which a dead server's claims hold."""


@dataclass
class Seen:
    """What came of the people who talked."""

    admitted: int = 0
    refused_before: int = 0
    """With 503, and a time to come back after."""
    refused_inside: int = 0
    """In the socket, where a proxy cannot help any more."""
    failed: list[str] = field(default_factory=list)
    done: int = 0
    """Replies that ended as they should."""
    waits_ms: list[float] = field(default_factory=list)
    """From asking for a session to its greeting."""


@asynccontextmanager
async def _session(url: str, seen: Seen) -> AsyncIterator[Client | None]:
    """Ask for a session at ``url``, and note in ``seen`` what came of it; None where there is none."""
    asked_at = trio.current_time()
    async with AsyncExitStack() as stack:
        client = None
        try:
            client = await stack.enter_async_context(connect(url))
            first = await client.hear()
        except ServerBusy as busy:
            if busy.retry_after_s is None:
                seen.failed.append(str(busy))
            seen.refused_before += busy.retry_after_s is not None
            client = None
        except (CannotConnect, SessionClosed) as error:
            seen.failed.append(str(error))
            client = None
        else:
            if isinstance(first, m.SessionOpened):
                seen.admitted += 1
                seen.waits_ms.append((trio.current_time() - asked_at) * 1000)
            else:
                seen.refused_inside += 1
                client = None
        yield client


async def _answered(url: str, seen: Seen, text: str, *, task_status: trio.TaskStatus[None]) -> None:
    """Have ``text`` answered to its end; it has begun to sound when this has started."""
    async with _session(url, seen) as client:
        if client is None:
            raise click.ClickException("There is no session to begin with.")
        await client.ask(m.Text(text=text))
        await client.wait_for(m.TtsChunk)
        task_status.started()
        try:
            done = await client.wait_for(m.Done)
        except SessionClosed as closed:
            seen.failed.append(f"a reply was cut off: {closed}")
        else:
            seen.done += done.outcome is m.Outcome.COMPLETED
            if done.outcome is not m.Outcome.COMPLETED:
                seen.failed.append(f"a reply ended as {done.outcome}")


async def sigterm(delay_s: float) -> bool:
    """Have sessions opened while one of two servers stops; return whether nobody lost anything by it."""
    before, new = Seen(), Seen()
    async with (
        own_fleet(STREAM_SHUTDOWN_DELAY_S=str(delay_s), STREAM_SHUTDOWN_GRACE_S="60") as (servers, proxy),
        trio.open_nursery() as nursery,
    ):
        for _ in range(len(servers) * _BUSY):
            await nursery.start(partial(_answered, proxy.url, before, LONG))
        for number in range(NEW_SESSIONS):
            if number == NEW_SESSIONS // 4:
                servers[0].process.send_signal(signal.SIGTERM)
            nursery.start_soon(_look_in, proxy.url, new)
            await trio.sleep(_APART_S)
        code = await servers[0].end()
    click.echo(
        f"SIGTERM to one of {len(servers)}, {delay_s:g} s before it drains: {new.admitted} of {NEW_SESSIONS} new "
        f"sessions admitted, greeted after {percentile(new.waits_ms, 50):.0f} ms (p50), {max(new.waits_ms):.0f} ms at "
        f"most; {before.done} of {before.admitted} replies under way done; exit status {code}"
    )
    _tell_failures(before, new)
    return new.admitted == NEW_SESSIONS and before.done == before.admitted == len(servers) * _BUSY and code == 0


async def _look_in(url: str, seen: Seen) -> None:
    async with _session(url, seen):
        pass


async def full() -> bool:
    """Have more people come than there are places; return whether all the others were told so honestly."""
    seen, places = Seen(), 2 * PLACES
    people = 3 * places
    async with own_fleet(STREAM_MAX_SESSIONS=str(PLACES)) as (_, proxy):
        leave = trio.Event()

        async def come() -> None:
            async with _session(proxy.url, seen) as client:
                if client is not None:
                    await leave.wait()

        async with trio.open_nursery() as nursery:
            for _ in range(people):
                nursery.start_soon(come)
            # Each of them is told one or the other.
            while seen.admitted + seen.refused_before + seen.refused_inside + len(seen.failed) < people:  # noqa: ASYNC110
                await trio.sleep(0.01)
            leave.set()
        later = Seen()
        with trio.move_on_after(_END_S):
            while not later.admitted:
                await _look_in(proxy.url, later)
    click.echo(
        f"{people} at once for {places} places: {seen.admitted} admitted, {seen.refused_before} refused with 503 and "
        f"Retry-After before the handshake, {seen.refused_inside} refused in the socket; afterwards one more was "
        f"{'admitted' if later.admitted else 'not admitted'}"
    )
    _tell_failures(seen)
    return (seen.admitted, seen.refused_before, seen.refused_inside) == (places, people - places, 0) and bool(
        later.admitted
    )


async def kill(margin_s: float = TAKEOVER_MARGIN_S) -> bool:
    """Kill a server in the middle of a reply; return whether the conversation went on rightly, and in time."""
    claim_s = float(os.environ.get("STREAM_CLAIM_TTL_S", "10"))
    before, after = QUESTIONS
    async with own_fleet() as (servers, proxy):
        async with connect(proxy.url) as client:
            conversation = (await client.wait_for(m.SessionOpened)).conversation
            first = await _reply(client, m.Text(text=before))
            (its,) = [server for server in servers if (await server.asked("/livez"))["sessions"]]
            await client.ask(m.Text(text=LONG))
            await client.wait_for(m.TtsChunk)
            its.process.kill()
            killed_at = trio.current_time()
            with suppress(SessionClosed):
                while True:
                    await client.hear()
        async with connect(proxy.url) as client:
            came_back_s = trio.current_time() - killed_at
            while (second := await _reply(client, m.Text(text=after, conversation=conversation))) is None:
                pass
            went_on_s = second.began_at - killed_at
        (other,) = [server for server in servers if server is not its]
        turns = (await other.asked(f"/api/conversations/{conversation}"))["turns"]
    said = [turn["said"] for turn in turns]
    click.echo(
        f"kill -9 in the middle of a reply: a session at the other server after {came_back_s:.2f} s, the conversation "
        f"went on after {went_on_s:.2f} s, with claims of {claim_s:g} s; remembered: {said}"
    )
    # The turn that was cut off may have been written or not, but not twice, and nothing else may be lost or doubled.
    return (
        went_on_s <= claim_s + margin_s
        and [one for one in said if one != LONG] == [before, after]
        and said.count(LONG) <= 1
        and first is not None
        and all(answer in one.words for one, answer in zip((first, second), QUESTIONS.values(), strict=True))
    )


class _Reply(NamedTuple):
    words: str
    began_at: float
    """When the first of them came."""


async def _reply(client: Client, question: m.Text) -> _Reply | None:
    """Return the answer to ``question`` when it is over; None where it is to be asked again.

    Then it has been waited for as long as the server wants. Raises click.ClickException for any other end.
    """
    await client.ask(question)
    words, began_at, again_s = "", 0.0, None
    while not isinstance(event := await client.hear(), m.Done):
        if isinstance(event, m.Token):
            began_at = began_at or trio.current_time()
            words += event.text
        elif isinstance(event, m.Error):
            again_s = event.retry_after_s
            if again_s is None:
                raise click.ClickException(f"{question.text} {event.message}")
    if event.outcome is m.Outcome.COMPLETED:
        return _Reply(words, began_at)
    if again_s is None:
        raise click.ClickException(f"{question.text} ended as {event.outcome}")
    await trio.sleep(again_s)
    return None


def _tell_failures(*all_seen: Seen) -> None:
    for seen in all_seen:
        for why in sorted(set(seen.failed)):
            click.echo(f"  {seen.failed.count(why)} times: {why}")


@click.command()
@click.option("--servers", type=click.IntRange(2, 2), default=2, show_default=True, help="As many as the file has.")
@click.option("--sigterm", "stops", is_flag=True, help="One server gets SIGTERM.")
@click.option("--delay", "delay_s", type=float, multiple=True, help="STREAM_SHUTDOWN_DELAY_S; 0 and 3 without it.")
@click.option("--full", "fills", is_flag=True, help="More people come than there are places.")
@click.option("--kill", "kills", is_flag=True, help="One server is killed while it speaks; with STREAM_DATABASE_URL.")
def main(servers: int, stops: bool, delay_s: tuple[float, ...], fills: bool, kills: bool) -> None:
    """Show what becomes of people who talk with servers behind HAProxy."""
    if not (stops or fills or kills):
        raise click.UsageError("Say what is to happen: --sigterm, --full, --kill.")
    if kills and not os.environ.get("STREAM_DATABASE_URL"):
        raise click.UsageError("--kill takes a memory that the servers share: set STREAM_DATABASE_URL.")
    if haproxy_command() is None:
        raise click.ClickException("HAProxy is not here. On Debian: apt-get install haproxy")
    click.echo(machine())
    well = [trio.run(sigterm, delay) for delay in (delay_s or (0.0, 3.0)) if stops]
    if fills:
        well.append(trio.run(full))
    if kills:
        well.append(trio.run(kill))
    sys.exit(not all(well))


if __name__ == "__main__":
    main()
