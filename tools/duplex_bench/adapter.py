"""What the rig asks of a server, whatever it speaks. An adapter of another server is one class and one function."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from tools.duplex_bench.player import Player
from voice_trio.core.audio import SAMPLE_RATE


@dataclass
class Ears:
    """Where an adapter brings what the server says: sound to `player`, all else into `log`."""

    now: Callable[[], int]
    """The sample of the recording that is being heard."""
    player: Player
    log: list[dict[str, Any]] = field(default_factory=list)

    def note(self, kind: str, **what: Any) -> None:
        """Log that the server said this just now. The scorer knows these kinds:

        ``ended`` (``turn``): it takes the person to have finished. ``final`` (``turn``, ``text``): the words; a later
        one of the same turn replaces it. ``hold``, ``release``, ``reopened`` (``turn``). ``done`` (``turn``,
        ``outcome``, perhaps ``remembered``: code points of the reply). ``words`` (``turn``, ``samples``, ``places``):
        at which samples of its sound words begin, and at which code points of the reply. ``error`` (``code``). The rig
        adds ``heard`` (``turn``, ``source``, ``source_end``, ``end``), a stretch of a turn's sound, and ``late``
        (``seconds``), by how much its microphone was late at most.
        """
        self.log.append({"at": self.now() / SAMPLE_RATE, "kind": kind, **what})


class SessionLost(Exception):
    """The server takes no session, or has ended it; the message says why."""


class Adapter(Protocol):
    """One session of a server."""

    answering: bool
    """Whether more of a reply is known to come; False where the server does not tell."""

    async def send(self, pcm: bytes) -> None:
        """Send what the microphone heard, 16 kHz s16le mono. Raises `SessionLost`."""

    async def listen(self) -> None:
        """Bring everything to the ears, until this is cancelled. Raises `SessionLost`."""


class OpenAdapter(Protocol):
    """How a session is begun."""

    def __call__(self, url: str, ears: Ears, *, echo: bool, jitter_s: float) -> AbstractAsyncContextManager[Adapter]:
        """Open a session with the server at ``url``.

        With ``echo`` the microphone hears the loudspeaker; messages are up to ``jitter_s`` late, both ways.

        Raises `SessionLost`.
        """
