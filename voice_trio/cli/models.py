"""``voice-trio models``: what engines need on disk, of whichever engine."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import click
import trio

from voice_trio import config
from voice_trio.cli.output import say, say_json
from voice_trio.config import Settings
from voice_trio.engines import registry
from voice_trio.engines.base import CannotLoad
from voice_trio.engines.plug import Progress, Weights
from voice_trio.installation import package_folder
from voice_trio.start import interrupt
from voice_trio.workers.confinement import guard_memory

_STEPS = 200
"""How often progress is printed as JSON, at most."""


@click.group()
def models() -> None:
    """Show, fetch and try the models on this machine."""


@models.command(name="list")
def list_() -> None:
    """Show the models: which are here and where, how large they are, their licences, and where they come from."""
    for number, (plug, own) in enumerate(_with_weights(config.load())):
        if number:
            say("", f"{plug.called}:")
        say(*plug.weights.listing(own))
    lines = [line for one in _ALONG if (line := _along(*one)) is not None]
    say("", "With packages come along:", *lines)


_ALONG: Final = (
    ("heart", "the voice", "Apache-2.0", "hibari", "assets", "hibari-tts"),
    (
        "Smart Turn v3.2",
        "weighs pauses",
        "BSD-2-Clause",
        "voice_trio",
        "engines/smart_turn/*.onnx",
        "voice_trio itself",
    ),
    ("Silero v6", "detects speech", "MIT", "faster_whisper", "assets/*.onnx", "faster-whisper"),
)
"""Name, what it does, licence, package, files in it, and what brings it; NOTICE has their authors."""


def _along(name: str, does: str, licence: str, package: str, files: str, bringer: str) -> str | None:
    """Return a line about a model that needs no fetching; None where it is not here."""
    folder = package_folder(package)
    found = [] if folder is None else [one for one in folder.glob(files) if one.exists()]
    found = [file for one in found for file in (one.iterdir() if one.is_dir() else [one])]
    if not found:
        return None
    megabytes = sum(file.stat().st_size for file in found) / 1e6
    return f"{name:<18}{megabytes:6.0f} MB  {licence:<13} {does}; from {bringer}"


@models.command()
@click.argument("name", required=False)
@click.option("--engine", metavar="ENGINE", help="The engine that NAME is of, where several know that name.")
@click.option("--json", "as_json", is_flag=True, help="Print how far it is as JSON, an object a line.")
def download(name: str | None, engine: str | None, as_json: bool) -> None:
    """Fetch model NAME, such as small-int8; without NAME, the one that the settings ask for."""
    from tqdm import tqdm

    interrupt()
    # A server that runs this has keys in its environment that a download may need, and no other process.
    guard_memory()
    weights, own = _of(name, engine)
    name = name or weights.wanted(own)
    if as_json:
        folder = weights.download(name, _json_progress())
        say_json(json.dumps({"model": name, "folder": str(folder)}))
        return
    with tqdm(unit="B", unit_scale=True, desc=name, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        folder = weights.download(name, progress)
    say(f"{name} is in {folder}")


def _json_progress() -> Progress:
    told = -math.inf

    def progress(done: int, total: int) -> None:
        nonlocal told
        if done > told and (done == total or done - told >= total / _STEPS):
            told = done
            say_json(json.dumps({"done": done, "total": total}))

    return progress


@models.command()
@click.argument("name", required=False)
def check(name: str | None) -> None:
    """Try model NAME on recorded speech, and remember how much audio it must be given at a time.

    A server does the same by itself when it first has nothing else to do; this shows what comes of it.
    """
    interrupt()
    weights, own = _of(name)
    complaint = trio.run(weights.check, own, name, say)
    if complaint is not None:
        say(complaint, err=True)


def _of(name: str | None, engine: str | None = None) -> tuple[Weights[Any], Any]:
    """Return the weights that ``name`` is of, with their engine's settings.

    Those of an engine that the settings ask for come first, also for a name that nobody knows, and for none. Raises
    `CannotLoad` where ``engine`` has none.
    """
    settings = config.load()
    having = [one for one in _with_weights(settings) if engine in (None, one[0].name)]
    if not having:
        raise CannotLoad(f"There is no engine {engine!r} here that has models.")
    having.sort(key=lambda one: registry.asked_for(one[0].kind, settings) != one[0].name)
    plug, own = next((one for one in having if name is not None and one[0].weights.knows(name)), having[0])
    return plug.weights, own


def _with_weights(settings: Settings) -> list[tuple[Any, Any]]:
    """Return the engines that have any, ours first, each with its own settings."""
    return [
        (one.plug, one.own)
        for one in registry.survey_all(settings)
        if one.plug is not None and one.plug.weights is not None and one.own is not None
    ]
