"""Whether what has the port of a server is one of ours."""

from __future__ import annotations

from typing import Final

from voice_trio import __version__
from voice_trio.config import Settings

_ANSWER_S: Final = 3.0

_HERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Everywhere -> an address of this machine."""


async def running_server(settings: Settings) -> str | None:
    """Return a line about the server of ours that answers where ``settings`` would listen; None where none does."""
    import httpx2

    host = _HERE.get(settings.host, settings.host)
    place = f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"
    for scheme in ("http", "https"):
        try:
            # No proxy stands between, and a certificate made up at a start proves nothing that is asked here.
            async with httpx2.AsyncClient(verify=False, trust_env=False, timeout=_ANSWER_S) as client:
                said = (await client.get(f"{scheme}://{place}/livez")).json()
            version, sessions = str(said["version"]), int(said["sessions"])
        except (httpx2.HTTPError, ValueError, TypeError, KeyError):
            continue
        other = "" if version == __version__ else f" of version {version}, and this is {__version__}"
        return f"a voice_trio server{other} runs at {scheme}://{place}, with {sessions} sessions"
    return None
