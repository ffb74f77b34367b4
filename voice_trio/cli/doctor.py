"""``voice-trio doctor``: does everything here work, and if not, what to do about it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Awaitable, Callable

import click
import trio

from voice_trio import config, log
from voice_trio.cli.misspelt import point_out_misspelt
from voice_trio.cli.output import say, sentence
from voice_trio.cli.running_server import running_server
from voice_trio.config import Settings
from voice_trio.core.audio import FRAME_BYTES
from voice_trio.core.errors import CannotLoad, first_leaf
from voice_trio.core.history import Message
from voice_trio.core.messages import ErrorCode
from voice_trio.engines import load
from voice_trio.engines.base import (
    EngineError,
    Finish,
    LanguageModel,
    Prompt,
    Synthesizer,
    TextDelta,
    advice_of,
    instead_of,
)
from voice_trio.engines.echo import aec3
from voice_trio.engines.local_llm.model import LocalModel
from voice_trio.engines.media import media_worker
from voice_trio.engines.plugged import plugged
from voice_trio.engines.remote.ends import HasFarEnds
from voice_trio.entry_points import Kind
from voice_trio.installation import static_dir
from voice_trio.journal.journal import WARNING, SessionLogs, record_folder
from voice_trio.mcp.open import open_mcp
from voice_trio.memory.open import database_path, open_store
from voice_trio.memory.postgres.store import PostgresStore
from voice_trio.server.listening import CannotListen, listen
from voice_trio.server.tls import open_tls
from voice_trio.start import interrupt
from voice_trio.toolbox.base import ServerTool
from voice_trio.toolbox.load import load_tools
from voice_trio.workers.confinement import BELTS
from voice_trio.workers.pool import open_pool

_EXIT_PROBLEM = 1
_LIMIT_S = 30.0


@click.command()
def doctor() -> None:
    """Check that everything works, and say what to do about what does not."""
    interrupt()
    point_out_misspelt()
    settings = config.load()
    log.configure("ERROR")
    if not trio.run(_examine, settings):
        sys.exit(_EXIT_PROBLEM)


async def _examine(settings: Settings) -> bool:
    """Run every check and return whether all passed; one that fails does not keep the next from running."""
    well = True
    checks = {**_CHECKS, "MCP": mcp_servers} if settings.mcp else _CHECKS
    for name, check in checks.items():
        try:
            with trio.fail_after(_LIMIT_S):
                finding, mark = await check(settings), "ok "
        except* Exception as group:
            finding, mark, well = _reason(group), "BAD", False
        first, *more = finding.splitlines() or [""]
        say(f"{mark}  {name:<12}{first}", *(f"{'':<17}{line}" for line in more))
    for engine in await trio.to_thread.run_sync(plugged, settings):
        well = well and engine.well
        say(f"{'ok ' if engine.well else 'BAD'}  {'engine':<12}{engine.about}")
        for own in engine.settings:
            say(f"{'':<17}{own.variable}  {own.description}")
    return well


async def _python(settings: Settings) -> str:
    return f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"


async def _page(settings: Settings) -> str:
    return str(static_dir())


async def _port(settings: Settings) -> str:
    try:
        for listening in listen(settings):
            listening.close()
    except CannotListen:
        if (running := await running_server(settings)) is None:
            raise
        return running
    return f"{settings.host} port {settings.port} is free"


async def _tls(settings: Settings) -> str:
    tls = open_tls(settings)
    if tls is None:
        return "off"
    return f"with {settings.certfile}" if tls.fingerprint is None else "with a certificate made up at the start"


async def _detector(settings: Settings) -> str:
    async with load.open_engine(Kind.DETECTOR, settings) as detector:
        detector.engine().speech_probability(bytes(FRAME_BYTES))
        return f"{detector.chosen.entry.name} works"


async def _recognizer(settings: Settings) -> str:
    async with (
        load.open_engine(Kind.RECOGNIZER, settings) as recognizer,
        recognizer.engine.open(None) as utterance,
    ):
        silence = bytes(10 * FRAME_BYTES)
        utterance.feed(silence)
        await utterance.settle(len(silence) // 2)
        _check_far_ends(recognizer.engine, ErrorCode.ASR_FAIL)
        fallback = recognizer.fallback
        better = f"; {fallback.better} hears better: {fallback.command}" if fallback else ""
        return f"{recognizer.engine.name} works{better}"


def _check_far_ends(engine: object, code: ErrorCode) -> None:
    """Raise `EngineError` if an engine on another machine did not work, though what stands by may have."""
    if isinstance(engine, HasFarEnds) and engine.ends.trouble is not None:
        raise EngineError(code, engine.ends.trouble)


async def _end_of_turn(settings: Settings) -> str:
    async with load.open_engine(Kind.END_OF_TURN, settings) as opened:
        await opened.engine.probability(bytes(10 * FRAME_BYTES))
        unused = (
            "" if settings.endpointing == "adaptive" else f"; STREAM_ENDPOINTING={settings.endpointing} asks nobody"
        )
        return f"{opened.engine.name}{unused}"


async def _language_model(settings: Settings) -> str:
    async with load.open_engine(Kind.LANGUAGE_MODEL, settings) as opened:
        model: LanguageModel = opened.engine
        asked = "".join(f"\n{answer}" for answer in model.answers) if isinstance(model, LocalModel) else ""
        if model.synthetic:
            advice = advice_of(model) or ""
            if settings.llm_model and asked:
                raise EngineError(ErrorCode.LLM_FAIL, advice + asked)
            return f"none, {instead_of(model)}. {advice}{asked}".rstrip()
        async with model.stream(Prompt([Message("user", "Say yes.")])) as stream:
            while not isinstance(event := await stream.receive(), Finish):
                if isinstance(event, TextDelta):
                    return f"{model.name} answers{asked}"
    raise EngineError(ErrorCode.LLM_FAIL, f"{model.name} answers without a word")


async def _voice(settings: Settings) -> str:
    async with load.open_engine(Kind.SYNTHESIZER, settings) as opened:
        synthesizer: Synthesizer = opened.engine
        speech = await synthesizer.speak("All is well.", seconds=settings.tts_timeout_s)
        _check_far_ends(synthesizer, ErrorCode.TTS_FAIL)
        return f"{synthesizer.name} works: {speech.samples / speech.sample_rate:.1f} s of speech"


async def _echo(settings: Settings) -> str:
    """Try the echo canceller; that its package is not installed is no fault."""
    if (lacking := aec3.missing()) is not None:
        return f"off: {lacking}"
    canceller = await trio.to_thread.run_sync(aec3.Aec3)
    canceller.clean(bytes(FRAME_BYTES), bytes(FRAME_BYTES))
    return "its own voice is taken out of what it hears, for clients that ask for it"


async def _confinement(settings: Settings) -> str:
    """Ask a process that reads untrusted bytes what keeps it from more; what this system lacks is no fault."""
    async with open_pool(media_worker(), 1) as pool:
        await pool.wait_ready()
        holding = pool.info["belts"]
    missing = [belt for belt in BELTS if belt not in holding]
    lacks = f"; to be had on a newer kernel or in another container: {', '.join(missing)}" if missing else ""
    return f"the processes that read untrusted bytes are held by {', '.join(holding)}{lacks}"


async def _memory(settings: Settings) -> str:
    async with open_store(settings) as store:
        if isinstance(store, PostgresStore):
            return f"PostgreSQL {await store.version()}, shared with other servers"
        return "off: turns are forgotten when it ends" if settings.memory == "off" else str(database_path(settings))


async def mcp_servers(settings: Settings) -> str:
    """Connect to the MCP servers and list their tools. Raises `CannotLoad` if one of them is not there."""
    lines, well = [], True
    async with open_mcp(settings) as toolbox:
        with trio.move_on_after(_LIMIT_S / 2):
            await toolbox.tried()
        for server in toolbox.servers:
            if server.is_there:
                names = ", ".join(map(_named, server.tools))
                lines.append(f"{server.config.name}: {names or 'no tools'}")
            else:
                well = False
                lines.append(f"{server.config.name} is not there: {server.trouble or 'it has not answered yet'}")
    if not well:
        raise CannotLoad("\n".join(lines))
    return "\n".join(lines)


async def _session_log(settings: Settings) -> str:
    folder = record_folder(settings)
    return "off" if folder is None else f"{WARNING} to {SessionLogs(folder).folder}"


async def _tools(settings: Settings) -> str:
    """Load the tools, and list them by who brought them."""
    loaded = (await trio.to_thread.run_sync(load_tools, settings)).loaded
    names: dict[str, list[str]] = {}
    for one in loaded:
        names.setdefault(one.by, []).append(_named(one.tool))
    return "\n".join(f"{', '.join(tools)} ({by})" for by, tools in names.items()) or "none"


def _named(tool: ServerTool) -> str:
    return f"{tool.tool.name}{' (after a yes)' if tool.confirm else ''}"


_CHECKS: dict[str, Callable[[Settings], Awaitable[str]]] = {
    "python": _python,
    "page": _page,
    "port": _port,
    "tls": _tls,
    "detector": _detector,
    "recognizer": _recognizer,
    "end of turn": _end_of_turn,
    "model": _language_model,
    "tools": _tools,
    "voice": _voice,
    "echo": _echo,
    "confinement": _confinement,
    "memory": _memory,
    "session log": _session_log,
}


def _reason(group: BaseExceptionGroup[Exception]) -> str:
    """Return what was wrong, for a person."""
    leaf = first_leaf(group)
    if isinstance(leaf, trio.TooSlowError):
        return f"no answer within {_LIMIT_S:g} s"
    if isinstance(leaf, EngineError):
        return leaf.message
    return sentence(group) or f"{type(leaf).__name__}: {leaf}"
