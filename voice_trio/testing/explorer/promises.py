"""What is promised of every session, held against one that was lived in all that can be seen of it.

Its events alone are the business of `voice_trio.testing.promises`; here is what they owe to the end, to what was asked,
to the engines and to what is remembered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from voice_trio.core import messages as m
from voice_trio.core.history import Record
from voice_trio.core.interruption import is_meant
from voice_trio.core.messages import CallState, ErrorCode, Outcome, State
from voice_trio.session.farewell import Farewell
from voice_trio.testing import promises
from voice_trio.testing.explorer.case import Case
from voice_trio.testing.explorer.ends import End
from voice_trio.testing.literal import words_in

_SILENCED = (Outcome.CANCELLED, Outcome.INTERRUPTED)
_ENDED = (CallState.DONE, CallState.FAILED)
COVER = "One moment.\n"
"""What is said where a tool takes long, where more follows."""
_AS_IT_SHOULD_BE = (Outcome.COMPLETED, Outcome.INTERRUPTED)


def broken_promises(case: Case, end: End | None) -> Iterator[str]:
    """Yield a line for each promise that ``case`` broke; None is a session that nothing happened to."""
    yield from case.problems
    cut = end is not None and end.cuts
    yield from promises.broken_promises(case.link.taken, to_the_end=not cut)
    yield from _of_responses(case.link.told, to_the_end=not cut)
    turns: dict[int, list[m.Event]] = {}
    for event in case.link.taken:
        number = getattr(event, "turn", None)
        if number is not None:
            turns.setdefault(number, []).append(event)
    closing = end is not None and end.closes and not case.ended_by_itself
    announced = sum(not _is_unasked(events) for events in turns.values())
    missed = announced < len(case.link.asked) or (announced > len(case.link.asked) and not case.link.listens)
    if not cut and not closing and (missed or not case.ended_by_itself):
        yield f"of {len(case.link.asked)} turns that were asked for {announced} were announced"
    # Where no player can be held, whoever speaks before the reply sounds ends it too.
    holds = case.scenario.codec is None
    for number, events in turns.items():
        for problem in (*(_of_interruption(events) if holds else ()), *_of_outcome(_since_reopened(events), end)):
            yield f"turn {number}: {problem}"
    turns = {number: _since_reopened(events) for number, events in turns.items()}
    dones = [event for event in case.link.taken if isinstance(event, m.Done)]
    affected = [done.turn for done in dones if done.outcome not in _AS_IT_SHOULD_BE]
    if len(affected) > 1:
        yield f"one thing happened, and the turns {affected} ended by it"
    yield from _of_cancel(case, cut, dones)
    yield from _of_errors(case, cut)
    yield from _of_close(case, end, closing)
    yield from _of_records(case, turns, cut)
    yield from _of_words(case, turns, cut or closing)
    yield from _of_tools(case)
    for report in case.reports:
        yield from promises.broken_ledger(report.drafts)


def _is_unasked(events: Iterable[m.Event]) -> bool:
    """Return whether these are of a turn that the server began by itself."""
    return any(isinstance(event, m.StateChanged) and event.origin is not None for event in events)


def _of_responses(told: Iterable[Mapping[str, Any]], *, to_the_end: bool) -> Iterator[str]:
    """Check that what a Realtime client is told of each response begins once, ends once, and lies between the two."""
    under_way: set[str] = set()
    for event in told:
        kind = event["type"]
        if not kind.startswith("response."):
            continue
        response = event["response_id"] if "response_id" in event else event["response"]["id"]
        if (kind == "response.created") == (response in under_way):
            yield f"{kind} of {response} came {'again' if response in under_way else 'outside of it'}"
        (under_way.discard if kind == "response.done" else under_way.add)(response)
    if to_the_end and under_way:
        yield f"the responses {sorted(under_way)} had no end"


def _since_reopened(events: Sequence[m.Event]) -> list[m.Event]:
    """Return what of a turn's ``events`` is not void."""
    at = [number for number, event in enumerate(events) if isinstance(event, m.Reopened)]
    return list(events[at[-1] :] if at else events)


def _of_interruption(events: Sequence[m.Event]) -> Iterator[str]:
    """Check that a turn was interrupted by somebody who spoke into its reply."""
    interrupted = any(isinstance(event, m.Done) and event.outcome is Outcome.INTERRUPTED for event in events)
    if interrupted and not any(isinstance(event, m.TtsChunk) for event in events):
        yield "it was interrupted before anything of its reply was said"


def _of_outcome(events: Sequence[m.Event], end: End | None) -> Iterator[str]:
    """Check that one turn's outcome is explained by its events and by ``end``."""
    done = next((event for event in events if isinstance(event, m.Done)), None)
    if done is None:
        return
    states = [event.state for event in events if isinstance(event, m.StateChanged)]
    if done.outcome not in _AS_IT_SHOULD_BE and (end is None or done.outcome not in end.outcomes):
        yield f"it was {done.outcome}"
    if end is not None and end.spares_replies and done.outcome is Outcome.CANCELLED and State.THINKING in states:
        yield f"it was not let finish after {states}"
    if done.outcome not in _SILENCED and done.outcome is not (expected := _outcome(events)):
        yield f"it was {done.outcome}, but by its errors {expected}"


