"""`GET /v1/models`: what is at work here, by its own names. Requests may name any other, and are served by these."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from voice_trio.engines.base import Engines
from voice_trio.server.engine_list import without_paths
from voice_trio.server.openai.errors import NOT_FOUND, ApiError

_OWNER = "voice_trio"


class Models:
    """Tells of the recognizer, the language model and the synthesizer."""

    def __init__(self, engines: Callable[[], Engines]) -> None:
        self._engines = engines
        # When an engine was made is nobody's to know: they count from the server's start.
        self._since = int(time.time())

    def all(self) -> dict[str, Any]:
        """Return the list."""
        engines = self._engines()
        names = (engines.recognizer.name, engines.language_model.name, engines.synthesizer.name)
        # A name can be a folder's, and two may be one.
        return {"object": "list", "data": [self._told(name) for name in dict.fromkeys(map(without_paths, names))]}

    def one(self, name: str) -> dict[str, Any]:
        """Return the model ``name``. Raises `ApiError` where there is none."""
        for told in self.all()["data"]:
            if told["id"] == name:
                found: dict[str, Any] = told
                return found
        message = f"There is no model {name[:100]!r} here; GET /v1/models lists those that there are."
        raise ApiError(NOT_FOUND, message, param="model", code="model_not_found")

    def _told(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": self._since, "owned_by": _OWNER}
