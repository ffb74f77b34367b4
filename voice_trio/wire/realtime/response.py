"""One response as it goes out: whatever it opens it closes, with what was sent until then.

It is told by the events that the sender hands over, not by those that were queued: of a reply that is cut off some are
dropped, and ``done`` is the deltas, joined, all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from voice_trio.core.items import ToolUse
from voice_trio.wire.realtime import items
from voice_trio.wire.realtime.audio import PCM_RATE, Outgoing, bytes_per_sample, packed, rate_of
from voice_trio.wire.realtime.configuration import Configuration, Json, told_format
from voice_trio.wire.realtime.items import Order

AUDIO_TOKEN_MS: Final = 50
"""So much sound counts as one token, as it does with the hosted models."""


class Response:
    """One response. Each method yields the events that say what it is told, in their order."""

    def __init__(
        self,
        id: str,  # noqa: A002
        wanted: Configuration,
        voice: str,
        *,
        order: Order | None,
        conversation: str | None,
        metadata: Json | None = None,
    ) -> None:
        """Its items are told of in ``order``, the conversation's; None for a response out of band, which has none."""
        self.id: Final = id
        self._wanted = wanted
        self._voice = voice
        self._order = order
        self._conversation = conversation
        self._metadata = metadata
        self._output: list[Json] = []
        self._message: _Message | None = None
        self._calls: list[ToolUse] = []
        """Those that wait for the end of the message."""
        self._deleted: set[str] = set()
        """Of its items, those that are in the conversation no more."""
        self._tokens = 0
        self._sent_bytes = 0
        self.sample_rate = PCM_RATE
        """Of the sound to come."""

    @property
    def out_of_band(self) -> bool:
        """Whether its items are in no conversation."""
        return self._order is None

    def begin(self) -> Iterator[Json]:
        """It was accepted."""
        yield {"type": "response.created", "response": self._told("in_progress", None, usage=None)}

    def open(self, item: str) -> Iterator[Json]:
        """What comes now is of the message ``item``."""
        if self._message is None:
            self._message = _Message(item, spoken=self._wanted.modality == "audio")
            yield from self._added(items.message(item, "assistant", "in_progress", []))
            yield {"type": "response.content_part.added", **self._place(), "part": self._message.part("")}

    def say(self, item: str, text: str) -> Iterator[Json]:
        """``text`` more of the message ``item`` was written."""
        yield from self.open(item)
        assert self._message is not None
        self._tokens += 1
        self._message.text += text
        kind = "output_audio_transcript" if self._message.spoken else "output_text"
        yield {"type": f"response.{kind}.delta", **self._place(), "delta": text}

    def sound(self, item: str, pcm: bytes) -> Iterator[Json]:
        """``pcm``, s16le mono, more of the message ``item`` was spoken; a response in text alone has no sound."""
        if self._wanted.modality != "audio":
            return
        yield from self.open(item)
        assert self._message is not None
        if self._message.voice is None:
            self._message.voice = Outgoing(self.sample_rate, self._wanted.output_format)
        yield from self._audio(self._message.voice.push(pcm))

    def call(self, use: ToolUse, after: str | None) -> Iterator[Json]:
        """A tool of the client's is called, which is the item behind ``after``.

        A message may still be spoken, though nothing more is written: it comes to its end first.
        """
        self._tokens += 1
        if self._message is None:
            if self._order is not None:
                self._order.add(use.id, after)
            yield from self._call(use)
            return
        self._calls.append(use)
        if self._order is not None:
            self._order.put_off(use.id, after)

    def cut(self, item: str, text: str) -> None:
        """Of the message ``item`` no more than ``text`` was heard, and that is what it is from now on."""
        if self._message is not None and self._message.id == item:
            self._message.heard = text

    def delete(self, item: str) -> None:
        """``item`` is in the conversation no more; what it is in the response is told all the same."""
        self._deleted.add(item)

    def end(self, status: str, details: Json | None = None) -> Iterator[Json]:
        """It is over: ``completed``, or ``cancelled``, ``failed`` or ``incomplete`` for a reason in ``details``."""
        yield from self._close("completed" if status == "completed" else "incomplete")
        for use in self._calls:
            yield from self._call(use)
        yield {"type": "response.done", "response": self._told(status, details, usage=self._usage())}

    # --- the message that is open ---------------------------------------------------------------------------------

    def _audio(self, data: bytes) -> Iterator[Json]:
        if data:
            self._sent_bytes += len(data)
            yield {"type": "response.output_audio.delta", **self._place(), "delta": packed(data)}

    def _close(self, status: str) -> Iterator[Json]:
        message = self._message
        if message is None:
            return
        if message.spoken:
            if message.voice is not None and status == "completed":
                yield from self._audio(message.voice.end())
            yield {"type": "response.output_audio.done", **self._place()}
            yield {"type": "response.output_audio_transcript.done", **self._place(), "transcript": message.text}
        else:
            yield {"type": "response.output_text.done", **self._place(), "text": message.text}
        yield {"type": "response.content_part.done", **self._place(), "part": message.part(message.text)}
        self._message = None
        yield from self._done(items.message(message.id, "assistant", status, [message.content()]))

    def _place(self) -> Json:
        assert self._message is not None
        where = {"response_id": self.id, "item_id": self._message.id}
        return {**where, "output_index": len(self._output), "content_index": 0}

    def _call(self, use: ToolUse) -> Iterator[Json]:
        if self._order is not None:
            self._order.tell(use.id)
        yield from self._added(items.function_call(use.id, "in_progress", use.call, use.name, ""))
        place = {"response_id": self.id, "item_id": use.id, "output_index": len(self._output), "call_id": use.call}
        yield {"type": "response.function_call_arguments.delta", **place, "delta": use.arguments}
        yield {
            "type": "response.function_call_arguments.done",
            **place,
            "name": use.name,
            "arguments": use.arguments,
        }
        yield from self._done(items.told(use))

    # --- items ------------------------------------------------------------------------------------------------------

    def _added(self, item: Json) -> Iterator[Json]:
        place = {"response_id": self.id, "output_index": len(self._output)}
        yield {"type": "response.output_item.added", **place, "item": item}
        yield from self._in_conversation("added", item)

    def _done(self, item: Json) -> Iterator[Json]:
        place = {"response_id": self.id, "output_index": len(self._output)}
        self._output.append(item)
        yield from self._in_conversation("done", item)
        yield {"type": "response.output_item.done", **place, "item": item}

    def _in_conversation(self, step: str, item: Json) -> Iterator[Json]:
        if self._order is not None and item["id"] not in self._deleted:
            before = self._order.before(item["id"])
            yield {"type": f"conversation.item.{step}", "previous_item_id": before, "item": item}

    # --- the whole --------------------------------------------------------------------------------------------------

    def _told(self, status: str, details: Json | None, *, usage: Json | None) -> Json:
        wanted = self._wanted
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": list(self._output),
            "conversation_id": self._conversation,
            "output_modalities": [wanted.modality],
            "max_output_tokens": wanted.max_output_tokens,
            "audio": {"output": {"format": told_format(wanted.output_format), "voice": self._voice}},
            "usage": usage,
            "metadata": self._metadata,
        }

    def _usage(self) -> Json:
        form = self._wanted.output_format
        sent_ms = self._sent_bytes * 1000 // (bytes_per_sample(form) * rate_of(form))
        return usage(text_tokens=self._tokens, audio_tokens=-(-sent_ms // AUDIO_TOKEN_MS))


class _Message:
    """A message that was begun and not closed yet."""

    def __init__(self, id: str, *, spoken: bool) -> None:  # noqa: A002
        self.id = id
        self.spoken = spoken
        self.text = ""
        self.heard: str | None = None
        """What it was cut to; its parts are told as they were sent all the same."""
        self.voice: Outgoing | None = None

    def part(self, text: str) -> Json:
        """Return its only part, as the events about parts spell it."""
        return {"type": "audio", "transcript": text} if self.spoken else {"type": "text", "text": text}

    def content(self) -> Json:
        """Return what is left of the same, as items spell it."""
        if self.spoken:
            return {"type": "output_audio", "transcript": self.text if self.heard is None else self.heard}
        return {"type": "output_text", "text": self.text}


def usage(*, text_tokens: int, audio_tokens: int) -> Json:
    """Return what a response cost: what it wrote in pieces of text, and its sound; what it read nobody counts."""
    read: dict[str, Any] = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
    return {
        "total_tokens": text_tokens + audio_tokens,
        "input_tokens": 0,
        "output_tokens": text_tokens + audio_tokens,
        "input_token_details": {**read, "cached_tokens": 0, "cached_tokens_details": dict(read)},
        "output_token_details": {"text_tokens": text_tokens, "audio_tokens": audio_tokens},
    }
