"""``voice-trio talk``: turns with a server, from a recording or typed, as a person or a program reads them."""

from __future__ import annotations

import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import click
import trio

from voice_trio import checks, config
from voice_trio.cli.held_log import held_log
from voice_trio.cli.keys import NextKey, keyboard
from voice_trio.cli.misspelt import point_out_misspelt
from voice_trio.cli.recording import read_recording
from voice_trio.cli.replies import Replies
from voice_trio.cli.talk_turns import Turns
from voice_trio.cli.talk_view import ConsoleView, JsonView, View
from voice_trio.client import Client, SessionClosed, connect, trusting
from voice_trio.core.codes import SoundCodec
from voice_trio.core.commands import MAX_TEXT_CHARS
from voice_trio.core.errors import first_leaf
from voice_trio.sounding.device import PortAudio, SoundDevice
from voice_trio.start import interrupt

_EXIT_NOT_COMPLETED = 1

_PRIVATE: dict[str, Any] = {"host": "127.0.0.1", "certfile": "", "keyfile": "", "tls_self_signed": False}
"""A server of its own is for this process only, whatever the settings say about the real one."""


@click.command()
@click.argument("recording", required=False, type=click.Path(path_type=Path))
@click.option("--text", metavar="TEXT", help="Type this instead of speaking.")
@click.option("--mic", is_flag=True, help="Talk with this machine's microphone and loudspeaker.")
@click.option("--one", is_flag=True, help="Ask all of RECORDING at once; without it, each pause ends a question.")
@click.option(
    "--url",
    metavar="URL",
    help="Server to talk to, as serve prints it (http://host:port). Without it, one is started for this.",
)
@click.option(
    "--cafile",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Trust what this certificate (PEM) signed, besides the usual, at an https: address.",
)
@click.option(
    "--save",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("reply.wav"),
    show_default=True,
    help="Where the spoken reply goes, as a WAV; a second one goes beside it, with -2 in its name.",
)
@click.option(
    "--codec",
    type=click.Choice(get_args(SoundCodec)),
    default="pcm",
    show_default=True,
    help="How sound goes over the network: opus takes a ninth of what pcm does.",
)
@click.option("--wait", "waits", is_flag=True, help="Go on until the timers, alarms and reminders have been told.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON event a line instead.")
def talk(
    recording: Path | None,
    text: str | None,
    mic: bool,
    one: bool,
    url: str | None,
    cafile: Path | None,
    save: Path,
    codec: SoundCodec,
    waits: bool,
    as_json: bool,
) -> None:
    """Ask RECORDING (any sound file, or a film) at the speed of speech, or TEXT, and hear the answer.

    With --mic you talk yourself, and Ctrl-C ends it. What RECORDING asks one after the other is answered one after the
    other. A server that wants a token is shown the one in STREAM_AUTH_TOKEN.

    Exits with 0 when all turns that had words completed, 1 when one did not, and 2 when it could not begin.
    """
    if (recording is not None) + (text is not None) + mic != 1:
        raise click.UsageError("Give either a RECORDING, --text or --mic.")
    if one and recording is None:
        raise click.UsageError("--one is for a RECORDING.")
    if text is not None:
        if not 1 <= len(text) <= MAX_TEXT_CHARS:
            raise click.UsageError(f"--text has {len(text)} characters; a turn has from 1 to {MAX_TEXT_CHARS:,}.")
        try:
            checks.prose(text)
        except ValueError as error:
            raise click.UsageError(f"--text {error}.") from None
    server = Server(url, None if cafile is None else trusting(cafile), codec)
    view: View = JsonView() if as_json else ConsoleView(live=sys.stdout.isatty())
    device = PortAudio() if mic else None
    if url is None:
        # It is most of what there is to import, and needed by nobody who has a server.
        import voice_trio.server.run  # noqa: F401
    interrupt()
    point_out_misspelt()
    with held_log("WARNING"):
        if device is not None:
            with keyboard() as keys:
                well = trio.run(_talk_live, server, view, device, keys)
        else:
            well = trio.run(_converse, server, recording if text is None else text, one, waits, view, Replies(save))
    if not well:
        sys.exit(_EXIT_NOT_COMPLETED)


@dataclass(frozen=True, slots=True)
class Server:
    """Which one to talk to."""

    url: str | None
    """None for one of our own."""
    tls: ssl.SSLContext | None
    codec: SoundCodec


async def _converse(
    server: Server, question: Path | str | None, one: bool, waits: bool, view: View, replies: Replies
) -> bool:
    """Ask ``question``, with ``waits`` hear what is due afterwards, and return whether it was answered."""
    recording = await read_recording(question) if isinstance(question, Path) else None
    async with _session(server) as client:
        turns = Turns(client, view, replies)
        try:
            await turns.begin()
            if recording is not None:
                await turns.ask(recording, one=one)
            elif isinstance(question, str):
                await turns.type(question)
            if waits:
                await turns.wait_told()
        except* SessionClosed as group:
            view.closed(first_leaf(group))
            turns.closed = True
    return turns.completed


async def _talk_live(server: Server, view: View, device: SoundDevice, keys: NextKey | None) -> bool:
    """Talk until a key ends it, and return whether it was one."""
    # It imports numpy, which takes a tenth of a second.
    from voice_trio.cli.talk_live import LiveTalk

    well = True
    async with _session(server) as client:
        try:
            await LiveTalk(client, view, device, keys).run()
        except* SessionClosed as group:
            view.closed(first_leaf(group))
            well = False
    return well


@asynccontextmanager
async def _session(server: Server) -> AsyncIterator[Client]:
    """Have a session with ``server``. Raises `CannotConnect`, and whatever keeps a server of our own from starting."""
    # A server that lives for one conversation has nothing to remember, and the one for others may use the memory.
    settings = config.load(port=0, memory="off", **_PRIVATE)
    token = settings.auth_token.get_secret_value() if settings.auth_token else None
    async with AsyncExitStack() as stack:
        url = server.url
        if url is None:
            from voice_trio.server.run import open_server

            url = (await stack.enter_async_context(open_server(settings))).ws_url
        session = connect(url, token=token, ssl_context=server.tls, codec=server.codec, resume=True)
        yield await stack.enter_async_context(session)
