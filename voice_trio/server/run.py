"""The server: one nursery with the engines and the sockets in it, from load to drain.

If any of them crashes, the nursery ends the others and the process with a message: never half alive.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import hypercorn.trio
import structlog
import trio

from voice_trio.config import Settings
from voice_trio.engines.base import Engines
from voice_trio.engines.host import EngineHost, OpenEngines, open_host
from voice_trio.engines.media import open_media
from voice_trio.fault_tap import check_tools, inject, inject_tools
from voice_trio.faults import Faults
from voice_trio.journal.journal import WARNING, SessionLogs, record_folder
from voice_trio.memory.alerts import alerts_of
from voice_trio.memory.holds import Claims
from voice_trio.memory.lists import lists_of
from voice_trio.memory.open import open_holds, open_store
from voice_trio.memory.sqlite_conversations import open_conversations
from voice_trio.server.access import Access
from voice_trio.server.addresses import url_of
from voice_trio.server.agent import serve_agent
from voice_trio.server.app import make_app
from voice_trio.server.connections import Connections
from voice_trio.server.conversation_api import ConversationApi
from voice_trio.server.cross_origin import CrossOrigin
from voice_trio.server.engine_api import EngineApi
from voice_trio.server.gate import Gate
from voice_trio.server.hypercorn.install import install
from voice_trio.server.kept_model import with_kept
from voice_trio.server.listening import hypercorn_config, listen, open_connections
from voice_trio.server.metrics import Metrics
from voice_trio.server.metrics_http import serve_metrics
from voice_trio.server.openai.api import OpenAiApi
from voice_trio.server.resumption import Resumption
from voice_trio.server.sessions import Sessions
from voice_trio.server.supervised import Supervisor
from voice_trio.server.task_tree import task_tree
from voice_trio.server.tls import open_tls
from voice_trio.server.traces.open import open_traces
from voice_trio.server.upload.utterance import Utterances
from voice_trio.toolbox.load import open_toolbox
from voice_trio.waiting import alongside
from voice_trio.wire import native

log = structlog.get_logger()

_CUT_AFTER_S = 0.5
"""How long the server may take to close the connections that are left after the last session."""

_COLLECTOR_THRESHOLDS = (400, 3, 1)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    url: str
    """Its address for a browser, without a trailing slash."""
    host: EngineHost
    sessions: Sessions
    connections: Connections
    fingerprint: str | None = None
    """SHA-256 of its certificate, where that was made up at the start."""

    @property
    def engines(self) -> Engines:
        """Those that a turn which begins now starts with."""
        return self.host.engines

    @property
    def ws_url(self) -> str:
        """Its address for a client of /ws."""
        return "ws" + self.url.removeprefix("http") + "/ws"


@asynccontextmanager
async def open_server(settings: Settings, open_engines: OpenEngines | None = None) -> AsyncIterator[Running]:
    """Listen, open the memory and the engines, and serve; on leaving drain: sessions end gently, then all the others.

    Without ``open_engines`` they are those that ``settings`` mean. Cancelling it, or an exception inside, ends all at
    once. Raises `CannotListen`, `CannotRecord`, `CannotRemember`,
    `CannotLoad`, and `ConfigError` for a fault that cannot happen to these engines, and for tools that cannot be had.
    """
    install()
    native.prepare()
    session_logs, access = _open_session_logs(settings), Access.of(settings)
    of_engines = settings if open_engines is not None else await trio.to_thread.run_sync(with_kept, settings)
    tls = open_tls(settings)
    connections = open_connections(settings)
    listening = listen(settings)
    url = url_of("http" if tls is None else "https", [one.getsockname() for one in listening])
    config = hypercorn_config(settings, listening, connections, None if tls is None else tls.context)
    async with (
        open_store(settings) as plain_store,
        open_conversations(plain_store) as conversations,
        open_toolbox(settings, lists_of(plain_store), alerts := alerts_of(plain_store)) as toolbox,
        open_host(of_engines, open_engines) as host,
        open_media() as decoder,
        AsyncExitStack() as closing,
        open_traces(os.environ, (metrics := Metrics()).untraced) as trace,
        trio.open_nursery() as nursery,
    ):
        faults = Faults.of(settings)
        check_tools(faults, settings)
        _, store = inject(faults, host.engines, plain_store)
        host.tap(lambda engines: inject(faults, engines, plain_store)[0])
        if any(faults):
            log.warning("faults will be injected", faults=settings.faults, seed=settings.faults_seed)
        claims = Claims(closing.enter_context(open_holds(settings, plain_store)))
        sessions = Sessions(
            settings,
            lambda: host.engines,
            store,
            session_logs,
            claims,
            lambda: inject_tools(faults, toolbox.tools()),
            metrics,
            alerts,
            trace,
        )
        metrics.look_at(sessions)
        resumption = Resumption(sessions, settings.resume_s)
        host.on_change = sessions.engines_changed
        app = CrossOrigin(
            Gate(
                make_app(
                    sessions,
                    resumption,
                    access,
                    Utterances(settings, sessions, decoder),
                    ConversationApi(conversations, claims, access),
                    EngineApi(settings, host, sessions, access),
                    OpenAiApi(settings, sessions, decoder, access),
                    None if settings.metrics_port is not None else metrics,
                ),
                connections,
            ),
            access,
        )
        stop, stopped = trio.Event(), trio.Event()

        async def serve(task_status: trio.TaskStatus[list[str]]) -> None:
            await hypercorn.trio.serve(app, config, shutdown_trigger=stop.wait, mode="asgi", task_status=task_status)
            if not stop.is_set():
                raise RuntimeError("the server stopped listening without having been told to")
            stopped.set()

        await nursery.start(serve)
        if settings.metrics_port is not None:
            await nursery.start(serve_metrics, settings, settings.metrics_port, metrics, stop.wait)
        if settings.agent_port is not None:
            await nursery.start(serve_agent, settings, settings.agent_port, sessions, stop.wait)
        try:
            async with alongside(resumption.run):
                async with alongside(metrics.watch):
                    yield Running(url, host, sessions, connections, None if tls is None else tls.fingerprint)
                # Or a client that does not read for the moment would be cut off, and miss the end of what was said.
                connections.deliver_all()
                await sessions.drain()
            stop.set()
            with trio.move_on_after(_CUT_AFTER_S):
                await stopped.wait()
            connections.close_all()
        finally:
            # A client that does not read holds up a send that nobody can cancel.
            connections.abort_all()


def tame_collector() -> None:
    """Have the garbage collector stop everything often and briefly, rather than seldom and for 70 to 120 ms.

    Code, models and settings, nearly all that was made until now, stay: it need not look through them any more. What
    connections leave behind lies in circles, which only the oldest generation's collection finds: it comes before
    there are many of them.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)


