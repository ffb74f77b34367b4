"""Programs for node that talk to a real server, each a scenario by name, and what they print."""

import json
import os
import shutil
from pathlib import Path

import pytest
import trio

HERE = Path(__file__).parent / "node"
PACKAGES = Path(__file__).parents[2] / "node_modules"


def need(package):
    """Leave out the module of tests that asks, in one line, where there is no node or not that package."""
    left_out = f"the tests of {package} in node were left out:"
    if shutil.which("node") is None:
        pytest.skip(f"{left_out} there is no node (version 20.19 or later)", allow_module_level=True)
    if not (PACKAGES / package).exists():
        pytest.skip(f"{left_out} it is not installed (npm ci)", allow_module_level=True)


async def talk(program, *arguments, authority=None):
    """Return the events that ``program`` prints; it trusts who is signed by ``authority``."""
    trusted = {"NODE_EXTRA_CA_CERTS": str(authority)} if authority else {}
    done = await trio.run_process(
        ["node", str(HERE / program), *arguments],
        env={**os.environ, "NO_PROXY": "127.0.0.1", **trusted},
        capture_stdout=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
