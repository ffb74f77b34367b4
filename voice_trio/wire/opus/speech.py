"""A reply's sound as packets: what stands in a binary message of /ws, written by the server and read by a client.

Each phrase is a stream of its own. A message brings the turn's samples from its ``first_sample`` on; those of all
messages lie end to end, as the chunks do that they are made of, and count at the voice's rate.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Malformed
from voice_trio.wire.opus.decoding import Decoder
from voice_trio.wire.opus.encoding import Encoder

KIND: Final = 2
VERSION: Final = 1

HEADER: Final = struct.Struct("<BBHIIIHBB")
"""version, kind, phrase, turn, seq, first_sample, samples, begins, packets: 20 bytes."""
_LENGTH: Final = struct.Struct("<H")
"""Before each packet."""


def is_packets(data: bytes) -> bool:
    """Return whether a binary message of the server is one of these."""
    return data[:2] == bytes((VERSION, KIND))


@dataclass(slots=True)
class _Phrase:
    encoder: Encoder
    first: int
    """The turn's sample that it begins with."""
    told: int = 0
    """How many of its samples messages have brought."""


class SpeechWriter:
    """Spells the chunks of one turn's reply."""

    def __init__(self) -> None:
        self._rate = 0
        self._at = (0, 0)
        """The turn and the phrase of the latest chunk."""
        self._phrase: _Phrase | None = None
        """The one that is being said."""
        self._seq = 0

    def note(self, event: m.Event) -> Sequence[bytes]:
        """Return what is to be said before ``event``, if anything is."""
        match event:
            case m.TtsPhrase(sample_rate=rate):
                self._rate = rate
            case m.TtsPhraseDone() if self._phrase is not None:
                phrase, self._phrase = self._phrase, None
                return self._message(phrase, phrase.encoder.finish())
            case m.Reopened():
                self._phrase, self._seq = None, 0
        return ()

    def write(self, chunk: m.TtsChunk) -> Sequence[bytes]:
        """Return what can be said now that ``chunk`` has come: one message, or none yet."""
        if self._phrase is None:
            self._phrase = _Phrase(Encoder(self._rate), chunk.first_sample)
        self._at = chunk.turn, chunk.phrase
        return self._message(self._phrase, self._phrase.encoder.push(chunk.pcm))

    def _message(self, phrase: _Phrase, packets: Sequence[bytes]) -> Sequence[bytes]:
        if not packets:
            return ()
        turn, number = self._at
        samples, before = phrase.encoder.covered, phrase.told
        header = HEADER.pack(
            *(VERSION, KIND, number, turn, self._seq, phrase.first + before),
            *(samples - before, not before, len(packets)),
        )
        phrase.told = samples
        self._seq += 1
        return (header + b"".join(_LENGTH.pack(len(packet)) + packet for packet in packets),)


class SpeechReader:
    """Reads what a `SpeechWriter` wrote, as chunks of PCM."""

    def __init__(self) -> None:
        self._rate = 0
        self._decoder: Decoder | None = None
        self._ready = b""

    def begin(self, event: m.TtsPhrase) -> None:
        """The messages that come are those of ``event``."""
        self._rate = event.sample_rate

    def read(self, data: bytes) -> m.TtsChunk:
        """Return what one message brings. Raises `Malformed`."""
        if len(data) < HEADER.size:
            raise Malformed(f"binary message of {len(data)} bytes has no whole header", Farewell.BAD_DATA)
        _, _, phrase, turn, seq, first, samples, begins, count = HEADER.unpack_from(data)
        if begins or self._decoder is None:
            self._decoder, self._ready = Decoder(self._rate), b""
        at = HEADER.size
        for _ in range(count):
            packet = b""
            if at + _LENGTH.size <= len(data):
                (length,) = _LENGTH.unpack_from(data, at)
                packet = data[at + _LENGTH.size : at + _LENGTH.size + length]
                at += _LENGTH.size + length
            self._ready += self._decoder.push(packet)[0]
        wanted = samples * BYTES_PER_SAMPLE
        pcm, self._ready = self._ready[:wanted], self._ready[wanted:]
        return m.TtsChunk(turn=turn, phrase=phrase, seq=seq, first_sample=first, pcm=pcm.ljust(wanted, b"\0"))
