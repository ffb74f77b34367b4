"""A telephone for the assistant: Twilio Media Streams on one side, /v1/realtime of the server on the other.

    python examples/twilio_bridge.py --server ws://127.0.0.1:8765/v1/realtime --port 8766 --greeting "Greet the caller."

Twilio speaks TLS alone, so a proxy with a certificate stands before the port. A call that Twilio answers with

    <Response><Connect><Stream url="wss://your.name/"/></Connect></Response>

is one WebSocket of Twilio's, and one session. Sound goes both ways as it is, G.711 u-law at 8 kHz. Behind each piece of
it goes a mark, which Twilio returns once the piece was played: so when the caller speaks into a reply, the server is
told how much of it was heard. The key is taken from the environment, STREAM_AUTH_TOKEN.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import trio
from trio_websocket import (
    ConnectionClosed,
    HandshakeError,
    WebSocketConnection,
    WebSocketRequest,
    open_websocket_url,
    serve_websocket,
)

BYTES_PER_MS = 8
PCMU = {"type": "audio/pcmu"}
SESSION = {
    "type": "realtime",
    "audio": {"input": {"format": PCMU, "turn_detection": {"type": "server_vad"}}, "output": {"format": PCMU}},
}


class Call:
    """One telephone call."""

    def __init__(self, phone: WebSocketConnection, server: WebSocketConnection, greeting: str | None) -> None:
        self._phone = phone
        self._server = server
        self._greeting = greeting
        self._stream = ""
        """What Twilio calls the call's sound."""
        self._sent_ms: dict[str, float] = {}
        """Item -> how much of its sound went to the telephone."""
        self._heard_ms: dict[str, float] = {}
        """Item -> how much of it was played."""
        self._playing: deque[tuple[str, float]] = deque()
        """The marks that have not come back: item, and where in it."""

    async def run(self) -> None:
        """Carry sound both ways until either side hangs up."""
        async with trio.open_nursery() as nursery:
            for carry in (self._listen, self._speak):
                nursery.start_soon(self._until_hung_up, carry, nursery.cancel_scope)

    async def _until_hung_up(self, carry: Callable[[], Awaitable[None]], both: trio.CancelScope) -> None:
        try:
            with suppress(ConnectionClosed):
                await carry()
        except (ValueError, KeyError, TypeError) as error:
            print(f"A call is ended, since a message in it is none that can be: {error!r}", file=sys.stderr, flush=True)
        both.cancel()

    async def _listen(self) -> None:
        """Carry what the telephone says to the server."""
        while True:
            message = json.loads(await self._phone.get_message())
            match message["event"]:
                case "start":
                    self._stream = message["start"]["streamSid"]
                    await self._ask("session.update", session=SESSION)
                    if self._greeting:
                        await self._ask("response.create", response={"instructions": self._greeting})
                case "media":
                    # In base64 on either side.
                    await self._ask("input_audio_buffer.append", audio=message["media"]["payload"])
                case "mark":
                    self._played(message["mark"]["name"])
                case "stop":
                    return

    async def _speak(self) -> None:
        """Carry what the server says to the telephone."""
        while True:
            event = json.loads(await self._server.get_message())
            match event["type"]:
                case "response.output_audio.delta":
                    await self._play(event["item_id"], event["delta"])
                case "input_audio_buffer.speech_started":
                    await self._fall_silent()
                case "error":
                    print(event["error"]["message"], file=sys.stderr, flush=True)

    async def _play(self, item: str, sound: str) -> None:
        through_ms = self._sent_ms.get(item, 0) + len(base64.b64decode(sound)) / BYTES_PER_MS
        self._sent_ms[item] = through_ms
        self._playing.append((item, through_ms))
        await self._tell("media", media={"payload": sound})
        await self._tell("mark", mark={"name": _name(item, through_ms)})

    def _played(self, name: str) -> None:
        # Those that were cleared come back as well.
        if self._playing and _name(*self._playing[0]) == name:
            item, through_ms = self._playing.popleft()
            self._heard_ms[item] = through_ms

    async def _fall_silent(self) -> None:
        """The caller speaks: let nothing more be played, and say what was heard of each reply that is cut off."""
        unheard = dict.fromkeys(item for item, _ in self._playing)
        self._playing.clear()
        if unheard:
            await self._tell("clear")
        for item in unheard:
            heard = int(self._heard_ms.get(item, 0))
            await self._ask("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=heard)

    async def _ask(self, kind: str, **fields: Any) -> None:
        await self._server.send_message(json.dumps({"type": kind, **fields}))

    async def _tell(self, event: str, **fields: Any) -> None:
        await self._phone.send_message(json.dumps({"event": event, "streamSid": self._stream, **fields}))


def _name(item: str, through_ms: float) -> str:
    return f"{item} {through_ms}"


async def take_call(request: WebSocketRequest, *, server: str, greeting: str | None) -> None:
    """Take one call. If the server is not there, it is ended and the next one may have more luck."""
    key = os.environ.get("STREAM_AUTH_TOKEN", "any")
    async with await request.accept() as phone:
        try:
            async with open_websocket_url(server, extra_headers=[(b"Authorization", f"Bearer {key}".encode())]) as link:
                await Call(phone, link, greeting).run()
        except (HandshakeError, OSError) as error:
            print(f"There is no session at {server}: {error!r}", file=sys.stderr, flush=True)


async def main(server: str, host: str, port: int, greeting: str | None) -> None:
    """Take calls until the program is ended."""
    async with trio.open_nursery() as nursery:
        take = partial(take_call, server=server, greeting=greeting)
        listening = await nursery.start(serve_websocket, take, host, port, None)
        print(f"Calls are taken at ws://{host}:{listening.port}/", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A telephone for the assistant, by Twilio Media Streams.")
    parser.add_argument("--server", default="ws://127.0.0.1:8765/v1/realtime", help="its address")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen")
    parser.add_argument("--port", type=int, default=8766, help="and on which port; 0 is any")
    parser.add_argument("--greeting", help="what the assistant is told to do when a call begins; else the caller does")
    given = parser.parse_args()
    trio.run(main, given.server, given.host, given.port, given.greeting)
