"""The pace of a turn's audio: between the voice, which makes it, and the sender, which hands it to the socket."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import trio

from voice_trio.core.playout import Playout


class Playback:
    """A `Playout` on Trio's clock, with a bell that rings when audio was sent or goes on, or the player tells of it."""

    def __init__(self, playout: Playout) -> None:
        self._playout = playout
        self._sent = trio.lowlevel.ParkingLot()

    @property
    def queued(self) -> int:
        """Samples of the turn so far: where the next chunk begins."""
        return self._playout.queued

    @property
    def queued_s(self) -> float:
        """How long they sound."""
        return self._playout.queued_s

    @property
    def dry_at(self) -> float:
        """When the player has played all that was sent; long ago where nothing was."""
        return self._playout.dry_at

    def queue(self, samples: int, sample_rate: int) -> None:
        """``samples`` more are on their way to the socket."""
        self._playout.queue(samples, sample_rate)

    def sent(self, samples: int) -> None:
        """``samples`` more were handed to the socket."""
        self._playout.sent(samples, trio.current_time())
        self._sent.unpark_all()

    def hold(self) -> None:
        """The player stands still."""
        self._playout.hold(trio.current_time())

    def release(self) -> None:
        """The player goes on."""
        self._playout.release(trio.current_time())
        self._sent.unpark_all()

    def lose(self) -> None:
        """The player is out of reach."""
        self._playout.lose(trio.current_time())

    def find(self, there: int, stops: int) -> None:
        """The player is back, has the first ``there`` samples, and knows of ``stops`` holds and releases."""
        self._playout.find(there, stops, trio.current_time())
        self._sent.unpark_all()

    def played(self, samples: int) -> None:
        """Take the player's word that the first ``samples`` were heard."""
        self._playout.played(samples, trio.current_time())
        self._sent.unpark_all()

    def heard(self) -> int:
        """Return how many samples can have been heard by now."""
        return self._playout.heard(trio.current_time())

    def surely_heard(self) -> int:
        """Return how many samples were heard by now, however late the player is."""
        return self._playout.surely_heard(trio.current_time())

    async def wait_room(self, samples: int, sample_rate: int) -> None:
        """Wait until a chunk of ``samples`` may go."""
        await self._wait(partial(self._playout.wait_s, samples, sample_rate))

    async def wait_heard(self) -> None:
        """Wait until all of it was heard, as far as the player says."""
        await self._wait(self._playout.rest_s)

    async def _wait(self, left_s: Callable[[float], float]) -> None:
        await trio.lowlevel.checkpoint()
        while wait_s := left_s(trio.current_time()):
            # Sending changes the answer, and so do a release and a report: they end the wait early.
            with trio.move_on_after(wait_s):
                await self._sent.park()
