"""A session's echo canceller: made when the client says that it has none, fed with what is sent and what sounds.

Until it is made, which takes up to a second for the first of a process, and where it cannot be, frames pass as they
are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
import trio

from voice_trio.core import messages as m
from voice_trio.core.errors import EngineError

if TYPE_CHECKING:
    from voice_trio.engines.echo.canceller import EchoCanceller

log = structlog.get_logger()


class Echo:
    """One session's. Only `run` waits."""

    def __init__(self) -> None:
        self._wanted = trio.Event()
        self._canceller: EchoCanceller | None = None
        self._sample_rate = 0

    @property
    def is_wanted(self) -> bool:
        """Whether the client does not cancel echo itself."""
        return self._wanted.is_set()

    @property
    def is_doubtful(self) -> bool:
        """Whether what `clean` returned last may hold some echo: the player jumped, or has only just begun."""
        return self._canceller is not None and self._canceller.is_doubtful

    def want(self) -> None:
        """Say that the client does not cancel echo itself."""
        self._wanted.set()

    async def run(self) -> None:
        """Make the canceller once it is wanted."""
        await self._wanted.wait()
        try:
            self._canceller = await trio.to_thread.run_sync(_make)
        except EngineError as error:
            log.warning("echo_not_cancelled", error=error.message)

    def send(self, event: m.Event) -> None:
        """Take what is sent to the client, before it can say that it sounds."""
        match event:
            case m.TtsPhrase(sample_rate=rate):
                self._sample_rate = rate
            case m.TtsChunk(turn=turn, first_sample=first, pcm=pcm) if self._canceller is not None:
                self._canceller.played_audio(turn, first, pcm, self._sample_rate)

    def sounding(self, report: m.Sounding, position: int) -> None:
        """Take what the client says of the audio that begins at the microphone's sample ``position``."""
        if self._canceller is not None:
            self._canceller.sounding(report.turn, report.sample, position + report.at)

    def clean(self, frame: bytes, position: int) -> bytes:
        """Return ``frame``, at the microphone's sample ``position``, without the echo."""
        if self._canceller is None:
            return frame
        try:
            return self._canceller.clean(frame, position)
        except EngineError as error:
            log.warning("echo_not_cancelled", error=error.message)
            self._canceller = None
            return frame


def _make() -> EchoCanceller:
    # numpy and livekit take their time to import, and most sessions need neither.
    from voice_trio.engines.echo.canceller import EchoCanceller

    return EchoCanceller()
