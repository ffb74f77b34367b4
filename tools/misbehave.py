"""A client that misbehaves: shows what a server says to each kind of it, and whether it is well afterwards.

    python tools/misbehave.py --url ws://127.0.0.1:8765/ws                 every kind, one after the other
    python tools/misbehave.py --url ws://127.0.0.1:8765/ws reset flood     these

After each, an honest client types a word; the exit code is 1 unless each of them was answered.
"""

from __future__ import annotations

import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import click
import trio
from wsproto.frame_protocol import Opcode

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools.raw_websocket import NoRoom, RawSession, Refused, frame, raw_session, spelled
from voice_trio.client import CannotConnect, SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from voice_trio.microphone import MESSAGE_MS, Microphone

QUESTION = m.Text(text="What is the weather like in London today?")
ANSWER_S = 10.0
"""How long an answer is waited for."""


@dataclass(frozen=True)
class Server:
    """Whom to misbehave to."""

    url: str
    token: str | None = None
    patience_s: float = 60.0
    """How long a connection that is stuck may last."""


@dataclass
class Said:
    """What the server made of it."""

    end: str
    """How the session ended, in few words; `STILL_OPEN` if it did not."""
    events: Counter[str]
    """Errors by code and infos by code."""
    sessions: int = 1
    """How many it took."""


STILL_OPEN = "still open"


def said(*sessions: RawSession) -> Said:
    """Return what was said in ``sessions`` that ended alike."""
    ends = Counter(session.end or STILL_OPEN for session in sessions)
    events: Counter[str] = Counter()
    for session in sessions:
        for event in session.heard:
            if isinstance(event, m.Error):
                events[f"{event.code}{', recoverable' if event.recoverable else ''}"] += 1
            elif isinstance(event, m.Info):
                events[event.code] += 1
    return Said(" or ".join(sorted(ends)), events, len(sessions))


def audio(ms: int) -> m.Audio:
    """Return so much silence."""
    return m.Audio(bytes(ms_to_samples(ms) * BYTES_PER_SAMPLE))


async def answering(session: RawSession) -> None:
    """Ask, and wait until the reply is heard."""
    await session.ask(QUESTION)
    await session.hear(ANSWER_S, lambda event: isinstance(event, m.TtsPhrase))


# --- the kinds --------------------------------------------------------------------------------------------------------


async def stalled_reader(server: Server) -> Said:
    """Ask something, go on sending, and never read."""
    async with raw_session(server.url, server.token, receive_buffer=4096) as session:
        await session.ask(QUESTION)
        pings = frame(Opcode.PING, bytes(125)) * 100
        with trio.move_on_after(server.patience_s):
            while await session.send(pings):
                pass
            session.end = "cut off"
        return said(session)


