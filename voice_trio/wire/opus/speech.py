"""A reply's sound as packets: what stands in a binary message of /ws, written by the server and read by a client.

Each phrase is a stream of its own, and each chunk of it a message, so that messages can be numbered as events are. It
brings the turn's samples from its ``first_sample`` on, which are fewer than the chunk has, since an encoder keeps some
back; they lie end to end, and count at the voice's rate. The last ones come with the phrase's end.
"""

from __future__ import annotations

import struct
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
class _Stream:
    encoder: Encoder
    first: int
    """The turn's sample that it begins with."""
    told: int | None = None
    """How many of its samples messages have brought; None where there was no message yet."""


class SpeechWriter:
    """Spells the chunks of one turn's reply, each in a message of its own."""

    def __init__(self, sample_rate: int = 0) -> None:
        """``sample_rate`` is that of a phrase that was begun before."""
        self.sample_rate = sample_rate
        self._stream: _Stream | None = None

    def begin(self, event: m.TtsPhrase) -> None:
        """The chunks that come are those of ``event``."""
        self.sample_rate, self._stream = event.sample_rate, None

    def write(self, chunk: m.TtsChunk) -> bytes:
        """Return the message for ``chunk``, which brings what can be heard now that it has come."""
        if self._stream is None:
            self._stream = _Stream(Encoder(self.sample_rate), chunk.first_sample)
        stream = self._stream
        packets, before = stream.encoder.push(chunk.pcm), stream.told
        stream.told = stream.encoder.covered
        header = HEADER.pack(
            *(VERSION, KIND, chunk.phrase, chunk.turn, chunk.seq, stream.first + (before or 0)),
            *(stream.told - (before or 0), before is None, len(packets)),
        )
        return header + b"".join(_LENGTH.pack(len(packet)) + packet for packet in packets)

    def end(self, event: m.TtsPhraseDone) -> m.TtsPhraseDone:
        """Return ``event`` with the packets that no message has brought."""
        stream, self._stream = self._stream, None
        if stream is None:
            return event
        return replace(event, rest=tuple(b2a_base64(one, newline=False).decode() for one in stream.encoder.finish()))


class SpeechReader:
    """Reads what a `SpeechWriter` wrote, as chunks of PCM, which it numbers anew."""

    def __init__(self) -> None:
        self._rate = 0
        self._decoder: Decoder | None = None
        self._ready = b""
        self._first: int | None = None
        """The turn's sample that the phrase begins with, once it is known."""
        self._at = 0
        """The turn's sample that comes next."""
        self._seq = 0

    def begin(self, event: m.TtsPhrase) -> None:
        """The messages that come are those of ``event``."""
        self._rate, self._first, self._decoder = event.sample_rate, None, None

    def read(self, data: bytes) -> Sequence[m.TtsChunk]:
        """Return what one message brings, if it brings anything. Raises `Malformed`."""
        if len(data) < HEADER.size:
            raise Malformed(f"binary message of {len(data)} bytes has no whole header", Farewell.BAD_DATA)
        _, _, phrase, turn, seq, first, samples, begins, count = HEADER.unpack_from(data)
        if seq == 0:
            self._seq = 0
        if begins or self._decoder is None:
            self._decoder, self._ready, self._at = Decoder(self._rate), b"", first
        if self._first is None:
            self._first = first
        at = HEADER.size
        for _ in range(count):
            packet = b""
            if at + _LENGTH.size <= len(data):
                (length,) = _LENGTH.unpack_from(data, at)
                packet = data[at + _LENGTH.size : at + _LENGTH.size + length]
                at += _LENGTH.size + length
            self._ready += self._decoder.push(packet)[0]
        return self._taken(turn, phrase, samples)

    def end(self, event: m.TtsPhraseDone) -> Sequence[m.TtsChunk]:
        """Return what the rest of the phrase brings. Raises `Malformed`."""
        if self._decoder is None or self._first is None:
            return ()
        try:
            packets = [a2b_base64(one) for one in event.rest or ()]
        except ValueError as error:
            raise Malformed("tts_phrase_done: what is left is no base64", Farewell.BAD_DATA) from error
        for packet in packets:
            self._ready += self._decoder.push(packet)[0]
        left = self._first + event.samples - self._at
        return self._taken(event.turn, event.phrase, max(0, min(left, len(self._ready) // BYTES_PER_SAMPLE)))

    def _taken(self, turn: int, phrase: int, samples: int) -> Sequence[m.TtsChunk]:
        if not samples:
            return ()
        wanted = samples * BYTES_PER_SAMPLE
        pcm, self._ready = self._ready[:wanted].ljust(wanted, b"\0"), self._ready[wanted:]
        chunk = m.TtsChunk(turn=turn, phrase=phrase, seq=self._seq, first_sample=self._at, pcm=pcm)
        self._seq += 1
        self._at += samples
        return (chunk,)
