"""A person in front of a microphone and a loudspeaker: says a script's lines, each at its cue, in real time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import trio

from tests.noise import Signal, to_pcm
from tools.duplex_bench.adapter import Ears, OpenAdapter, SessionLost
from tools.duplex_bench.player import Player
from tools.duplex_bench.recording import Recording, Said
from tools.duplex_bench.script import Cue, Line, Script
from tools.duplex_bench.sounds import background, room
from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples
from voice_trio.core.errors import first_leaf

MESSAGE = ms_to_samples(30)
"""What the page's microphone sends at once."""

_LEAD_S = 0.6
"""Before the first line."""
_QUIET_S = 0.8
"""So long a person waits whether the assistant has really finished."""
_PATIENCE_S = 8.0
"""So long a person waits for a reply."""
_TAIL_S = 1.0
"""What goes on for so long behind a line is no mere tail of what was interrupted."""
_REPLY_S = 90.0
"""No reply is waited out for longer."""


class Person:
    """Says the lines of ``script``. What the microphone hears is asked for message by message, `MESSAGE` each."""

    def __init__(self, script: Script, player: Player) -> None:
        self.said: list[Said] = []
        self.left_out = 0
        self._script = script
        self._player = player
        self._lines = list(script.lines)
        self._draw = np.random.default_rng(script.seed)
        self._left: list[Signal] = []
        self._microphone: list[Signal] = []
        self._speaking: Signal = np.zeros(0)
        """What of the line is not yet said."""
        self._spoke_at = 0
        """The sample at which the last line was over, or the session began."""
        self._was_quiet = True
        """Whether the assistant has been silent since then: what sounds next is an answer."""
        self._heard_from: int | None = None
        """The sample from which a reply was heard since then."""
        self._quiet_from: int | None = None
        """The sample from which nothing was heard, after it."""
        if script.background:
            # A noise takes a while to be made, and the microphone is not to wait for it.
            background(script.background, 0, MESSAGE)

    @property
    def left(self) -> Signal:
        """All that the person said."""
        return np.concatenate(self._left)

    @property
    def microphone(self) -> Signal:
        """All that the microphone heard."""
        return np.concatenate(self._microphone)

    def hear(self, begin: int) -> bytes:
        """Return what the microphone hears from ``begin`` on, as s16le; what is played until its end must be known."""
        voice, self._speaking = self._speaking[:MESSAGE], self._speaking[MESSAGE:]
        voice = np.pad(voice, (0, MESSAGE - len(voice)))
        heard = voice + room(MESSAGE, begin)
        if self._script.background:
            heard = heard + background(self._script.background, begin, begin + MESSAGE)
        if echo := self._script.echo:
            late = round(echo.delay_s * SAMPLE_RATE)
            heard = heard + 10 ** (echo.gain_db / 20) * self._player.sound(begin - late, begin - late + MESSAGE)
        self._left.append(voice)
        self._microphone.append(heard)
        return to_pcm(heard)

    def heed(self, now: int, *, answering: bool) -> bool:
        """Look at what is heard at ``now``, and perhaps begin to speak; return whether the session goes on."""
        if len(self._speaking):
            self._spoke_at = now + len(self._speaking)
            self._heard_from = self._quiet_from = None
            self._was_quiet = False
            return True
        sounds = self._player.sounds()
        self._was_quiet |= not sounds or now - self._spoke_at > _TAIL_S * SAMPLE_RATE
        if sounds and self._was_quiet and self._heard_from is None:
            self._heard_from = now
        self._quiet_from = None if sounds or answering else now if self._quiet_from is None else self._quiet_from
        if not self._lines:
            lingered = now - self._spoke_at > self._script.linger_s * SAMPLE_RATE
            return not (lingered or self._is_over(now, _QUIET_S))
        line = self._lines[0]
        if self._is_time(line, now):
            self._begin(line, now)
        elif line.cue is Cue.INTO and self._is_over(now, 0.0):
            self.left_out += 1
            self._lines.pop(0)
        return True

    def _is_time(self, line: Line, now: int) -> bool:
        if line.cue is Cue.INTO:
            return self._heard_from is not None and now - self._heard_from >= line.after_s * SAMPLE_RATE
        if not self.said:
            return now >= _LEAD_S * SAMPLE_RATE
        return self._is_over(now, _QUIET_S + line.after_s)

    def _is_over(self, now: int, quiet_s: float) -> bool:
        """Return whether the reply was heard and is over since ``quiet_s``, or does not come, or does not end."""
        waited = (now - self._spoke_at) / SAMPLE_RATE
        if self._heard_from is None:
            return waited > _PATIENCE_S
        quiet = self._quiet_from is not None and now - self._quiet_from >= quiet_s * SAMPLE_RATE
        return quiet or waited > _REPLY_S

    def _begin(self, line: Line, now: int) -> None:
        # Nobody speaks in step with messages.
        later = int(self._draw.integers(MESSAGE))
        self._lines.pop(0)
        self._speaking = np.pad(line.clip.samples, (later, 0))
        begin_s = (now + later) / SAMPLE_RATE
        words = (replace(word, begin_s=begin_s + word.begin_s, end_s=begin_s + word.end_s) for word in line.clip.words)
        self.said.append(Said(line.kind, begin_s, begin_s + line.clip.seconds, tuple(words)))


async def hold_session(script: Script, server: str, url: str, open_adapter: OpenAdapter) -> Recording:
    """Say ``script`` to the server at ``url``; return the recording, on which it is called ``server``.

    Raises `SessionLost`.
    """
    began_at = trio.current_time()

    def now() -> int:
        return round((trio.current_time() - began_at) * SAMPLE_RATE)

    player = Player(now)
    ears = Ears(now, player)
    person = Person(script, player)
    at = late = 0
    lost: BaseException | None = None
    try:
        async with (
            open_adapter(url, ears, echo=script.echo is not None, jitter_s=script.jitter_s) as adapter,
            trio.open_nursery() as nursery,
        ):
            # The recording begins when the connection is there: nobody speaks before.
            began_at = trio.current_time()
            nursery.start_soon(adapter.listen)
            while person.heed(at, answering=adapter.answering):
                await trio.sleep_until(began_at + (at + MESSAGE) / SAMPLE_RATE)
                await adapter.send(person.hear(at))
                at += MESSAGE
                late = max(late, now() - at)
            nursery.cancel_scope.cancel()
    except* SessionLost as group:
        lost = first_leaf(group)
    if lost is not None:
        raise lost
    ears.log.append({"at": at / SAMPLE_RATE, "kind": "late", "seconds": late / SAMPLE_RATE})
    for run in player.runs:
        ears.log.append(
            {
                "at": run.begin / SAMPLE_RATE,
                "kind": "heard",
                "turn": run.turn,
                "source": run.source,
                "source_end": run.source_at(at),
                "end": min(run.end, at) / SAMPLE_RATE,
            }
        )
    return Recording(
        script=script.name,
        group=script.group,
        server=server,
        left=person.left,
        right=player.sound(0, at),
        microphone=person.microphone,
        said=person.said,
        left_out=person.left_out,
        log=[entry for entry in ears.log if entry["at"] <= at / SAMPLE_RATE],
    )
