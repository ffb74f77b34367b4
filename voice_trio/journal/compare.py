"""What a session said and asked then, and what it does now: the first difference.

# Theory

Two runs of one program with the same input differ in what the machine had to do besides. So each time may be off by
the tolerance, and what comes of two tasks at the same moment may come in either order: tokens, sound, and what the
reader answers to a command at once. What comes of one task has one order. Therefore what is done is compared in
threads: a turn's own events with its tokens, the same with its sound, the reader's answers, and the questions to each
engine. An order that is wrong within a thread is a difference. Where turns ran beside each other, though, a thread has
the deeds of several, and those that were done at the same moment may come in any order.

A cancel cuts through the middle of what is going on, and whatever came within the tolerance before the cut may as well
not have come. Of a reply that was cut off, one word more or less may have been heard. The same holds where the client
goes, where the session was cancelled, and where the log ends before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from pydantic import JsonValue

from voice_trio.core.messages import InfoCode, Outcome, State
from voice_trio.journal import entries as e
from voice_trio.journal.read import SessionLog

Deed = e.Said | e.Chunk | e.Ask | e.End
"""What a session does."""

_THREADS: Final = (
    {"turn", "language model"},
    {"turn", "voice"},
    {"reader"},
    {"asks end of turn"},
    {"asks recognizer"},
    {"asks recognizer early"},
    {"asks language model"},
    {"asks voice"},
    {"asks memory"},
    {"claims"},
    {"asks alerts"},
    {"timers"},
)

_ASKED: Final[dict[str, str]] = {
    "weigh": "asks end of turn",
    "open": "asks recognizer",
    "anticipate": "asks recognizer early",
    "settle": "asks recognizer",
    "write": "asks language model",
    "speak": "asks voice",
    "begin": "asks memory",
    "recall": "asks memory",
    "commit": "asks memory",
    "amend": "asks memory",
    "claim": "claims",
    "put_alert": "asks alerts",
    "remove_alerts": "asks alerts",
}
"""All but `alerts`, which older files do not hold: what is said shows what was due. All but `hypothesize`: whether that
is asked just before an utterance's end is chance; partials show the others. And all but `use`: tools are used side by
side, in any order; what the language model is asked next shows what they said. Claims are apart from the rest that
memory is asked for: in older files they come after what is recalled, and not before."""

_READERS: Final = {InfoCode.NOTHING_TO_CANCEL, InfoCode.SHUTTING_DOWN, InfoCode.ENGINES_CHANGED}
_CUT_OFF: Final = {Outcome.CANCELLED, Outcome.INTERRUPTED}

_OTHERWISE: Final = {"session", "incident", "features"}
"""Fields that are drawn anew in each run, or say what this version and installation can do besides."""

_KNOWN: Final = "; known are "
"""Behind it stands what a version knows: a later one knows more."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the two runs part. One of ``then`` and ``now`` may be missing."""

    at: float
    then: Deed | None
    now: Deed | None
    why: str
    """In a few words."""


def first_difference(session_log: SessionLog, replayed: Sequence[e.Entry], tolerance_s: float) -> Difference | None:
    """Return the first difference between ``session_log`` and what came of its replay; None where they are equal."""
    then = [entry for entry in session_log.entries if isinstance(entry, Deed)]
    now = [entry for entry in replayed if isinstance(entry, Deed)]
    comparison = _Comparison(session_log, then, now, tolerance_s)
    found = [comparison.first_in(thread) for thread in _THREADS]
    return min((difference for difference in found if difference is not None), key=lambda d: d.at, default=None)


def thread_of(deed: Deed) -> str | None:
    """Return which part of a session does ``deed``; None for what is not compared."""
    match deed:
        case e.Chunk():
            return "voice"
        case e.Ask(of=of):
            return _ASKED.get(of)
        case e.Said(message=message):
            return _speaker(message)
    return "turn"


