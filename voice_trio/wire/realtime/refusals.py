"""What went wrong, and what was not done, in OpenAI's words: the codes and sentences that clients look at."""

from __future__ import annotations

from typing import Final

from voice_trio.core import messages as m
from voice_trio.core.codes import Why
from voice_trio.core.messages import ErrorCode
from voice_trio.wire.realtime.configuration import Json
from voice_trio.wire.realtime.errors import error


def failed(event: m.Error) -> Json:
    """Return what tells of what went wrong in the session."""
    server = event.code not in _CODES
    code = event.code.lower() if server else _CODES[event.code]
    return error(event.message, code=code, kind="server_error" if server else "invalid_request_error")


def declined(event: m.Declined) -> tuple[str, str]:
    """Return the code and the sentence that say why a command was not followed."""
    code, message = _DECLINED.get((event.command, event.why), _DECLINED_ANYWHERE.get(event.why, (None, None)))
    return code or "invalid_value", message or event.message


_CODES: Final = {
    ErrorCode.UNAUTHORIZED: "invalid_api_key",
    ErrorCode.SERVER_BUSY: "session_limit_reached",
    ErrorCode.PROTOCOL_VIOLATION: "invalid_value",
}
"""Codes of errors that the client can do something about; every other is the server's, and keeps its name."""

_DECLINED: Final[dict[tuple[str, Why], tuple[str, str | None]]] = {
    (m.Respond.name, Why.ACTIVE): (
        "conversation_already_has_active_response",
        "Conversation already has an active response in progress.",
    ),
    (m.Commit.name, Why.TOO_SHORT): (
        "input_audio_buffer_commit_empty",
        f"Error committing input audio buffer: the buffer is too small, {m.LEAST_COMMIT_MS} ms of audio are needed.",
    ),
    (m.ReadItem.name, Why.NO_SUCH_ITEM): ("item_retrieve_invalid_item_id", None),
    (m.DeleteItem.name, Why.NO_SUCH_ITEM): ("item_delete_invalid_item_id", None),
    (m.CutItem.name, Why.NO_SUCH_ITEM): ("item_truncate_invalid_item_id", None),
    (m.CutItem.name, Why.NO_SOUND): ("invalid_value", "Only model output audio messages can be truncated."),
    (m.AddItem.name, Why.DUPLICATE): ("item_create_duplicate_item_id", None),
}
_DECLINED_ANYWHERE: Final[dict[Why, tuple[str, str | None]]] = {
    Why.BUSY: ("rate_limit_exceeded", None),
    Why.ENDING: ("session_expired", None),
}
"""Why a command was not followed -> OpenAI's code for it, and its words, where clients look at those."""
