"""The routes by which a page shows the engines, swaps them, fetches what they lack and plays their voices."""

from __future__ import annotations

import json
from typing import Any, Final

from quart import Response, request
from quart.wrappers import Request
from quart_trio import QuartTrio

from voice_trio.config import Settings
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import CannotLoad, EngineError
from voice_trio.engines.host import SWAPPABLE, EngineHost, SwapUnderWay
from voice_trio.entry_points import Kind
from voice_trio.server.access import Access
from voice_trio.server.deciding import check_may_decide, may_decide, not_swapped
from voice_trio.server.engine_fetch import Fetches
from voice_trio.server.engine_list import EngineList
from voice_trio.server.given_model_api import GivenModelApi
from voice_trio.server.json_http import HttpError, answered, refusal, refused, small_body
from voice_trio.server.sessions import Sessions
from voice_trio.server.upload.answer import busy
from voice_trio.server.voice_samples import VoiceSamples

_BAD_REQUEST = 400
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_UNAVAILABLE = 503

_MOST_BYTES = 1_000

_FAILS: Final = {
    Kind.RECOGNIZER: ErrorCode.ASR_FAIL,
    Kind.LANGUAGE_MODEL: ErrorCode.LLM_FAIL,
    Kind.SYNTHESIZER: ErrorCode.TTS_FAIL,
    Kind.END_OF_TURN: ErrorCode.ASR_FAIL,
}


class EngineApi:
    """What can be asked of ``host`` over HTTP."""

    def __init__(self, settings: Settings, host: EngineHost, sessions: Sessions, access: Access) -> None:
        self._host = host
        self._sessions = sessions
        self._access = access
        self._fetches = Fetches(settings, lambda: self._list.look_again())
        self._list = EngineList(host, self._fetches.has)
        self._samples = VoiceSamples(settings, host)
        self._given = GivenModelApi(settings, host, sessions, access, self._list)

    def add_to(self, app: QuartTrio) -> None:
        """Add the routes to ``app``, which has looked at token and origin before."""
        self._given.add_to(app)

        @app.get("/api/engines")
        async def engines() -> Response:
            return answered(await self._list.tell(may_swap=may_decide(request, self._access)))

        @app.put("/api/engines/<kind>")
        async def engine(kind: str) -> Response:
            try:
                await self._swap(request, kind)
            except HttpError as error:
                return refused(error)
            return answered(await self._list.tell(may_swap=True))

        @app.post("/api/engines/<kind>/fetch")
        async def fetch(kind: str) -> Response:
            try:
                return await self._fetch(request, kind)
            except HttpError as error:
                return refused(error)

        @app.get("/api/voices/<path:voice>/sample")
        async def sample(voice: str) -> Response:
            try:
                return Response(await self._sample(request, voice), mimetype="audio/wav")
            except HttpError as error:
                return refused(error)

    async def _swap(self, asked: Request, named: str) -> None:
        """Do what ``asked`` wants of the engine of the kind ``named``. Raises `HttpError`."""
        kind, name = await self._wanted(asked, named)
        try:
            if (why_not := await self._list.why_not(kind, name)) is not None:
                raise refusal(_UNPROCESSABLE, why_not, _FAILS[kind])
            await self._host.swap(kind, name)
        except KeyError:
            raise _none_such(kind) from None
        except (SwapUnderWay, CannotLoad) as error:
            raise not_swapped(error, _FAILS[kind]) from error

    async def _fetch(self, asked: Request, named: str) -> Response:
        """Return what tells how the engine that ``asked`` wants comes here. Raises `HttpError`."""
        kind, name = await self._wanted(asked, named)
        try:
            model = await self._list.fetches(kind, name)
        except KeyError:
            raise _none_such(kind) from None
        if model is None:
            raise refusal(_UNPROCESSABLE, "That engine lacks nothing that could be fetched.", _FAILS[kind])
        return self._fetches.answer(kind, name, model, _FAILS[kind])

    async def _wanted(self, asked: Request, named: str) -> tuple[Kind, str]:
        """Return the kind ``named`` and the name of the engine that ``asked`` is about. Raises `HttpError`."""
        check_may_decide(asked, self._access)
        if named not in SWAPPABLE:
            raise refusal(_NOT_FOUND, f"There is no such kind of engine; {', '.join(SWAPPABLE)} can be chosen.")
        name = _name_in(await small_body(asked, _MOST_BYTES))
        if self._sessions.draining:
            raise busy("The server is stopping.")
        return Kind(named), name

    async def _sample(self, asked: Request, voice: str) -> bytes:
        """Return the WAV. Raises `HttpError`."""
        try:
            return await self._samples.wav(voice, asked.args.get("language"))
        except KeyError:
            raise refusal(_NOT_FOUND, "There is no such voice here.") from None
        except EngineError as error:
            raise refusal(_UNAVAILABLE, error.message, error.code) from error


def _none_such(kind: Kind) -> HttpError:
    return refusal(_NOT_FOUND, f"There is no such {kind.words} here.")


def _name_in(body: bytes) -> str:
    """Return the engine's name in the JSON object ``body``. Raises `HttpError`."""
    try:
        read: Any = json.loads(body)
    except (ValueError, RecursionError):
        read = None
    name = read.get("name") if isinstance(read, dict) else None
    if not isinstance(name, str):
        raise refusal(_BAD_REQUEST, 'The body is to be a JSON object with the engine\'s name: {"name": "..."}.')
    return name
