"""What tools of the server may do to the session that they are used in: see `toolbox.base.Control`."""

from __future__ import annotations

from collections.abc import Callable

from voice_trio.core.consent import is_yes
from voice_trio.core.messages import ItemDeleted, Latency, Origin, Outcome
from voice_trio.engines.base import ToolCall
from voice_trio.session.asked import Asked
from voice_trio.session.conversation import Conversation
from voice_trio.session.outbox import Outbox

_USUAL_SPEED = 1.0


class Wishes:
    """What was wished in one session, aloud, and what it can tell of its latest turn. None of it waits."""

    def __init__(self) -> None:
        self.latency: Latency | None = None
        """Of the latest turn that is over and that somebody asked for."""
        self.alerts_changed: Callable[[str], None] = lambda conversation: None
        """Is called with the conversation whose alerts are others than before."""
        self.claimed: Callable[[str], None] = lambda conversation: None
        """Is called with a conversation that is the session's, as often as a turn goes on with it."""
        self._speed: tuple[float, float | None] | None = None
        """What was wished, and what the client asked for by then."""
        self._wanted: tuple[str, ToolCall] | None = None
        """What waits for a yes, and in which conversation."""

    def over(self, asked: Asked, outcome: Outcome, latency: Latency, wanted: ToolCall | None) -> None:
        """A turn ends so. ``wanted`` is what its reply would have done, but for a yes, and has asked for.

        Only what the person says next can be that yes, and only where they were asked to the end. A timer that is told
        in between asks for nothing and takes nothing back; what is said to somebody's silence may be a question itself.
        """
        if asked.origin is Origin.TIMER:
            return
        if asked.origin is None:
            self.latency = latency
        if outcome is not Outcome.EMPTY and not asked.is_out_of_band:
            self._wanted = None
            if wanted is not None and outcome is Outcome.COMPLETED:
                self._wanted = asked.conversation.name, wanted

    def agreed(self, asked: Asked, said: str, language: str | None) -> ToolCall | None:
        """Return what the person agrees to who ``said`` that, if they were asked."""
        if self._wanted is None or self._wanted[0] != asked.conversation.name or not is_yes(said, language):
            return None
        return self._wanted[1]

    def speed(self, asked: float | None) -> float:
        """Return how fast a reply is spoken for which the client ``asked`` that: the later of two wishes counts."""
        if self._speed is not None and self._speed[1] == asked:
            return self._speed[0]
        return _USUAL_SPEED if asked is None else asked

    def speak_at(self, speed: float, asked: float | None) -> None:
        """Have replies be spoken at ``speed`` until the client asks for another than it ``asked`` for."""
        self._speed = min(2.0, max(0.5, speed)), asked


class TurnControl:
    """A `Control` for the tools of one turn."""

    def __init__(self, wishes: Wishes, outbox: Outbox, conversation: Conversation, asked: float | None) -> None:
        """``asked`` is the speed that the client asked for in the turn."""
        self._wishes = wishes
        self._outbox = outbox
        self._conversation = conversation
        self._asked = asked

    @property
    def speed(self) -> float:
        """How fast replies are spoken."""
        return self._wishes.speed(self._asked)

    def speak_at(self, speed: float) -> None:
        """Have replies from the next on spoken at ``speed``."""
        self._wishes.speak_at(speed, self._asked)

    def latest_latency(self) -> Latency | None:
        """Return when things happened in the latest turn that is over and that somebody asked for."""
        return self._wishes.latency

    def forget_latest(self) -> bool:
        """Take the latest turn that is over out of the conversation and of what is remembered."""
        before = [item.id for item in self._conversation.items]
        forgot = self._conversation.forget_latest()
        left = {item.id for item in self._conversation.items}
        for key in before:
            if key not in left:
                self._outbox.append(ItemDeleted(item=key, by_client=False))
        return forgot

    def alerts_changed(self) -> None:
        """Have the session look anew at what is to be told when it is due."""
        self._wishes.alerts_changed(self._conversation.name)
