"""The addresses of far ends, as the settings list them, and the way there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voice_trio import checks
from voice_trio.config import Settings, variable
from voice_trio.engines.remote.ends import FarEnd
from voice_trio.entry_points import Kind

if TYPE_CHECKING:
    import httpx2

_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Remote:
    """What the settings say of one remote engine."""

    setting: str
    """The variable that lists its far ends."""
    key_setting: str
    model_setting: str
    urls: tuple[str, ...]
    key: str | None
    model: str


def remote_of(kind: Kind, settings: Settings) -> Remote:
    """Return what ``settings`` say of the recognizer or the synthesizer."""
    stage = "asr" if kind is Kind.RECOGNIZER else "tts"
    url, key, model = f"{stage}_url", f"{stage}_api_key", f"remote_{stage}_model"
    keys = (getattr(settings, key), settings.remote_api_key)
    return Remote(
        setting=variable(url),
        key_setting=variable(key),
        model_setting=variable(model),
        urls=tuple(filter(None, map(str.strip, getattr(settings, url).split(",")))),
        key=next((one.get_secret_value() for one in keys if one is not None and one.get_secret_value()), None),
        model=getattr(settings, model),
    )


def far_ends(remote: Remote) -> list[FarEnd]:
    """Return those that ``remote`` lists, in its order."""
    ends = []
    for listed in remote.urls:
        url = checks.web_address(listed, checks.REMOTE_SCHEMES, example=checks.REMOTE_EXAMPLE)
        ends.append(FarEnd(listed.rstrip("/").removesuffix("/v1"), place_of(url)))
    return ends


def is_wyoming(end: FarEnd) -> bool:
    """Return whether ``end`` speaks the Wyoming protocol, and not HTTP."""
    return end.url.lower().startswith("wyoming:")


def place_of(url: httpx2.URL) -> str:
    """Return the host of ``url``, and its port where that is not the usual one of its scheme."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return host if url.port in (None, _USUAL_PORTS.get(url.scheme)) else f"{host}:{url.port}"
