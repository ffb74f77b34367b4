"""What is answered to an upload: one turn's events, put together into one JSON object."""

from __future__ import annotations

from typing import Any

import trio

from voice_trio.core import messages as m
from voice_trio.core.audio import WAV_HEADER_BYTES, wav_header
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome
from voice_trio.server.json_http import HttpError, refusal
from voice_trio.server.sessions import RETRY_AFTER_S
from voice_trio.session.link import LinkClosed, MemoryLink
from voice_trio.wire.native import plain

_BAD_REQUEST = 400
_INTERNAL = 500
_UNAVAILABLE = 503


class Answer:
    """Collects what a session says in its one turn."""

    def __init__(self) -> None:
        self.opened = trio.Event()
        """The session has begun."""
        self.done = trio.Event()
        """The turn is over."""
        self.while_open = trio.CancelScope()
        """Cancelled when the session ends by itself: neither `opened` nor `done` is to be waited for any more."""
        self._conversation = ""
        self._final: m.Final | None = None
        self._reply: list[str] = []
        self._sample_rate = 0
        # Room for the header that is known at the end, so that nothing of a long answer is copied.
        self._wav = bytearray(WAV_HEADER_BYTES)
        self._errors: list[m.Error] = []
        self._infos: list[m.Info] = []
        self._stopping: str | None = None
        self._done: m.Done | None = None

    async def hear(self, link: MemoryLink) -> None:
        """Take all that comes over ``link``, until it is closed."""
        try:
            while True:
                self._take(await link.hear())
        except LinkClosed:
            self.while_open.cancel()

    def _take(self, event: m.Event) -> None:
        match event:
            case m.SessionOpened(conversation=conversation):
                self._conversation = conversation
                self.opened.set()
            case m.Final():
                self._final = event
            case m.Token(text=text):
                self._reply.append(text)
            case m.TtsPhrase(sample_rate=sample_rate):
                self._sample_rate = sample_rate
            case m.TtsChunk(pcm=pcm):
                self._wav += pcm
            case m.Error():
                self._errors.append(event)
            case m.Info(code=InfoCode.SHUTTING_DOWN | InfoCode.SESSION_LIMIT | InfoCode.PLACE_NEEDED, message=message):
                self._stopping = message
            case m.Info(turn=int()):
                self._infos.append(event)
            case m.Done():
                self._done = event
                self.done.set()

    def result(self, conversation: str | None, too_long: m.Error | None) -> dict[str, Any]:
        """Return the answer, for `json_http.answered`.

        It is of a turn of ``conversation`` or, for None, of the session's own.

        ``too_long`` is the error to list if the upload went on where it was cut off, unless the session found the
        same. Raises `HttpError` if there was no turn, or none to speak of.
        """
        done = self._done
        if done is None or done.outcome is Outcome.CANCELLED:
            raise self._refusal()
        errors = self._errors
        if done.outcome is Outcome.FAILED and errors and errors[0].code is ErrorCode.PROTOCOL_VIOLATION:
            raise HttpError(_BAD_REQUEST, errors[0])
        if too_long is not None and all(error.code is not too_long.code for error in errors):
            errors = [too_long, *errors]
        return {
            "conversation": conversation or self._conversation,
            "turn": done.turn,
            "outcome": done.outcome,
            "transcript": "" if self._final is None else self._final.text,
            "language": None if self._final is None else self._final.language,
            "reply": "".join(self._reply),
            "heard": done.heard,
            "remembered": done.remembered,
            "latency": plain(done.latency),
            "audio": self._audio() if len(self._wav) > WAV_HEADER_BYTES else None,
            "errors": [plain(error) for error in errors],
            "infos": [plain(info) for info in self._infos],
        }

    def _audio(self) -> dict[str, Any]:
        self._wav[:WAV_HEADER_BYTES] = wav_header(len(self._wav) - WAV_HEADER_BYTES, self._sample_rate)
        return {"sample_rate": self._sample_rate, "wav": self._wav}

    def _refusal(self) -> HttpError:
        for error in self._errors:
            if error.code is ErrorCode.SERVER_BUSY:
                return HttpError(_UNAVAILABLE, error)
        if self._stopping is not None:
            return busy(self._stopping)
        for error in self._errors:
            return HttpError(_INTERNAL, error)
        return refusal(_INTERNAL, "Something went wrong on the server.", ErrorCode.INTERNAL)


def busy(message: str) -> HttpError:
    """Return the refusal of a server that may take the same request later."""
    error = m.Error(code=ErrorCode.SERVER_BUSY, message=message, recoverable=False, retry_after_s=RETRY_AFTER_S)
    return HttpError(_UNAVAILABLE, error)
