"""``voice-trio talk``: one turn with a server, from a recording or typed, as a person or a program reads it."""

from __future__ import annotations

import os
import ssl
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click
import trio

from voice_trio import checks, config, log, sound_file
from voice_trio.cli.talk_view import ConsoleView, JsonView, View
from voice_trio.client import Client, SessionClosed, connect, trusting
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from voice_trio.core.errors import first_leaf
from voice_trio.core.languages import locale_of

_EXIT_NOT_COMPLETED = 1

_PRIVATE: dict[str, Any] = {"host": "127.0.0.1", "certfile": "", "keyfile": "", "tls_self_signed": False}
"""A server of its own is for this process only, whatever the settings say about the real one."""

_SILENCE_AFTER_MS = 3_000
"""A microphone stays open after the last word; after this long the person would let go of it."""


@click.command()
@click.argument("recording", required=False, type=click.Path(path_type=Path))
@click.option("--text", metavar="TEXT", help="Type this instead of speaking.")
@click.option(
    "--url", metavar="URL", help="Server to talk to (ws://host:port/ws). Without it, one is started for this."
)
@click.option(
    "--cafile",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Trust what this certificate (PEM) signed, besides the usual, at a wss: address.",
)
@click.option(
    "--save",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("reply.wav"),
    show_default=True,
    help="Where the spoken reply goes, as a WAV.",
)
@click.option("--wait", "waits", is_flag=True, help="Go on until the timers, alarms and reminders have been told.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON event a line instead.")
def talk(
    recording: Path | None,
    text: str | None,
    url: str | None,
    cafile: Path | None,
    save: Path,
    waits: bool,
    as_json: bool,
) -> None:
    """Ask RECORDING (a sound file of any rate) at the speed of speech, or TEXT, and hear the answer.

    A server that wants a token is shown the one in STREAM_AUTH_TOKEN.

    Exits with 0 when the turn completed, 1 when it did not, and 2 when it could not begin.
    """
    if (recording is None) == (text is None):
        raise click.UsageError("Give either a RECORDING or --text.")
    if text is not None:
        try:
            checks.prose(text)
        except ValueError as error:
            raise click.UsageError(f"--text {error}.") from None
    tls = None if cafile is None else trusting(cafile)
    # A server that lives for one turn has nothing to remember, and the one for others may be using the memory.
    settings = config.load(port=0, memory="off", **_PRIVATE)
    log.configure("WARNING")
    question = text if recording is None else sound_file.read(recording)
    assert question is not None
    sound_file.check_writable(save)
    view: View = JsonView() if as_json else ConsoleView(live=sys.stdout.isatty())
    outcome = trio.run(_converse, url, tls, question, view, settings, waits)
    if view.reply:
        sound_file.write(save, bytes(view.reply), view.sample_rate)
        view.saved(save)
    if outcome is not m.Outcome.COMPLETED:
        sys.exit(_EXIT_NOT_COMPLETED)


async def _converse(
    url: str | None,
    tls: ssl.SSLContext | None,
    question: bytes | str,
    view: View,
    settings: config.Settings,
    waits: bool,
) -> m.Outcome | None:
    """Have one turn and return how it ended; None if the server ended the session first.

    With ``waits``, hear what is due after it, too.
    """
    token = settings.auth_token.get_secret_value() if settings.auth_token else None
    async with AsyncExitStack() as stack:
        if url is None:
            # It is most of what there is to import, and needed by nobody who has a server.
            from voice_trio.server.run import open_server

            running = await stack.enter_async_context(open_server(settings))
            url = running.ws_url
        client = await stack.enter_async_context(connect(url, token=token, ssl_context=tls))
        try:
            return await _take_turn(client, question, view, waits)
        except* SessionClosed as group:
            view.closed(first_leaf(group))
    return None


async def _take_turn(client: Client, question: bytes | str, view: View, waits: bool) -> m.Outcome:
    captured = trio.Event()
    waiting = False
    async with trio.open_nursery() as nursery:
        if isinstance(question, bytes):
            await client.ask(m.Start(locale=locale_of(os.environ)))
            nursery.start_soon(_speak, client, question, captured)
        else:
            await client.ask(m.Text(text=question))
        while True:
            event = await client.hear()
            view.show(event)
            match event:
                case m.StateChanged(state=state) if state is not m.State.CAPTURING:
                    captured.set()
                case m.Timers(timers=timers):
                    waiting = waits and bool(timers)
                case m.Done(outcome=outcome) if not waiting:
                    nursery.cancel_scope.cancel()
                    return outcome
    raise AssertionError("the loop above ends by returning")


async def _speak(client: Client, pcm: bytes, captured: trio.Event) -> None:
    """Say ``pcm``, then be silent until the server has heard the end."""
    silence = bytes(ms_to_samples(_SILENCE_AFTER_MS) * BYTES_PER_SAMPLE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_when, captured, nursery.cancel_scope)
        await client.speak(pcm + silence)
        await client.ask(m.Stop())
        await captured.wait()


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
