"""`/v1/realtime`: sessions for clients of OpenAI's Realtime API, the very same as those of /ws."""

from __future__ import annotations

import time
from typing import Final

from quart import Response, websocket
from quart.wrappers import Websocket
from quart_trio import QuartTrio

from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode
from voice_trio.server.access import Access
from voice_trio.server.allowance import allowance_of
from voice_trio.server.engine_list import without_paths
from voice_trio.server.hypercorn.websocket import take_messages_of
from voice_trio.server.openai.client_secrets import ClientSecrets
from voice_trio.server.openai.errors import UPGRADE_REQUIRED, ApiError, refused
from voice_trio.server.sessions import Sessions
from voice_trio.server.socket_link import SocketLink
from voice_trio.session.farewell import Farewell
from voice_trio.wire.realtime.codec import MAX_MESSAGE_BYTES, RealtimeCodec
from voice_trio.wire.realtime.configuration import Configuration, Offered

PATH: Final = "/v1/realtime"

_SUBPROTOCOL: Final = "realtime"
"""What is selected where a client offers it: one in a browser hangs up otherwise."""

_KEY: Final = "openai-insecure-api-key."
"""Before the key, in the list of subprotocols: all that a page can set in a handshake."""

_WRONG_KEY: Final = m.Error(
    code=ErrorCode.UNAUTHORIZED,
    message="Incorrect API key provided: the key of this server is its STREAM_AUTH_TOKEN.",
    recoverable=False,
)


class Realtime:
    """The route, and the keys that it takes."""

    def __init__(self, settings: Settings, sessions: Sessions, access: Access) -> None:
        self._settings = settings
        self._sessions = sessions
        self._access = access
        self.secrets: Final = ClientSecrets(self._offered, settings.max_session_s)

    def add_to(self, app: QuartTrio) -> None:
        """Add the route to ``app``, which has looked at the origin before."""
        app.add_websocket(PATH, "realtime", self._converse)

        @app.get(PATH)
        async def no_upgrade() -> Response:
            return refused(ApiError(UPGRADE_REQUIRED, f"GET {PATH} is the handshake of a WebSocket.", code=None))

    async def _converse(self) -> None:
        offered = websocket.requested_subprotocols
        await websocket.accept(subprotocol=_SUBPROTOCOL if _SUBPROTOCOL in offered else None)
        # The object itself: the proxy would look it up for every message.
        socket: Websocket = websocket._get_current_object()  # type: ignore[attr-defined]
        wanted = self._wanted_by(_keys(socket, offered))
        expires_at = int(time.time() + self._settings.max_session_s)
        link = SocketLink(socket, RealtimeCodec(self._offered(), wanted or Configuration(), expires_at=expires_at))
        if wanted is None:
            await link.send(_WRONG_KEY)
            await link.close(Farewell.UNAUTHORIZED, "invalid_request_error.invalid_api_key")
            return
        if (unserved := _unserved(socket)) is not None:
            await link.send(unserved)
            await link.close(Farewell.UNSUPPORTED, "invalid_request_error.invalid_value")
            return
        take_messages_of(socket.scope, MAX_MESSAGE_BYTES)
        await self._sessions.hold(link, socket.remote_addr or "", lambda: allowance_of(socket.scope), paced=False)

    def _wanted_by(self, keys: list[str]) -> Configuration | None:
        """Return how the session of a client that presents ``keys`` is to begin; None where none of them is good."""
        for key in keys:
            if (wanted := self.secrets.wanted(key)) is not None:
                return wanted
        return Configuration() if any(map(self._access.allows_key, keys or [""])) else None

    def _offered(self) -> Offered:
        engines = self._sessions.engines
        return Offered(
            model=without_paths(engines.language_model.name),
            instructions=self._settings.llm_system_prompt,
            voices=tuple(engines.synthesizer.voices),
            languages=tuple(engines.recognizer.languages),
        )


def _unserved(socket: Websocket) -> m.Error | None:
    """Return what is said of a kind of session that is not here; None where it is one that is."""
    if "call_id" in socket.args:
        message = "There are no calls here, so there is none to attach to: leave call_id out."
    elif socket.args.get("intent") == "transcription":
        message = "There are no sessions for transcription alone here; leave intent out, and set create_response false."
    else:
        return None
    return m.Error(code=ErrorCode.PROTOCOL_VIOLATION, message=message, recoverable=False)


def _keys(socket: Websocket, subprotocols: list[str]) -> list[str]:
    keys = [part.removeprefix(_KEY) for part in subprotocols if part.startswith(_KEY)]
    scheme, _, rest = socket.headers.get("Authorization", "").partition(" ")
    return [*keys, rest.strip()] if scheme.lower() == "bearer" else keys
