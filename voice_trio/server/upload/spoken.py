"""The answer to an upload in the form that the request asks for: all of it in JSON, or the sound alone."""

from __future__ import annotations

from typing import Any, Final

from quart import Response
from quart.wrappers import Request

from voice_trio.server.json_http import answered, as_it_is

SOUNDS: Final = ("audio/wav", "audio/x-wav", "audio/wave")
"""What `Accept` says who wants the sound alone."""

CONVERSATION: Final = "Voice-Trio-Conversation"
"""The header that says, beside the sound, which conversation the turn was of."""

_UNPROCESSABLE = 422


def spoken(answer: dict[str, Any], request: Request) -> Response:
    """Return the response with ``answer``, which is `Answer.result`'s, as ``request`` accepts it.

    Who asked for the sound is not given less than all of it as if it were all: where there is none, or something went
    wrong, the whole answer comes with a status that says so.
    """
    wanted = request.accept_mimetypes.best_match(("application/json", *SOUNDS))
    if wanted not in SOUNDS:
        return answered(answer)
    if answer["audio"] is None or answer["errors"]:
        return answered(answer, _UNPROCESSABLE)
    response = as_it_is(answer["audio"]["wav"], wanted)
    response.headers[CONVERSATION] = answer["conversation"]
    return response