def _outcome(events: Iterable[m.Event]) -> Outcome:
    """Return how a turn that said this must have ended by itself."""
    errors = [event for event in events if isinstance(event, m.Error)]
    codes = {error.code for error in errors if error.phrase is None}
    kept = any(isinstance(event, m.Done) and event.remembered for event in events)
    if codes & {ErrorCode.ASR_TIMEOUT, ErrorCode.LLM_TIMEOUT}:
        return Outcome.TIMED_OUT
    # A record that could not be written is said too, and ends nothing.
    if codes & {ErrorCode.ASR_FAIL, ErrorCode.LLM_FAIL} or (ErrorCode.INTERNAL in codes and kept):
        return Outcome.FAILED
    if ErrorCode.INTERNAL in codes and not any(isinstance(event, m.Final | m.Token) for event in events):
        return Outcome.FAILED
    if any(isinstance(event, m.Final) and not event.text for event in events):
        return Outcome.EMPTY
    sound = any(isinstance(event, m.TtsChunk) for event in events)
    return Outcome.FAILED if not sound and any(error.phrase is not None for error in errors) else Outcome.COMPLETED


def _of_cancel(case: Case, cut: bool, dones: Iterable[m.Done]) -> Iterator[str]:
    """Check that a cancel silences its turn, or is told that there was none."""
    at = case.link.cancelled_at
    if at is None or cut:
        return
    taken = case.link.taken
    cancelled = [done.turn for done in dones if done.outcome is Outcome.CANCELLED]
    refused = [e for e in taken[at:] if isinstance(e, m.Info) and e.code is m.InfoCode.NOTHING_TO_CANCEL]
    # With the last word said the client leaves, and may not wait for the answer to a cancel.
    leaving = sum(isinstance(event, m.Done) for event in taken[:at]) >= len(case.link.asked)
    if len(cancelled) + len(refused) != 1 and not (leaving and not cancelled):
        yield f"a cancel ended the turns {cancelled}, and {len(refused)} times there was nothing to cancel"
    for event in taken[at:]:
        ending = (
            isinstance(event, m.StateChanged | m.Reopened | m.Done | m.ToolCalled)
            or getattr(event, "code", None) is ErrorCode.INTERNAL
        )
        if getattr(event, "turn", None) in cancelled and not ending:
            yield f"after the cancel it said {event}"


def _of_errors(case: Case, cut: bool) -> Iterator[str]:
    """Check that each failure of an engine is said, once."""
    if cut:
        return
    said = Counter(event.code for event in case.link.taken if isinstance(event, m.Error))
    raised = sum(breaker.raised for breaker in (*case.breakers.stages, case.breakers.store))
    given_up = said[ErrorCode.ASR_TIMEOUT] + said[ErrorCode.LLM_TIMEOUT]
    # A candidate's recognizer fails for nobody, what fails for an utterance that goes on is void, and a draft that
    # fails is made anew.
    unsaid = any(isinstance(event, m.Hold | m.Reopened) for event in case.link.taken) or case.settings.drafts == "on"
    if said.total() - given_up < raised - unsaid:
        yield f"{raised} calls failed, and the client was told {dict(said)}"
    if said[ErrorCode.PROTOCOL_VIOLATION] and not case.link.stopping:
        yield "the client was told that it broke the rules"


def _of_close(case: Case, end: End | None, closing: bool) -> Iterator[str]:
    """Check the goodbye."""
    closed = case.link.closed
    if closed is None:
        if end is None or not end.cuts:
            yield "the link was not closed"
    elif closed.farewell is Farewell.INTERNAL or (closing and closed.farewell is not Farewell.SERVER_STOPPING):
        yield f"the link was closed with {closed}"
    if closing and not case.link.stopping:
        yield "the client was not told that the server stops"


# --- what is remembered ---------------------------------------------------------------------------------------------


def _of_records(case: Case, turns: dict[int, list[m.Event]], cut: bool) -> Iterator[str]:
    session = case.session.id
    records = [record for record in case.tap.records if record.session == session]
    by_turn = {record.turn: record for record in records}
    if len(by_turn) != len(records):
        yield f"the turns {[record.turn for record in records]} were remembered"
    for number, events in turns.items():
        done = next((event for event in events if isinstance(event, m.Done)), None)
        record = by_turn.pop(number, None)
        if record is not None:
            for problem in _of_record(case, record, done, events, cut):
                yield f"turn {number} was not remembered as it was: {problem}"
        elif done is not None and done.remembered:
            yield f"turn {number} was announced as remembered, and is not"
        elif any(isinstance(event, m.Final | m.Token) and event.text for event in events):
            errors = [event for event in events if isinstance(event, m.Error) and event.code is ErrorCode.INTERNAL]
            if not errors and not (cut and done is None and case.breakers.store.raised):
                yield f"turn {number} was not remembered"
    for number, record in by_turn.items():
        # A socket may be gone before it was told anything of the turn that it asked for.
        if not cut or (number > len(case.link.asked) and not case.link.listens and record.origin is None):
            yield f"turn {number}, which nobody was told of, was remembered as {record}"


