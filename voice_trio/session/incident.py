"""Defects of ours: the client gets a number, the log gets the rest under the same number."""

from __future__ import annotations

import secrets

import structlog

from voice_trio.core.messages import Error, ErrorCode

log = structlog.get_logger()


def report(error: BaseException, *, session: str, turn: int | None = None) -> Error:
    """Log ``error`` and return what the client is told: in a turn it ends the turn, else the session."""
    incident = secrets.token_hex(4)
    log.error("incident", session_id=session, turn=turn, incident=incident, exc_info=error)
    return Error(
        code=ErrorCode.INTERNAL,
        message=f"Something went wrong on the server (incident {incident}).",
        recoverable=turn is not None,
        turn=turn,
        incident=incident,
    )
