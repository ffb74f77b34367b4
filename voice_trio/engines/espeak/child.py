"""The child of the voice: espeak-ng by way of pyttsx3, one phrase at a time.

A request ``{"text", "voice", "rate"}`` is answered with ``{"marks": [[sample, char], ...]}`` and s16le mono audio in
the body.

**The driver.** pyttsx3's own is made for a loudspeaker or a file: it hands espeak a text length of ten times the text,
which espeak's queue copies (20,000 characters end the process); its loop can return before a long phrase is whole; and
it drops where in the audio a word begins. The subclass below runs espeak synchronously, where the length is not used
and nothing is queued, and takes audio and word events from the callback.

**Silence.** espeak writes pauses as exact zeros, so they can be cut without touching a sound: 230 ms at the end of any
text, 115 to 250 at a comma. A reply is spoken phrase by phrase, so a pause inside a sentence is kept short wherever it
falls, and one after a sentence is kept natural.

**Reach.** espeak is old C that reads what a model, and so a stranger, wrote. `survivable` keeps it from the texts that
are known to break it; for those that are not, `confine` leaves the process its pipes and espeak's own data.
"""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path
from typing import Any, NamedTuple

from voice_trio.engines.espeak.text import survivable
from voice_trio.workers import confinement
from voice_trio.workers.main import Fields, Handler, serve

RATE = 22_050
"""Samples per second of every voice of espeak-ng."""
BYTES = 2

VOICES = ("en-us", "en-gb", "en-gb-scotland", "de", "es", "fr-fr", "it", "nl", "pl", "pt", "pt-br", "sv")
"""Names offered, the usual one first: espeak-ng's language codes."""

LOUDNESS_DB = {
    "en-us": -19.2,
    "en-gb": -18.3,
    "en-gb-scotland": -17.4,
    "de": -17.5,
    "es": -18.0,
    "fr-fr": -19.9,
    "it": -18.2,
    "nl": -17.5,
    "pl": -18.0,
    "pt": -18.4,
    "pt-br": -18.3,
    "sv": -17.5,
}
"""How loud each speaks of itself, pauses not counted, in dB of full scale: means of 15 sentences."""
LEVEL_DB = -20.0
"""How loud all voices are, of other engines too. None has to be made louder, so none is clipped by it."""

OPEN_FILES = 32
"""Most open files: the pipes, and one or two of espeak's."""

HEAD_MS = 10
TAIL_MS = 30
PAUSE_MS = 65
"""Silence kept before the first sound, after the last, and inside a sentence. Head and tail make a seam of 40 ms."""
SENTENCE_MS = 200
"""Silence kept after a sentence."""
SENTENCE_END = ".?!…。？！"
CLOSERS = "\"'’”»)]} "
"""What may stand between a sentence's last sign and its end."""


class Said(NamedTuple):
    """What espeak made of a text: audio, and the samples at which its words and sentences begin."""

    pcm: bytes
    words: list[tuple[int, int]]
    """(sample, place of the word in the text)"""
    sentences: list[int]


def ends_sentence(text: str) -> bool:
    """Return whether a natural pause belongs after ``text``."""
    return text.rstrip(CLOSERS).endswith(tuple(SENTENCE_END))


def trim(said: Said, *, sentence_end: bool) -> tuple[bytes, list[tuple[int, int]]]:
    """Return the audio with its silences cut to size, and its words at their new samples."""
    pcm = said.pcm
    first, last = _leading_zeros(pcm), _trailing_zeros(pcm)
    if first * BYTES == len(pcm):
        return b"", []
    # Each silence as [start, end) in samples, and what is kept of it.
    length = len(pcm) // BYTES
    end_ms = SENTENCE_MS if sentence_end else TAIL_MS
    # Each cut as [from, to) in samples. A silence keeps its beginning, the head its end, which leads into the sound.
    cuts = [(0, max(0, first - _samples(HEAD_MS)))]
    for start, end in _inner_silences(pcm, first, length - last):
        between = any(start < at <= end for at in said.sentences)
        cuts.append((min(end, start + _samples(SENTENCE_MS if between else PAUSE_MS)), end))
    cuts.append((min(length, length - last + _samples(end_ms)), length))
    kept, at = [], 0
    for cut_from, cut_to in cuts:
        kept.append(pcm[at * BYTES : cut_from * BYTES])
        at = cut_to
    kept.append(bytes(BYTES * max(0, _samples(end_ms) - last)))
    return b"".join(kept), [(_moved(sample, cuts), place) for sample, place in said.words]


