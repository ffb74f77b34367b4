"""What a client asks: its events, and the commands that they are to the session."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final

from voice_trio.core import messages as m
from voice_trio.core.items import Item, Reference
from voice_trio.core.tools import ThatTool, Tool, ToolChoice
from voice_trio.wire.realtime import writing
from voice_trio.wire.realtime.audio import Incoming, latest
from voice_trio.wire.realtime.configuration import TOOL_NAME, Configuration, Json
from voice_trio.wire.realtime.errors import Wrong, error
from voice_trio.wire.realtime.exchange import Asked, Exchange
from voice_trio.wire.realtime.reading import id_of, needed, optional, read

_MAX_METADATA: Final = 16
_METADATA_NAME_CHARS, _METADATA_CHARS = 64, 512
_MOST_SAMPLES: Final = 2**32 - 1


class Asking:
    """One client's events in, commands out."""

    def __init__(self, exchange: Exchange, answer: Callable[[Json], m.Command]) -> None:
        """``answer`` makes the command that has a server event said."""
        self._exchange = exchange
        self._answer = answer
        self._incoming = Incoming(exchange.wanted.input_format)
        self._settled: Configuration | None = None
        """What the session goes by."""
        self._listen: m.Listen | None = None

    def commands(self, data: str | bytes) -> list[m.Command]:
        """Return what the client asks with one message; what is wrong with it is a command as well."""
        event: Json = {}
        try:
            event = read(data)
            asked = _CLIENT_EVENTS.get(event["type"])
            if asked is None:
                raise Wrong(f"There is no client event {event['type'][:100]!r}.", param="type")
            commands = list(asked(self, event))
        except Wrong as wrong:
            said = error(wrong.message, code=wrong.code, param=wrong.param, about=id_of(event))
            commands = [self._answer(said)]
        return [*self._settle(), *commands] if self._settled is not self._exchange.wanted else commands

    # --- the session ----------------------------------------------------------------------------------------------

    def _settle(self) -> Iterable[m.Command]:
        """Yield what has the session go by what the client wants."""
        wanted, offered = self._exchange.wanted, self._exchange.offered
        self._settled = wanted
        yield m.Configure(
            instructions=wanted.instructions,
            voice=wanted.voice if wanted.voice in offered.voices else None,
            language=_language_of(wanted, offered.languages),
            speed=wanted.speed,
            tools=tools_of(wanted),
            tool_choice=tool_choice_of(wanted),
            max_tokens=wanted.max_output_tokens if isinstance(wanted.max_output_tokens, int) else None,
            aloud=wanted.modality == "audio",
        )
        # Or speech under way would be forgotten.
        if (listen := listen_of(wanted)) != self._listen:
            self._listen = listen
            yield listen

    def _update(self, event: Json) -> Iterable[m.Command]:
        self._exchange.wanted = wanted = self._exchange.wanted.merged(needed(event, "session", dict))
        if wanted.input_format != self._incoming.form:
            if rest := self._incoming.end():
                yield m.Audio(rest)
            self._incoming = Incoming(wanted.input_format)
        yield self._answer({"type": "session.updated", "session": self._exchange.told_session()})

    # --- sound ----------------------------------------------------------------------------------------------------

    def _append(self, event: Json) -> Iterable[m.Command]:
        data, dropped_ms = latest(needed(event, "audio", str), self._incoming.form, "audio")
        self._exchange.dropped_ms += dropped_ms
        if pcm := self._incoming.push(data):
            yield m.Audio(pcm)

    def _commit(self, event: Json) -> Iterable[m.Command]:
        if rest := self._incoming.end():
            yield m.Audio(rest)
        yield self._ask(m.Commit(), Asked(id_of(event)))

    def _clear(self, event: Json) -> Iterable[m.Command]:
        if rest := self._incoming.end():
            # It counts, where positions are told.
            yield m.Audio(rest)
        yield self._ask(m.Clear(), Asked(id_of(event)))

    # --- items ----------------------------------------------------------------------------------------------------

    def _create_item(self, event: Json) -> Iterable[m.Command]:
        written = writing.read(needed(event, "item", dict), "item", self._exchange.new_item_id())
        pcm = None
        if written.content is not None and written.content.sound:
            said = Incoming(self._incoming.form)
            heard = [said.push(latest(text, said.form, "item.content")[0]) for text in written.content.sound]
            pcm = b"".join((*heard, said.end()))
        after = writing.read_place(event)
        yield self._ask(
            m.AddItem(item=written.item, after=after, pcm=pcm), Asked(id_of(event), content=written.content)
        )

    def _retrieve_item(self, event: Json) -> Iterable[m.Command]:
        yield self._ask(m.ReadItem(item=writing.read_id(event)), Asked(id_of(event)))

    def _delete_item(self, event: Json) -> Iterable[m.Command]:
        yield self._ask(m.DeleteItem(item=writing.read_id(event)), Asked(id_of(event)))

    def _truncate_item(self, event: Json) -> Iterable[m.Command]:
        item, end_ms = writing.read_id(event), needed(event, "audio_end_ms", (int, float))
        if optional(event, "content_index", int):
            raise Wrong("'content_index' has to be 0: there is one part.", param="content_index")
        if not 0 <= end_ms <= _MOST_SAMPLES:
            raise Wrong(f"'audio_end_ms' has to be from 0 to {_MOST_SAMPLES}.", param="audio_end_ms")
        reply = self._exchange.replies.get(item)
        # Of a reply without a sound yet, nothing can have been heard.
        rate = 0 if reply is None or reply.sample_rate is None else reply.sample_rate
        samples = min(math.floor(end_ms * rate / 1000), _MOST_SAMPLES)
        asked = Asked(id_of(event), audio_end_ms=math.ceil(end_ms))
        yield self._ask(m.CutItem(item=item, samples=samples), asked)

    # --- responses ------------------------------------------------------------------------------------------------

    def _create_response(self, event: Json) -> Iterable[m.Command]:
        given = optional(event, "response", dict) or {}
        wanted = self._exchange.wanted.for_response(given)
        conversation = optional(given, "conversation", str, path="response") or "auto"
        if conversation not in ("auto", "none"):
            raise Wrong("'response.conversation' has to be 'auto' or 'none'.", param="response.conversation")
        respond = m.Respond(
            instructions=wanted.instructions,
            voice=wanted.voice if wanted.voice in self._exchange.offered.voices else None,
            tools=tools_of(wanted),
            tool_choice=tool_choice_of(wanted),
            max_tokens=wanted.max_output_tokens,
            aloud=wanted.modality == "audio",
            items=self._context(given),
            out_of_band=conversation == "none",
        )
        yield self._ask(respond, Asked(id_of(event), wanted, _metadata(given), out_of_band=conversation == "none"))

    def _context(self, given: Json) -> tuple[Item | Reference, ...] | None:
        context = optional(given, "input", list, path="response")
        if context is None:
            return None
        found = []
        for at, item in enumerate(context):
            path = f"response.input[{at}]"
            if not isinstance(item, dict):
                raise Wrong(f"{path!r} has to be an object.", param=path)
            found.append(writing.read_input(item, path, self._exchange.new_item_id()))
        return tuple(found)

    def _cancel_response(self, event: Json) -> Iterable[m.Command]:
        response = optional(event, "response_id", str)
        reply = None if response is None else self._exchange.responses.get(response)
        if response is not None and reply is None:
            message = f"Cancellation failed: there is no response {response[:100]!r} under way."
            raise Wrong(message, code="response_cancel_not_active", param="response_id")
        yield self._ask(m.CancelReply(reply=reply), Asked(id_of(event)))

    def _pass_over(self, event: Json) -> Iterable[m.Command]:
        """Do nothing: it is for connections whose sound the server holds."""
        return ()

    def _ask(self, command: m.Command, asked: Asked) -> m.Command:
        self._exchange.ask(command.name, asked)
        return command


