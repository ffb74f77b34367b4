"""The adapter of our own server: /ws, hands-free, as docs/protocol.md has it.

It reads JSON and not our message classes, so that one rig drives servers of several versions: `hold`, `release` and
`reopened` are done as told, and a server that never says them is one without them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from tools.duplex_bench.adapter import Ears, SessionLost
from tools.duplex_bench.network import Connection, over_network
from voice_trio.client import CannotConnect, SessionClosed, connect
from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.wire.native import CHUNK_HEADER

_PLAYED_S = 0.25
_STOPPED = ("cancelled", "interrupted")
"""Outcomes after which a player plays no more of the turn."""


class Ours:
    """A hands-free session of /ws."""

    def __init__(self, client: Connection, ears: Ears, *, echo: bool) -> None:
        self.answering = False
        self._client = client
        self._ears = ears
        self._echo = echo
        self._rates: dict[int, int] = {}
        self._whole: dict[int, int] = {}
        """Turn -> samples of its phrases that are whole."""
        self._sent = 0
        """Samples of the microphone's sound."""
        self._sounding: int | None = None
        """The turn of which sound came last."""

    async def send(self, pcm: bytes) -> None:
        """Send what the microphone heard. Raises `SessionLost`."""
        begin, self._sent = self._sent, self._sent + len(pcm) // BYTES_PER_SAMPLE
        if self._echo:
            for place, turn, sample in self._ears.player.sounding(begin, self._sent):
                what = {} if turn is None else {"turn": turn, "sample": sample}
                await self._say("sounding", at=place - begin, **what)
        await self._send(pcm)

    async def listen(self) -> None:
        """Play, log, and say what was played. Raises `SessionLost`."""
        await self._say("start", mode="hands_free", echo="none" if self._echo else "browser")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._report)
            while True:
                try:
                    message = await self._client.hear_raw()
                except SessionClosed as closed:
                    raise SessionLost(str(closed)) from closed
                if isinstance(message, bytes):
                    self._play(message)
                else:
                    await self._heed(json.loads(message))

    def _play(self, message: bytes) -> None:
        _, _, _, turn, _, first_sample = CHUNK_HEADER.unpack_from(message)
        self._sounding = turn
        self._ears.player.play(turn, self._rates[turn], first_sample, message[CHUNK_HEADER.size :])

    async def _heed(self, event: dict[str, Any]) -> None:
        ears = self._ears
        match event:
            case {"type": "state", "turn": turn, "state": state}:
                self.answering = state in ("THINKING", "RESPONDING")
                if state == "THINKING":
                    ears.note("ended", turn=turn)
            case {"type": "final", "turn": turn, "text": text}:
                ears.note("final", turn=turn, text=text)
            case {"type": "tts_phrase", "turn": turn, "sample_rate": rate}:
                self._rates[turn] = rate
                self._note_words(turn, event)
            case {"type": "tts_words", "turn": turn}:
                self._note_words(turn, event)
            case {"type": "tts_phrase_done", "turn": turn, "samples": samples}:
                self._whole[turn] = self._whole.get(turn, 0) + samples
            case {"type": "hold", "turn": turn}:
                ears.player.hold(turn)
                ears.note("hold", turn=turn)
                await self._tell_played()
            case {"type": "release", "turn": turn}:
                ears.player.release(turn, event.get("sample"))
                ears.note("release", turn=turn)
            case {"type": "reopened", "turn": turn}:
                ears.player.forget(turn)
                self._whole.pop(turn, None)
                self.answering = False
                ears.note("reopened", turn=turn)
            case {"type": "done", "turn": turn, "outcome": outcome}:
                self.answering = False
                if outcome in _STOPPED:
                    ears.player.drop(turn)
                ears.note("done", turn=turn, outcome=outcome, remembered=event.get("heard"))
            case {"type": "error", "code": code, "message": text}:
                ears.note("error", code=code, message=text)
            case _:
                pass

    def _note_words(self, turn: int, event: dict[str, Any]) -> None:
        if words := event.get("words"):
            before = self._whole.get(turn, 0)
            samples = [before + sample for sample, _ in words]
            self._ears.note("words", turn=turn, samples=samples, places=[place for _, place in words])

    async def _report(self) -> None:
        while True:
            await trio.sleep(_PLAYED_S)
            await self._tell_played()

    async def _tell_played(self) -> None:
        if self._sounding is not None:
            await self._say("played", turn=self._sounding, samples=self._ears.player.heard(self._sounding))

    async def _say(self, kind: str, **fields: Any) -> None:
        await self._send(json.dumps({"type": kind, **fields}))

    async def _send(self, message: str | bytes) -> None:
        try:
            await self._client.send_raw(message)
        except SessionClosed as closed:
            raise SessionLost(str(closed)) from closed


@asynccontextmanager
async def open_ours(url: str, ears: Ears, *, echo: bool, jitter_s: float) -> AsyncIterator[Ours]:
    """Open a session with our server at ``url`` (``ws://host:port/ws``), as `adapter.OpenAdapter` has it."""
    try:
        async with connect(url) as client, over_network(client, jitter_s) as connection:
            yield Ours(connection, ears, echo=echo)
    except CannotConnect as error:
        raise SessionLost(str(error)) from error
