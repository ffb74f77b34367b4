"""Races of several servers for one conversation: whoever gets it must be alone with it.

Each racer is a process with a node of its own. What watches them is none of ours: a lock of the kernel's on a file,
which a racer takes when it has been given the conversation, and which must be free then.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple, TextIO

import trio

from voice_trio import config, log
from voice_trio.memory.open import open_holds, open_store

_CONVERSATION = "the one that all want"


class Races(NamedTuple):
    """How they ended."""

    won: int
    lost: int
    two_holders: int

    @property
    def run(self) -> int:
        """How many there were."""
        return self.won + self.lost


def race(address: str, *, racers: int, each: int) -> Races:
    """Have so many ``racers`` ask for one conversation, ``each`` so many times."""
    with tempfile.NamedTemporaryFile() as watched:
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "tools.store_bench.races", watched.name, str(each)],
                cwd=Path(__file__).parents[2],
                env={**os.environ, "STREAM_DATABASE_URL": address},
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(racers)
        ]
        told = [process.communicate()[0].split() for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError("a racer failed")
    won, lost, two_holders = (sum(int(words[at]) for words in told) for at in range(3))
    return Races(won, lost, two_holders)


async def _run(file: TextIO, times: int) -> Races:
    won = lost = two_holders = 0
    settings = config.load()
    async with open_store(settings) as store:
        with open_holds(settings, store) as holds:
            assert holds is not None
            for _ in range(times):
                if not await holds.hold(_CONVERSATION):
                    lost += 1
                    continue
                won += 1
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    two_holders += 1
                await trio.lowlevel.checkpoint()
                fcntl.flock(file, fcntl.LOCK_UN)
                holds.let_go(_CONVERSATION)
    return Races(won, lost, two_holders)


if __name__ == "__main__":
    log.configure("ERROR")
    with open(sys.argv[1]) as watched:
        print(*trio.run(_run, watched, int(sys.argv[2])))
