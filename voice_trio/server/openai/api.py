"""The routes under /v1, and how each of their refusals is told: in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from quart import Response, request
from quart.wrappers import Request
from quart_trio import QuartTrio

from voice_trio.config import Settings
from voice_trio.core.errors import Refused
from voice_trio.engines.media import MediaDecoder
from voice_trio.server.access import Access
from voice_trio.server.allowance import Allowance, allowance_of
from voice_trio.server.json_http import HttpError, answered
from voice_trio.server.openai import errors
from voice_trio.server.openai.errors import BAD_REQUEST, ApiError, refused
from voice_trio.server.openai.models import Models
from voice_trio.server.openai.realtime import Realtime
from voice_trio.server.openai.speeches import Speeches
from voice_trio.server.openai.transcriptions import Transcriptions
from voice_trio.server.sessions import Sessions
from voice_trio.session.report import report

PREFIX: Final = "/v1/"

_NO_TRANSLATION: Final = "This server does not translate; POST /v1/audio/transcriptions gives the words themselves."


class OpenAiApi:
    """What clients of OpenAI's API may ask for."""

    def __init__(self, settings: Settings, sessions: Sessions, decoder: MediaDecoder, access: Access) -> None:
        self._transcriptions = Transcriptions(settings, sessions, decoder)
        self._speeches = Speeches(settings, sessions)
        self._models = Models(lambda: sessions.engines)
        self._realtime = Realtime(settings, sessions, access)

    def add_to(self, app: QuartTrio) -> None:
        """Add the routes to ``app``, which has looked at token and origin before."""

        @app.post(f"{PREFIX}audio/transcriptions")
        async def transcriptions() -> Response:
            return await _told(self._transcriptions.answer)

        @app.post(f"{PREFIX}audio/translations")
        async def translations() -> Response:
            return refused(ApiError(BAD_REQUEST, _NO_TRANSLATION, code="unsupported_endpoint"))

        @app.post(f"{PREFIX}audio/speech")
        async def speech() -> Response:
            return await _told(self._speeches.answer)

        self._realtime.add_to(app)

        @app.post(f"{PREFIX}realtime/client_secrets")
        async def client_secrets() -> Response:
            return await _told(self._realtime.secrets.answer)

        @app.get(f"{PREFIX}models")
        async def models() -> Response:
            return answered(self._models.all())

        @app.get(f"{PREFIX}models/<path:name>")
        async def model(name: str) -> Response:
            try:
                return answered(self._models.one(name))
            except ApiError as error:
                return refused(error)


async def _told(answer: Callable[[Request, Allowance | None], Awaitable[Response]]) -> Response:
    """Return the response of ``answer`` to the present request, or the one that says why there is none."""
    # The object itself: an answer goes on after the handler.
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]
    try:
        return await answer(asked, allowance_of(asked.scope))
    except ApiError as error:
        return refused(error)
    except (HttpError, Refused) as error:
        return refused(errors.of(error))
    except Exception as error:
        return refused(errors.incident(report(error, session="")))