def _of_record(case: Case, record: Record, done: m.Done | None, events: Sequence[m.Event], cut: bool) -> Iterator[str]:
    if done is not None and (done.remembered, done.outcome, done.heard) != (True, record.outcome, record.heard):
        yield f"{done} against {record}"
    asked = next(iter(case.link.asked[record.turn - 1 :]), None)
    finals = [event.text for event in events if isinstance(event, m.Final)]
    said = [asked.text] if isinstance(asked, m.Text) else finals or [*case.tap.transcripts]
    if record.origin is not None:
        said = [""]
    if case.link.written:
        # What was written for a reply is remembered with one that was heard.
        said += ["", *case.link.written]
    if record.said not in said:
        yield f"{record.said!r} was said, and not {said}"
    if record.origin is None and not _was_written(record.reply.replace(COVER, ""), case.tap.replies):
        yield f"{record.reply!r} was never written"
    withdrawn = record.outcome is Outcome.CANCELLED and not record.heard
    lasting = {tool.tool.name for tool in case.tools if tool.has_effects or not withdrawn}
    ends = [event for event in events if isinstance(event, m.ToolCalled) and event.state in _ENDED]
    ended = [(event.name, event.state, event.result or "") for event in ends if event.name in lasting]
    if lost := set(ended) - {(called.name, called.state, called.result) for called in record.calls}:
        yield f"{lost} were calls of tools, and {record.calls} are remembered"
    shown = "".join(event.text for event in events if isinstance(event, m.Token))
    silenced = cut or record.outcome in _SILENCED
    # Who is cut off may not have been told that what was shown is void.
    void = cut and not record.reply and case.link.listens
    if not void and (not record.reply.startswith(shown) or (not silenced and record.reply != shown)):
        yield f"{record.reply!r} was remembered, {shown!r} was shown"
    if case.clock_jumped and any(isinstance(event, m.Hold) for event in events):
        return  # It stood still before the jump or after it, and only the session knows.
    samples, taken = case.heard_at_commit[record.turn]
    if record.outcome in _SILENCED:
        events = [event for event in taken if getattr(event, "turn", None) == record.turn]
    elif cut:
        return
    else:
        samples = sum(len(event.pcm) // 2 for event in events if isinstance(event, m.TtsChunk))
    least, most = heard_between(events, samples)
    if not least <= record.heard <= most:
        yield f"{record.heard} characters were heard by it; {samples} samples are between {least} and {most}"


def _was_written(reply: str, replies: Sequence[str]) -> bool:
    """Return whether ``reply`` is the beginning of one of ``replies``, or of several that were asked for in a turn."""
    for first in range(len(replies)):
        for after in range(first + 1, len(replies) + 1):
            if "\n".join(filter(None, replies[first:after])).startswith(reply):
                return True
    return not reply


def _of_tools(case: Case) -> Iterator[str]:
    """Check that what has effects is done once at most in a turn, by all that the turn tries."""
    effects = {tool.tool.name for tool in case.tools if tool.has_effects}
    for use, times in Counter(case.uses).items():
        if use[1] in effects and times > 1 and not case.breakers.tool.raised:
            yield f"{use} was done {times} times"


def _of_words(case: Case, turns: dict[int, list[m.Event]], cut: bool) -> Iterator[str]:
    """Check that no word is lost of speech that spells its words, and that none is heard twice."""
    finals = [event.text for events in turns.values() for event in events if isinstance(event, m.Final)]
    heard = " ".join(finals).split()
    said = [*words_in(bytes(case.link.spoken))]
    if said and any(count > 1 for count in Counter(heard).values()):
        yield f"a word was heard twice: {finals}"
    if said and [word for word in said if word in heard] != heard:
        yield f"the words were heard in another order: {finals}"
    unfinished = [events for events in turns.values() if not any(isinstance(event, m.Final) for event in events)]
    # A turn that comes to no final says why. What is said after a cancel is for nobody.
    if cut or unfinished or case.link.stopping or case.link.cancelled_at is not None or case.breakers.asr.raised:
        return
    if lost := [word for word in said if word not in heard and is_meant(word, 0, over=True)]:
        yield f"the words {lost} were lost: {finals}"


def heard_between(events: Sequence[m.Event], samples: int) -> tuple[int, int]:
    """Return how many characters of a reply were heard at least and at most when ``samples`` of its sound were.

    They are those of the phrases that were heard whole, and of one that was begun.
    """
    broken = {e.phrase for e in events if isinstance(e, m.Error)}
    least = most = at = 0
    for phrase in (event for event in events if isinstance(event, m.TtsPhrase)):
        ends = [e.samples for e in events if isinstance(e, m.TtsPhraseDone) and e.phrase == phrase.phrase]
        length = sum(len(e.pcm) // 2 for e in events if isinstance(e, m.TtsChunk) and e.phrase == phrase.phrase)
        if samples > at:
            most = phrase.end
        at += length
        if ends and phrase.phrase not in broken and 0 < length <= samples - at + length:
            least = phrase.end
    return least, max(least, most)
