"""How one connection of /ws codes sound, from the server's side: as PCM, until the client asks for Opus."""

from __future__ import annotations

from voice_trio.core import messages as m
from voice_trio.core.codes import SoundCodec
from voice_trio.wire.codec import Unprepared
from voice_trio.wire.opus import library
from voice_trio.wire.opus.hearing import Hearing
from voice_trio.wire.opus.speech import SpeechWriter


class Sound:
    """What a client asked for, and the streams of both directions that have come of it."""

    def __init__(self) -> None:
        self.hearing: Hearing | None = None
        """What reads the client's packets; None where it sends PCM."""
        self._wanted: SoundCodec = "pcm"
        """That of the turns to come."""
        self._speech: SpeechWriter | None = None
        """What writes those of the turn; None where its sound is PCM."""
        self._turn = 0

    def go_on_from(self, before: Sound) -> None:
        """Code sound as ``before`` did, whose session goes on over this connection.

        A reply that is under way begins a new stream, and lacks what the encoder before had kept back.
        """
        self.hearing, self._wanted, self._turn = before.hearing, before._wanted, before._turn
        self._speech = None if before._speech is None else SpeechWriter(before._speech.sample_rate)

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
            case m.StateChanged(turn=turn) if turn != self._turn:
                self._turn = turn
                self._speech = SpeechWriter() if self._wanted == "opus" else None
            case m.TtsPhrase() if self._speech is not None:
                self._speech.begin(event)
            case m.TtsChunk() if self._speech is not None:
                return self._speech.write(event)
            case m.TtsPhraseDone() if self._speech is not None:
                return self._speech.end(event)
        return event
