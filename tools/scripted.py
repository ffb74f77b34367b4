"""Engines that take no time, in a real server: what is left is the server's own share.

The detector is the real webrtcvad, so real recordings are heard as speech; the voice is a tone that can be heard in a
recording of the conversation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from voice_trio.config import Settings
from voice_trio.engines.base import Engines, Prompt, Speech, Stream
from voice_trio.engines.webrtc import WebRtcDetector
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
)

REPLY = ("It ", "is ", "sunny ", "in ", "town. ", "Take ", "a ", "hat ", "with ", "you ", "all ", "day. ")
"""What is answered to everything: two phrases, about two seconds."""

LONG = "Tell me something long."

_CHAR_MS = 40

_TONE = b"\x00\x20\x00\xe0"
"""Two samples of it, loud enough that a recording shows where it begins."""


@dataclass
class ToneSynthesizer(ScriptedSynthesizer):
    """Says every text as a tone that can be heard."""

    def said(self, piece: Speech, number: int) -> Speech:
        """Return a tone instead, and forget what was said."""
        self.spoken.clear()
        return replace(piece, pcm=(_TONE * piece.samples)[: len(piece.pcm)])


class ScriptedMind:
    """Answers everything with `REPLY`, and `LONG` with one that goes on for minutes; keeps nothing, for days."""

    name = "scripted"
    synthetic = False

    @asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[Stream]:
        """Begin a reply."""
        tokens = REPLY * 100 if prompt.messages[-1].content == LONG else REPLY
        model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=tokens, token_s=0)])
        async with model.stream(prompt) as stream:
            yield stream


def zero_cost_engines() -> Engines:
    """Return engines that take no time."""
    return Engines(
        recognizer=ScriptedRecognizer(hypothesize_s=0, settle_s=0),
        language_model=ScriptedMind(),
        synthesizer=ToneSynthesizer(char_ms=_CHAR_MS, speak_s=0),
        new_detector=WebRtcDetector,
    )


@asynccontextmanager
async def open_zero_cost_engines(settings: Settings) -> AsyncIterator[Engines]:
    """Open such engines, whatever ``settings`` say."""
    yield zero_cost_engines()
