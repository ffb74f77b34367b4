"""The turns that ``talk`` has with a server: what a file says one after the other, or what was typed."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from voice_trio.cli.recording import LONGEST_MS, Recording, seconds
from voice_trio.cli.replies import Replies
from voice_trio.cli.talk_view import View
from voice_trio.client import Client, SessionClosed
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from voice_trio.core.languages import locale_of
from voice_trio.microphone import Microphone

_SILENCE_AFTER_MS: Final = 3_000
"""A microphone stays open after the last word; after this long the person would let go of it."""

_WORD_MS: Final = 90
"""What the last word may sound beyond where the server saw its end: too short to be taken for another one."""

_UNKNOWN_MS: Final = 500
"""How far before the end of what was sent an utterance without words is taken to have ended."""

_SILENT: Final = 0.03
"""Of the loudest sample of a file: what stays below it is no speech of who spoke before."""


class Turns:
    """One session's turns, one after the other; their replies go to ``replies``."""

    def __init__(self, client: Client, view: View, replies: Replies) -> None:
        self._client = client
        self._view = view
        self._replies = replies
        self._longest_ms = 0
        self._alerts_wait = False
        self.outcomes: list[m.Outcome] = []
        self.closed = False
        """Whether the server has ended the session before all was asked."""

    @property
    def completed(self) -> bool:
        """Whether there was a reply, and every turn that had words got one."""
        ended = {*self.outcomes}
        return not self.closed and m.Outcome.COMPLETED in ended and ended <= {m.Outcome.COMPLETED, m.Outcome.EMPTY}

    async def begin(self) -> None:
        """Wait until the server has a session for us. Raises `SessionClosed`."""
        while not isinstance(event := await self._hear(), m.SessionOpened):
            pass
        self._longest_ms = event.max_utterance_ms

    async def type(self, text: str) -> None:
        """Have a typed turn. Raises `SessionClosed`."""
        await self._client.ask(m.Text(text=text))
        await self._end(self._until_done())

    async def wait_told(self) -> None:
        """Hear the timers, alarms and reminders that wait, until there are none any more. Raises `SessionClosed`."""
        while self._alerts_wait:
            await self._end(self._until_done())

    async def ask(self, recording: Recording, *, one: bool) -> None:
        """Ask what ``recording`` says: all of it in one turn, or each utterance in its own. Raises `SessionClosed`."""
        path, pcm = recording.path, recording.pcm
        if recording.cut:
            self._view.note(f"Only the first {LONGEST_MS // 60_000} minutes of {path} are used.")
        if one:
            longest = ms_to_samples(self._longest_ms) * BYTES_PER_SAMPLE
            await self._say(pcm[:longest], "hold")
            if len(pcm) > longest:
                self._view.note(
                    f"From {seconds(longest):.1f} s on, {path} was not used: one utterance has at most so much here. "
                    "Without --one, each pause ends a question."
                )
            return
        at, loud = 0, _loudest(pcm) * _SILENT
        try:
            while not at or _loudest(pcm[at:]) > loud:
                heard = await self._say(pcm, "tap", at)
                if self.outcomes[-1] is m.Outcome.CANCELLED:
                    # The session is over, which asking again tells.
                    continue
                if self.outcomes[-1] is m.Outcome.EMPTY:
                    self._view.note(f"No words were heard in {path} from {seconds(at):.1f} to {seconds(heard):.1f} s.")
                at = heard
        except* SessionClosed:
            self._view.note(f"From {seconds(at):.1f} s on, {path} was not answered.")
            raise

    async def _say(self, pcm: bytes, mode: m.Mode, at: int = 0) -> int:
        """Have a turn that hears ``pcm`` from byte ``at`` on, and return up to which byte it heard it."""
        await self._client.ask(m.Start(mode=mode, locale=locale_of(os.environ)))
        mouth = _Mouth(self._client, pcm, at, silence_after=mode == "tap")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mouth.speak)
            done = await self._end(self._until_done(on_captured=mouth.close))
            nursery.cancel_scope.cancel()
        if mode == "hold":
            return len(pcm)
        late_ms = done.latency.t_final_transcript_ms
        # The words are known some time after the last of them was heard, and all this time the microphone was open.
        back = ms_to_samples(_UNKNOWN_MS if late_ms is None else late_ms - _WORD_MS) * BYTES_PER_SAMPLE
        return min(len(pcm), max(at + BYTES_PER_SAMPLE * ms_to_samples(_WORD_MS), mouth.sent - back))

    async def _end(self, turn: Awaitable[m.Done]) -> m.Done:
        try:
            done = await turn
            self.outcomes.append(done.outcome)
            return done
        finally:
            self._replies.keep(self._view)

    async def _until_done(self, on_captured: Callable[[], None] = lambda: None) -> m.Done:
        while True:
            match await self._hear():
                case m.StateChanged(state=state) if state is not m.State.CAPTURING:
                    on_captured()
                case m.Done() as done:
                    return done

    async def _hear(self) -> m.Event:
        event = await self._client.hear()
        self._view.show(event)
        if isinstance(event, m.Timers):
            self._alerts_wait = bool(event.timers)
        return event


class _Mouth:
    """Says ``pcm`` from byte ``at`` on at the speed of speech, then is silent until the server has heard the end."""

    def __init__(self, client: Client, pcm: bytes, at: int, *, silence_after: bool) -> None:
        self._client = client
        self._pcm = pcm[at:] + (bytes(ms_to_samples(_SILENCE_AFTER_MS) * BYTES_PER_SAMPLE) if silence_after else b"")
        self.sent = at
        """Bytes until now, the silence among them."""
        self._open = trio.CancelScope()

    async def speak(self) -> None:
        """Say it, and stop."""
        with self._open:
            async for message in Microphone(self._pcm):
                await self._client.ask(m.Audio(message))
                self.sent += len(message)
            await self._client.ask(m.Stop())

    def close(self) -> None:
        """Say no more."""
        self._open.cancel()


def _loudest(pcm: bytes) -> int:
    import numpy as np

    return int(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)).max(initial=0))
