"""Sessions that outlive their sockets: how a client asks for one, and comes back to it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Self

import structlog
import trio

from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode
from voice_trio.server.allowance import Allowance
from voice_trio.server.seats import Seat
from voice_trio.server.sessions import RETRY_AFTER_S, STOPPING, Sessions, tell_no_room
from voice_trio.server.socket_link import SocketLink
from voice_trio.session.farewell import Farewell, Goodbye
from voice_trio.session.resumable import TAKEN_OVER, ResumableLink
from voice_trio.wire.codec import Codec
from voice_trio.wire.native import NativeCodec
from voice_trio.wire.opus.sound import Sound
from voice_trio.wire.resumable import ResumableCodec

log = structlog.get_logger()

_ASKED = re.compile(r"resume(?:\.(\d{1,15})\.([A-Za-z0-9_-]{1,100}))?")
"""Among the subprotocols that a client offers, since a page can put it nowhere else, and addresses stand in logs."""

_SERVER_STOPS = Goodbye(Farewell.SERVER_STOPPING, "the server is stopping")

_SAID_AGAIN = 60.0
"""What a client pays for each piece of sound that is said to it again: a tenth of a second, which Opus codes anew in
1.2 ms."""

_LEAVING_S = 5.0
"""How long one that cannot be resumed may take to let go of its conversation."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for that can resume its session."""

    token: str | None = None
    """Names the session that it wants to go on with; None: it has none yet."""
    seq: int = 0
    """It has the messages up to this one."""

    @classmethod
    def of(cls, subprotocols: Iterable[str]) -> Self | None:
        """Return what is asked by the ``subprotocols`` that a client offers; None where it knows nothing of this."""
        found = next(filter(None, map(_ASKED.fullmatch, subprotocols)), None)
        if found is None:
            return None
        return cls() if found[2] is None else cls(found[2], int(found[1]))


class _Line(ResumableLink):
    """A link, with what the server knows of it."""

    def __init__(self, resume_s: float, *, refused: bool) -> None:
        super().__init__(resume_s, refused=refused)
        self.seat: Seat | None = None
        self.no_seat: Refused | None = None
        """Why there is none."""
        self.asked_for_seat = trio.Event()
        """Whether it is known which of the two it is."""
        self.gone = trio.Event()
        """Whether its session has let go of everything."""
        self._sound: Sound | None = None

    def coded(self, since: int) -> ResumableCodec:
        """Return what spells the messages after number ``since`` on the next connection, as it was on the last."""
        codec, before = ResumableCodec(since), self._sound
        if before is not None:
            codec.sound.go_on_from(before)
        self._sound = codec.sound
        return codec


class Resumption:
    """The sessions that outlive their sockets. They live in the nursery of `run`."""

    def __init__(self, sessions: Sessions, resume_s: float) -> None:
        """``resume_s`` is for how long one waits for its client; 0 is not at all."""
        self._sessions = sessions
        self._resume_s = resume_s
        self._home: trio.Nursery | None = None
        self._context = copy_context()
        self._lines: dict[bytes, _Line] = {}
        """By a digest of the token: what is looked for is nothing that can be guessed letter by letter."""

    async def run(self) -> None:
        """Be where they live, until cancelled."""
        try:
            async with trio.open_nursery() as self._home:
                await trio.sleep_forever()
        finally:
            self._home = None

    async def hold(
        self,
        asked: Asked,
        accept: Callable[[], Awaitable[None]],
        new_link: Callable[[Codec], SocketLink],
        address: str,
        allowance: Allowance | None,
    ) -> None:
        """Go on with the session that is ``asked`` for, or begin one, over the link that ``new_link`` makes.

        Its handshake is answered by ``accept``, once there is a place; `Refused` is raised before that where there is
        none. It returns when the session is over, or goes on over another connection; cancelled, its client is out of
        reach.
        """
        if self._home is None or not self._resume_s:
            async with self._sessions.seat(address, allowance) as seat:
                await accept()
                await self._sessions.hold(new_link(NativeCodec()), seat)
            return
        if asked.token is not None and allowance is not None:
            await allowance.pay_for_session()
        line, is_accepted = self._found(asked), False
        if line is not None and line.can_resume_after(asked.seq):
            if allowance is not None:
                await allowance.pay(_SAID_AGAIN * line.sounds_after(asked.seq))
            await accept()
            is_accepted = True
            # It may have said too much, or be over, by the time that the handshake is.
            if line.can_resume_after(asked.seq):
                assert line.seat is not None
                line.seat.allowance = allowance
                self._sessions.resumed += 1
                await line.carry(new_link(line.coded(asked.seq)), asked.seq)
                return
        if line is not None:
            line.end(TAKEN_OVER)
            with trio.move_on_after(_LEAVING_S):
                await line.gone.wait()
        line = _Line(self._resume_s, refused=asked.token is not None)
        self._lines[_digest(line.token)] = line
        # In the server's own context: nothing of this connection is to stay for as long as the session.
        self._context.copy().run(self._home.start_soon, self._live, line, address, allowance)
        try:
            await line.asked_for_seat.wait()
            if line.no_seat is not None and is_accepted:
                await tell_no_room(new_link(NativeCodec()), line.no_seat.message)
                return
            if line.no_seat is not None:
                raise line.no_seat
            if not is_accepted:
                await accept()
        except BaseException:
            # Nobody has its name, so nobody could come back to it.
            line.end()
            raise
        await line.carry(new_link(line.coded(0)))

    async def _live(self, line: _Line, address: str, allowance: Allowance | None) -> None:
        try:
            async with self._sessions.seat(address, allowance) as seat:
                line.seat = seat
                line.asked_for_seat.set()
                # Whoever asked may have hung up while this was paid for.
                if not line.is_over:
                    await self._sessions.hold(line, seat)
        except Refused as why:
            line.no_seat = why
        except Exception as error:
            # It is nobody's but this session's: the others go on.
            log.error("session crashed", exc_info=error)
            line.end(Goodbye(Farewell.INTERNAL, "internal error"))
        finally:
            if line.seat is None and line.no_seat is None:
                line.no_seat = Refused(ErrorCode.SERVER_BUSY, STOPPING, retry_after_s=RETRY_AFTER_S)
            line.asked_for_seat.set()
            line.end(_SERVER_STOPS)
            del self._lines[_digest(line.token)]
            line.gone.set()

    def _found(self, asked: Asked) -> _Line | None:
        return None if asked.token is None else self._lines.get(_digest(asked.token))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
