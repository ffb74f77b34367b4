"""``voice-trio serve``."""

from __future__ import annotations

from typing import Any

import click
import trio

from voice_trio import __version__, config, log
from voice_trio.cli.options import chosen, settings_options
from voice_trio.engines.base import Engines
from voice_trio.server.run import Running, serve_until_signal
from voice_trio.server.standstill import LivedClock


@click.command()
@settings_options
def serve(**options: Any) -> None:
    """Start the server. Ctrl-C ends it.

    Each option can also be set by the environment variable named with it.
    """
    settings = config.load(**chosen(options))
    log.configure(settings.log_level, log.secrets_of(settings))
    click.echo(f"voice_trio {__version__} is getting ready")

    def announce(running: Running) -> None:
        for line in describe(running.engines):
            click.echo(line)
        if running.fingerprint is not None:
            click.echo("\nThe certificate is its own: a browser warns of it once. Its SHA-256 fingerprint:")
            click.echo(f"  {running.fingerprint}")
        click.echo(f"\nTalk at {running.url} (Ctrl-C ends it)")

    trio.run(serve_until_signal, settings, announce, clock=LivedClock())


def describe(engines: Engines) -> list[str]:
    """Return lines that say what the server hears, thinks and speaks with, and how to have better."""
    lines = [f"  ears   {engines.recognizer.name}"]
    if engines.asr_fallback is not None:
        lines += [
            "         The small recogniser that comes with it. Whisper hears better:",
            f"         {engines.asr_fallback}",
        ]
    lines.append(f"  mind   {engines.language_model.name}")
    if engines.language_model.synthetic:
        lines += ["         No language model is configured: set OPENAI_API_KEY, or OPENAI_BASE_URL for a local one."]
    lines.append(f"  voice  {engines.synthesizer.name}")
    return lines
