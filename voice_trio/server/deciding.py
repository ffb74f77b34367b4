"""Who may decide for everybody which engines are at work, and what is told where that came to nothing."""

from __future__ import annotations

from quart.wrappers import Request

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import CannotLoad
from voice_trio.engines.host import SwapUnderWay
from voice_trio.server.access import Access
from voice_trio.server.addresses import is_loopback
from voice_trio.server.engine_list import without_paths
from voice_trio.server.json_http import HttpError, refusal

_FORBIDDEN = 403
_CONFLICT = 409
_UNAVAILABLE = 503

_RETRY_AFTER_S = 5


def may_decide(asked: Request, access: Access) -> bool:
    """Return whether whoever ``asked`` may decide for everybody: with the token, or at this machine itself.

    A proxy at this machine, of which nobody told us, says at least that it is one.
    """
    if access.token is not None:
        return True
    if "X-Forwarded-For" in asked.headers or "Forwarded" in asked.headers:
        return False
    try:
        return is_loopback(asked.remote_addr or "")
    except ValueError:
        return False


def check_may_decide(asked: Request, access: Access) -> None:
    """Raise `HttpError` where whoever ``asked`` may not."""
    if not may_decide(asked, access):
        message = "Engines are chosen at the server's own machine, or with its token (STREAM_AUTH_TOKEN)."
        raise HttpError(_FORBIDDEN, m.Error(code=ErrorCode.UNAUTHORIZED, message=message, recoverable=False))


def check_may_name_model(asked: Request, access: Access) -> None:
    """Raise `HttpError` where whoever ``asked`` may not say whom everybody's words go to.

    Where any page may talk to the server, one on this machine is no proof of a person at it.
    """
    check_may_decide(asked, access)
    if access.token is None and (access.any_name or access.lists_all):
        message = (
            "A language model is named here only with a token (STREAM_AUTH_TOKEN) where STREAM_INSECURE or "
            "STREAM_ALLOWED_ORIGINS=* lets any page talk to the server."
        )
        raise HttpError(_FORBIDDEN, m.Error(code=ErrorCode.UNAUTHORIZED, message=message, recoverable=False))


def not_swapped(why: SwapUnderWay | CannotLoad, code: ErrorCode) -> HttpError:
    """Return what is answered where no other engine took over."""
    if isinstance(why, CannotLoad):
        return refusal(_UNAVAILABLE, f"The old one stays. {without_paths(str(why))}", code)
    error = m.Error(
        code=ErrorCode.SERVER_BUSY,
        message="Another engine is being opened. Try again in a moment.",
        recoverable=True,
        retry_after_s=_RETRY_AFTER_S,
    )
    return HttpError(_CONFLICT, error)
