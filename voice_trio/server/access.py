"""Who may use the server: the page's own origin, and clients that have the token.

A browser lets any page open a WebSocket to any server, with the visitor's network around it, so the origin is checked
before the handshake. That a page names the same host as the request is proof only if nobody else can make that host:
a name can be pointed at this machine by its owner while the page is open, so without a token it has to be an address
or ``localhost``. Programs send no origin, and may do what a program on that machine may.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from voice_trio.checks import is_address
from voice_trio.config import Settings

SUBPROTOCOL = "voice-trio"
"""What the server selects where a client offers it."""

_BEARER = "bearer."
"""Before the token, base64url without padding, in the list of subprotocols: all that a page can set in a handshake."""

_OTHER_SITES = ("cross-site", "same-site")
"""What `Sec-Fetch-Site` says of a page of another origin."""

_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Access:
    """The rules as the settings have them."""

    token: str | None
    origins: frozenset[str]
    any_name: bool
    """Whether the host may have any name: a page of another origin has no token, or everybody is welcome anyway."""

    @classmethod
    def of(cls, settings: Settings) -> Access:
        """Return the rules of ``settings``, which spell origins as browsers do."""
        token = settings.auth_token.get_secret_value() if settings.auth_token else ""
        origins = frozenset(filter(None, settings.allowed_origins.split(",")))
        return cls(token or None, origins, any_name=bool(token) or settings.insecure)

    def lists_origin(self, origin: str) -> bool:
        """Return whether the settings name ``origin``, or welcome all."""
        return self.lists_all or _normal(origin) in self.origins

    @property
    def lists_all(self) -> bool:
        """Whether the settings welcome every origin."""
        return "*" in self.origins

    def allows_origin(self, origin: str | None, host: str, site: str | None = None) -> bool:
        """Return whether a page of ``origin`` may talk to what it calls ``host``; None stands for no page.

        A browser names no origin where a page only shows what it asks for, but says in ``site`` (`Sec-Fetch-Site`) that
        the page is another's.
        """
        if origin is None:
            return self.lists_all or site not in _OTHER_SITES
        if self.lists_origin(origin):
            return True
        try:
            theirs, ours = urlsplit(origin), urlsplit(f"//{host}")
            name = ours.hostname or ""
        except ValueError:
            return False
        if theirs.scheme not in ("http", "https") or _bare(theirs.netloc) != _bare(ours.netloc) or not name:
            return False
        return self.any_name or name == "localhost" or name.endswith(".localhost") or is_address(name)

    def allows_token(self, authorization: str | None, subprotocols: Iterable[str]) -> bool:
        """Return whether the client presents the token, in either way; anything will do where none is set."""
        if self.token is None:
            return True
        offered = [_unpacked(part.removeprefix(_BEARER)) for part in subprotocols if part.startswith(_BEARER)]
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            # A header's bytes were read as Latin-1, whatever they are.
            offered.append(rest.strip().encode("latin-1", "replace"))
        # All of them are compared, each in a time that tells nothing about the token.
        return sum(map(self._is_token, offered)) > 0

    def allows_key(self, key: str) -> bool:
        """Return whether ``key`` is the token; anything will do where none is set."""
        return self.token is None or self._is_token(key.encode())

    def _is_token(self, offered: bytes) -> bool:
        return self.token is not None and hmac.compare_digest(offered, self.token.encode())


def subprotocols_with(token: str) -> list[str]:
    """Return what a page offers as subprotocols to present ``token``."""
    return [SUBPROTOCOL, _BEARER + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")]


def _normal(origin: str) -> str | None:
    """Return ``origin`` in its one form: small letters, no usual port, and foreign letters as a browser sends them."""
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return None
    # A browser says "null" for a page that is nobody's: a file, or what stands in a sandbox.
    if not parts.scheme or not host or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    netloc = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    return f"{parts.scheme}://{netloc}" + ("" if port in (None, _USUAL_PORTS.get(parts.scheme)) else f":{port}")


def _bare(netloc: str) -> str:
    netloc = netloc.lower()
    for port in _USUAL_PORTS.values():
        netloc = netloc.removesuffix(f":{port}")
    return netloc


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""
