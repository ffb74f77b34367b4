"""A session that is recorded while it lives: the same session, with a recorder at each of its borders."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import DrainCode, InfoCode
from voice_trio.core.playout import Playout
from voice_trio.engines.base import Engines
from voice_trio.entry_points import Kind
from voice_trio.journal import entries as e
from voice_trio.journal.recorder import Note, Recorder, names_of
from voice_trio.journal.recording_tap import RecordingTap, TappedClaims
from voice_trio.memory.base import Store
from voice_trio.memory.holds import Claims
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Link, LinkClosed, Malformed
from voice_trio.session.report import TurnReport
from voice_trio.session.session import Session
from voice_trio.session.settings import SessionSettings
from voice_trio.skills.alerts_kept import Alerts, InProcessAlerts
from voice_trio.tapped import TappedAlerts, TappedStore, tapped_engines, tapped_tool
from voice_trio.toolbox.base import ServerTool
from voice_trio.wire import native
from voice_trio.wire.codec import CLOSE_CODES


class RecordedSession:
    """A `Session` of which everything is noted that a replay needs."""

    def __init__(
        self,
        link: Link,
        *,
        note: Note,
        settings: SessionSettings,
        engines: Callable[[], Engines],
        store: Store,
        keeping: Callable[[], AbstractAsyncContextManager[object]],
        tools: Callable[[], Sequence[ServerTool]] = tuple,
        claims: Claims | None = None,
        alerts: Alerts | None = None,
        wall_clock: Callable[[], float] = time.time,
        new_playout: Callable[[], Playout] | None = None,
        count: Callable[[TurnReport], None] = lambda turn: None,
    ) -> None:
        """``note`` takes the entries, which the context that ``keeping`` returns keeps while it is open."""
        self._recorder = Recorder(note)
        self._link = RecordedLink(link, self._recorder)
        tap = RecordingTap(self._recorder, self._link.speech)
        self._session = Session(
            self._link,
            settings=settings,
            engines=lambda: tapped_engines(engines(), tap),
            store=TappedStore(store, tap),
            tools=lambda: [tapped_tool(tool, tap) for tool in self._looked(tools())],
            claims=TappedClaims(claims or Claims(), tap),
            alerts=TappedAlerts(alerts or InProcessAlerts(), tap),
            wall_clock=wall_clock,
            new_playout=new_playout,
            count=count,
        )
        self._engines = engines
        self._keeping = keeping
        # Now, because a session can be told to end before it has begun.
        self._recorder.begin(self.id, settings, engines(), tools(), new_playout, wall_clock())

    def _looked(self, tools: Sequence[ServerTool]) -> Sequence[ServerTool]:
        self._recorder.look(tools)
        return tools

    @property
    def id(self) -> str:
        """The session's."""
        return self._session.id

    def drain(self, grace_s: float, why: DrainCode = InfoCode.SHUTTING_DOWN) -> None:
        """Begin the end."""
        self._recorder.note(e.Drain(at=self._recorder.now(), grace_s=grace_s, why=why))
        self._session.drain(grace_s, why)

    def engines_changed(self, kind: Kind) -> None:
        """Tell the client which engines the turns to come start with; that of ``kind`` is another."""
        self._recorder.note(e.Changed(at=self._recorder.now(), what=kind, engines=names_of(self._engines())))
        self._session.engines_changed(kind)

    async def run(self) -> None:
        """Live the session, from the greeting to the close."""
        async with self._keeping():
            try:
                await self._session.run()
            finally:
                self._link.finish()


class RecordedLink:
    """A link that notes what passes it."""

    def __init__(self, link: Link, recorder: Recorder) -> None:
        self.speech: list[float] = []
        """What a detector thinks of the frames that the latest audio completed."""
        self._link = link
        self._recorder = recorder
        self._audio: tuple[float, bytes] | None = None
        """The latest audio and when it came, until the session has looked at it."""
        self._closed = False
        self._cancelled_at: float | None = None

    async def receive(self) -> m.Command:
        """Return the client's next command."""
        # The reader has acted on the one before, without a checkpoint since it got it.
        self._note_audio()
        try:
            command = await self._link.receive()
        except LinkClosed:
            self._recorder.note(e.Gone(at=self._recorder.now()))
            raise
        except Malformed as error:
            code = CLOSE_CODES[error.farewell]
            self._recorder.note(e.Malformed(at=self._recorder.now(), message=error.message, close_code=code))
            raise
        except trio.Cancelled:
            self._cancelled_at = self._recorder.now()
            raise
        if isinstance(command, m.Audio):
            self._audio = self._recorder.now(), command.pcm
        else:
            message = self._masked(native.encode_command(command))
            self._recorder.note(e.Command(at=self._recorder.now(), message=message))
        return command

    async def send(self, event: m.Event) -> None:
        """Hand ``event`` to the client."""
        at = self._recorder.now()
        fate: e.Fate = "stuck"
        try:
            await self._link.send(event)
            fate = "sent"
        except LinkClosed:
            fate = "lost"
            raise
        finally:
            took = self._recorder.now() - at
            if isinstance(event, m.TtsChunk):
                self._recorder.note(_chunk(event, at, took, fate))
            elif native.is_unsaid(event):
                self._recorder.note(e.Aside(at=at, name=type(event).__name__, took=took, fate=fate))
            else:
                message = self._masked(native.encode_event(event))
                self._recorder.note(e.Said(at=at, message=message, took=took, fate=fate))

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Say goodbye."""
        self._closed = True
        self._note_audio()
        code = CLOSE_CODES[farewell]
        self._recorder.note(e.End(at=self._recorder.now(), how="closed", close_code=code, reason=reason))
        await self._link.close(farewell, reason)

    def finish(self) -> None:
        """Note how the session ended, if it did not say goodbye."""
        if not self._closed:
            self._note_audio()
            at = self._recorder.now() if self._cancelled_at is None else self._cancelled_at
            self._recorder.note(e.End(at=at, how="cancelled"))

    def _note_audio(self) -> None:
        if self._audio is not None:
            at, pcm = self._audio
            self._recorder.note(e.Audio(at=at, pcm=pcm, speech=tuple(self.speech)))
        self._audio = None
        self.speech.clear()

    def _masked(self, message: str | bytes) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(message)
        if "conversation" in body:
            body["conversation"] = self._recorder.stand_in(body["conversation"])
        return body


def _chunk(event: m.TtsChunk, at: float, took: float, fate: e.Fate) -> e.Chunk:
    return e.Chunk(
        at=at,
        turn=event.turn,
        phrase=event.phrase,
        seq=event.seq,
        first_sample=event.first_sample,
        samples=len(event.pcm) // 2,
        crc32=zlib.crc32(event.pcm),
        took=took,
        fate=fate,
    )
