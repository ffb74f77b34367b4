"""The child of the pocketsphinx recognizer: one decoder, one utterance at a time.

Requests: ``{"do": "start"}``; ``{"do": "feed"}`` with 16 kHz s16le mono in the body; ``{"do": "finish"}``. Each answers
``{"text", "seconds"}``: what the utterance seems to say, or after the last one says, and how long the work took.

**Options.** The default decoder goes over the utterance a second time when it ends (fwdflat, 80 to 240 ms) and then
searches the word lattice (bestpath, a few ms). On clear speech the lattice search alone finds the same words, and the
words are there when the person stops speaking. In noise nearly every word seems possible: the search keeps the
likeliest 3,000 states and 20 words a frame, which costs no words and holds the work at a fifth of real time.

**Loudness.** The decoder subtracts a mean from its features, and begins with the mean of the speech its model was made
from, which live decoding gives up only over some eight seconds. A quiet microphone or a little noise then costs every
tenth word. So after the first second the utterance is begun anew with the mean of that second, and the audio so far
goes in again. Every utterance begins from the same mean: what one person said must not colour the next one's words.
"""

from __future__ import annotations

import time

from voice_trio.workers import confinement
from voice_trio.workers.main import LONG_WORK_NICENESS, Fields, Handler, serve

RATE = 16_000
CALIBRATE_BYTES = RATE * 2 * 12 // 10
"""1.2 s: less tells too little, and more comes too late for a short question."""
CMN_WEIGHT = 500
"""pocketsphinx counts the mean it begins with as so many frames (CMN_WIN); it forgets from 800 frames on."""
HOP_BYTES, WINDOW_BYTES = 160 * 2, 410 * 2
MIN_FRAMES = 20
"""Frames with sound that a mean must rest on."""


def frames_with_sound(pcm: bytes) -> int:
    """Return how many analysis frames of ``pcm`` are not digital silence, which takes no part in the mean."""
    return sum(any(pcm[at : at + WINDOW_BYTES]) for at in range(0, len(pcm) - WINDOW_BYTES, HOP_BYTES))


def mean_of(after: list[float], before: list[float], frames: int) -> list[float]:
    """Return the mean of ``frames`` frames that moved the running mean from ``before`` to ``after``."""
    return [(a * (CMN_WEIGHT + frames) - b * CMN_WEIGHT) / frames for a, b in zip(after, before, strict=True)]


class Listening:
    """The decoder, and as much of the utterance as calibration needs."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._decoder = Decoder(samprate=RATE, loglevel="FATAL", fwdflat=False, maxhmmpf=3_000, maxwpf=20)
        self._first_mean: str = self._decoder.get_cmn(False)
        self._heard: bytearray | None = None
        self._open = False

    def start(self) -> str:
        """Begin an utterance, and forget one that was not finished."""
        self._end()
        self._decoder.set_cmn(self._first_mean)
        self._heard = bytearray()
        self._begin()
        return ""

    def feed(self, pcm: bytes) -> str:
        """Add audio; return what the utterance seems to say."""
        self._decoder.process_raw(pcm)
        if self._heard is not None:
            self._heard += pcm
            if len(self._heard) >= CALIBRATE_BYTES:
                self._calibrate()
        return self._text()

    def finish(self) -> str:
        """Return what the utterance says."""
        if self._heard is not None:
            self._calibrate()
        self._end()
        return self._text()

    def _calibrate(self) -> None:
        assert self._heard is not None
        heard, self._heard = bytes(self._heard), None
        frames = frames_with_sound(heard[:CALIBRATE_BYTES])
        if frames < MIN_FRAMES:
            return
        self._end()
        self._decoder.set_cmn(self._first_mean)
        self._begin()
        self._decoder.process_raw(heard[:CALIBRATE_BYTES], no_search=True)
        self._end()
        before, after = self._first_mean, self._decoder.get_cmn(True)
        mean = mean_of([float(x) for x in after.split(",")], [float(x) for x in before.split(",")], frames)
        self._decoder.set_cmn(",".join(f"{x:.4f}" for x in mean))
        self._begin()
        self._decoder.process_raw(heard)

    def _begin(self) -> None:
        self._decoder.start_utt()
        self._open = True

    def _end(self) -> None:
        if self._open:
            self._decoder.end_utt()
            self._open = False

    def _text(self) -> str:
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr if hypothesis is not None else ""


def load() -> tuple[Fields, Handler]:
    """Make the decoder."""
    listening = Listening()

    def handle(fields: Fields, body: bytes) -> tuple[Fields, bytes]:
        began = time.perf_counter()
        match fields["do"]:
            case "start":
                text = listening.start()
            case "feed":
                text = listening.feed(body)
            case "finish":
                text = listening.finish()
            case unknown:
                raise ValueError(unknown)
        return {"text": text, "seconds": time.perf_counter() - began}, b""

    return {"belts": confinement.confine(confinement.NOTHING)}, handle


if __name__ == "__main__":
    serve(load, LONG_WORK_NICENESS)
