"""What docs/protocol.md promises of a session's events, held against those that were said or heard.

It knows the events and nothing else, so it serves all that have them: a client, a test, a tool that looks on. What no
event tells of is in the figures of `broken_ledger`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State
from voice_trio.core.turn_state import TRANSITIONS, outcomes


def check_promises(events: Iterable[m.Event], *, to_the_end: bool) -> None:
    """Raise `AssertionError` where `broken_promises` finds something."""
    broken = list(broken_promises(events, to_the_end=to_the_end))
    assert not broken, "the session broke its promises: " + "; ".join(broken)


def broken_promises(events: Iterable[m.Event], *, to_the_end: bool) -> Iterator[str]:
    """Yield a sentence for each promise that one session's ``events`` break.

    ``to_the_end`` says that the session had its last word: without it, the last turn may be unfinished, and so may any
    that ran beside others.
    """
    opened = False
    turns: dict[int, _Turn] = {}
    """Those that come one after another."""
    beside: dict[int, _Turn] = {}
    """Those that run beside them."""
    for event in events:
        if isinstance(event, m.SessionOpened):
            if opened or turns:
                yield "the session was opened once more, or after a turn"
            opened = True
        if isinstance(event, m.ReplyAccepted) and event.beside:
            beside[event.reply] = _Turn()
        number = getattr(event, "turn", None)
        if number is None:
            continue
        if number in beside:
            for problem in beside[number].hear(event):
                yield f"turn {number}: {problem}"
            continue
        if number not in turns:
            if turns and number < max(turns):
                yield f"turn {number} came after turn {max(turns)}"
            turns[number] = _Turn()
        elif number != max(turns):
            yield f"turn {number} went on after turn {max(turns)} had begun"
        for problem in turns[number].hear(event):
            yield f"turn {number}: {problem}"
    for number, turn in (turns | beside).items():
        if turn.done is None and (to_the_end or (number not in beside and number != max(turns))):
            yield f"turn {number}: it had no terminal"


def broken_ledger(drafts: Mapping[str, float]) -> Iterator[str]:
    """Yield a sentence unless each draft that was begun in a turn has one fate; ``drafts`` is as the log has them."""
    begun = drafts.get("drafts_begun", 0)
    ended = sum(drafts.get(f"drafts_{fate}", 0) for fate in ("promoted", "discarded", "failed"))
    if begun != ended:
        yield f"{begun} drafts were begun, and {ended} have a fate"


class _Turn:
    """How far a turn has come, by what was said of it."""

    def __init__(self) -> None:
        self.done: m.Done | None = None
        self._states = [State.IDLE]
        self._revision = 0
        self._ever_called: set[str] = set()
        self._void()

    def _void(self) -> None:
        """Nothing was said of its utterance, and nothing to it."""
        self._held = False
        self._shown = 0
        """Characters of the transcript that the last partial left."""
        self._stable = 0
        self._final = False
        self._written = 0
        """Characters of the reply."""
        self._phrases: list[m.TtsPhrase] = []
        self._phrases_done = 0
        self._chunks = 0
        self._samples = 0
        self._samples_before = 0
        """Of the phrases that are done."""
        self._calls: set[str] = set()
        """Those of tools that have not ended."""

    def hear(self, event: m.Event) -> Iterator[str]:
        """Yield what is wrong with ``event`` as the next one of the turn."""
        if self.done is not None:
            yield f"{event} came after its terminal"
        if self._states == [State.IDLE] and not isinstance(event, m.StateChanged):
            yield f"it began with {event}"
        match event:
            case m.StateChanged(state=state):
                if state not in TRANSITIONS[self._states[-1]].values():
                    yield f"{self._states[-1]} was followed by {state}"
                self._states.append(state)
            case m.Reopened(revision=revision):
                yield from self._in(event, State.CAPTURING, State.THINKING, State.RESPONDING)
                if self._calls:
                    yield f"{event} came while {self._calls} had no end"
                if revision != self._revision + 1:
                    yield f"{event} came after revision {self._revision}"
                self._revision = revision
                self._void()
            case m.Hold() | m.Release():
                yield from self._in(event, State.RESPONDING)
                if self._held == isinstance(event, m.Hold):
                    yield f"{event} came where the player {'stood still' if self._held else 'went on'} already"
                if event.sample > self._samples:
                    yield f"{event} is behind the {self._samples} samples that there were"
                self._held = isinstance(event, m.Hold)
            case m.Partial():
                yield from self._partial(event)
            case m.Final():
                yield from self._in(event, State.CAPTURING)
                if self._final:
                    yield f"{event} is a second final"
                self._final = True
            case m.Token(text=text):
                yield from self._in(event, State.THINKING, State.RESPONDING)
                self._written += len(text)
            case m.ToolCalled():
                yield from self._tool(event)
            case m.TtsPhrase():
                yield from self._phrase(event)
            case m.TtsChunk():
                yield from self._chunk(event)
            case m.TtsPhraseDone():
                yield from self._phrase_done(event)
            case m.Done():
                yield from self._end(event)

    def _in(self, event: m.Event, *states: State) -> Iterator[str]:
        if self._states[-1] not in states:
            yield f"{event} came in {self._states[-1]}"

    def _partial(self, event: m.Partial) -> Iterator[str]:
        yield from self._in(event, State.CAPTURING)
        if self._final:
            yield f"{event} came after the final"
        if not self._stable <= event.keep <= self._shown:
            yield f"{event} keeps what is not there, or drops of the {self._stable} stable characters"
        self._shown, self._stable = event.keep + len(event.text), event.stable
        if event.stable > self._shown:
            yield f"{event} calls stable what is not there"

    def _tool(self, event: m.ToolCalled) -> Iterator[str]:
        yield from self._in(event, State.THINKING, State.RESPONDING)
        starts = event.state is m.CallState.STARTED
        if starts and event.call in self._ever_called:
            yield f"{event} started before"
        if not starts and event.call not in self._calls:
            yield f"{event} ended, and had not started, or ended before"
        if (event.result is None) == (event.state in (m.CallState.DONE, m.CallState.FAILED)):
            yield f"{event} has a result where there is none, or has none"
        self._ever_called.add(event.call)
        self._calls ^= {event.call}

    def _phrase(self, event: m.TtsPhrase) -> Iterator[str]:
        yield from self._in(event, State.THINKING, State.RESPONDING)
        if event.phrase != self._phrases_done or (self._phrases and self._phrases[-1].phrase >= self._phrases_done):
            yield f"{event} came where phrase {self._phrases_done} was to be next, or to end"
        if not (self._phrases[-1].end if self._phrases else 0) <= event.start <= event.end <= self._written:
            yield f"{event} overlaps with the phrase before it, or has {self._written} characters of reply behind it"
        words = event.words or ()
        if any(one[at] >= other[at] for one, other in pairwise(words) for at in (0, 1)):
            yield f"{event} has words that do not rise"
        self._phrases.append(event)

    def _chunk(self, event: m.TtsChunk) -> Iterator[str]:
        yield from self._in(event, State.RESPONDING)
        if (event.seq, event.first_sample) != (self._chunks, self._samples):
            yield (
                f"chunk {event.seq} at sample {event.first_sample} came where {self._chunks} at {self._samples} belongs"
            )
        if not self._phrases or event.phrase != self._phrases[-1].phrase or event.phrase != self._phrases_done:
            yield f"chunk {event.seq} is of phrase {event.phrase}, which is not being spoken"
        if len(event.pcm) % 2:
            yield f"chunk {event.seq} ends within a sample"
        self._chunks += 1
        self._samples += len(event.pcm) // 2

    def _phrase_done(self, event: m.TtsPhraseDone) -> Iterator[str]:
        yield from self._in(event, State.THINKING, State.RESPONDING)
        if event.phrase != self._phrases_done:
            yield f"phrase {event.phrase} ended where {self._phrases_done} was to end"
        if event.samples != self._samples - self._samples_before:
            yield f"{event} ends a phrase of which there were {self._samples - self._samples_before} samples"
        self._phrases_done += 1
        self._samples_before = self._samples

    def _end(self, event: m.Done) -> Iterator[str]:
        if self.done is not None:
            yield f"{event} is a second terminal"
        if self._states[-1] is not State.COMPLETE:
            yield f"{event} came in {self._states[-1]}"
        elif event.outcome not in outcomes(self._states[-2]):
            yield f"it was {event.outcome} in {self._states[-2]}"
        if self._held and event.outcome not in (Outcome.CANCELLED, Outcome.INTERRUPTED):
            yield f"{event} came while the player stood still"
        if self._calls:
            yield f"{event} came while {self._calls} had no end"
        if event.heard > self._written:
            yield f"{event.heard} characters were heard of a reply of {self._written}"
        self.done = event
