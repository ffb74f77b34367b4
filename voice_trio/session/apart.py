"""What clients ask whatever the turn's state is, and what each of it is answered at once.

Most of it comes from those to whom utterances, replies and items are things apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import trio

from voice_trio.core import messages as m
from voice_trio.core.items import Reference, Words
from voice_trio.core.messages import InfoCode, Outcome, Why
from voice_trio.session.echo import Echo
from voice_trio.session.floor import Floor
from voice_trio.session.gathering import Gathering
from voice_trio.session.idling import Idling
from voice_trio.session.item_commands import declined, follow
from voice_trio.session.listener import Listener
from voice_trio.session.recordings import Recordings
from voice_trio.session.ringing import Ringing
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.turns import Turns, nothing_said

NOTHING_TO_CANCEL = m.Info(code=InfoCode.NOTHING_TO_CANCEL, message="There is no turn to cancel.")


class Apart:
    """One session's part of that. Only `run` waits."""

    def __init__(
        self,
        around: Surroundings,
        turns: Turns,
        floor: Floor,
        listener: Listener,
        echo: Echo,
        is_ending: Callable[[], bool],
    ) -> None:
        """``is_ending`` tells whether the session is: no turn begins any more."""
        self.gathering: Gathering | None = None
        """What takes the client's audio, which is nobody's until it is committed; None where we listen to it."""
        self.listens = False
        """Whether audio may come before any turn."""
        self._settings = around.settings
        self._turns = turns
        self._floor = floor
        self._listener = listener
        self._echo = echo
        self._outbox = around.outbox
        self._recordings = Recordings(around, turns)
        self._idling = Idling(turns, listener, around.outbox, self._may_begin)
        self.ringing = Ringing(around, turns, self._may_begin, lambda: floor.is_undecided)
        """What tells alerts that are due."""
        self._is_ending = is_ending

    async def run(self) -> None:
        """Do what takes its time, as long as the session lives."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._recordings.run)
            nursery.start_soon(self._idling.run)
            nursery.start_soon(self.ringing.run)

    def act(self, command: m.Command) -> None:
        """Act on ``command``, one of those that can be followed whatever the turn's state is."""
        match command:
            case m.Configure():
                self._turns.configured = command
            case m.CancelTimer(id=key):
                self.ringing.cancel(key)
            case m.Resume(conversation=conversation):
                self.ringing.resume(conversation)
            case m.Listen(start=start, idle_ms=idle_ms):
                self._listen(start, idle_ms)
            case m.Commit():
                self._commit(command)
            case m.Clear():
                self._clear()
            case m.Respond():
                self._respond(command)
            case m.CancelReply(reply=reply):
                outcome = Outcome.CANCELLED
                followed = self._turns.end_replies(outcome) if reply is None else self._turns.end_reply(reply, outcome)
                self._outbox.append(m.RepliesCancelled() if followed else NOTHING_TO_CANCEL)
            case m.AddItem(item=Words() as item, pcm=pcm) if pcm is not None or item.text is None:
                self._outbox.append(self._add_recording(command, item, pcm or b""))
            case m.AddItem() | m.ReadItem() | m.DeleteItem() | m.CutItem():
                if isinstance(command, m.DeleteItem):
                    self._recordings.forget(command.item)
                self._outbox.append(follow(command, self._turns.conversation, self._turns.over))
            case m.Answer(body=body):
                self._outbox.append(m.Answered(body=body))
            case m.Detached():
                self._listener.lose()
                for turn in self._turns.under_way:
                    turn.reply.playback.lose()
            case m.Attached(sounds=sounds):
                self._listener.find()
                has = {number: (samples, stops) for number, samples, stops in sounds}
                for turn in self._turns.under_way:
                    turn.reply.playback.find(*has.get(turn.number, (0, 0)))

    def _listen(self, start: m.Start | None, idle_ms: int | None) -> None:
        self.listens = True
        self._floor.listen_as(start)
        self._idling.want(idle_ms)
        if start is not None:
            self.gathering = None
            if start.echo == "none":
                self._echo.want()
        elif self.gathering is None:
            self.gathering = Gathering(self._settings.max_utterance_ms)
            if self._turns.is_heard():
                self._listener.stop()

    def _commit(self, command: m.Commit) -> None:
        if refusal := self._refusal(command, full=self._turns.full):
            self._outbox.append(refusal)
            return
        utterance = None if self.gathering is None else self.gathering.take(self._listener.position)
        if utterance is None:
            self._outbox.append(declined(command, Why.TOO_SHORT, "Too little was gathered to be heard."))
            return
        turn = self._turns.begin(command, *utterance)
        self._outbox.append(self._turns.conversation.add_said(turn.number))

    def _add_recording(self, command: m.AddItem, item: Words, pcm: bytes) -> m.Aside:
        gathering = Gathering(self._settings.max_utterance_ms)
        gathering.add(pcm)
        said = gathering.take(self._listener.position)
        if said is None:
            return declined(command, Why.TOO_SHORT, f"Less than {m.LEAST_COMMIT_MS} ms of audio hold no word.")
        if not self._recordings.has_room(said[0]):
            return declined(command, Why.BUSY, "Too much audio waits to be recognised.")
        item = replace(item, text=None)
        answer = follow(replace(command, item=item), self._turns.conversation, self._turns.over)
        if isinstance(answer, m.ItemAdded):
            self._recordings.add(item, said[0])
        return answer

    def _clear(self) -> None:
        if self.gathering is not None:
            self.gathering.clear()
        self._floor.rest()
        for turn in self._turns:
            if turn.listening:
                turn.cancel()
        self._outbox.append(m.Cleared())

    def _respond(self, command: m.Respond) -> None:
        named = [item.id for item in command.items or () if isinstance(item, Reference)]
        missing = next((key for key in named if key not in self._turns.conversation), None)
        beside = command.out_of_band
        if refusal := self._refusal(command, full=self._turns.full_beside if beside else self._turns.full):
            self._outbox.append(refusal)
        elif self._turns.answering and not beside:
            message = "There is a reply already, or one is to come to what is being said."
            self._outbox.append(declined(command, Why.ACTIVE, message))
        elif missing is not None:
            self._outbox.append(
                declined(command, Why.NO_SUCH_ITEM, f"There is no item {missing}.", item=missing),
            )
        else:
            begin = self._turns.begin_beside if beside else self._turns.begin
            turn = begin(command, *nothing_said())
            self._outbox.append(m.ReplyAccepted(reply=turn.number, beside=beside))

    def _may_begin(self) -> bool:
        """Return whether the server may begin a turn; where not, the session is ending."""
        return self._turns.is_open and not self._is_ending()

    def _refusal(self, command: m.Commit | m.Respond, *, full: bool) -> m.Declined | None:
        """Return why no turn can begin now, if none can; ``full`` says that there are too many."""
        if self._is_ending():
            return declined(command, Why.ENDING, "The session is ending.")
        if full:
            return declined(command, Why.BUSY, "Too many turns are not over.")
        return None
