"""Imports point down only: a module may import from its own layer and from those below it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "voice_trio"

# From the top down; modules of one layer may import one another.
LAYERS = [
    {"cli", "start", "__main__"},
    {"server"},
    {"testing"},
    {"client", "client_connection", "client_resumption", "sounding"},
    {"journal"},
    {"wire"},
    {"session"},
    {"fault_tap", "fault_far_ends"},
    {"tapped"},
    {"tap"},
    {"memory", "engines"},
    {"skills", "mcp", "toolbox"},
    {"workers"},
    {
        "checks",
        "config",
        "entry_points",
        "environment",
        "faults",
        "installation",
        "log",
        "log_writer",
        "memory_settings",
        "operating_settings",
        "microphone",
        "private_files",
        "remote_settings",
        "sound_file",
        "standing",
        "waiting",
    },
    {"core"},
]
HEIGHT = {name: -depth for depth, names in enumerate(LAYERS) for name in names}

PURE = {"annotated_types", "pydantic", "voice_trio"}
"""What core may import besides the standard library."""

IMPURE = {
    "asyncio",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "select",
    "socket",
    "subprocess",
    "threading",
    "time",
}
"""What of the standard library core may not: I/O, clocks, chance."""


def imports(source: str) -> set[str]:
    """Return the modules that ``source`` imports, in full, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def layer_of(module: str) -> str | None:
    """Return the part of the package that ``module`` belongs to; None for the package itself and for others."""
    parts = module.split(".")
    return parts[1] if parts[0] == "voice_trio" and len(parts) > 1 and parts[1] in HEIGHT else None


def complaints(own: str, source: str) -> list[str]:
    """Return what is wrong with the imports of ``source``, a module of the part ``own``."""
    wrong = []
    for module in sorted(imports(source)):
        top = module.split(".")[0]
        target = layer_of(module)
        if target is not None and HEIGHT[target] > HEIGHT[own]:
            wrong.append(f"{own} imports {module}, which lies above it")
        if own == "core":
            import sys

            if top in IMPURE or (top not in sys.stdlib_module_names and top not in PURE):
                wrong.append(f"core imports {module}, and is to be pure")
    return wrong


MODULES = sorted(
    path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE
)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_down(path):
    own = path.parts[0].removesuffix(".py")
    assert own in HEIGHT, f"{own} has no layer yet: give it one"
    assert complaints(own, (PACKAGE / path).read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "import trio",
        "import asyncio",
        "import time",
        "from numpy import array",
        "from voice_trio.session.turn import Turn",
        "from voice_trio import config",
        "def f():\n    from trio import sleep",
    ],
)
def test_core_that_is_not_pure_is_found(line):
    assert complaints("core", line)


@pytest.mark.parametrize("line", ["import re", "from voice_trio.core.audio import FRAME_MS", "import pydantic"])
def test_core_that_is_pure_is_left_alone(line):
    assert complaints("core", line) == []
