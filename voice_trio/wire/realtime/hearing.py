"""What a client is told of one utterance: when it was heard, that it is an item, and what was said."""

from __future__ import annotations

from collections.abc import Iterator

from voice_trio.core import messages as m
from voice_trio.core.codes import ErrorCode
from voice_trio.core.items import Words
from voice_trio.wire.realtime import items
from voice_trio.wire.realtime.configuration import Json
from voice_trio.wire.realtime.exchange import Exchange


class Hearing:
    """One utterance, which is the item ``item``. Each method yields the events that say what it is told."""

    def __init__(self, item: str, exchange: Exchange) -> None:
        self._item = item
        self._exchange = exchange
        self._prefix = StablePrefix()
        self._started_ms: int | None = None
        self._stopped_ms: int | None = None
        self._committed = False
        self.is_deleted = False
        """Whether it was an item, and is none any more."""
        self._owes_transcript = False
        """Whether the client is to be told what was said, or that nobody knows."""

    def start(self, at_ms: int) -> Iterator[Json]:
        """Somebody began to speak."""
        self._started_ms = at_ms
        yield {"type": "input_audio_buffer.speech_started", "item_id": self._item, "audio_start_ms": at_ms}

    def stop(self, at_ms: int) -> Iterator[Json]:
        """They have finished."""
        self._stopped_ms = at_ms
        yield {"type": "input_audio_buffer.speech_stopped", "item_id": self._item, "audio_end_ms": at_ms}

    def commit(self, after: str | None) -> Iterator[Json]:
        """It is an item, behind the item ``after``."""
        if self._committed:
            return
        self._committed = True
        self.owe_transcript()
        place = {"previous_item_id": after}
        yield {"type": "input_audio_buffer.committed", "item_id": self._item, **place}
        item = items.told(Words(id=self._item, by="person"), spoken=True)
        yield {"type": "conversation.item.added", **place, "item": item}
        yield {"type": "conversation.item.done", **place, "item": item}

    def owe_transcript(self) -> None:
        """It is an item: who wants to know what was said is told once, from now on."""
        self._owes_transcript = self._exchange.wanted.transcription is not None

    def delete(self) -> None:
        """The item is no more, and nothing more is told of it."""
        self.is_deleted, self._owes_transcript = True, False

    def follow(self, partial: m.Partial) -> Iterator[Json]:
        """It seems to say that, so far."""
        settled = self._prefix.push(partial.keep, partial.text, partial.stable)
        if settled and not self.is_deleted and self._exchange.wanted.transcription is not None:
            yield self._told("delta", delta=settled)

    def restart(self) -> None:
        """It goes on: all that it seemed to say is void."""
        self._prefix.restart()

    def complete(self, text: str) -> Iterator[Json]:
        """It says ``text``."""
        if self._owes_transcript:
            self._owes_transcript = False
            yield self._told("completed", transcript=text, usage={"type": "duration", "seconds": self._seconds})

    def end(self, failure: m.Error | None) -> Iterator[Json]:
        """Nothing more is known of it; ``failure`` is what went wrong, if anything did."""
        if failure is not None:
            yield from self.fail(failure.code, failure.message)
        yield from self.complete("")

    def fail(self, code: ErrorCode, message: str) -> Iterator[Json]:
        """Nobody knows what it says, and that is why."""
        if self._owes_transcript:
            self._owes_transcript = False
            yield self._told("failed", error={"type": "server_error", "code": code.lower(), "message": message})

    @property
    def _seconds(self) -> float:
        if self._started_ms is None or self._stopped_ms is None:
            return 0.0
        return max(0, self._stopped_ms - self._started_ms) / 1000

    def _told(self, kind: str, **what: object) -> Json:
        place = {"item_id": self._item, "content_index": 0}
        return {"type": f"conversation.item.input_audio_transcription.{kind}", **place, **what}


class StablePrefix:
    """One utterance's partials in, and out what of them is new and will not change, each word once."""

    def __init__(self) -> None:
        self._shown = ""
        self._told = ""

    def push(self, keep: int, text: str, stable: int) -> str:
        """Return what can be told now that a partial came, as `Partial` has it; empty where nothing can be."""
        self._shown = self._shown[:keep] + text
        settled = self._shown[:stable]
        # What was begun anew may settle on other words: those that were told stand, until the whole replaces them.
        if len(settled) <= len(self._told) or not settled.startswith(self._told):
            return ""
        new, self._told = settled[len(self._told) :], settled
        return new

    def restart(self) -> None:
        """All that was shown is void; what was told stays told."""
        self._shown = ""
