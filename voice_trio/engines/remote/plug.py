"""Engines on other machines as plugs: taken where an address is set, with the best one of this machine beside each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog

from voice_trio.config import Settings
from voice_trio.core.errors import CannotLoad
from voice_trio.engines.load import open_engine
from voice_trio.engines.plug import Plug
from voice_trio.engines.registry import CHOSEN_BY
from voice_trio.engines.remote.address import far_ends, remote_of
from voice_trio.engines.remote.asking import EitherHearer, HttpHearer
from voice_trio.engines.remote.ends import FarEnds
from voice_trio.engines.remote.http import open_http
from voice_trio.engines.remote.recognizer import RemoteRecognizer, Ways
from voice_trio.engines.remote.sayings import EitherSayer, HttpSayer
from voice_trio.engines.remote.voice import RemoteVoice, Voices
from voice_trio.engines.remote.wyoming import WyomingHearer, WyomingSayer
from voice_trio.entry_points import AUTO, Kind
from voice_trio.environment import ConfigError

log = structlog.get_logger("voice_trio")

NAME = "remote"
_QUALITY = 100
"""An address is set for its engine to be used."""


@asynccontextmanager
async def open_recognizer(settings: Settings) -> AsyncIterator[RemoteRecognizer]:
    """Have the recognizer of ``asr_url``; nothing is asked of it yet. Raises `CannotLoad` and `ConfigError`."""
    remote = remote_of(Kind.RECOGNIZER, settings)
    async with _stand_by(Kind.RECOGNIZER, settings) as local, open_http(remote, settings) as http:
        yield RemoteRecognizer(
            Ways(
                ends=_ends(Kind.RECOGNIZER, settings, local),
                hearer=EitherHearer(HttpHearer(http, remote.model), WyomingHearer()),
                local=local,
                has_partials=settings.remote_partials == "on",
                timeout_s=settings.asr_timeout_s,
            )
        )


@asynccontextmanager
async def open_voice(settings: Settings) -> AsyncIterator[RemoteVoice]:
    """Have the voice of ``tts_url``; nothing is asked of it yet. Raises `CannotLoad` and `ConfigError`."""
    remote = remote_of(Kind.SYNTHESIZER, settings)
    names = tuple(filter(None, map(str.strip, settings.remote_voices.split(","))))
    if not names:
        raise ConfigError("STREAM_REMOTE_VOICES names no voice: give the voices that the other machine has.")
    async with _stand_by(Kind.SYNTHESIZER, settings) as local, open_http(remote, settings) as http:
        yield RemoteVoice(
            Voices(
                ends=_ends(Kind.SYNTHESIZER, settings, local),
                sayer=EitherSayer(
                    HttpSayer(http, remote.model),
                    WyomingSayer(settings.remote_rate, names_voices="remote_voices" in settings.model_fields_set),
                ),
                local=local,
                names=names,
                sample_rate=settings.remote_rate,
            )
        )


def _ends(kind: Kind, settings: Settings, local: object) -> FarEnds:
    ends = far_ends(remote_of(kind, settings))
    return FarEnds(ends, attempt_s=settings.remote_attempt_s, stands_by=local is not None)


@asynccontextmanager
async def _stand_by(kind: Kind, settings: Settings) -> AsyncIterator[Any]:
    """Have the engine of ``kind`` that would be chosen without an address; None where there is none to be had."""
    if settings.remote_fallback == "off":
        yield None
        return
    without = settings.model_copy(update={CHOSEN_BY[kind]: AUTO, "asr_url": "", "tts_url": ""})
    async with AsyncExitStack() as stack:
        local = None
        try:
            local = (await stack.enter_async_context(open_engine(kind, without))).engine
        except CannotLoad as error:
            log.warning("nothing stands by", kind=kind, reason=str(error))
        yield local


def _no_recognizer(settings: Settings) -> str | None:
    return _missing(Kind.RECOGNIZER, settings)


def _no_voice(settings: Settings) -> str | None:
    return _missing(Kind.SYNTHESIZER, settings)


def _missing(kind: Kind, settings: Settings) -> str | None:
    remote = remote_of(kind, settings)
    return None if remote.urls else f"no address of one is set: {remote.setting}=http://HOST:PORT"


RECOGNIZER = Plug(
    kind=Kind.RECOGNIZER,
    name=NAME,
    title="a recognizer on another machine",
    settings=Settings,
    open=open_recognizer,
    missing=_no_recognizer,
    quality=_QUALITY,
)
VOICE = Plug(
    kind=Kind.SYNTHESIZER,
    name=NAME,
    title="a voice on another machine",
    settings=Settings,
    open=open_voice,
    missing=_no_voice,
    quality=_QUALITY,
)
