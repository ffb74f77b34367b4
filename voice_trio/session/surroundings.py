"""The session, as its turns see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from voice_trio.core.playout import Playout
from voice_trio.engines.base import Engines
from voice_trio.memory.base import Store
from voice_trio.memory.holds import Claims
from voice_trio.session.asr import SpokenLanguage
from voice_trio.session.control import Wishes
from voice_trio.session.outbox import Outbox
from voice_trio.session.report import Reports
from voice_trio.session.settings import SessionSettings
from voice_trio.session.throttle import Throttle
from voice_trio.skills.alerts_kept import Alerts
from voice_trio.toolbox.base import ServerTool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The session, as its turns see it."""

    session: str
    """Its id, as its client and the log have it."""
    settings: SessionSettings
    engines: Callable[[], Engines]
    """Returns the engines that a turn which starts now is to lease."""
    store: Store
    wall_clock: Callable[[], float]
    """Seconds since 1970, for records."""
    outbox: Outbox
    claims: Claims
    throttle: Throttle
    alerts: Alerts
    tools: Callable[[], Sequence[ServerTool]]
    """Returns what the server can do by now."""
    new_playout: Callable[[], Playout]
    """Returns how the audio of the turn that starts now goes out."""
    reports: Reports
    spoken: SpokenLanguage = field(default_factory=SpokenLanguage)
    wishes: Wishes = field(default_factory=Wishes)
