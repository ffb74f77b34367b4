"""What a sound device hears, in messages for a server, with what sounded meanwhile; and its replies, sounding.

The device calls from a thread of its own, and hands its blocks to Trio.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
import trio

from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.sounding.device import RATE, SoundDevice
from voice_trio.sounding.player import Mark, Player, length

_ROOM: Final = 100
"""Blocks that may wait for a loop that is busy: three seconds. Beyond that, what is newest is lost."""


class Heard(NamedTuple):
    """A message of the microphone's."""

    sounding: Sequence[m.Sounding]
    """What is to be said before it."""
    audio: m.Audio


class Duplex:
    """Runs ``device``: plays what `player` has, and has the microphone's messages."""

    def __init__(self, device: SoundDevice) -> None:
        self.player = Player()
        self._device = device
        self._in, self._out = trio.open_memory_channel[tuple[bytes, list[Mark]]](_ROOM)
        self._thinned = _Thinned()

    async def run(self) -> None:
        """Keep the device at work, until cancelled. Raises `NoSoundDevice`."""
        token = trio.lowlevel.current_trio_token()

        def exchange(heard: bytes) -> bytes:
            sounds, marks = self.player.pull(length(heard))
            token.run_sync_soon(self._take, heard, marks)
            return sounds

        await self._device.run(exchange)

    async def hear(self) -> Heard:
        """Return the microphone's next message; its sound is 16 kHz s16le mono."""
        heard, marks = await self._out.receive()
        told = [m.Sounding(turn=mark.turn, sample=mark.sample, at=mark.at // _STEP) for mark in _changes(marks)]
        return Heard(told, m.Audio(self._thinned.take(heard)))

    def _take(self, heard: bytes, marks: list[Mark]) -> None:
        try:
            self._in.send_nowait((heard, marks))
        except (trio.WouldBlock, trio.BrokenResourceError):
            return


class _Thinned:
    """Makes 16 kHz of `RATE`, block by block, with every sample late by the same: half of `_TAPS`, 1 ms.

    A resampler of any library hands over now more, now less, and an echo canceller has to know to 5 ms what sounded.
    """

    def __init__(self) -> None:
        self._before: Any = np.zeros(len(_TAPS) - 1)

    def take(self, pcm: bytes) -> bytes:
        """Return ``pcm``, a multiple of `_STEP` samples, with a sample for each `_STEP` of them."""
        samples = np.concatenate([self._before, np.frombuffer(pcm, "<i2")])
        self._before = samples[-len(self._before) :]
        thinned = np.convolve(samples, _TAPS, "valid")[::_STEP]
        return bytes(np.clip(thinned.round(), -32768, 32767).astype("<i2").tobytes())


def _low_pass(taps: int, step: int) -> Any:
    """Return a windowed sinc (Hamming's window; Oppenheim and Schafer, 7.5) that lets through what ``step`` leaves."""
    at = np.arange(taps) - (taps - 1) / 2
    response = np.sinc(at / step * _PASSED) * np.hamming(taps)
    return response / response.sum()


_STEP: Final = RATE // SAMPLE_RATE
_PASSED: Final = 0.9
"""Of the half of the lower rate, what passes: 7.2 kHz."""
_TAPS: Final = _low_pass(97, _STEP)


def _changes(marks: list[Mark]) -> list[Mark]:
    """Return the first of each run of ``marks`` that are of one turn."""
    return [next(run) for _, run in groupby(marks, lambda mark: mark.turn)]
