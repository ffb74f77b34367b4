"""Talks with servers in real time, as a person would, and scores what two ears would have had of it.

    python -m tools.duplex_bench                                    the server as it is: half of the turns have pauses
    python -m tools.duplex_bench --server long:STREAM_VAD_SILENCE_MS=700 --server short:STREAM_VAD_SILENCE_MS=300
    python -m tools.duplex_bench --group interruptions --group backchannels --lines 20 --keep FOLDER
    python -m tools.duplex_bench --score FOLDER                     what was kept, scored once more

docs/testing.md says what is said in each group, and what the figures are.
"""

from __future__ import annotations

import json
import pkgutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click
import trio

from tools.duplex_bench.adapter import OpenAdapter
from tools.duplex_bench.catalogue import GROUPS
from tools.duplex_bench.recording import SCRIPT, Recording, read
from tools.duplex_bench.running import CannotStart, Configuration, record_all
from tools.duplex_bench.scoring import Score, score
from tools.duplex_bench.script import Script
from tools.duplex_bench.summary import as_json, table
from tools.proc import machine
from voice_trio import log
from voice_trio.core.errors import first_leaf

OURS = "tools.duplex_bench.ours:open_ours"


def configuration(text: str) -> Configuration:
    """Read ``NAME``, ``NAME:VARIABLE=VALUE,VARIABLE=VALUE`` or ``NAME=ADDRESS``. Raises click.BadParameter."""
    wrong = click.BadParameter(f"{text!r} is not NAME:VARIABLE=VALUE,VARIABLE=VALUE, nor NAME=ws://host:port/ws")
    name, colon, rest = text.partition(":")
    if "=" in name:
        name, _, scheme = name.partition("=")
        found = Configuration(name, url=scheme + colon + rest)
    else:
        pairs = [pair.partition("=") for pair in rest.split(",") if pair]
        if not all(variable and sign for variable, sign, _ in pairs):
            raise wrong
        found = Configuration(name, {variable: value for variable, _, value in pairs})
    if not name:
        raise wrong
    return found


@click.command()
@click.option(
    "--server", "servers", multiple=True, default=("server",), help="NAME:VARIABLE=VALUE,... or NAME=ADDRESS."
)
@click.option(
    "--group", "groups", multiple=True, type=click.Choice(sorted(GROUPS)), help="What is said; several may be."
)
@click.option("--lines", default=10, show_default=True, type=click.IntRange(1), help="Lines in each group.")
@click.option("--seed", default=1, show_default=True, help="By which sentences, pauses and moments are drawn.")
@click.option("--first-token-ms", default=0, show_default=True, type=click.IntRange(0), help="Of the language model.")
@click.option("--adapter", default=OURS, show_default=True, help="MODULE:FUNCTION that opens a session with a server.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep all recordings and logs here.")
@click.option("--json", "to_json", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures here.")
@click.option("--score", "kept", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Score these.")
def main(
    servers: tuple[str, ...],
    groups: tuple[str, ...],
    lines: int,
    seed: int,
    first_token_ms: int,
    adapter: str,
    keep: Path | None,
    to_json: Path | None,
    kept: Path | None,
) -> None:
    """Talk with servers and print how well they converse."""
    log.configure("ERROR")
    scores: list[Score] = []
    broken: Sequence[str] = ()
    if kept is not None:
        scores = [score(read(path)) for path in sorted(kept.glob(f"*{SCRIPT}"))]
    else:
        scripts = [script for group in groups or ("mixed",) for script in GROUPS[group](lines, seed)]
        chosen = [configuration(text) for text in servers]

        def take(recording: Recording) -> None:
            if keep is not None:
                recording.write(keep)
            scores.append(score(recording))
            click.echo(f"{len(scores)} of {len(scripts) * len(chosen)} sessions", err=True)

        broken = talk(scripts, chosen, adapter, take, first_token_ms=first_token_ms, keep=keep)
    about = {"machine": machine(), "lines": lines, "seed": seed, "first_token_ms": first_token_ms, "broken": broken}
    if to_json is not None:
        to_json.write_text(json.dumps(as_json(scores, about), indent=1))
    click.echo(f"{machine()}; language model {first_token_ms} ms; seed {seed}\n\n{table(scores)}")
    for why in broken:
        click.echo(f"broken off: {why}")
    sys.exit(1 if broken else 0)


def talk(
    scripts: Sequence[Script],
    servers: Sequence[Configuration],
    adapter: str,
    take: Callable[[Recording], None],
    *,
    first_token_ms: int,
    keep: Path | None,
) -> list[str]:
    """Say ``scripts`` to ``servers``; return which sessions broke off. Raises click.ClickException."""
    try:
        open_adapter: OpenAdapter = pkgutil.resolve_name(adapter)
    except (ImportError, AttributeError, ValueError) as error:
        raise click.ClickException(f"--adapter {adapter}: {error}") from error
    with tempfile.TemporaryDirectory() as temporary:
        logs = keep or Path(temporary)
        logs.mkdir(parents=True, exist_ok=True)
        run = partial(record_all, scripts, servers, open_adapter, take, first_token_s=first_token_ms / 1000, logs=logs)
        try:
            return trio.run(run)
        except* CannotStart as group:
            why = str(first_leaf(group))
    raise click.ClickException(why)


if __name__ == "__main__":
    main()
