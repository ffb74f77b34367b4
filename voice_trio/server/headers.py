"""What every answer says beside its content: what the page may do, and when a browser may use its copy of a file."""

from __future__ import annotations

import mimetypes
from typing import Final

from quart import Response, request
from quart_trio import QuartTrio

_POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        # The worklets count as scripts.
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)

_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# With `nosniff` a browser runs a script only under its own type, and what a machine thinks of these endings varies.
for _type, _ending in [
    ("text/javascript", ".js"),
    ("text/css", ".css"),
    ("image/svg+xml", ".svg"),
    ("application/manifest+json", ".webmanifest"),
]:
    mimetypes.add_type(_type, _ending)


def add_headers(app: QuartTrio) -> None:
    """Have ``app`` put them on everything that it answers."""

    @app.after_request
    async def add(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if "ETag" in response.headers:
            # Ask each time, and get no more than "unchanged": a page and its scripts must be of one version.
            response.headers["Cache-Control"] = "no-cache"
            await response.make_conditional(request)
        else:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