async def stalled_writer(server: Server) -> Said:
    """Stop in the middle of an audio message, and answer no ping."""
    async with raw_session(server.url, server.token) as session:
        await session.ask(m.Start(), audio(300))
        message = spelled(audio(MESSAGE_MS))
        await session.send(message[: len(message) // 2])
        await session.hear(server.patience_s)
        return said(session)


async def half_closed(server: Server) -> Said:
    """Close the sending half in the middle of a reply, and read on."""
    async with raw_session(server.url, server.token) as session:
        await answering(session)
        await session.stream.send_eof()
        await session.hear(server.patience_s)
        return said(session)


async def reset(server: Server) -> Said:
    """Reset the connection in the middle of a reply."""
    async with raw_session(server.url, server.token) as session:
        await answering(session)
        session.stream.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, struct.pack("ii", 1, 0))
        session.stream.socket.close()
        session.end = "reset by the client"
        return said(session)


async def cut_messages(server: Server) -> Said:
    """Send a message cut short at every byte of it, each in a session of its own."""
    payload = spelled(m.Text(text="hi"))[6:]
    sessions = []
    for length in range(len(payload)):
        async with raw_session(server.url, server.token) as session:
            await session.send(frame(Opcode.TEXT, payload[:length]))
            await session.hear(ANSWER_S)
            sessions.append(session)
    return said(*sessions)


async def cut_frames(server: Server) -> Said:
    """Break off the connection at every byte of a message."""
    message = spelled(m.Text(text="hi"))
    sessions = []
    for length in range(len(message)):
        async with raw_session(server.url, server.token) as session:
            await session.send(message[:length])
            await session.stream.send_eof()
            await session.hear(ANSWER_S)
            sessions.append(session)
    return said(*sessions)


async def split_messages(server: Server) -> Said:
    """Send a message in two pieces, again and again, cut at every byte of it. That is allowed."""
    message = spelled(m.Cancel())
    async with raw_session(server.url, server.token) as session:
        for at in range(1, len(message)):
            await session.send(message[:at])
            await trio.sleep(0.005)
            await session.send(message[at:])
            await session.hear(ANSWER_S, lambda event: isinstance(event, m.Info) and event.code == "nothing_to_cancel")
        return said(session)


async def oversized(server: Server) -> Said:
    """Send an audio message that is a sample too long."""
    async with raw_session(server.url, server.token) as session:
        await session.ask(m.Start())
        await session.send(frame(Opcode.BINARY, bytes(m.MAX_MESSAGE_BYTES + 2)))
        await session.hear(ANSWER_S)
        return said(session)


async def out_of_order(server: Server) -> Said:
    """Say what is right in the wrong state, until the server has enough."""
    async with raw_session(server.url, server.token) as session:
        await session.ask(m.Stop(), m.Played(turn=7, samples=1), audio(MESSAGE_MS), m.Mark(turn=7, marks={}), m.Stop())
        await session.hear(ANSWER_S)
        return said(session)


async def flood(server: Server) -> Said:
    """Say three hundred things at once."""
    async with raw_session(server.url, server.token) as session:
        await session.ask(*[m.Cancel()] * 300)
        await session.hear(ANSWER_S)
        return said(session)


async def fast_audio(server: Server) -> Said:
    """Send 10 s of audio at 1.01 of the speed of speech, as a microphone with a fast clock does. That is allowed."""
    async with raw_session(server.url, server.token) as session:
        await session.ask(m.Start(mode="hold"))
        async for message in Microphone(audio(10_000).pcm, speed=1.01):
            await session.ask(m.Audio(message))
        await session.ask(m.Cancel())
        await session.hear(ANSWER_S, lambda event: isinstance(event, m.Done))
        return said(session)


KINDS: dict[str, Callable[[Server], Awaitable[Said]]] = {
    kind.__name__: kind
    for kind in (
        stalled_reader,
        stalled_writer,
        half_closed,
        reset,
        cut_messages,
        cut_frames,
        split_messages,
        oversized,
        out_of_order,
        flood,
        fast_audio,
    )
}


async def is_well(server: Server) -> bool:
    """Return whether an honest client is answered."""
    try:
        with trio.move_on_after(ANSWER_S):
            async with connect(server.url, token=server.token) as client:
                await client.ask(QUESTION)
                await client.wait_for(m.Token)
                return True
    except (CannotConnect, SessionClosed):
        pass
    return False


async def misbehave(server: Server, names: tuple[str, ...]) -> bool:
    """Misbehave in every way of ``names``, print what was said, and return whether the server was well after each."""
    all_well = True
    for name in names:
        began_at = trio.current_time()
        try:
            answer = await KINDS[name](server)
        except NoRoom:
            # Those before it may have left the server so.
            click.echo(f"{name:<16}WAS NOT LET IN: THERE IS NO ROOM")
            all_well = False
            continue
        took_s = trio.current_time() - began_at
        well = await is_well(server)
        all_well = all_well and well
        events = "; ".join(f"{times} x {event}" for event, times in answer.events.items())
        sessions = f" ({answer.sessions} sessions)" if answer.sessions > 1 else ""
        click.echo(f"{name:<16}{answer.end}{sessions} after {took_s:.1f} s{'; ' + events if events else ''}")
        if not well:
            click.echo(f"{'':<16}AND THE NEXT SESSION WAS NOT ANSWERED")
    return all_well


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*KINDS]))
@click.option("--url", required=True, metavar="URL", help="The server: ws://host:port/ws.")
@click.option("--token", envvar="STREAM_AUTH_TOKEN", help="What it wants to be shown.")
@click.option("--patience", default=60.0, show_default=True, help="Seconds that a stuck connection may last.")
def main(names: tuple[str, ...], url: str, token: str | None, patience: float) -> None:
    """Misbehave to a server in every way, or in those named, and show what it says."""
    try:
        well = trio.run(misbehave, Server(url, token, patience), names or (*KINDS,))
    except (OSError, Refused) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
