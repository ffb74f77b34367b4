"""Errors in OpenAI's shape, of which its clients read the status, the message and the code."""

from __future__ import annotations

from typing import Any, Final

from quart import Response

from voice_trio.core import messages as m
from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError
from voice_trio.server.json_http import HttpError, answered
from voice_trio.server.sessions import RETRY_AFTER_S

BAD_REQUEST: Final = 400
NOT_FOUND: Final = 404
UPGRADE_REQUIRED: Final = 426
TOO_MANY: Final = 429
INTERNAL: Final = 500
_UNAVAILABLE: Final = 503
_UNPROCESSABLE: Final = 422

_CODES: Final = {
    ErrorCode.UNAUTHORIZED: "invalid_api_key",
    ErrorCode.SERVER_BUSY: "server_overloaded",
    ErrorCode.PROTOCOL_VIOLATION: "invalid_value",
    ErrorCode.INTERNAL: "server_error",
}
"""Our codes, as its clients know them; an engine's failure keeps its own, in small letters."""


class ApiError(Exception):
    """The request gets no answer but this."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = "invalid_value",
        retry_after_s: int | None = None,
    ) -> None:
        """``param`` names the field that is wrong."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.retry_after_s = retry_after_s

    def told(self) -> dict[str, Any]:
        """Return what the client reads."""
        kind = "server_error" if self.status >= INTERNAL else "invalid_request_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def of(error: HttpError | Refused | EngineError, *, param: str | None = None) -> ApiError:
    """Return what OpenAI's clients are told of ``error``, which one of /api is told otherwise."""
    if isinstance(error, EngineError):
        return ApiError(INTERNAL, error.message, code=error.code.lower())
    if isinstance(error, Refused):
        busy = error.code is ErrorCode.SERVER_BUSY
        return _told(_UNAVAILABLE if busy else BAD_REQUEST, error.code, error.message, error.retry_after_s, param)
    # What is wrong with what was sent is 400 here, whatever it is.
    status = BAD_REQUEST if error.status == _UNPROCESSABLE else error.status
    return _told(status, error.error.code, error.error.message, error.error.retry_after_s, param)


def _told(status: int, code: ErrorCode, message: str, retry_after_s: int | None, param: str | None) -> ApiError:
    if code is ErrorCode.SERVER_BUSY and retry_after_s is None:
        retry_after_s = RETRY_AFTER_S
    if status >= INTERNAL:
        param = None
    return ApiError(status, message, param=param, code=_CODES.get(code, code.lower()), retry_after_s=retry_after_s)


def incident(told: m.Error) -> ApiError:
    """Return what is told of a defect of ours, of which `report` has told the log."""
    return ApiError(INTERNAL, told.message, code="server_error")


def refused(why: ApiError) -> Response:
    """Return the response that says ``why`` there is no other."""
    response = answered(why.told(), why.status)
    if why.retry_after_s is not None:
        response.headers["Retry-After"] = str(why.retry_after_s)
    return response


def refused_as_openai(why: HttpError) -> Response:
    """Return the response that says here ``why`` there is no other."""
    return refused(of(why))
