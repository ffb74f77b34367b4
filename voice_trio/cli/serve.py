"""``voice-trio serve``."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click
import trio

from voice_trio import __version__, config, log
from voice_trio.cli.misspelt import point_out_misspelt
from voice_trio.cli.options import SettingsCommand, chosen, named_as_given, settings_options
from voice_trio.cli.output import CannotPrint, say
from voice_trio.config import Settings
from voice_trio.engines.base import Engines, advice_of, instead_of
from voice_trio.log_writer import log_writer
from voice_trio.server.run import Running, serve_until_signal
from voice_trio.server.standstill import LivedClock
from voice_trio.start import interrupt
from voice_trio.workers.confinement import guard_memory


@click.command(cls=SettingsCommand)
@settings_options
def serve(**options: Any) -> None:
    """Start the server. Ctrl-C ends it.

    Each option can also be set by the environment variable named with it.
    """
    # The keys and tokens in it are for no other process of the same user.
    guard_memory()
    interrupt()
    point_out_misspelt()
    with named_as_given(options):
        _serve(config.load(**chosen(options)))


def _serve(settings: Settings) -> None:
    _tell(f"voice_trio {__version__} is getting ready")

    def announce(running: Running) -> None:
        _tell(*describe(running.engines))
        if running.fingerprint is not None:
            _tell("", "The certificate is its own: a browser warns of it once. Its SHA-256 fingerprint:")
            _tell(f"  {running.fingerprint}")
        _tell("", f"Talk at {running.url} (Ctrl-C ends it)")

    with log_writer():
        log.configure(settings.log_level, log.secrets_of(settings))
        trio.run(serve_until_signal, settings, announce, clock=LivedClock())


_MARGIN = " " * len("  language model  ")


def _tell(*lines: str) -> None:
    # A server serves whether or not anybody reads this.
    with suppress(CannotPrint):
        say(*lines)


def describe(engines: Engines) -> list[str]:
    """Return lines that say what the server hears, thinks and speaks with, and how to have better."""
    lines = [f"  recognizer      {engines.recognizer.name}"]
    if (fallback := engines.asr_fallback) is not None:
        lines += [f"{_MARGIN}{fallback.about} {fallback.better} hears better:", f"{_MARGIN}{fallback.command}"]
    lines.append(f"  language model  {engines.language_model.name}")
    if engines.language_model.synthetic:
        instead = instead_of(engines.language_model).capitalize()
        lines += [f"{_MARGIN}{instead}. {advice_of(engines.language_model) or ''}".rstrip()]
    lines.append(f"  voice           {engines.synthesizer.name}")
    return lines
