"""One reply of a chat API: the bytes of its body in, what a session is told out. Nothing in here waits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from voice_trio.core import chat_events as chat
from voice_trio.core.messages import ErrorCode
from voice_trio.core.server_sent_events import Event, ServerSentEvents, TooLong
from voice_trio.core.thinking import SaidText
from voice_trio.core.tools import ToolCalls
from voice_trio.engines.base import Alive, EngineError, TextDelta, ToolCall, Usage

_SLICE_CHARS = 1000
"""A longer text is handed out in such pieces, with a checkpoint of the session's after each."""

_THINKER = re.compile(
    r"(?<![a-z0-9])(?<!non[-_])(?<!no[-_])(?:r1|qwq|qvq|think(?:ing|er)?|reason(?:ing|er))(?![a-z0-9])", re.IGNORECASE
)


def is_thinker(model: str) -> bool:
    """Say whether ``model`` is called what models are that think before every reply."""
    return bool(_THINKER.search(model))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reply comes from, in words."""

    address: str
    check: str
    """What to look at if the address is wrong."""


class ReplyReader:
    """Reads one reply. Every method that yields raises `EngineError` (LLM_FAIL) for what is none.

    A beginning that turns out to be thinking only where that is closed (see `SaidText`) is held back to the end of the
    piece of the body that it came in, which costs no time. Where the model is known to think so, by an earlier reply or
    by its name, it is held back until the thinking is closed, or the reply over.
    """

    def __init__(self, place: Place, model: str, *, thinks_first: bool | None) -> None:
        """``thinks_first``: the replies of ``model`` begin with thinking that is only closed; None: nobody knows."""
        self.over = False
        """Nothing more of it comes."""
        self.reason: str | None = None
        """Why it ends, once the server has said so."""
        self.usage: Usage | None = None
        """What the server counted, where it told."""
        self.may_go_on = False
        """Though it did: it says so with every piece, or with none of the reply."""
        self._place = place
        self._thinks_first = thinks_first
        self._model = model
        self._events = ServerSentEvents()
        self._chat = chat.ChatEvents()
        self._calls = ToolCalls()
        self._said = SaidText()
        self._has_text = False

    @property
    def learnt(self) -> bool | None:
        """What a reply that is over shows about those to come: whether they begin with thinking that only is closed."""
        if self._said.closed_only:
            return True
        return False if self._waits and not self._said.thought and self.reason != "length" else None

    def push(self, piece: bytes) -> Iterator[TextDelta | Alive]:
        """Take a piece of the body, a few kilobytes at most, and yield what is told of it, at least one thing."""
        told = False
        failure = None
        try:
            for event in self._events.push(piece):
                for tells in self._event(event):
                    told = True
                    yield tells
                if self.over:
                    break
        except TooLong:
            failure = self._failure("sent more in one piece than can be read")
        except chat.Unreadable:
            failure = self._failure("sent something that could not be read")
        except EngineError as error:
            failure = error
        if failure:
            yield from self.pause()
            raise failure
        if not told:
            yield Alive("waiting")

    def pause(self) -> Iterator[TextDelta]:
        """Yield what would be held back for no longer, where more of the body has to be waited for."""
        if not self._waits:
            yield from _text(self._said.settle())

    def finish(self) -> Iterator[TextDelta | Alive | ToolCall]:
        """Yield the rest: the body is over, or nobody waits for more of it."""
        if not self.over:
            yield from self._last_events()
        if self._said.in_doubt and self._waits and (not self.is_whole or self.reason == "length"):
            # It did not come to the end of its thinking.
            yield Alive("thinking")
        else:
            yield from _text(self._said.finish())
        if self._said.thought:
            yield Alive("thinking")
        if self._said.called:
            yield Alive("tool_call")
        if self.is_whole:
            for call in self._calls.whole():
                yield ToolCall(*call)
        if not self._chat.is_chat and not self.over:
            raise self._failure("sent nothing of a reply", self._place.check)

    @property
    def is_whole(self) -> bool:
        """Whether the server ended the reply."""
        return self.over or self.reason is not None

    @property
    def _waits(self) -> bool:
        if self._thinks_first is None:
            # Many a server is asked for one model and has another.
            return is_thinker(self._chat.model or self._model)
        return self._thinks_first

    def _last_events(self) -> Iterator[TextDelta | Alive]:
        # Without an end of their own. What is half an event is of a reply that broke off.
        with suppress(TooLong, chat.Unreadable):
            for event in self._events.finish():
                if isinstance(event, Event):
                    yield from self._event(event)
                    continue
                if event.text.lstrip().startswith("<"):
                    raise self._failure("is a web page and no chat API", self._place.check)
                yield from self._event(Event(event.text))
                # It does not come in pieces, so it is whole.
                self.over = self._chat.is_chat

    def _event(self, event: Event) -> Iterator[TextDelta | Alive]:
        has_text = False
        for part in [chat.Failed()] if event.failed else self._chat.read(event.data):
            match part:
                case chat.Said(text):
                    has_text = self._has_text = True
                    for at in range(0, len(text), _SLICE_CHARS):
                        said = self._said.push(text[at : at + _SLICE_CHARS])
                        yield TextDelta(said) if said else self._sign()
                case chat.Thought():
                    # A server that tells thinking from words leaves none in these.
                    self._thinks_first = False
                    yield Alive("thinking")
                case chat.Counted(prompt, completion):
                    self.usage = Usage(prompt, completion)
                case chat.ToolCall(fragment):
                    self._calls.push(fragment)
                    yield Alive("tool_call")
                case chat.Finished(reason):
                    self.reason = reason
                case chat.Done():
                    self.over = True
                case chat.Failed():
                    check = "" if self._chat.is_chat else f"{self._place.check} and STREAM_LLM_MODEL"
                    raise self._failure("reported an error", check)
        if self.reason is not None and (has_text or not self._has_text):
            self.may_go_on = True

    def _sign(self) -> Alive:
        return Alive("thinking" if self._said.thinks else "waiting")

    def _failure(self, what: str, check: str = "") -> EngineError:
        advice = f": check {check}" if check else ""
        return EngineError(ErrorCode.LLM_FAIL, f"What answers at {self._place.address} {what}{advice}.")


def _text(text: str) -> Iterator[TextDelta]:
    for at in range(0, len(text), _SLICE_CHARS):
        yield TextDelta(text[at : at + _SLICE_CHARS])
