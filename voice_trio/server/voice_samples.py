"""A sentence in each voice, to choose by."""

from __future__ import annotations

from collections import OrderedDict

import trio

from voice_trio.config import Settings
from voice_trio.core.audio import wav_of
from voice_trio.engines.base import EngineError, Speech, Synthesizer
from voice_trio.engines.host import EngineHost
from voice_trio.session.voice import Voice

_MOST_KEPT = 24
"""Each is some 150 kB."""

_SENTENCES = {
    "en": "Hello. This is how I sound when I answer you.",
    "de": "Hallo. So klinge ich, wenn ich dir antworte.",
    "es": "Hola. Así sueno cuando te respondo.",
    "fr": "Bonjour. Voici ma voix quand je te réponds.",
    "it": "Ciao. Ecco la mia voce quando ti rispondo.",
    "nl": "Hallo. Zo klink ik als ik je antwoord geef.",
    "pl": "Cześć. Tak brzmię, kiedy ci odpowiadam.",
    "pt": "Olá. É assim que eu falo quando respondo.",
    "sv": "Hej. Så här låter jag när jag svarar dig.",
}
_USUAL = "en"


def sentence_for(voice: str, language: str | None) -> str:
    """Return what ``voice`` is to say: in its own language, where its name begins with it, else in ``language``."""
    own = voice.lower().replace("_", "-").partition("-")[0]
    return next(_SENTENCES[one] for one in (own, language, _USUAL) if one in _SENTENCES)


class VoiceSamples:
    """Samples of the voices that ``host`` has at the moment, each made when it is first asked for, and kept."""

    def __init__(self, settings: Settings, host: EngineHost) -> None:
        self._timeout_s = settings.tts_timeout_s
        self._host = host
        self._one_at_a_time = trio.Lock()
        self._of: Synthesizer | None = None
        """Whose voices the samples are of."""
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def wav(self, voice: str, language: str | None = None) -> bytes:
        """Return a sample as a WAV. Raises KeyError for a voice that there is not, `EngineError` (TTS_FAIL).

        One at a time is made, so that those who talk have the other workers.
        """
        async with self._one_at_a_time:
            with self._host.engines.lease() as engines:
                return await self._wav(engines.synthesizer, voice, language)

    async def _wav(self, synthesizer: Synthesizer, voice: str, language: str | None) -> bytes:
        if synthesizer is not self._of:
            self._of = synthesizer
            self._kept.clear()
        if voice not in synthesizer.voices:
            raise KeyError(voice)
        key = voice, sentence_for(voice, language)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        pcm = bytearray()

        async def take(piece: Speech | EngineError) -> None:
            if isinstance(piece, EngineError):
                raise piece
            pcm.extend(piece.pcm)
            await trio.lowlevel.checkpoint()

        await Voice(synthesizer, voice, 1.0, self._timeout_s).say(key[1], take)
        made = self._kept[key] = wav_of(bytes(pcm), synthesizer.sample_rate)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return made
