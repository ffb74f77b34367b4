"""Which language a session's person speaks, where nobody said so: heard once, then kept."""

from __future__ import annotations

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.engines.base import SURE_LANGUAGE_PROBABILITY, SURE_LANGUAGE_S, Transcript


class SpokenLanguage:
    """What is known of one session's language."""

    def __init__(self) -> None:
        self.known: str | None = None
        """ISO 639-1 code; None as long as nothing long and clear enough was heard."""

    def hear(self, transcript: Transcript, voiced_samples: int) -> None:
        """Take a final transcript of so much speech (16 kHz)."""
        sure = (
            voiced_samples >= SURE_LANGUAGE_S * SAMPLE_RATE
            and transcript.language_probability >= SURE_LANGUAGE_PROBABILITY
        )
        if self.known is None and sure and transcript.text:
            self.known = transcript.language
