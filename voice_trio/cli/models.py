"""``voice-trio models``."""

from __future__ import annotations

import click
import trio

from voice_trio import config
from voice_trio.cli.output import say
from voice_trio.command_name import command_name
from voice_trio.config import Settings
from voice_trio.engines import whisper, whisper_context, whisper_models
from voice_trio.engines.scheduler import open_scheduler


@click.group()
def models() -> None:
    """Show, fetch and try the Whisper models on this machine."""


@models.command(name="list")
def list_() -> None:
    """Show which models are here, and where."""
    wanted = config.load().model_whisper
    say("Sizes; a model's name is a size and how it computes, such as small-int8.", "")
    for model in whisper_models.list_models():
        state = f"{model.size_bytes / 1e6:6.0f} MB  {model.path}" if model.path else "        -  not here"
        say(f"{model.size:<18}{state}")
    here = whisper_models.find(wanted)
    missing = f"not here; fetch it with {command_name()} models download {wanted}"
    say("", f"The settings ask for {wanted}: {here or missing}")


@models.command()
@click.argument("name", required=False)
def download(name: str | None) -> None:
    """Fetch model NAME, such as small-int8; without NAME, the one that the settings ask for."""
    from tqdm import tqdm

    name = name or config.load().model_whisper
    with tqdm(unit="B", unit_scale=True, desc=name, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        folder = whisper_models.download(name, progress)
    say(f"{name} is in {folder}")


@models.command()
@click.argument("name", required=False)
def check(name: str | None) -> None:
    """Try model NAME on recorded speech, and remember how much audio it must be given at a time.

    A server does the same by itself when it first has nothing else to do; this shows what comes of it.
    """
    trio.run(_check, config.load(**({"model_whisper": name} if name else {})))


async def _check(settings: Settings) -> None:
    loaded = await trio.to_thread.run_sync(whisper.load, settings)
    say(f"{loaded.name}: some sentences, with less audio at a time, against the same padded to 30 s")
    async with open_scheduler(settings.asr_workers, close_s=settings.asr_timeout_s) as scheduler:
        context = await whisper_context.calibrate(scheduler, loaded.decoder, lambda line: say(f"  {line}"))
    answer = f"a context of {context.final_s:g} s" if context.final_s else "what was said and a margin, the fastest way"
    say(f"It is given {answer}.")
    if not await trio.to_thread.run_sync(whisper_context.remember, loaded.folder, context):
        say(f"{loaded.folder} cannot be written, so each server finds this out again.", err=True)
