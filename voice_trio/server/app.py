"""The routes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from quart import Response, has_request_context, request, websocket
from quart.wrappers import Request, Websocket
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from voice_trio import __version__
from voice_trio.core import messages as m
from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode
from voice_trio.installation import static_dir
from voice_trio.server.access import SUBPROTOCOL, Access
from voice_trio.server.allowance import allowance_of
from voice_trio.server.conversation_api import ConversationApi
from voice_trio.server.engine_api import EngineApi
from voice_trio.server.headers import add_headers
from voice_trio.server.held import HoldingConnection
from voice_trio.server.json_http import HttpError, answered, no_room, refused
from voice_trio.server.metrics import Metrics
from voice_trio.server.metrics_http import METRICS_PATH, add_metrics
from voice_trio.server.openai.api import PREFIX, OpenAiApi
from voice_trio.server.openai.errors import refused_as_openai
from voice_trio.server.resumption import Asked, Resumption
from voice_trio.server.sessions import Sessions
from voice_trio.server.shell import Shell
from voice_trio.server.socket_link import SocketLink
from voice_trio.server.turn_log import add_turns
from voice_trio.server.upload.spoken import spoken
from voice_trio.server.upload.utterance import Utterances
from voice_trio.session.farewell import Farewell
from voice_trio.wire.codec import Codec
from voice_trio.wire.native import NativeCodec

_HTTP_OK = 200
_HTTP_UNAUTHORIZED = 401
_HTTP_FORBIDDEN = 403
_HTTP_NOT_FOUND = 404
_HTTP_NOT_ALLOWED = 405
_HTTP_UNAVAILABLE = 503

_UNAUTHORIZED = m.Error(
    code=ErrorCode.UNAUTHORIZED,
    message="This server wants a token, and was given none or a wrong one.",
    recoverable=False,
)

_OTHER_ORIGIN = m.Error(
    code=ErrorCode.UNAUTHORIZED,
    message="This server is not for pages of another origin; STREAM_ALLOWED_ORIGINS lists those that are welcome.",
    recoverable=False,
)


class _Api(NamedTuple):
    """What stands under one beginning of a path, for token and origin alike."""

    prefix: str
    refused: Callable[[HttpError], Response]
    """How it is told there that there is no answer."""
    takes_recordings: str
    """Where a recording goes that was sent somewhere else."""


_APIS: Final = (
    _Api("/api/", refused, "/api/utterance"),
    _Api(PREFIX, refused_as_openai, "/v1/audio/transcriptions"),
    _Api(METRICS_PATH, refused, "/api/utterance"),
)

WIRES: Final[dict[str, Callable[[], Codec]]] = {"/ws": NativeCodec}
"""Path -> what makes the codec of a connection there."""


def make_app(
    sessions: Sessions,
    resumption: Resumption,
    access: Access,
    utterances: Utterances,
    conversations: ConversationApi,
    engines: EngineApi,
    openai: OpenAiApi,
    metrics: Metrics | None,
) -> QuartTrio:
    """Return the application that serves the page, health, /api, /v1, ``metrics`` and each of `WIRES`."""
    app = QuartTrio(__name__, static_folder=None)
    app.asgi_http_class = HoldingConnection
    # A path with two slashes is another path, and not sent to the one that it resembles.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = utterances.max_bytes
    add_headers(app)

    Shell(static_dir()).add_to(app)

    @app.get("/livez")
    @app.get("/healthz")
    async def livez() -> dict[str, object]:
        return {"status": "ok", "version": __version__, "sessions": len(sessions)}

    @app.get("/readyz")
    async def readyz() -> tuple[dict[str, object], int]:
        if sessions.draining:
            return {"status": "draining"}, _HTTP_UNAVAILABLE
        if sessions.leaving:
            return {"status": "about to stop"}, _HTTP_UNAVAILABLE
        # The server listens only once its engines are warm, but a worker can be lost, and its successor takes a moment.
        if not sessions.engines_ready:
            return {"status": "engines are being replaced"}, _HTTP_UNAVAILABLE
        return {"status": "ready"}, _HTTP_OK

    @app.before_request
    async def check_api() -> Response | None:
        if (api := api_asked()) is None:
            return None
        if not allows_origin(request):
            return api.refused(HttpError(_HTTP_FORBIDDEN, _OTHER_ORIGIN))
        if not access.allows_token(request.headers.get("Authorization"), ()):
            response = api.refused(HttpError(_HTTP_UNAUTHORIZED, _UNAUTHORIZED))
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        return None

    @app.post("/api/utterance")
    async def utterance() -> Response:
        try:
            return spoken(await utterances.answer(request, allowance_of(request.scope)), request)
        except HttpError as error:
            return refused(error)

    @app.get("/api/room")
    async def room() -> Response:
        try:
            sessions.check_room(request.remote_addr or "")
        except Refused as why:
            return refused(no_room(why))
        return answered({"room": True})

    conversations.add_to(app)
    engines.add_to(app)
    openai.add_to(app)
    add_turns(app, sessions.turn_log, sessions.open_turns)
    if metrics is not None:
        add_metrics(app, metrics)

    @app.errorhandler(_HTTP_NOT_FOUND)
    @app.errorhandler(_HTTP_NOT_ALLOWED)
    async def no_route(error: HTTPException) -> Response | HTTPException:
        # A handshake to /ws's like is no request.
        if not has_request_context() or (api := api_asked()) is None:
            return error
        message = f"There is no {request.method} {request.path} here; a recording goes to POST {api.takes_recordings}."
        said = m.Error(code=ErrorCode.PROTOCOL_VIOLATION, message=message, recoverable=True)
        response = api.refused(HttpError(error.code or _HTTP_NOT_FOUND, said))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.before_websocket
    async def check_handshake() -> Response | None:
        if not allows_origin(websocket):
            # A page cannot read this, but a person who looks into its console can.
            text = "not for pages of another origin: STREAM_ALLOWED_ORIGINS lists those that are welcome\n"
            return Response(text, status=_HTTP_FORBIDDEN)
        return None

    def api_asked() -> _Api | None:
        """Return the one that the present request is for; None where it needs neither token nor origin."""
        return next((api for api in _APIS if request.path.startswith(api.prefix)), None)

    def allows_origin(asked: Request | Websocket) -> bool:
        headers = asked.headers
        return access.allows_origin(headers.get("Origin"), headers.get("Host", ""), headers.get("Sec-Fetch-Site"))

    async def converse(new_codec: Callable[[], Codec]) -> Response | None:
        offered = websocket.requested_subprotocols
        subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
        # The object itself: the proxy would look it up for every message.
        new_link = partial(SocketLink, websocket._get_current_object())  # type: ignore[attr-defined]
        accept = partial(websocket.accept, subprotocol=subprotocol)
        if not access.allows_token(websocket.headers.get("Authorization"), offered):
            # After the handshake, because a page cannot read a refused one.
            link = new_link(new_codec())
            await accept()
            await link.send(_UNAUTHORIZED)
            await link.close(Farewell.UNAUTHORIZED, "unauthorized")
            return None
        address, allowance = websocket.remote_addr or "", allowance_of(websocket.scope)
        try:
            if new_codec is NativeCodec and (asked := Asked.of(offered)) is not None:
                await resumption.hold(asked, accept, new_link, address, allowance)
            else:
                async with sessions.seat(address, allowance) as seat:
                    await accept()
                    await sessions.hold(new_link(new_codec()), seat)
        except Refused as why:
            # Before the handshake, because a proxy can then ask another server. A page asks /api/room.
            return refused(no_room(why))
        return None

    for path, new_codec in WIRES.items():
        app.add_websocket(path, path.removeprefix("/"), partial(converse, new_codec))

    return app
