"""How many people a machine can talk with: real speech, the real recognizer and the real voice, at the speed of speech.

    python tools/load_real.py                      1, 2, 4, 8 and 16 people at once, a minute each
    python tools/load_real.py --people 30          so many
    python tools/load_real.py --until 60           more and more, until the server takes no more or 60 are reached
    python tools/load_real.py --holders 4          with so many beside them who hold the key and say no more

Each asks one of the recordings in `tests/clips` by /ws, waits until the answer begins to sound, listens to it for a
while, takes the word back and asks the next. Nobody is in step with anybody: pauses are drawn, from the same seed each
time. The server is a process of its own on loopback with the engines that the environment asks for, but for the
language model: it repeats what was heard, so that nobody else's machine is measured. Times count, on the client's
side, from the end of the recording, so the silence by which the server knows of the end is part of them.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools.figures import percentile
from tools.own_server import OwnServer, own_server
from tools.proc import cpu_s_of, machine
from voice_trio import sound_file
from voice_trio.client import CannotConnect, Client, SessionClosed, connect
from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.errors import first_leaf

CLIPS = Path(__file__).parent.parent / "tests" / "clips"
STEPS = (1, 2, 4, 8, 16)
STRIDE = 8
"""People that come in addition, from one step of ``--until`` to the next."""

_AFTER = bytes(3 * SAMPLE_RATE * BYTES_PER_SAMPLE)
"""What the microphone hears after a question, at most: nothing, until the server knows that it is over."""
_LISTEN_S = (1.0, 4.0)
"""How long somebody hears the answer before asking on: drawn evenly from this."""
_HELD_S = 1.0
_TURN_S = 60.0
"""A turn that has not begun to answer by then is given up."""
_FIRST_S = 10.0
"""Over this time people come in."""


@dataclass
class Seen:
    """What everybody met with."""

    finals_s: list[float] = field(default_factory=list)
    """From the end of a question to its words."""
    audio_s: list[float] = field(default_factory=list)
    """From there to the first sound of the answer."""
    partials: int = 0
    turns: int = 0
    spoken_s: float = 0.0
    failed: list[str] = field(default_factory=list)
    """What was said of turns without an answer."""
    refused: str = ""
    """What a person who was not let in was told."""
    cores: float = 0.0
    """CPU time for each second, of the server and its engines."""


class Turn:
    """One question: when it was over, and what came of it."""

    def __init__(self, seen: Seen) -> None:
        self.ended_at: float | None = None
        self._seen = seen

    async def ask(self, client: Client, question: bytes) -> None:
        """Ask, with a microphone that goes on, until this is cancelled."""
        await client.speak(question)
        self.ended_at = trio.current_time()
        self._seen.spoken_s += len(question) / BYTES_PER_SAMPLE / SAMPLE_RATE
        await client.speak(_AFTER)

    async def hear(self, client: Client) -> bool:
        """Wait for the first sound of the answer; False if the turn was over before."""
        why = ""
        while True:
            event = await client.hear()
            match event:
                case m.Partial():
                    self._seen.partials += 1
                case m.Final():
                    self._seen.finals_s.append(self._since())
                case m.TtsChunk():
                    self._seen.audio_s.append(self._since())
                    return True
                case m.Error(code=code):
                    why = code
                case m.Done(outcome=outcome):
                    self._seen.failed.append(why or outcome)
                    return False

    def _since(self) -> float:
        # A person who is taken to have finished in a pause between two words is answered before the end.
        return max(0.0, trio.current_time() - (self.ended_at or trio.current_time()))


async def converse(client: Client, questions: Sequence[bytes], draw: random.Random, seen: Seen) -> None:
    """Ask one question after another, until this is cancelled."""
    at = draw.randrange(len(questions))
    while True:
        seen.turns += 1
        turn = Turn(seen)
        # flite's voices mean nothing to what weighs pauses.
        await client.ask(m.Start(endpointing="fixed"))
        answered = False
        with trio.move_on_after(_TURN_S) as patience:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(turn.ask, client, questions[at % len(questions)])
                answered = await turn.hear(client)
                nursery.cancel_scope.cancel()
        if patience.cancelled_caught:
            seen.failed.append("no answer")
        if answered:
            await trio.sleep(draw.uniform(*_LISTEN_S))
        if answered or patience.cancelled_caught:
            await client.ask(m.Cancel())
            await client.wait_for(m.Done)
        at += 1


async def hold(url: str, question: bytes, seen: Seen) -> None:
    """Press the button, say a second's worth and no more, again and again."""
    try:
        async with connect(url) as client:
            while True:
                await client.ask(m.Start(mode="hold"))
                await client.speak(question[: round(_HELD_S * SAMPLE_RATE) * BYTES_PER_SAMPLE], real_time=False)
                await client.wait_for(m.Done)
    except* (CannotConnect, SessionClosed) as group:
        _turned_away(first_leaf(group), seen)


