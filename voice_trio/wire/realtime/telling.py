"""What a session says: its events, and the server events that they are to the client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from voice_trio.core import messages as m
from voice_trio.core.audio import samples_to_ms
from voice_trio.core.items import MAX_ITEMS, ToolUse, Words, reply_id, said_id, turn_of
from voice_trio.core.messages import InfoCode, Outcome, State
from voice_trio.wire.realtime import items
from voice_trio.wire.realtime.configuration import Json
from voice_trio.wire.realtime.errors import error
from voice_trio.wire.realtime.exchange import Asked, Exchange, Spoken
from voice_trio.wire.realtime.hearing import Hearing
from voice_trio.wire.realtime.refusals import declined, failed
from voice_trio.wire.realtime.response import Response


class Telling:
    """One session's events in, server events out, without their ids."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._heard: dict[int, Hearing] = {}
        """Turn -> what is told of its utterance, until it is over."""
        self._recordings: dict[str, Hearing] = {}
        """Item that the client added as sound -> what is told of it, until it has its words."""
        self._responses: dict[int, Response] = {}
        """Turn -> its response, while that is under way."""
        self._failures: dict[int, m.Error] = {}
        """Turn -> what went wrong in it last."""
        self._cut: dict[int, str] = {}
        """Turn -> why its reply is not whole."""

    def events(self, event: m.Event) -> Iterable[Json]:
        """Return the server events that say ``event``."""
        told = _EVENTS.get(type(event))
        return () if told is None else told(self, event)

    # --- the session ------------------------------------------------------------------------------------------------

    def _opened(self, event: m.SessionOpened) -> Iterator[Json]:
        yield {"type": "session.created", "session": self._exchange.told_session()}

    def _informed(self, event: m.Info) -> Iterator[Json]:
        match event.code:
            case InfoCode.NOTHING_TO_CANCEL:
                message = "Cancellation failed: no response is under way."
                yield self._declined_as("response_cancel_not_active", message, m.CancelReply.name)
            case InfoCode.SESSION_LIMIT | InfoCode.IDLE_TIMEOUT:
                yield error(event.message, code="session_expired")
            case InfoCode.PLACE_NEEDED:
                yield error(event.message, code="session_limit_reached")
            case InfoCode.ENGINES_CHANGED:
                self._exchange.renew(event)
            case InfoCode.REPLY_CUT | InfoCode.REPLY_FILTERED if event.turn is not None:
                filtered = event.code is InfoCode.REPLY_FILTERED
                self._cut[event.turn] = "content_filter" if filtered else "max_output_tokens"

    def _failed(self, event: m.Error) -> Iterator[Json]:
        if event.turn is not None:
            # What it comes to for the turn, its end tells.
            self._failures[event.turn] = event
            return
        yield failed(event)

    # --- utterances -------------------------------------------------------------------------------------------------

    def _speech_started(self, event: m.SpeechStarted) -> Iterator[Json]:
        yield from self._hearing(event.utterance).start(self._ms(event.sample))

    def _speech_stopped(self, event: m.SpeechStopped) -> Iterator[Json]:
        yield from self._hearing(event.utterance).stop(self._ms(event.sample))

    def _nobody_spoke(self, event: m.NobodySpoke) -> Iterator[Json]:
        # There is no item of what nobody said; the id is none of any other's.
        place = {"audio_start_ms": self._ms(event.from_sample), "audio_end_ms": self._ms(event.to_sample)}
        yield {"type": "input_audio_buffer.timeout_triggered", "item_id": said_id(event.reply), **place}

    def _partial(self, event: m.Partial) -> Iterator[Json]:
        yield from self._hearing(event.turn).follow(event)

    def _final(self, event: m.Final) -> Iterator[Json]:
        yield from self._hearing(event.turn).complete(event.text)

    def _reopened(self, event: m.Reopened) -> Iterator[Json]:
        yield from self._end_response(event.turn, Outcome.INTERRUPTED)
        self._hearing(event.turn).restart()

    def _hearing(self, turn: int) -> Hearing:
        return self._heard.setdefault(turn, Hearing(said_id(turn), self._exchange))

    def _ms(self, sample: int) -> int:
        return samples_to_ms(sample) + round(self._exchange.dropped_ms)

    # --- items ------------------------------------------------------------------------------------------------------

    def _item_added(self, event: m.ItemAdded) -> Iterator[Json]:
        if event.by_client:
            yield from self._written(event)
            return
        item, turn = event.item, turn_of(event.item.id)
        response = None if turn is None else self._responses.get(turn)
        if isinstance(item, ToolUse) and response is not None:
            yield from response.call(item, event.after)
            return
        if response is not None and response.out_of_band:
            yield from response.open(item.id)
            return
        if turn is not None and isinstance(item, Words) and item.by == "person":
            self._exchange.answered(m.Commit.name)
            if (hearing := self._hearing(turn)).is_deleted:
                return
            yield from hearing.commit(self._exchange.order.add(item.id, event.after))
        elif response is not None:
            self._exchange.order.add(item.id, event.after)
            yield from response.open(item.id)

    def _written(self, event: m.ItemAdded) -> Iterator[Json]:
        """An item is there as the client wrote it. Pictures are told to who looks for them, and not sent back twice."""
        item, shown = event.item, self._exchange.shown
        shown.take(item.id, self._exchange.answered(m.AddItem.name).content)
        self._exchange.replies.pop(item.id, None)
        before = self._exchange.order.add(item.id, event.after)
        place = {"previous_item_id": before, "item": items.told(item, spoken=shown.is_spoken(item.id))}
        yield {"type": "conversation.item.added", **place}
        yield {"type": "conversation.item.done", **place}
        if isinstance(item, Words) and item.text is None:
            self._recordings[item.id] = Hearing(item.id, self._exchange)
            self._recordings[item.id].owe_transcript()

    def _item_heard(self, event: m.ItemHeard) -> Iterator[Json]:
        if (hearing := self._recordings.pop(event.item, None)) is not None:
            if event.code is not None:
                yield from hearing.fail(event.code, event.message)
            yield from hearing.complete(event.text)

    def _item_read(self, event: m.ItemRead) -> Iterator[Json]:
        self._exchange.answered(m.ReadItem.name)
        item, known = event.item, self._exchange.replies.get(event.item.id)
        if known is None:
            said = isinstance(item, Words) and item.by == "person" and turn_of(item.id) is not None
            told = self._exchange.shown.told(item, spoken=said and not event.written)
        else:
            told = known.told(item)
        yield {"type": "conversation.item.retrieved", "item": told}

    def _item_deleted(self, event: m.ItemDeleted) -> Iterator[Json]:
        if event.by_client:
            self._exchange.answered(m.DeleteItem.name)
        elif event.item not in self._exchange.order:
            return  # It was never told of.
        self._exchange.order.remove(event.item)
        self._exchange.replies.pop(event.item, None)
        self._exchange.shown.forget(event.item)
        self._recordings.pop(event.item, None)
        turn = turn_of(event.item)
        if turn in self._responses:
            self._responses[turn].delete(event.item)
        if turn in self._heard and event.item == said_id(turn):
            self._heard[turn].delete()
        yield {"type": "conversation.item.deleted", "item_id": event.item}

    def _item_cut(self, event: m.ItemCut) -> Iterator[Json]:
        asked, turn = self._exchange.answered(m.CutItem.name), turn_of(event.item.id)
        if turn in self._responses and isinstance(event.item, Words):
            self._responses[turn].cut(event.item.id, items.heard_of(event.item) or "")
        place = {"item_id": event.item.id, "content_index": 0}
        yield {"type": "conversation.item.truncated", **place, "audio_end_ms": asked.audio_end_ms}

    def _cleared(self, event: m.Cleared) -> Iterator[Json]:
        self._exchange.answered(m.Clear.name)
        yield {"type": "input_audio_buffer.cleared"}

    def _declined(self, event: m.Declined) -> Iterator[Json]:
        yield self._declined_as(*declined(event), event.command)

    def _declined_as(self, code: str, message: str, command: str) -> Json:
        return error(message, code=code, about=self._exchange.answered(command).about)

    # --- responses --------------------------------------------------------------------------------------------------

    def _accepted(self, event: m.ReplyAccepted) -> Iterator[Json]:
        yield from self._begin(event.reply, self._exchange.answered(m.Respond.name))

    def _cancelled(self, event: m.RepliesCancelled) -> Iterator[Json]:
        self._exchange.answered(m.CancelReply.name)
        # The response's end says it.
        yield from ()

    def _state(self, event: m.StateChanged) -> Iterator[Json]:
        if event.state is State.THINKING and event.turn not in self._responses:
            yield from self._begin(event.turn, Asked(None))

    def _begin(self, turn: int, asked: Asked) -> Iterator[Json]:
        wanted = asked.wanted or self._exchange.wanted
        response = self._responses[turn] = Response(
            self._exchange.new_id("resp"),
            wanted,
            self._exchange.offered.voice(wanted.voice),
            order=None if asked.out_of_band else self._exchange.order,
            conversation=None if asked.out_of_band else f"conv_{self._exchange.session}",
            metadata=asked.metadata,
        )
        self._exchange.responses[response.id] = turn
        if not asked.out_of_band:
            replies = self._exchange.replies
            replies[reply_id(turn)] = Spoken(wanted.modality == "audio")
            if len(replies) > MAX_ITEMS:
                # Of so many, the oldest is no item any more.
                del replies[next(iter(replies))]
        yield from response.begin()

    def _token(self, event: m.Token) -> Iterator[Json]:
        if (response := self._responses.get(event.turn)) is not None:
            yield from response.say(reply_id(event.turn), event.text)

    def _phrase(self, event: m.TtsPhrase) -> Iterator[Json]:
        if (response := self._responses.get(event.turn)) is not None:
            response.sample_rate = event.sample_rate
            if (known := self._exchange.replies.get(reply_id(event.turn))) is not None:
                known.sample_rate = event.sample_rate
        yield from ()

    def _chunk(self, event: m.TtsChunk) -> Iterator[Json]:
        if (response := self._responses.get(event.turn)) is not None:
            yield from response.sound(reply_id(event.turn), event.pcm)

    def _done(self, event: m.Done) -> Iterator[Json]:
        if (hearing := self._heard.pop(event.turn, None)) is not None:
            yield from hearing.end(self._failures.get(event.turn))
        yield from self._end_response(event.turn, event.outcome)
        self._failures.pop(event.turn, None)
        self._cut.pop(event.turn, None)

    def _end_response(self, turn: int, outcome: Outcome) -> Iterator[Json]:
        response = self._responses.pop(turn, None)
        if response is None:
            return
        del self._exchange.responses[response.id]
        status, details = self._ending(turn, outcome)
        if (known := self._exchange.replies.get(reply_id(turn))) is not None:
            known.status = "completed" if status == "completed" else "incomplete"
        yield from response.end(status, details)

    def _ending(self, turn: int, outcome: Outcome) -> tuple[str, Json | None]:
        match outcome:
            case Outcome.CANCELLED:
                return "cancelled", {"type": "cancelled", "reason": "client_cancelled"}
            case Outcome.INTERRUPTED:
                return "cancelled", {"type": "cancelled", "reason": "turn_detected"}
            case Outcome.TIMED_OUT | Outcome.FAILED:
                failure = self._failures.get(turn)
                code = "server_error" if failure is None else failure.code.lower()
                message = "The response failed." if failure is None else failure.message
                return "failed", {"type": "failed", "error": {"type": "server_error", "code": code, "message": message}}
            case _ if turn in self._cut:
                return "incomplete", {"type": "incomplete", "reason": self._cut[turn]}
        return "completed", None


_EVENTS: Final[dict[type, Callable[[Telling, Any], Iterable[Json]]]] = {
    m.SessionOpened: Telling._opened,
    m.Info: Telling._informed,
    m.Error: Telling._failed,
    m.SpeechStarted: Telling._speech_started,
    m.SpeechStopped: Telling._speech_stopped,
    m.NobodySpoke: Telling._nobody_spoke,
    m.Partial: Telling._partial,
    m.Final: Telling._final,
    m.Reopened: Telling._reopened,
    m.ItemAdded: Telling._item_added,
    m.ItemHeard: Telling._item_heard,
    m.ItemRead: Telling._item_read,
    m.ItemDeleted: Telling._item_deleted,
    m.ItemCut: Telling._item_cut,
    m.Cleared: Telling._cleared,
    m.Declined: Telling._declined,
    m.ReplyAccepted: Telling._accepted,
    m.RepliesCancelled: Telling._cancelled,
    m.StateChanged: Telling._state,
    m.Token: Telling._token,
    m.TtsPhrase: Telling._phrase,
    m.TtsChunk: Telling._chunk,
    m.Done: Telling._done,
}
"""All that is told of a session; what is not here stays unsaid, but for what the codec itself answered."""
