"""A server's side of /ws that says what the test writes, at the moment that it says: to a page of a real server."""

import json
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, WebSocketRoute

from voice_trio.core import messages as m
from voice_trio.wire.native import encode_event

RATE = 24_000
CHUNK = 24_000
"""Long ones, so that a page that is kept waiting between two of them does not run dry."""

_GREETING = m.SessionOpened(
    session="s",
    conversation="c",
    features=("tap", "hold", "hands_free", "text", "cancel", "played", "mark"),
    sample_rate=16_000,
    max_utterance_ms=30_000,
    silence_ms=700,
    asr="script",
    llm="script",
    voices=("en-gb",),
    languages=("en",),
)


class Script:
    """The other end of the page's sockets, from the next time that it is loaded."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sent: list[dict[str, Any]] = []
        """What the page said, but for its audio."""
        self.audio_bytes = 0
        self._socket: WebSocketRoute
        page.route_web_socket(re.compile("/ws$"), self._open)
        page.reload()

    def say(self, *events: m.Event) -> None:
        """Say ``events``."""
        for event in events:
            self._socket.send(encode_event(event))

    def said(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of the page that are of ``kind``."""
        return [message for message in self.sent if message["type"] == kind]

    def wait_said(self, kind: str, count: int = 1) -> None:
        """Wait until the page has sent so many messages of ``kind``."""
        for _ in range(300):
            if len(self.said(kind)) >= count:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the page said {[message['type'] for message in self.sent]}")

    def answer(self, turn: int, said: str, reply: str, sound: NDArray[np.float64]) -> None:
        """Answer what was ``said`` with ``reply``, a phrase that sounds as ``sound``; all but the end of the turn."""
        states = [m.StateChanged(turn=turn, state=state) for state in (m.State.THINKING, m.State.RESPONDING)]
        phrase = m.TtsPhrase(turn=turn, phrase=0, start=0, end=len(reply), sample_rate=RATE)
        self.say(m.Final(turn=turn, text=said), states[0], m.Token(turn=turn, text=reply), phrase, states[1])
        self.say(*chunks(turn, sound))
        self.say(m.TtsPhraseDone(turn=turn, phrase=0, samples=len(sound)))

    def _open(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.on_message(self._take)
        self.say(_GREETING)

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.sent.append(json.loads(message))
        else:
            self.audio_bytes += len(message)


def chunks(turn: int, sound: NDArray[np.float64]) -> list[m.TtsChunk]:
    """Return ``sound`` as a server sends it."""
    pcm = np.round(sound * 32767).astype("<i2")
    return [
        m.TtsChunk(turn=turn, phrase=0, seq=seq, first_sample=at, pcm=pcm[at : at + CHUNK].tobytes())
        for seq, at in enumerate(range(0, len(pcm), CHUNK))
    ]


def rising(seconds: float, hz: float = 200.0) -> NDArray[np.float64]:
    """Return a tone that rises from ``hz`` by 400 Hz a second: no two places in it are alike, and none is silent."""
    time = np.arange(int(seconds * RATE)) / RATE
    end = np.minimum(1, (seconds - time) / 0.02) ** 2
    return 0.4 * end * np.cos(2 * np.pi * (hz * time + 200.0 * time**2))