def _open_session_logs(settings: Settings) -> SessionLogs | None:
    folder = record_folder(settings)
    if folder is None:
        return None
    session_logs = SessionLogs(folder)
    log.warning(WARNING, folder=str(folder))
    return session_logs


async def serve_until_signal(settings: Settings, announce: Callable[[Running], None]) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, then drain. A second signal, or one before ``announce``, ends at once.

    A second SIGHUP does not: a terminal that closes sends one, and its shell another. Under `nohup` it means nothing.
    Before it drains it serves as ever for `shutdown_delay_s` and says that it is not ready, so that whoever sends new
    clients here has the time to notice.
    """
    ready, signalled, supervisor = trio.Event(), trio.Event(), Supervisor()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)

    async def watch(task_status: trio.TaskStatus[None]) -> None:
        with trio.open_signal_receiver(*numbers) as signals:
            task_status.started()
            async for number in signals:
                if not ready.is_set() or (signalled.is_set() and number != signal.SIGHUP):
                    nursery.cancel_scope.cancel()
                signalled.set()

    async with trio.open_nursery() as nursery:
        await nursery.start(watch)
        await nursery.start(print_tree_on_signal)
        async with open_server(settings) as running:
            tame_collector()
            announce(running)
            ready.set()
            supervisor.ready()
            nursery.start_soon(supervisor.reassure)
            await signalled.wait()
            supervisor.stopping()
            running.sessions.leaving = True
            if settings.shutdown_delay_s:
                log.info("not ready any more", drains_in_s=settings.shutdown_delay_s)
            await trio.sleep(settings.shutdown_delay_s)
            log.info("draining", sessions=len(running.sessions))
        nursery.cancel_scope.cancel()


async def print_tree_on_signal(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """Write the tree of all live tasks to standard error on each SIGUSR1."""
    with trio.open_signal_receiver(signal.SIGUSR1) as signals:
        task_status.started()
        async for _ in signals:
            print(task_tree(), file=sys.stderr, flush=True)
