"""One session of a scenario, lived once: with everything of it at hand that can be broken, and all that was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import trio

from voice_trio.core import messages as m
from voice_trio.core.history import Message, Record, prompt, remembered
from voice_trio.core.items import Words, said_id
from voice_trio.core.messages import Outcome
from voice_trio.core.playout import Playout, UnpacedPlayout
from voice_trio.memory.holds import Claims
from voice_trio.session.link import Link, LinkClosed
from voice_trio.session.report import TurnReport
from voice_trio.session.session import Session
from voice_trio.skills.alerts_kept import InProcessAlerts
from voice_trio.skills.skill import Means
from voice_trio.skills.table import Skills
from voice_trio.tapped import tapped, tapped_tool
from voice_trio.testing.explorer.breakable import BreakingTap
from voice_trio.testing.explorer.connections import Connections, ReturningLink
from voice_trio.testing.explorer.link import ExploredLink
from voice_trio.testing.explorer.scenarios import Scenario
from voice_trio.waiting import alongside

LIMIT_S = 10_000.0
"""Longer than any session: one that lasts so long hangs."""


class Case:
    """A session of ``scenario``, its client and its surroundings. Made, and lived once, inside a run of Trio."""

    def __init__(self, scenario: Scenario, clock: trio.testing.MockClock | None) -> None:
        """``clock`` is None in real time."""
        self.scenario = scenario
        self.clock = clock
        self.problems: list[str] = []
        self.reports: list[TurnReport] = []
        """Of the turns that are over, also those of the next session."""
        self.scope = trio.CancelScope()
        """The session's: cancelled, it ends without a word, as that of a socket that was reset does."""
        self.tap = BreakingTap(self._committing)
        self.breakers = self.tap.breakers
        self.engines, self.store = tapped(scenario.engines(), scenario.store(), self.tap)
        self.alerts = InProcessAlerts()
        skills = Skills(Means(alerts=self.alerts)).tools() if scenario.with_skills else ()
        self.tools = [tapped_tool(tool, self.tap) for tool in (*scenario.tools(), *skills)]
        self.settings = scenario.session_settings
        self.claims = Claims()
        codec = None if scenario.codec is None else scenario.codec(self.engines)
        self.connections: Connections | None = None
        """What the session's client is connected by, where it can be resumed."""
        self.link: ExploredLink
        if scenario.resumable:
            self.link = returning = ReturningLink()
            self.connections = Connections(returning)
            self.session = self._session(self.connections.line)
        else:
            self.link = ExploredLink(read_s=scenario.read_s, codec=codec)
            self.session = self._session(self.link)
            self.link.act = self.session.act
        self.clock_jumped = False
        """Whether what was said at one time may have been heard at another."""
        self.ended_by_itself = False
        """Whether the script came to its end."""
        self.uses: Sequence[tuple[int, str, str]] = ()
        """Of tools, by the session: turn, name and arguments."""
        self.heard_at_commit: dict[int, tuple[int, list[m.Event]]] = {}
        """By turn: samples that can have been heard when its record was written, and what had been taken by then."""

    async def live(self, began: Callable[[], None], ended: Callable[[], None]) -> None:
        """Live the session to its end, however that comes about; then see that another can be had.

        ``began`` and ``ended`` are called when it begins and ends.
        """
        tasks = trio.lowlevel.current_statistics().tasks_living
        with trio.move_on_after(LIMIT_S if self.clock else 60) as limit:
            async with trio.open_nursery() as nursery:
                began()
                nursery.start_soon(self._run)
                with suppress(LinkClosed):
                    await self.scenario.talk(self.link)
                    self.ended_by_itself = not self.link.gone
                self.link.vanish()
            ended()
        if limit.cancelled_caught:
            self.problems.append("the session did not end")
            return
        if isinstance(self.link, ReturningLink):
            self.problems += self.link.problems
        left = trio.lowlevel.current_statistics().tasks_living - tasks
        if left:
            self.problems.append(f"{left} tasks are left")
        if self.breakers.at_work():
            self.problems.append("an engine is still at work after the session's end")
        self.breakers.mend()
        self.uses = tuple(self.tap.uses)
        await self._next_session()

    async def _run(self) -> None:
        if self.connections is None:
            with self.scope:
                await self.session.run()
        else:
            async with alongside(self.connections.run):
                await self.session.run()
        # Or the script would wait for ever for a session that was cancelled.
        self.link.gone = self.link.gone or self.link.closed is None
        self.link.wake()

    def _session(self, link: Link) -> Session:
        return Session(
            link,
            settings=self.settings,
            engines=lambda: self.engines,
            store=self.store,
            tools=lambda: self.tools,
            claims=self.claims,
            alerts=self.alerts,
            wall_clock=trio.current_time if self.scenario.with_skills else lambda: 0.0,
            new_playout=self._new_playout,
            count=self.reports.append,
        )

    def _new_playout(self) -> Playout:
        return Playout(lead_s=self.settings.playout_lead_ms / 1000) if self.scenario.paced else UnpacedPlayout()

    def _committing(self, record: Record) -> None:
        """Look around at the moment when a record is written."""
        # A recognizer may be at work for what somebody says into the reply: that is not the turn's.
        spoken_into = any(isinstance(event, m.Hold) for event in self.link.taken)
        if self.breakers.at_work(but_asr=spoken_into):
            self.problems.append(f"turn {record.turn} was remembered while its engines were still at work")
        if record.session != self.session.id:
            return
        playout = self._new_playout()
        for event, at_s in zip(self.link.heard, self.link.times, strict=True):
            if getattr(event, "turn", None) != record.turn:
                continue
            match event:
                case m.TtsChunk():
                    samples = len(event.pcm) // 2
                    playout.queue(samples, self.engines.synthesizer.sample_rate)
                    playout.sent(samples, at_s)
                case m.Hold():
                    playout.hold(at_s)
                case m.Release():
                    playout.release(at_s)
                case m.Reopened():
                    playout = self._new_playout()
        if isinstance(self.link, ReturningLink) and self.link.lost_at is not None:
            playout.lose(self.link.lost_at)
        self.heard_at_commit[record.turn] = playout.surely_heard(trio.current_time()), list(self.link.taken)

    async def _next_session(self) -> None:
        """Go on with the same conversation in another session, which must find everything as it should be."""
        opened = next(iter(self.link.all(m.SessionOpened)), None)
        conversation = opened.conversation if opened else None
        records = tuple(record for record in self.tap.records if record.conversation == conversation)
        link = ExploredLink()
        earlier = len(self.tap.prompts)
        done = None
        with trio.move_on_after(LIMIT_S if self.clock else 60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._session(link).run)
                with suppress(LinkClosed):
                    await link.ask(m.Text(text="Are you there?", conversation=conversation))
                    done = await link.wait_for(m.Done)
                link.vanish()
        if done is None or (done.outcome, done.remembered) != (Outcome.COMPLETED, True):
            self.problems.append(f"the next session did not work: {link.heard}")
            return
        if self.tap.prompts[earlier] != self._prompt(records):
            self.problems.append("the next session's prompt is not made of what is remembered")

    def _prompt(self, records: tuple[Record, ...]) -> tuple[Message, ...]:
        return tuple(
            prompt(
                [*remembered(records), Words(id=said_id(1), by="person", text="Are you there?")],
                system=self.settings.llm_system_prompt,
                budget_tokens=self.settings.memory_tokens,
            )
        )
