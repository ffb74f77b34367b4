"""The microphone and the loudspeaker of this machine, by one clock: PortAudio's default devices, or what stands in.

PortAudio is a system's library: the package `sounddevice` brings it along for macOS and Windows, and not for Linux.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import trio

from voice_trio.core.errors import Mendable

RATE: Final = 48_000
"""Samples a second, of both: what every sound card has, and a multiple of what is recognised."""

BLOCK: Final = 1_440
"""Samples that change hands at once: 30 ms."""

Exchange = Callable[[bytes], bytes]
"""Takes what the microphone heard, and returns what is to sound, both s16le mono of one length. It does not wait, and
is called by a thread of the device's."""


class NoSoundDevice(Mendable):
    """There is no microphone, or no loudspeaker; the message says what is missing and what to do."""


class SoundDevice(Protocol):
    """A microphone and a loudspeaker."""

    async def run(self, exchange: Exchange) -> None:
        """Call ``exchange`` for every block, at the speed of sound, until cancelled. Raises `NoSoundDevice`."""


class PortAudio:
    """This machine's default microphone and loudspeaker."""

    def __init__(self) -> None:
        """Look for them. Raises `NoSoundDevice`."""
        try:
            import sounddevice
        except ImportError as error:
            raise NoSoundDevice("--mic needs the package sounddevice: `pip install sounddevice`.") from error
        except OSError as error:
            raise NoSoundDevice(
                "--mic needs PortAudio, which this system does not have: install it (on Debian and Ubuntu "
                "`apt install libportaudio2`, on Fedora `dnf install portaudio`)."
            ) from error
        self._sounddevice: Any = sounddevice
        for kind, called in (("input", "microphone"), ("output", "loudspeaker")):
            try:
                sounddevice.query_devices(kind=kind)
            except (sounddevice.PortAudioError, ValueError) as error:
                raise NoSoundDevice(f"--mic needs a {called}, and this machine has none that can be used.") from error

    async def run(self, exchange: Exchange) -> None:
        """Call ``exchange`` for every block, until cancelled. Raises `NoSoundDevice`."""

        def callback(heard: Any, sounds: Any, frames: int, time: Any, status: Any) -> None:
            sounds[:] = exchange(bytes(heard))

        try:
            with self._sounddevice.RawStream(
                samplerate=RATE, blocksize=BLOCK, channels=1, dtype="int16", latency="low", callback=callback
            ):
                await trio.sleep_forever()
        except self._sounddevice.PortAudioError as error:
            # Its first argument is a sentence of PortAudio's, such as that another program has the device.
            raise NoSoundDevice(f"The sound device cannot be used: {error.args[0]}.") from error
