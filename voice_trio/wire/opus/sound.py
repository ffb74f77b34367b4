"""How one connection of /ws codes sound, from the server's side: as PCM, until the client asks for Opus."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from voice_trio.core import messages as m
from voice_trio.core.codes import SoundCodec
from voice_trio.wire.codec import Unprepared
from voice_trio.wire.opus import library
from voice_trio.wire.opus.hearing import Hearing
from voice_trio.wire.opus.speech import SpeechWriter

_TURNS: Final = 64
"""Of so many of the latest turns it is known how they were coded: more than a client can lack when it comes back."""


@dataclass(frozen=True, slots=True)
class _Coded:
    """How a turn's reply is coded."""

    codec: SoundCodec
    sample_rate: int = 0
    """That of its latest phrase."""


class Sound:
    """What a client asked for, and the streams of both directions that have come of it."""

    def __init__(self) -> None:
        self.hearing: Hearing | None = None
        """What reads the client's packets; None where it sends PCM."""
        self._wanted: SoundCodec = "pcm"
        """That of the turns to come."""
        self._turns: dict[int, _Coded] = {}
        self._speech: SpeechWriter | None = None
        """What writes those of the turn; None where its sound is PCM."""
        self._turn = 0
        """The one that was told of last."""

    def go_on_from(self, before: Sound) -> None:
        """Code sound as ``before`` did, whose session goes on over this connection.

        What is said again may be of an earlier turn than ``before`` has come to. A reply that is under way begins a new
        stream, and lacks what the encoder before had kept back.
        """
        self.hearing, self._wanted = before.hearing, before._wanted
        self._turns = dict(before._turns)

    def asked(self, command: m.Command) -> m.Command:
        """Obey ``command``, and return it as the session takes it. Raises `Unprepared` for the first Opus."""
        match command:
            case m.Start(codec=str(codec)) | m.Text(codec=str(codec)):
                if codec == "opus" and not library.is_loaded():
                    raise Unprepared(library.load)
                self._wanted = codec
                if isinstance(command, m.Start):
                    self.hearing = Hearing() if codec == "opus" else None
            case m.Sounding() if self.hearing is not None:
                return self.hearing.placed(command)
        return command

    def said(self, event: m.Event) -> m.Event | bytes:
        """Return ``event`` as it is to be spelled, or the message that says it."""
        match event:
            case m.StateChanged() | m.TtsPhrase() | m.TtsChunk() | m.TtsPhraseDone():
                self._come_to(event.turn)
        match event:
            case m.TtsPhrase(turn=turn) if self._speech is not None:
                self._turns[turn] = replace(self._turns[turn], sample_rate=event.sample_rate)
                self._speech.begin(event)
            case m.TtsChunk() if self._speech is not None:
                return self._speech.write(event)
            case m.TtsPhraseDone() if self._speech is not None:
                return self._speech.end(event)
        return event

    def _come_to(self, turn: int) -> None:
        """Code what is said of ``turn`` as it was begun, here or over a connection before this."""
        if turn == self._turn:
            return
        self._turn = turn
        coded = self._turns.setdefault(turn, _Coded(self._wanted))
        while len(self._turns) > _TURNS:
            del self._turns[min(self._turns)]
        self._speech = SpeechWriter(coded.sample_rate) if coded.codec == "opus" else None
