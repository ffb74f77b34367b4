"""Runs a command that talks with our server, whose language model answers everything with some sentences.

    python tools/with_server.py /tmp/vb/bin/voicebench run tools/voicebench.yaml
    python tools/with_server.py /tmp/vb/bin/voicebench run SCENARIO --adapter tools.voicebench_adapter:VoiceTrio

The server is one of this checkout on a free port of loopback, with the engines that the environment asks for; the
command gets its address as ``--url ADDRESS``. Without a language model its answers are too brief to be spoken into.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import trio

from tools.duplex_bench.running import CannotStart, Configuration, talking_to
from tools.duplex_bench.script import Script
from voice_trio.core.errors import first_leaf

ROOT = Path(__file__).parent.parent
REPLY = (
    "Good question. I looked it up for you, and there are three trains in the afternoon. The first of them leaves at "
    "two."
)
"""About six seconds."""


async def run(command: tuple[str, ...]) -> int:
    """Run ``command`` beside a server; return its exit status. Raises `CannotStart`."""
    with tempfile.TemporaryDirectory() as folder:
        log_to = Path(folder) / "server.log"
        async with talking_to(Configuration("server"), first_token_s=0, log_to=log_to) as prepare:
            url = prepare(Script("", "", (), REPLY))
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            done = await trio.run_process([*command, "--url", url], env=environment, check=False)
    return done.returncode


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def main(command: tuple[str, ...]) -> None:
    """Run COMMAND with the address of a server that answers at length."""
    try:
        sys.exit(trio.run(partial(run, command)))
    except* CannotStart as group:
        raise click.ClickException(str(first_leaf(group))) from group
    except* (OSError, subprocess.SubprocessError) as group:
        raise click.ClickException(f"{command[0]}: {first_leaf(group)}") from group


if __name__ == "__main__":
    main()
