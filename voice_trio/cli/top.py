"""``voice-trio top``: what a running server is doing, and where the time of its latest turns went."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import click
import httpx2

from voice_trio import config, log
from voice_trio.cli.output import say
from voice_trio.client import CannotConnect

_WAIT_S: Final = 5.0
_BAR: Final = 40
"""Characters of the longest turn."""
_STAGES: Final = (
    ("final", "t_final_transcript_ms", "."),
    ("token", "t_first_token_ms", "="),
    ("audio", "t_first_audio_ms", "#"),
    ("reply", "total_reply_ms", "-"),
)
"""What it is called, the field that says when it came, and what the time up to it is drawn with."""


@click.command()
@click.argument("url", required=False)
@click.option("--last", default=20, show_default=True, type=click.IntRange(1, 100), help="So many turns that are over.")
@click.option("--tasks", is_flag=True, help="The tree of live tasks, too.")
@click.option("--once", is_flag=True, help="Print it once, and not every second.")
@click.option("--json", "as_json", is_flag=True, help="Print what the server says, once.")
def top(url: str | None, last: int, tasks: bool, once: bool, as_json: bool) -> None:
    """Watch the server at URL (as serve prints it), or at the address of the settings.

    A server that wants a token is shown the one in STREAM_AUTH_TOKEN.
    """
    log.configure("ERROR")
    settings = config.load()
    address = _address(url or f"http://{settings.host}:{settings.port}")
    token = settings.auth_token.get_secret_value() if settings.auth_token else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx2.Client(headers=headers, timeout=_WAIT_S, trust_env=False) as client:
        if as_json:
            say(json.dumps(_asked(client, address, tasks=tasks)))
            return
        live = sys.stdout.isatty() and not once
        while True:
            told = _asked(client, address, tasks=tasks)
            lines = [*_lines(address, told, last)]
            if live:
                click.clear()
            say(*lines)
            if once or not live:
                return
            time.sleep(1)


def _address(url: str) -> str:
    scheme, _, rest = url.rpartition("://")
    scheme = {"ws": "http", "wss": "https", "": "http"}.get(scheme, scheme)
    return f"{scheme}://{rest.rstrip('/').removesuffix('/ws')}"


def _asked(client: httpx2.Client, address: str, *, tasks: bool) -> Mapping[str, Any]:
    """Return what the server says. Raises `CannotConnect`."""
    try:
        answer = client.get(f"{address}/api/turns", params={"tasks": "1"} if tasks else {})
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise CannotConnect(f"No server answers at {address}: {error}.") from error
    if answer.status_code in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        raise CannotConnect(f"{address} wants a token: set STREAM_AUTH_TOKEN to it.")
    try:
        told = answer.json()
        if answer.is_success and isinstance(told, dict) and {"open", "latest"} <= told.keys():
            return told
    except ValueError:
        pass
    raise CannotConnect(f"{address} does not answer as a voice_trio server.")


def _lines(address: str, told: Mapping[str, Any], last: int) -> Iterator[str]:
    turns = told["latest"][-last:]
    yield f"{address}  {datetime.now().astimezone():%H:%M:%S}  {len(told['open'])} open"
    yield ""
    if told["open"]:
        yield "open     session            turn  state        for      waits for"
        for one in told["open"]:
            row = f"         {one['session']:<16}  {one['turn']:>5}  {one['state']:<11}  {one['for_s']:5.1f} s  "
            yield f"{row}{_waits(one)}".rstrip()
        yield ""
    longest = max((ms for one in turns for _, name, _ in _STAGES if (ms := one[name]) is not None), default=0)
    drawn = "  ".join(f"{sign} to {stage}" for stage, _, sign in _STAGES)
    yield f"over     session            turn  outcome       final  token  audio  reply  {drawn}"
    for one in reversed(turns):
        ended = datetime.fromtimestamp(one["ended_at"]).astimezone()
        times = "  ".join(_seconds(one[name]) for _, name, _ in _STAGES)
        row = f"{ended:%H:%M:%S} {one['session']:<16}  {one['turn']:>5}  {one['outcome']:<11}  {times}"
        yield f"{row}  {_bar(one, longest)}".rstrip()
    if not turns:
        yield "         none yet"
    tree: Sequence[str] = told.get("tasks", ())
    if tree:
        yield ""
        yield from tree


def _waits(turn: Mapping[str, Any]) -> str:
    """Return what an open turn waits for, and what waits in its queues."""
    waiting = ", ".join(f"{depth} {name}" for name, depth in turn.get("queues", {}).items())
    return ", ".join(turn.get("waits", ())) + (f"  (waiting: {waiting})" if waiting else "")


def _seconds(ms: int | None) -> str:
    return "    -" if ms is None else f"{ms / 1000:5.2f}"


def _bar(turn: Mapping[str, Any], longest: int) -> str:
    """Return the stages of ``turn`` one behind the other, in proportion to the ``longest`` turn, in ms."""
    bar = ""
    for _, name, sign in _STAGES:
        if (ms := turn[name]) is not None:
            bar += sign * (round(_BAR * ms / max(longest, 1)) - len(bar))
    return bar
