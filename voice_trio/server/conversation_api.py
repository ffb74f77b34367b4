"""The routes by which somebody looks through conversations, names them and deletes them.

Who has a server's token may see all that it remembers. Where there is no token, a conversation belongs to whoever knows
its id, which nobody can guess: then none is told of that was not named.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import wraps
from typing import Any, Final

from quart import Response, request
from quart.wrappers import Request
from quart_trio import QuartTrio

from voice_trio.core import messages as m
from voice_trio.core.codes import ErrorCode
from voice_trio.core.strange_text import mend
from voice_trio.core.titles import MAX_QUERY_CHARS, terms_in
from voice_trio.memory.base import StoreError
from voice_trio.memory.conversations import Conversations, Numbered, Page, Sought
from voice_trio.memory.holds import Claims
from voice_trio.server.access import Access
from voice_trio.server.allowance import WALK, allowance_of
from voice_trio.server.conversation_fields import ids_in, number_in, object_in, place_in, text_in, title_in
from voice_trio.server.json_http import HttpError, answered, refusal, refused

_FORBIDDEN = 403
_NOT_FOUND = 404
_CONFLICT = 409
_UNAVAILABLE = 503

MAX_LISTED: Final = 100
"""Conversations in one answer, and turns."""

USUALLY_LISTED: Final = 30

_RETRY_AFTER_S = 2

Handler = Callable[..., Awaitable[Response]]


class ConversationApi:
    """What can be asked of ``conversations`` over HTTP; ``claims`` says which of them live sessions have."""

    def __init__(self, conversations: Conversations, claims: Claims, access: Access) -> None:
        self._conversations = conversations
        self._claims = claims
        self._access = access

    def add_to(self, app: QuartTrio) -> None:
        """Add the routes to ``app``, which has looked at token and origin before."""

        @app.get("/api/conversations")
        @_telling
        async def conversations() -> Response:
            if self._access.token is None:
                message = "Without a token (STREAM_AUTH_TOKEN) only those are listed whose ids are named: POST them to "
                message += "/api/conversations/lookup."
                raise HttpError(_FORBIDDEN, m.Error(code=ErrorCode.UNAUTHORIZED, message=message, recoverable=False))
            return await self._list(request, dict(request.args.items()))

        @app.post("/api/conversations/lookup")
        @_telling
        async def lookup() -> Response:
            asked = await object_in(request)
            return await self._list(request, asked, among=ids_in(asked))

        @app.get("/api/conversations/<conversation>")
        @_telling
        async def turns(conversation: str) -> Response:
            return await self._tell(request, conversation)

        @app.patch("/api/conversations/<conversation>")
        @_telling
        async def rename(conversation: str) -> Response:
            title = title_in(await object_in(request))
            if not await self._conversations.rename(conversation, title):
                raise _none_such()
            return answered({"id": conversation, "title": title})

        @app.delete("/api/conversations/<conversation>")
        @_telling
        async def delete(conversation: str) -> Response:
            return await self._delete(conversation)

    async def _list(self, asked: Request, fields: dict[str, Any], among: frozenset[str] | None = None) -> Response:
        """Return the answer with the conversations that ``fields`` ask for. Raises `HttpError`, `StoreError`."""
        sought = Sought(
            limit=number_in(fields, "limit", USUALLY_LISTED, MAX_LISTED),
            before=place_in(fields),
            terms=terms_in(text_in(fields, "q", MAX_QUERY_CHARS)),
            among=among,
        )
        if (allowance := allowance_of(asked.scope)) is not None:
            await allowance.pay(WALK)
        return answered(_listed(await self._conversations.page(sought)))

    async def _tell(self, asked: Request, conversation: str) -> Response:
        """Return the answer with the turns of ``conversation``. Raises `HttpError`, `StoreError`."""
        limit = number_in(asked.args, "limit", MAX_LISTED, MAX_LISTED)
        before = number_in(asked.args, "before", None)
        about = await self._conversations.page(Sought(limit=1, among=[mend(conversation)]))
        if not about.conversations:
            raise _none_such()
        # One more tells whether there are earlier ones.
        turns = [*await self._conversations.turns(conversation, limit=limit + 1, before=before)]
        shown = turns[-limit:]
        return answered(
            {
                "conversation": asdict(about.conversations[0]),
                "turns": [_told(one) for one in shown],
                "before": shown[0].number if len(turns) > limit else None,
            }
        )

    async def _delete(self, conversation: str) -> Response:
        """Delete ``conversation``, and return the answer that tells how much that was. Raises like the others."""
        deleting = f"deleting {secrets.token_hex()}"
        if not await self._claims.claim(conversation, deleting):
            error = m.Error(
                code=ErrorCode.PROTOCOL_VIOLATION,
                message="A live session uses that conversation. Delete it when that has ended.",
                recoverable=True,
                retry_after_s=_RETRY_AFTER_S,
            )
            raise HttpError(_CONFLICT, error)
        try:
            turns = await self._conversations.delete(conversation)
        finally:
            self._claims.release(deleting)
        if not turns:
            raise _none_such()
        return answered({"id": conversation, "turns": turns})


def _telling(handler: Handler) -> Handler:
    """Have what ``handler`` raises told to the client."""

    @wraps(handler)
    async def told(*args: Any, **kwargs: Any) -> Response:
        try:
            return await handler(*args, **kwargs)
        except HttpError as error:
            return refused(error)
        except StoreError as error:
            said = m.Error(
                code=ErrorCode.SERVER_BUSY, message=error.told, recoverable=True, retry_after_s=_RETRY_AFTER_S
            )
            return refused(HttpError(_UNAVAILABLE, said))

    return told


def _listed(page: Page) -> dict[str, Any]:
    last = page.conversations[-1].place if page.more and page.conversations else None
    return {
        "conversations": [asdict(one) for one in page.conversations],
        "before": None if last is None else f"{last.last_at!r} {last.conversation}",
        "complete": page.complete,
    }


def _told(one: Numbered) -> dict[str, Any]:
    record = one.record
    return {
        "number": one.number,
        "said": record.said,
        "reply": record.reply,
        "heard": record.heard,
        "outcome": record.outcome,
        "ended_at": record.ended_at,
        "calls": [asdict(call) for call in record.calls],
        "origin": record.origin,
    }


def _none_such() -> HttpError:
    return refusal(_NOT_FOUND, "There is no such conversation, or nothing of it is remembered.")
