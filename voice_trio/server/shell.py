"""What the page is made of: its files, and the worker that a browser keeps them with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from quart import Response, abort, send_from_directory
from quart_trio import QuartTrio

_WORKER: Final = "worker.js"
"""Comes from beside the page, since a worker may only look after what lies below it."""

_NOT_FOUND = 404


class Shell:
    """The files in ``folder``, read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A name that is not one of these never reaches the file system, which has its own ideas of names: too long,
        # with a zero byte, with dots, of a folder.
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        self._names = frozenset(names - {_WORKER})
        digest = hashlib.blake2b(digest_size=12)
        for name in sorted(names):
            content = (folder / name).read_bytes()
            digest.update(f"{name} {len(content)} ".encode() + content)
        self.version = digest.hexdigest()
        """Another one whenever a file is."""
        kept = sorted(self._names - {"index.html"})
        head = f"const VERSION = {json.dumps(self.version)};\nconst FILES = {json.dumps(kept)};\n"
        self.worker = head + (folder / _WORKER).read_text()
        """The text of the script."""

    def add_to(self, app: QuartTrio) -> None:
        """Add the routes of the page to ``app``."""

        @app.get("/")
        async def index() -> Response:
            return await send_from_directory(self._folder, "index.html")

        @app.get(f"/{_WORKER}")
        async def worker() -> Response:
            response = Response(self.worker, mimetype="text/javascript")
            await response.add_etag()
            return response

        @app.get("/static/<path:name>")
        async def file(name: str) -> Response:
            if name not in self._names:
                abort(_NOT_FOUND)
            return await send_from_directory(self._folder, name)