_CLIENT_EVENTS: Final[dict[str, Callable[[Asking, Json], Iterable[m.Command]]]] = {
    "session.update": Asking._update,
    "input_audio_buffer.append": Asking._append,
    "input_audio_buffer.commit": Asking._commit,
    "input_audio_buffer.clear": Asking._clear,
    "conversation.item.create": Asking._create_item,
    "conversation.item.retrieve": Asking._retrieve_item,
    "conversation.item.truncate": Asking._truncate_item,
    "conversation.item.delete": Asking._delete_item,
    "response.create": Asking._create_response,
    "response.cancel": Asking._cancel_response,
    "output_audio_buffer.clear": Asking._pass_over,
}
"""All that a client may ask."""


def listen_of(wanted: Configuration) -> m.Listen:
    """Return how the session is to listen."""
    detection = wanted.turn_detection
    if detection is None:
        return m.Listen()
    return m.Listen(
        idle_ms=detection.idle_timeout_ms if detection.type == "server_vad" else None,
        start=m.Start(
            mode="hands_free",
            silence_ms=detection.silence_ms,
            endpointing="fixed" if detection.type == "server_vad" else "adaptive",
            threshold=detection.threshold,
            pre_roll_ms=detection.prefix_padding_ms,
            barge_in="confirm" if detection.interrupt_response else "wait",
            reply=detection.create_response,
        ),
    )


def tools_of(wanted: Configuration) -> tuple[Tool, ...]:
    """Return the functions that the client offers; tools of other kinds are none of ours."""
    return tuple(
        Tool(tool["name"], str(tool.get("description") or ""), tool.get("parameters") or {"type": "object"})
        for tool in wanted.tools
        if tool.get("type") == "function"
    )


def tool_choice_of(wanted: Configuration) -> ToolChoice:
    """Return how much of them is left to the language model."""
    choice = wanted.tool_choice
    if isinstance(choice, str):
        return choice  # type: ignore[return-value]
    name = choice.get("name")
    return ThatTool(name=name) if isinstance(name, str) and TOOL_NAME.fullmatch(name) else "auto"


def _language_of(wanted: Configuration, known: tuple[str, ...]) -> str | None:
    """Return the language that the client says people speak, if the recognizer understands it."""
    named = (wanted.transcription or {}).get("language")
    language = named.split("-")[0].lower() if isinstance(named, str) else ""
    return language if language and (not known or language in known) and len(language) <= 3 else None


def _metadata(given: Json) -> Json | None:
    metadata: Json | None = optional(given, "metadata", dict, path="response")
    for name, value in (metadata or {}).items():
        if len(name) > _METADATA_NAME_CHARS or not isinstance(value, str) or len(value) > _METADATA_CHARS:
            message = f"'response.metadata' has texts of up to {_METADATA_CHARS} characters, with names of up to 64."
            raise Wrong(message, param="response.metadata")
    if metadata is not None and len(metadata) > _MAX_METADATA:
        raise Wrong(f"'response.metadata' may have {_MAX_METADATA} entries.", param="response.metadata")
    return metadata
