"""A link around a link: what may come how fast, and when a session has lasted long enough.

The session inside knows nothing of this. The guard sees every command and every event pass, and ends the session by the
two means there are for it anyway: a message that is against the rules, and a drain.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from voice_trio.core.messages import DrainCode, InfoCode
from voice_trio.core.rate import TokenBucket
from voice_trio.server.allowance import Allowance
from voice_trio.server.standstill import stood_still_s
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Link, Malformed

_AUDIO_SPEED = 1.5
"""Audio may come so much faster than real time in the long run: clocks differ, and stalls are caught up with."""

AUDIO_MARGIN_MS = 5_000
"""Beyond one full utterance: the silence that follows it."""

_LEAST_MESSAGE_SAMPLES = 128
"""What an audio message counts for at least: the block of an AudioWorklet, the smallest that any client sends."""

_CONTROLS = 100
_CONTROLS_PER_S = 25.0
"""Ten `played` a second, and as much again for a person in a hurry."""

_ITEMS = 2_000
_ITEMS_PER_S = 50.0
"""Clients of other wires than /ws fill a conversation with what was said before, all at once, and look into it."""
_ABOUT_ITEMS = (m.AddItem, m.ReadItem, m.DeleteItem, m.CutItem, m.Configure, m.Listen, m.Answer)

_SOUNDINGS = 500
_SOUNDINGS_PER_S = 125.0
"""One before each of the smallest audio messages that any client sends."""


class GuardedLink:
    """``link``, with limits. Times are Trio's, in seconds."""

    def __init__(
        self,
        link: Link,
        settings: Settings,
        allowance: Callable[[], Allowance | None] = lambda: None,
        count: Callable[[m.Event], None] = lambda event: None,
    ) -> None:
        """``allowance`` returns what the audio is paid from, as far as it comes faster than it is spoken.

        ``count`` is told of each event that goes to the client.
        """
        self._link = link
        self._count = count
        self._allowance = allowance
        self._cancels_echo = False
        self._stood_still_s = stood_still_s()
        longest = ms_to_samples(settings.max_utterance_ms + AUDIO_MARGIN_MS)
        self._audio = TokenBucket(longest, _AUDIO_SPEED * SAMPLE_RATE)
        self._controls = TokenBucket(_CONTROLS, _CONTROLS_PER_S)
        self._soundings = TokenBucket(_SOUNDINGS, _SOUNDINGS_PER_S)
        self._items = TokenBucket(_ITEMS, _ITEMS_PER_S)
        self._idle_s = settings.idle_timeout_s
        self._ends_at = trio.current_time() + settings.max_session_s
        self._idle_since: float | None = trio.current_time()
        """When the last turn ended; None while one is under way."""
        self.under_way: dict[int, tuple[m.State, float]] = {}
        """Turn -> its state, and since when: of another wire than /ws there may be several at once."""
        self._has_alerts = False
        """Whether something waits in the session that is to be told when it is due."""

    async def receive(self) -> m.Command:
        """Return the client's next command. Raises `Malformed` for a flood, too."""
        command = await self._link.receive()
        now = trio.current_time()
        self._forgive_standstill()
        if isinstance(command, m.Detached | m.Attached):
            # The link's own words.
            return command
        if isinstance(command, m.Audio):
            samples = max(len(command.pcm) // BYTES_PER_SAMPLE, _LEAST_MESSAGE_SAMPLES)
            if not self._audio.take(samples, now):
                raise Malformed("audio comes much faster than it can have been spoken", Farewell.FLOOD)
            await self._pay_for(samples)
        elif isinstance(command, m.Sounding):
            # It comes with the audio, by itself: it says nothing of whether anybody is there.
            if not self._soundings.take(1, now):
                raise Malformed("too many messages in a short time", Farewell.FLOOD)
        else:
            if not (self._items if isinstance(command, _ABOUT_ITEMS) else self._controls).take(1, now):
                raise Malformed("too many messages in a short time", Farewell.FLOOD)
            if isinstance(command, m.Start) and command.echo == "none":
                # The session does so to its end.
                self._cancels_echo = True
            if self._idle_since is not None:
                self._idle_since = now
            if isinstance(command, m.AddItem) and command.pcm is not None:
                # What was said before may come as fast as it likes: the session takes no more than it has room for.
                await self._pay_for(len(command.pcm) // BYTES_PER_SAMPLE)
        return command

    async def _pay_for(self, samples: int) -> None:
        if (allowance := self._allowance()) is not None:
            await allowance.pay_for_audio(samples, cancelling=self._cancels_echo)

    async def send(self, event: m.Event) -> None:
        """Hand ``event`` to the client."""
        if isinstance(event, m.StateChanged):
            self.under_way.pop(event.turn, None)
            if event.state is not m.State.COMPLETE:
                self.under_way[event.turn] = event.state, trio.current_time()
            self._idle_since = None if self.under_way else trio.current_time()
        elif isinstance(event, m.Timers):
            self._has_alerts = bool(event.timers)
        self._count(event)
        await self._link.send(event)

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Say goodbye."""
        await self._link.close(farewell, reason)

    @property
    def idle_since(self) -> float | None:
        """When the last turn ended, or the last command came after it; None while a turn is under way."""
        return self._idle_since

    def _forgive_standstill(self) -> None:
        """Let in what a client said while the server stood still, all of which comes as it goes on."""
        missed_s, self._stood_still_s = stood_still_s() - self._stood_still_s, stood_still_s()
        if missed_s:
            self._audio.give(missed_s * SAMPLE_RATE)
            self._controls.give(missed_s * _CONTROLS_PER_S)
            self._soundings.give(missed_s * _SOUNDINGS_PER_S)
            self._items.give(missed_s * _ITEMS_PER_S)

    async def wait_enough(self) -> DrainCode:
        """Return, with the reason, when the session is to be drained: idle, or at its limit.

        Who waits for a timer is not idle.
        """
        while True:
            idle_at = trio.current_time() if self._has_alerts or self._idle_since is None else self._idle_since
            wake_at = min(self._ends_at, idle_at + self._idle_s)
            await trio.sleep_until(wake_at)
            if trio.current_time() >= self._ends_at:
                return InfoCode.SESSION_LIMIT
            if self._has_alerts or self._idle_since is None:
                continue
            if trio.current_time() >= self._idle_since + self._idle_s:
                return InfoCode.IDLE_TIMEOUT
