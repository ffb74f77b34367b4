"""Our adapter for voicebench, a public harness that judges voice agents by their sound (PyPI, Apache-2.0).

    python -m venv /tmp/vb && /tmp/vb/bin/pip install voicebench==0.2.0
    python tools/with_server.py /tmp/vb/bin/voicebench run tools/voicebench.yaml
    python tools/with_server.py /tmp/vb/bin/voicebench run SCENARIO --adapter tools.voicebench_adapter:VoiceTrio

Of the scenarios that it ships, websocket.yaml passes. The other, mock-conversation.yaml, is for its own mock agent: the
sounds in it have no words, nor are they speech to a neural detector, as the harness says itself.

It talks /ws in hands-free turns and plays the replies as a page would: in real time, standing still on `hold`, thrown
away on an interruption. The harness is made of asyncio, so this file is; nothing of ours imports it.
"""

from __future__ import annotations

import json
import struct
from typing import Any, ClassVar

from voicebench import audio
from voicebench.adapters.base import AgentAudio, Transcript
from voicebench.adapters.websocket import WebSocketAdapter

HEADER = struct.Struct("<BBHIII")
PLAYED_EVERY_S = 0.25


class VoiceTrio(WebSocketAdapter):  # type: ignore[misc]
    """A client of /ws with a loudspeaker."""

    name: ClassVar[str] = "voice-trio"

    def __init__(self, url: str = "ws://127.0.0.1:8765/ws", **options: Any) -> None:
        super().__init__(url=url, start_message={"type": "start", "mode": "hands_free"}, **options)
        self._turn = 0
        self._rate = 24_000
        self._waiting = bytearray()
        """Of the turn's reply, what the speaker has not played."""
        self._played = 0
        self._held = False
        self._told_at = 0.0

    def handle_binary(self, message: bytes, now: float, src_rate: int) -> None:
        """Queue a chunk of the reply."""
        *_, turn, _seq, _first = HEADER.unpack_from(message)
        if turn != self._turn:
            self._begin(turn)
        self._waiting += message[HEADER.size :]

    def handle_text(self, message: str, now: float) -> None:
        """Do what a player does."""
        event = json.loads(message)
        match event["type"]:
            case "tts_phrase":
                self._rate = event["sample_rate"]
            case "hold":
                self._held = True
            case "release":
                self._held = False
            case "reopened":
                self._begin(event["turn"])
            case "done":
                self._held = False
                if event["outcome"] in ("interrupted", "cancelled"):
                    self._waiting.clear()
            case "final":
                self.emit(Transcript("user", event["text"], now))

    async def send_audio(self, pcm: audio.FloatArray) -> None:
        """Send a frame of the person's, and play as much of the reply meanwhile."""
        await super().send_audio(pcm)
        now = self.session.clock.now()
        if not self._held and self._waiting:
            frame = 2 * round(self._rate * self.session.frame_ms / 1000)
            sound = bytes(self._waiting[:frame])
            del self._waiting[:frame]
            self._played += len(sound) // 2
            self.emit(AgentAudio(audio.resample(audio.from_pcm16(sound), self._rate, self.session.sample_rate), now))
        if self._turn and now - self._told_at >= PLAYED_EVERY_S and self._ws is not None:
            self._told_at = now
            await self._ws.send(json.dumps({"type": "played", "turn": self._turn, "samples": self._played}))

    def _begin(self, turn: int) -> None:
        self._turn, self._played, self._held = turn, 0, False
        self._waiting.clear()
