"""A connection of /ws from the client's side: what a command is as messages, and a message as an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from voice_trio.core.codes import SoundCodec
from voice_trio.wire import native
from voice_trio.wire.codec import Unprepared
from voice_trio.wire.opus import library
from voice_trio.wire.opus.encoding import Encoder
from voice_trio.wire.opus.packet import PACKET_MS
from voice_trio.wire.opus.speech import SpeechReader, is_packets

_BEHIND = bytes(2 * ms_to_samples(PACKET_MS) * BYTES_PER_SAMPLE)
"""Silence that has the last sample of an utterance be sent."""


class NativeCaller:
    """Remembers how sound is coded: a `Start` that asks for Opus has all audio after it be encoded."""

    def __init__(self, codec: SoundCodec | None = None) -> None:
        """``codec`` is asked for by each turn that names none itself, where the server has it."""
        self._codec = codec
        self._offered: tuple[str, ...] = ()
        self._encoder: Encoder | None = None
        self._reader = SpeechReader()

    def encode(self, command: m.Command) -> Sequence[str | bytes]:
        """Return the messages that say ``command``, in their order. Raises `Unprepared` for the first Opus."""
        if isinstance(command, m.Start | m.Text) and command.codec is None and self._codec in (*self._offered, "pcm"):
            command = replace(command, codec=self._codec)
        match command:
            case m.Start(codec="opus") | m.Text(codec="opus") if not library.is_loaded():
                raise Unprepared(library.load)
            case m.Start(codec=str(codec)):
                self._encoder = Encoder(SAMPLE_RATE) if codec == "opus" else None
            case m.Audio(pcm=pcm) if self._encoder is not None:
                return self._encoder.push(pcm)
            case m.Sounding() if self._encoder is not None:
                command = replace(command, at=command.at + self._encoder.waiting)
            case m.Stop() if self._encoder is not None:
                return (*self._encoder.push(_BEHIND), native.encode_command(command))
        return (native.encode_command(command),)

    def decode(self, data: str | bytes) -> Sequence[m.Event]:
        """Read one message of the server: nothing that this version does not know. Raises `Malformed`."""
        if isinstance(data, bytes) and is_packets(data):
            return self._reader.read(data)
        event = native.decode_event(data)
        match event:
            case m.SessionOpened(features=features):
                self._offered = features
            case m.TtsPhrase():
                self._reader.begin(event)
            case m.TtsPhraseDone():
                return (*self._reader.end(event), replace(event, rest=None))
        return () if event is None else (event,)
