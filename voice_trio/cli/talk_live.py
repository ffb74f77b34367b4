"""Talking with a server by this machine's microphone and loudspeaker.

Where the server takes its own voice out of what it hears, the microphone is open all the time, and who speaks into a
reply interrupts it. Where it does not, it would hear itself: then a key opens the microphone, and closes it.
"""

from __future__ import annotations

import os
from typing import Final

import trio

from voice_trio.cli.keys import NextKey
from voice_trio.cli.talk_view import View
from voice_trio.client import Client
from voice_trio.core import messages as m
from voice_trio.core.errors import Mendable
from voice_trio.core.languages import locale_of
from voice_trio.session.greeting import CANCELS_ECHO
from voice_trio.sounding.device import SoundDevice
from voice_trio.sounding.duplex import Duplex

_REPORT_S: Final = 0.25
"""Between two reports of what has sounded, by which the server knows what was heard."""

_HELP_OPEN: Final = "The microphone is open. Space stops an answer, q ends."
_HELP_KEYS: Final = "Space opens the microphone, and Space again asks what you said; it also stops an answer. q ends."


_ANSWERING: Final = (m.State.THINKING, m.State.RESPONDING)


class NoKeys(Mendable):
    """The microphone cannot be opened by a key; the message says why."""


class LiveTalk:
    """Talks over ``client`` with what ``device`` hears, until a key ends it."""

    def __init__(self, client: Client, view: View, device: SoundDevice, keys: NextKey | None) -> None:
        self._client = client
        self._view = view
        self._keys = keys
        self._duplex = Duplex(device)
        self._open = False
        """Whether what the microphone hears is for the server."""
        self._cancels_echo = False
        self._turn = 0
        self._state = m.State.IDLE
        """The latest turn's, as far as the server has told."""
        self._rate = 0

    async def run(self) -> None:
        """Talk. Raises `SessionClosed`, `NoSoundDevice` and `NoKeys`, in a group."""
        opened = await self._hear()
        while not isinstance(opened, m.SessionOpened):
            opened = await self._hear()
        self._cancels_echo = CANCELS_ECHO in opened.features
        if self._keys is None and not self._cancels_echo:
            raise NoKeys(
                "--mic needs a keyboard here: the server hears its own voice in the microphone (doctor says why), and "
                "a key has to close that. Run it in a terminal."
            )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._duplex.run)
            if self._cancels_echo:
                self._view.note(_HELP_OPEN if self._keys else "The microphone is open. Ctrl-C ends.")
                await self._start()
            else:
                self._view.note(_HELP_KEYS)
            nursery.start_soon(self._send)
            nursery.start_soon(self._report)
            nursery.start_soon(self._listen)
            if self._keys is None:
                await trio.sleep_forever()
            else:
                await self._obey(self._keys)
            nursery.cancel_scope.cancel()

    async def _start(self) -> None:
        locale = locale_of(os.environ)
        if self._cancels_echo:
            await self._client.ask(m.Start(mode="hands_free", echo="none", locale=locale))
        else:
            await self._client.ask(m.Start(mode="hold", locale=locale))
        self._open = True

    async def _send(self) -> None:
        """Send what the microphone hears, and what sounded meanwhile."""
        while True:
            heard = await self._duplex.hear()
            if not self._open:
                continue
            if self._cancels_echo:
                for sounding in heard.sounding:
                    await self._client.ask(sounding)
            await self._client.ask(heard.audio)

    async def _report(self) -> None:
        while True:
            await trio.sleep(_REPORT_S)
            await self._tell_played()

    async def _tell_played(self) -> None:
        if (playing := self._duplex.player.playing()) is not None:
            turn, samples = playing
            # Of one that is about to sound it would say that it does not.
            if samples:
                await self._client.ask(m.Played(turn=turn, samples=samples))

    async def _listen(self) -> None:
        while True:
            self._play(await self._hear())

    def _play(self, event: m.Event) -> None:
        player = self._duplex.player
        match event:
            case m.StateChanged(turn=turn, state=state):
                if state is m.State.CAPTURING:
                    # Who speaks is listened to; what a reply before had left is heard no more.
                    player.drop(turn - 1)
                elif self._state is m.State.CAPTURING and not self._cancels_echo:
                    self._open = False
                self._turn, self._state = turn, state
            case m.TtsPhrase(sample_rate=rate):
                self._rate = rate
            case m.TtsChunk(turn=turn, pcm=pcm):
                player.push(turn, self._rate, pcm)
            case m.Hold(turn=turn):
                player.hold(turn)
            case m.Release():
                player.release()
            case m.Reopened(turn=turn):
                player.anew(turn)
            case m.Done(turn=turn, outcome=outcome):
                self._view.reply.clear()
                if outcome in (m.Outcome.CANCELLED, m.Outcome.INTERRUPTED):
                    player.drop(turn)
                else:
                    # What was said before it failed is heard to its end, and so it is remembered.
                    player.end()

    async def _obey(self, keys: NextKey) -> None:
        """Do what the keys say, until one ends it."""
        while (key := await keys()) != "q":
            if key != " ":
                continue
            if self._state in _ANSWERING and (self._cancels_echo or not self._open):
                await self._silence()
            elif self._cancels_echo:
                continue
            elif self._open:
                self._open = False
                await self._client.ask(m.Stop())
            else:
                await self._start()

    async def _silence(self) -> None:
        """Stop the reply, at once here and then at the server; go on listening."""
        playing, samples = self._duplex.player.playing() or (None, None)
        self._duplex.player.drop(self._turn)
        await self._client.ask(m.Cancel(turn=self._turn, samples=samples if playing == self._turn else None))
        await self._start()

    async def _hear(self) -> m.Event:
        event = await self._client.hear()
        self._view.show(event)
        return event
