"""Lives a recorded session again, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Final

import trio
import trio.testing

from voice_trio.core.playout import Playout, UnpacedPlayout, WholePlayout
from voice_trio.journal import entries as e
from voice_trio.journal.read import SessionLog
from voice_trio.journal.recorded_session import RecordedSession
from voice_trio.journal.recording_tap import TappedClaims
from voice_trio.journal.tape import Tape
from voice_trio.journal.tape_link import TapeLink
from voice_trio.journal.tape_tap import TapeTap, TapeTools, tape_engines, tape_store
from voice_trio.memory.holds import Claims
from voice_trio.skills.alerts_kept import InProcessAlerts
from voice_trio.tapped import TappedAlerts

_PLAYOUTS: Final[dict[tuple[bool, bool], Callable[[], Playout] | None]] = {
    (False, False): None,
    (True, False): WholePlayout,
    (False, True): UnpacedPlayout,
    # Somebody else wrote that.
    (True, True): UnpacedPlayout,
}
"""How the audio went out: by a header's ``whole`` and ``unpaced``."""


def replay(session_log: SessionLog, slack_s: float) -> list[e.Entry]:
    """Return what the session of ``session_log`` does, lived again with the same answers; no real time passes.

    ``slack_s`` is by how much the session may ask earlier or later than it did and still be answered when it was.
    """
    return trio.run(_live, session_log, slack_s, clock=trio.testing.MockClock(autojump_threshold=0))


async def _live(session_log: SessionLog, slack_s: float) -> list[e.Entry]:
    tape = Tape(session_log, slack_s)
    link = TapeLink(tape)
    tap = TapeTap(tape, link)
    engines = tape_engines(session_log.header.engines, tap)
    replayed: list[e.Header | e.Entry] = []
    session = RecordedSession(
        link,
        settings=session_log.settings(),
        engines=lambda: engines,
        store=tape_store(tap),
        tools=TapeTools(session_log, tap),
        claims=TappedClaims(Claims(), tap),
        alerts=TappedAlerts(InProcessAlerts(), tap),
        wall_clock=lambda: session_log.header.wall + tape.now(),
        new_playout=_PLAYOUTS[session_log.header.whole, session_log.header.unpaced],
        note=replayed.append,
        keeping=nullcontext,
    )

    async def do(entry: e.Drain | e.Changed) -> None:
        nonlocal engines
        await tape.wait_until(entry.at)
        if isinstance(entry, e.Drain):
            session.drain(entry.grace_s, entry.why)
        else:
            engines = tape_engines(entry.engines, tap)
            session.engines_changed(entry.what)

    async with trio.open_nursery() as nursery:
        for entry in tape.from_server:
            nursery.start_soon(do, entry)
        with trio.move_on_after(tape.ends_at):
            await session.run()
        nursery.cancel_scope.cancel()
    return [entry for entry in replayed if not isinstance(entry, e.Header)]