def word_starts(words: list[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """Return the events that begin a word of ``text``, rising in both fields.

    espeak reports a number once for every word that it is spoken with, from the second on at a place inside it.
    """
    starts: list[tuple[int, int]] = []
    for sample, place in words:
        inside = place > 0 and text[place - 1 : place].isalnum()
        if inside or not text[place : place + 1].strip() or (starts and place <= starts[-1][1]):
            continue
        starts.append((max(sample, starts[-1][0] + 1 if starts else 0), place))
    return starts


def _moved(sample: int, cuts: list[tuple[int, int]]) -> int:
    """Return where ``sample`` is once the ``cuts`` are made."""
    return sample - sum(max(0, min(sample, cut_to) - cut_from) for cut_from, cut_to in cuts)


def _samples(ms: int) -> int:
    return RATE * ms // 1000


def _leading_zeros(pcm: bytes) -> int:
    return (len(pcm) - len(pcm.lstrip(b"\0"))) // BYTES


def _trailing_zeros(pcm: bytes) -> int:
    return (len(pcm) - len(pcm.rstrip(b"\0"))) // BYTES


def _inner_silences(pcm: bytes, first: int, last: int) -> list[tuple[int, int]]:
    """Return the silences longer than `PAUSE_MS` between samples ``first`` and ``last``, as [start, end)."""
    needle = bytes((_samples(PAUSE_MS) + 2) * BYTES)
    found = []
    at = first * BYTES
    while (at := pcm.find(needle, at, last * BYTES)) >= 0:
        # A run of zero bytes can begin or end inside a sample.
        start = (at + 1) // BYTES
        end = start + _leading_zeros(pcm[start * BYTES : last * BYTES])
        found.append((start, end))
        at = end * BYTES
    return found


def load() -> tuple[Fields, Handler]:
    """Start espeak-ng."""
    import espeakng_loader

    # Loaded first and for all, the bundled library is the one that pyttsx3's search for its SONAME finds.
    ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)
    data = espeakng_loader.get_data_path()
    os.environ["ESPEAK_DATA_PATH"] = data

    import pyttsx3
    from pyttsx3.drivers import _espeak, espeak

    class Driver(espeak.EspeakDriver):  # type: ignore[misc]
        """pyttsx3's driver, synchronous, its output kept in memory."""

        def __init__(self, proxy: Any) -> None:
            if _espeak.Initialize(_espeak.AUDIO_OUTPUT_SYNCHRONOUS, 1000, data.encode()) != RATE:
                raise RuntimeError("espeak-ng cannot be initialised")
            espeak.EspeakDriver._moduleInitialized = True
            espeak.EspeakDriver._defaultVoice = VOICES[0]
            super().__init__(proxy)
            self.text = ""
            self.reset()

        def say(self, text: str) -> None:
            self.text = text

        def reset(self) -> None:
            self.audio: list[bytes] = []
            self.words: list[tuple[int, int]] = []
            self.sentences: list[int] = []
            self.whole = False

        def startLoop(self) -> None:  # noqa: N802
            self._proxy.setBusy(False)
            text, self.text = self.text, ""
            if text and _espeak.Synth(text, flags=_espeak.CHARS_UTF8) != _espeak.EE_OK:
                raise RuntimeError("espeak-ng refused the text")

        def _onSynth(self, wav: Any, numsamples: int, events: Any) -> int:  # noqa: N802
            if numsamples > 0:
                self.audio.append(ctypes.string_at(wav, numsamples * BYTES))
            index = 0
            while (kind := events[index].type) != _espeak.EVENT_LIST_TERMINATED:
                event = events[index]
                if kind == _espeak.EVENT_WORD:
                    self.words.append((event.sample, event.text_position - 1))
                elif kind == _espeak.EVENT_SENTENCE:
                    self.sentences.append(event.sample)
                index += 1
            # The last call of a text brings no audio, not even an empty buffer.
            self.whole = not wav
            return 0

    espeak.buildDriver = Driver
    engine = pyttsx3.init("espeak")
    driver = engine.proxy._driver
    errors: list[Exception] = []
    engine.connect("error", lambda name, exception: errors.append(exception))
    # Not every language code is a name that espeak finds a voice by; every id is.
    ids = {language: voice.id for voice in engine.getProperty("voices") for language in voice.languages}

    def handle(fields: Fields, body: bytes) -> tuple[Fields, bytes]:
        text: str = fields["text"]
        spoken = survivable(text)
        driver.reset()
        errors.clear()
        engine.setProperty("voice", ids[fields["voice"]])
        engine.setProperty("rate", fields["rate"])
        engine.setProperty("volume", 10 ** ((LEVEL_DB - LOUDNESS_DB[fields["voice"]]) / 20))
        engine.say(spoken.text)
        engine.runAndWait()
        if errors:
            raise errors[0]
        if not driver.whole:
            raise RuntimeError("espeak-ng did not finish")
        words = [(sample, spoken.places[place]) for sample, place in driver.words if 0 <= place < len(spoken.places)]
        said = Said(b"".join(driver.audio), words, driver.sentences)
        pcm, words = trim(said, sentence_end=ends_sentence(text))
        return {"marks": word_starts(words, text)}, pcm

    # A language's dictionary is read when it is first spoken, and again when a text changes to it and back.
    belts = confinement.confine({**confinement.NOTHING, resource.RLIMIT_NOFILE: OPEN_FILES}, readable=Path(data))
    return {"voices": [name for name in VOICES if name in ids], "belts": belts}, handle


if __name__ == "__main__":
    serve(load)
