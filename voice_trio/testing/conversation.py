"""A session in this process, without a socket, and a client that talks with it: in virtual time, if the test wants.

async def test_my_engine(autojump_clock):
    async with conversation(engines=scripted_engines(recognizer=MyRecognizer())) as talk:
        await talk.ask(m.Start())
        await talk.say(my_recording, then_silent_ms=900)
        assert (await talk.wait_for(m.Final)).text == "what was said"
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import trio

from voice_trio import config
from voice_trio.core.playout import Playout
from voice_trio.engines.base import Engines
from voice_trio.memory.base import Store
from voice_trio.memory.holds import Claims
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.link import Link, MemoryLink
from voice_trio.session.session import Session
from voice_trio.session.settings import SessionSettings
from voice_trio.skills.alerts_kept import Alerts
from voice_trio.testing.promises import check_promises
from voice_trio.testing.scripted import scripted_engines
from voice_trio.testing.talk import Talk
from voice_trio.toolbox.base import ServerTool


class Conversation(Talk):
    """A `Talk` with both ends at hand."""

    def __init__(self, link: MemoryLink, session: Session, store: Store, read_s: float) -> None:
        super().__init__(link, read_s=read_s)
        self.link = link
        self.session = session
        self.store = store


@asynccontextmanager
async def conversation(
    *,
    engines: Engines | Callable[[], Engines] | None = None,
    store: Store | None = None,
    tools: Sequence[ServerTool] = (),
    claims: Claims | None = None,
    alerts: Alerts | None = None,
    wall_clock: Callable[[], float] = lambda: 0.0,
    read_s: float | None = 0.0,
    new_playout: Callable[[], Playout] | None = None,
    new_session: Callable[..., Any] = Session,
    **settings: Any,
) -> AsyncIterator[Conversation]:
    """Hold a session; on leaving, the client vanishes, all is to end by itself, and the promises are checked.

    ``engines`` may be a function, called whenever the session wants them; without any they are scripted. The store is
    one in memory where none is given, the wall clock stands still, and ``settings`` are as `config.load` takes them.
    The client takes ``read_s`` to read each event; None reads nothing.
    """
    link = MemoryLink()
    store = store or InProcessStore()
    session = session_on(
        link,
        engines=engines,
        store=store,
        tools=tools,
        claims=claims,
        alerts=alerts,
        wall_clock=wall_clock,
        new_playout=new_playout,
        new_session=new_session,
        **settings,
    )
    talk = Conversation(link, session, store, read_s or 0.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(session.run)
        if read_s is not None:
            nursery.start_soon(talk.collect)
        yield talk
        heard_out = talk.over is not None
        link.vanish()
    check_promises(talk.heard, to_the_end=heard_out)


def session_on(
    link: Link,
    *,
    engines: Engines | Callable[[], Engines] | None = None,
    store: Store | None = None,
    tools: Sequence[ServerTool] = (),
    claims: Claims | None = None,
    alerts: Alerts | None = None,
    wall_clock: Callable[[], float] = lambda: 0.0,
    new_playout: Callable[[], Playout] | None = None,
    new_session: Callable[..., Any] = Session,
    **settings: Any,
) -> Any:
    """Return a session on ``link``; what is not given is as in `conversation`.

    ``engines`` may be a function that the session calls whenever it wants them.
    """
    given = engines or scripted_engines()
    return new_session(
        link,
        settings=_settings(tuple(settings.items()), _environment()),
        engines=given if callable(given) else lambda: given,
        store=store or InProcessStore(),
        tools=lambda: tools,
        claims=claims,
        alerts=alerts,
        wall_clock=wall_clock,
        new_playout=new_playout,
    )


@cache
def _settings(overrides: tuple[tuple[str, Any], ...], environment: frozenset[tuple[str, str]]) -> SessionSettings:
    """Return the settings in ``environment``, this process's: to read them takes as long as many a test."""
    return SessionSettings.of(config.load(**dict(overrides)))


def _environment() -> frozenset[tuple[str, str]]:
    return frozenset(item for item in os.environ.items() if item[0].upper().startswith(("STREAM_", "OPENAI_")))