def roomy() -> dict[str, Any]:
    """Return the settings by which one address may come with many people."""
    names = (name for name in Settings.model_fields if name.endswith("_per_address"))
    return dict.fromkeys([*names, "max_connections"], 10_000)


async def measure(people: int, *, holders: int, seconds: float, seed: int, max_sessions: int | None) -> Seen:
    """Let ``people`` talk for ``seconds``; return what they met with."""
    seen = Seen()
    questions = [sound_file.read(file) for file in sorted(CLIPS.glob("*.wav"))]
    limit: dict[str, Any] = {} if max_sessions is None else {"max_sessions": max_sessions}

    async def person(server: OwnServer, number: int) -> None:
        draw = random.Random(f"{seed}/{number}")
        await trio.sleep(draw.uniform(0, min(_FIRST_S, people)))
        try:
            async with connect(server.ws_url) as client:
                await converse(client, questions, draw, seen)
        except* (CannotConnect, SessionClosed) as group:
            _turned_away(first_leaf(group), seen)

    async with (
        own_server("configured", openai_api_key=None, openai_base_url=None, **roomy(), **limit) as server,
        trio.open_nursery() as nursery,
    ):
        for _ in range(holders):
            nursery.start_soon(hold, server.ws_url, questions[0], seen)
        await trio.sleep(1)
        before, began_at = cpu_s_of(server.pid), trio.current_time()
        for number in range(people):
            nursery.start_soon(person, server, number)
        await trio.sleep(seconds)
        seen.cores = (cpu_s_of(server.pid) - before) / (trio.current_time() - began_at)
        nursery.cancel_scope.cancel()
    return seen


def _turned_away(error: BaseException, seen: Seen) -> None:
    if isinstance(error, CannotConnect):
        seen.refused = str(error)
    else:
        seen.failed.append(str(error))


_HEAD = (
    f"{'':>6} {'':>6} {'':>6} {'':>6} | {'final, s':^13} | {'first audio, s':^14} | {'partials':>8} | {'':>5}\n"
    f"{'people':>6} {'turns':>6} {'failed':>6} {'asked':>6} | {'p50':>6} {'p95':>6} | {'p50':>6} {'p95':>7} | "
    f"{'a s':>8} | {'cores':>5}"
)


def row(people: int, seen: Seen) -> str:
    """Return a line of the table; ``asked`` is the share of the time in which somebody of them spoke."""

    def figures(values: Sequence[float]) -> tuple[str, str]:
        return (f"{percentile(values, 50):.2f}", f"{percentile(values, 95):.2f}") if values else ("-", "-")

    (final, late_final), (audio, late_audio) = figures(seen.finals_s), figures(seen.audio_s)
    partials = seen.partials / seen.spoken_s if seen.spoken_s else 0.0
    return (
        f"{people:6} {seen.turns:6} {len(seen.failed):6} {seen.spoken_s:5.0f}s | {final:>6} {late_final:>6} | "
        f"{audio:>6} {late_audio:>7} | {partials:8.2f} | {seen.cores:5.2f}"
    )


@click.command()
@click.option("--people", "steps", multiple=True, type=click.IntRange(1), help="So many at once; may be repeated.")
@click.option("--until", "most", type=click.IntRange(1), help="More and more, up to so many or the server's limit.")
@click.option("--holders", default=0, show_default=True, help="People beside them who hold and say nothing.")
@click.option("--seconds", default=60.0, show_default=True, help="Length of each measurement.")
@click.option("--max-sessions", type=click.IntRange(1), help="The server's limit; without it, that of the settings.")
@click.option("--seed", default=1, show_default=True, help="By which pauses are drawn.")
def main(
    steps: tuple[int, ...], most: int | None, holders: int, seconds: float, max_sessions: int | None, seed: int
) -> None:
    """Measure how long people wait, the more of them there are."""
    counts = list(steps or STEPS)
    if most is not None:
        counts = [count for count in STEPS if count < most] + [*range(STEPS[-1] + STRIDE, most, STRIDE), most]
    click.echo(f"{machine()}; {seconds:g} s each" + (f"; {holders} hold and say nothing" if holders else ""))
    click.echo(_HEAD)
    for count in counts:
        seen = trio.run(partial(measure, count, holders=holders, seconds=seconds, seed=seed, max_sessions=max_sessions))
        click.echo(row(count, seen))
        for why in sorted(set(seen.failed)):
            click.echo(f"{'':7}{seen.failed.count(why)} turns without an answer: {why}")
        if seen.refused:
            click.echo(f"{'':7}not all were let in: {seen.refused}")
            break


if __name__ == "__main__":
    main()