def _speaker(message: dict[str, JsonValue]) -> str:
    match message:
        case {"type": "token"}:
            return "language model"
        case {"type": "tool"}:
            return "tools"
        case {"type": "timers"}:
            return "timers"
        case {"type": "tts_phrase" | "tts_words" | "tts_phrase_done"} | {"type": "state", "state": State.RESPONDING}:
            return "voice"
        case {"type": "error", "phrase": _}:
            return "voice"
        case {"type": "error", "code": str(code)} if code.startswith("LLM_"):
            return "language model"
        case {"type": "error"} if "turn" not in message:
            return "reader"
        case {"type": "info", "code": code} if code in _READERS:
            return "reader"
    return "turn"


class _Comparison:
    def __init__(self, session_log: SessionLog, then: Sequence[Deed], now: Sequence[Deed], tolerance_s: float) -> None:
        self._then = then
        self._now = now
        self._tolerance_s = tolerance_s
        leaves = [entry.at for entry in session_log.entries if _is_leave(entry)]
        self._breaks_off_at = inf if session_log.end else session_log.lasts_s
        self._left_at = min(leaves, default=inf)
        """When there was nobody to talk to any more, if that was before the session closed."""
        self._turns = {**_turns(then), **_turns(now)}
        self._are_turns_beside = _are_turns_beside(then)
        self._cuts: dict[JsonValue, float] = {}
        """When each turn that was cut off was over."""
        self._thoughts: dict[JsonValue, float] = {}
        """When each turn asked for its reply: from then on there are words to remember."""
        for deed in (*then, *now):
            match deed:
                case e.Said(message={"type": "done", "turn": turn, "outcome": outcome}) if outcome in _CUT_OFF:
                    self._cuts.setdefault(turn, deed.at)
                case e.Ask(of="write"):
                    self._thoughts.setdefault(self._turns[id(deed)], deed.at)
        self._replies: dict[JsonValue, str] = {}
        for deed in then:
            if isinstance(deed, e.Said) and deed.message.get("type") == "token":
                turn = deed.message.get("turn")
                self._replies[turn] = self._replies.get(turn, "") + str(deed.message.get("text"))

    def first_in(self, thread: set[str]) -> Difference | None:
        """Return the first difference among what is done by ``thread``."""
        then = deque(deed for deed in self._then if thread_of(deed) in thread)
        now = deque(deed for deed in self._now if thread_of(deed) in thread)
        while then or now:
            one, other = then[0] if then else None, now[0] if now else None
            why = self._why(one, other)
            if why is None:
                then.popleft()
                now.popleft()
            elif one is not None and (at := self._at_the_same_moment(one, now)) is not None:
                then.popleft()
                del now[at]
            elif one is not None and self._is_chance(one):
                then.popleft()
            elif other is not None and self._is_chance(other):
                now.popleft()
            else:
                return Difference(min(deed.at for deed in (one, other) if deed is not None), one, other, why)
        return None

    def _at_the_same_moment(self, then: Deed, now: Sequence[Deed]) -> int | None:
        """Return where among ``now`` the same is done as ``then``, if only the order can be another."""
        for at, deed in enumerate(now if self._are_turns_beside else ()):
            if deed.at > then.at + self._tolerance_s:
                break
            if self._why(then, deed) is None:
                return at
        return None

    def _is_chance(self, deed: Deed) -> bool:
        """Whether ``deed`` was done so shortly before a cut that it may as well not have been."""
        turn = self._turns.get(id(deed))
        left = self._left_at - self._tolerance_s
        cut = min(left, self._cuts.get(turn, inf) - self._tolerance_s)
        if deed.at >= self._breaks_off_at - self._tolerance_s:
            return True
        match deed:
            case e.End():
                return False
            case e.Said(message={"type": "done"} | {"type": "state", "state": State.COMPLETE}):
                return deed.at >= left
            case e.Ask(of="commit"):
                return deed.at >= cut and self._thoughts.get(turn, inf) >= cut
        return deed.at >= cut

    def _why(self, then: Deed | None, now: Deed | None) -> str | None:
        """Return why the two are not the same; None where they are."""
        if then is None:
            return "it is new"
        if now is None:
            return "it is missing"
        one, other = _content(then), _content(now)
        if one.pop("what") != other.pop("what"):
            return "it is something else"
        for name in [*one, *(name for name in other if name not in one)]:
            if not self._is_same(name, one, other):
                return f"{name} is different"
        late_s = now.at - then.at
        if abs(late_s) > self._tolerance_s:
            return f"it is {abs(late_s):.3f} s too {'late' if late_s > 0 else 'early'}"
        return None

    def _is_same(self, name: str, then: dict[str, JsonValue], now: dict[str, JsonValue]) -> bool:
        one, other = then.get(name), now.get(name)
        if one == other:
            return True
        cut_off = then.get("outcome") in _CUT_OFF
        match name, one, other:
            case "heard", int(), int():
                low, high = sorted((one, other))
                reply = self._replies.get(then.get("turn"), "")
                return cut_off and self._tolerance_s > 0 and len(reply[low:high].split()) <= 1
            case "reply", str(), str():
                return cut_off and self._tolerance_s > 0 and (one.startswith(other) or other.startswith(one))
            case "latency", dict(), dict():
                return all(self._is_same_latency(one.get(key), other.get(key), cut_off) for key in one)
        return False

    def _is_same_latency(self, one: JsonValue, other: JsonValue, cut_off: bool) -> bool:
        if isinstance(one, int) and isinstance(other, int):
            # Both are rounded, and each is a difference of two times.
            return abs(one - other) <= 2000 * self._tolerance_s + 1
        return one == other or cut_off


