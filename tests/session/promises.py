"""What a session promises, whatever a client does and however the engines behave; and how to see whether it does."""

from collections import Counter
from dataclasses import dataclass

import trio

from voice_trio.core import messages as m
from voice_trio.core.history import Record
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.memory.base import StoreError
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed, Malformed
from voice_trio.testing.promises import check_promises
from voice_trio.wire import native


class RecordingStore(InProcessStore):
    def __init__(self, fails):
        super().__init__()
        self.fails = fails
        self.records: list[Record] = []

    async def commit(self, record):
        if self.fails:
            raise StoreError("full")
        await super().commit(record)
        self.records.append(record)


@dataclass
class Silenced:
    """Where, in what a session said, a turn was cancelled."""

    turn: int


def _is_of_answer(event):
    return not isinstance(event, m.StateChanged | Silenced)


def listen_in(session):
    """Return the list, as it grows, of what goes into the session's outbox and of the cancels between."""
    said, outbox = [], session._outbox
    append, drop = outbox.append, outbox.drop

    def noting_append(event):
        said.append(event)
        append(event)

    def noting_drop(unwanted):
        turn = session._turns.latest
        # A turn that has said nothing yet is not begun anew when its speaker goes on.
        if turn.ending or any(getattr(event, "turn", None) == turn.number for event in said if _is_of_answer(event)):
            said.append(Silenced(turn.number))
        drop(unwanted)

    outbox.append, outbox.drop = noting_append, noting_drop
    return said


def check(talk, said, ending, drawn, store):
    """Hold what a `Conversation` heard, and what its ``store`` and the ``drawn`` engines have, against the promises.

    ``said`` is what `listen_in` noted. ``ending`` is how it ended; "vanish" is a client that did not hear it out.
    """
    check_spelling(talk.heard)
    check_promises(talk.heard, to_the_end=ending != "vanish")
    by_turn: dict[int, list[m.Event]] = {}
    for event in talk.heard:
        if isinstance(event, m.Reopened):
            by_turn[event.turn] = []  # what it said before is void
        if getattr(event, "turn", None) is not None:
            by_turn.setdefault(event.turn, []).append(event)
    silenced = set()
    for event in said:
        if isinstance(event, Silenced):
            silenced.add(event.turn)
        elif isinstance(event, m.Reopened):
            silenced.discard(event.turn)
        elif getattr(event, "turn", None) in silenced:
            ends = isinstance(event, m.StateChanged | m.Done | m.ToolCalled)
            allowed = ends or getattr(event, "code", None) is ErrorCode.INTERNAL
            assert allowed, f"a cancelled turn said {event}"
    records = Counter(record.turn for record in store.records)
    assert all(count == 1 for count in records.values()), "one record a turn"
    for record in store.records:
        done = next((e for e in by_turn.get(record.turn, ()) if isinstance(e, m.Done)), None)
        if done is not None:
            assert (done.remembered, done.outcome, done.heard) == (True, record.outcome, record.heard)
        assert record.said
        assert 0 <= record.heard <= len(record.reply)
        shown = "".join(e.text for e in by_turn.get(record.turn, ()) if isinstance(e, m.Token))
        if ending != "vanish" and record.outcome not in (Outcome.CANCELLED, Outcome.INTERRUPTED):
            assert shown == record.reply
        else:
            assert record.reply.startswith(shown)
    for events in by_turn.values():
        for event in events:
            if isinstance(event, m.Done) and event.remembered:
                assert records[event.turn] == 1
    assert (drawn.recognizer.open_now, drawn.language_model.open_now) == (0, 0), "nothing is left open"
    assert talk.session._outbox._places.statistics().tasks_waiting == 0


def check_spelling(events):
    for event in events:
        if native.is_unsaid(event):
            continue
        data = native.encode_event(event)
        sent = data if isinstance(data, bytes) else data.encode().decode()
        assert native.decode_event(sent) == event, "what is said can be sent, and read"


async def act(talk, actions, ending):
    """Do ``actions``, commands and the seconds between them; return ``ending``, or "closed" if that came first."""
    try:
        for action in actions:
            if isinstance(action, float):
                await trio.sleep(action)
            else:
                await talk.ask(action)
        if ending == "malformed":
            await talk.link.ask(Malformed("nonsense", Farewell.BAD_DATA))
    except LinkClosed:
        return "closed"
    return ending