def _is_leave(entry: e.Entry) -> bool:
    return isinstance(entry, e.Gone) or (isinstance(entry, e.End) and entry.how == "cancelled")


def _turns(deeds: Sequence[Deed]) -> dict[int, JsonValue]:
    """Return the turn of each of ``deeds``, by identity. Every turn begins by recalling the conversation."""
    turns: dict[int, JsonValue] = {}
    asking = 0
    for deed in deeds:
        match deed:
            case e.Ask(of=of):
                asking += of == "recall"
                turns[id(deed)] = asking
            case e.Chunk(turn=turn) | e.Said(message={"turn": turn}):
                turns[id(deed)] = turn
    return turns


def _are_turns_beside(deeds: Sequence[Deed]) -> bool:
    """Return whether a turn was announced before another was over."""
    under_way: set[JsonValue] = set()
    for deed in deeds:
        match deed:
            case e.Said(message={"type": "done", "turn": turn}):
                under_way.discard(turn)
            case e.Said(message={"type": "state", "turn": turn}):
                under_way.add(turn)
        if len(under_way) > 1:
            return True
    return False


def _content(deed: Deed) -> dict[str, JsonValue]:
    """Return what is compared of ``deed``; `what` says what kind of deed it is."""
    match deed:
        case e.Said(message=message):
            content = {name: value for name, value in message.items() if name not in _OTHERWISE}
            if "incident" in message:
                # Its message has the number in it.
                content.pop("message", None)
            elif isinstance(timers := content.get("timers"), list):
                # How much is left hangs on the moment.
                content["timers"] = [{**dict(one), "left_ms": 0} for one in timers if isinstance(one, dict)]
            elif isinstance(text := content.get("message"), str):
                content["message"] = text.partition(_KNOWN)[0]
            return {**content, "what": message.get("type")}
        case e.Ask(of=of, what=what):
            return {**what, "what": of}
        case e.Chunk():
            chunk = {name: getattr(deed, name) for name in ("turn", "phrase", "seq", "first_sample", "samples")}
            return {**chunk, "audio": deed.crc32, "what": "tts_chunk"}
    reason = deed.reason and deed.reason.partition(_KNOWN)[0]
    return {"what": "end", "how": deed.how, "close_code": deed.close_code, "reason": reason}
