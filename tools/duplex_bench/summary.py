"""What many sessions show, group by group, with one column a server; as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tools.duplex_bench.overlaps import Overlay, Stop
from tools.duplex_bench.scoring import Answer, LineScore, Score
from tools.duplex_bench.script import Kind
from tools.figures import percentile

Figure = float | int | str | None
BY_LOG = "(log)"
"""Behind the name of a figure that the sound alone does not show."""

_COLUMN = 12


def figures(scores: Sequence[Score]) -> dict[str, Figure]:
    """Return the figures of some sessions by name, in order; None where there is nothing to count."""
    lines = [line for score in scores for line in score.lines]
    answers = [line.answer for line in lines if line.answer is not None]
    stops = [line.stop for line in lines if line.stop is not None]
    minutes = sum(score.seconds for score in scores) / 60
    found: dict[str, Figure] = {"sessions": len(scores), "minutes": round(minutes, 1)}
    if answers:
        found |= _answered(answers)
    if stops:
        found |= _interrupted(stops, [line for line in lines if line.kind is Kind.INTERRUPTION])
    for kind, name in ((Kind.BACKCHANNEL, "backchannels"), (Kind.NOISE, "noises")):
        if over := [line.overlay for line in lines if line.kind is kind and line.overlay is not None]:
            found |= _overlaid(over, name)
    asides = [line.aside_answered for line in lines if line.aside_answered is not None]
    found["asides answered, %"] = _percent(asides)
    found["lines left out"] = sum(score.left_out for score in scores) or None
    found["unasked replies a minute"] = round(sum(score.unasked for score in scores) / minutes, 2)
    found[f"holds at nothing {BY_LOG}"] = _total(score.false_holds for score in scores)
    found[f"self-interruptions {BY_LOG}"] = _total(score.self_interruptions for score in scores)
    memories = [score.memory for score in scores if score.memory is not None and score.memory.replies]
    if memories:
        found[f"replies cut off {BY_LOG}"] = sum(memory.replies for memory in memories)
        found[f"words remembered unheard {BY_LOG}"] = sum(memory.unheard for memory in memories)
        found[f"words heard and forgotten {BY_LOG}"] = sum(memory.forgotten for memory in memories)
    found[f"replies broken off for want of sound {BY_LOG}"] = _total(score.gaps_in_speech for score in scores)
    late = [score.late_s for score in scores if score.late_s is not None]
    found[f"microphone late at most {BY_LOG}, s"] = round(max(late), 3) if late else None
    found[f"errors {BY_LOG}"] = sum(len(score.errors) for score in scores)
    return {name: figure for name, figure in found.items() if figure is not None}


def _answered(answers: Sequence[Answer]) -> dict[str, Figure]:
    # Who answers half of what was said is not quick.
    gaps = [answer.gap_s for answer in answers if answer.gap_s is not None and not answer.harmful]
    missing = [answer.missing for answer in answers if answer.missing is not None]
    words = sum(answer.words for answer in answers)
    return {
        "lines to answer": len(answers),
        "response gap p50, s": _rank(gaps, 50),
        "response gap p95, s": _rank(gaps, 95),
        "early ends heard, %": _percent(answer.heard_early for answer in answers),
        f"early ends {BY_LOG}, %": _percent(answer.ended_early for answer in answers if answer.ended_early is not None),
        f"harmful cuts {BY_LOG}, %": _percent(answer.harmful for answer in answers) if missing else None,
        "ends missed, %": _percent(answer.missed for answer in answers),
        "words": words,
        f"words lost {BY_LOG}": sum(one.lost for one in missing) if missing else None,
        f"words lost {BY_LOG}, %": round(100 * sum(one.lost for one in missing) / words, 1) if missing else None,
        f"words misheard {BY_LOG}, %": round(100 * sum(one.misheard for one in missing) / words, 1)
        if missing
        else None,
        f"lines with their first word {BY_LOG}, %": _percent(one.first_kept for one in missing) if missing else None,
    }


def _interrupted(stops: Sequence[Stop], lines: Sequence[LineScore]) -> dict[str, Figure]:
    silences = [stop.to_silence_s for stop in stops if stop.to_silence_s is not None]
    holds = [stop.to_hold_s for stop in stops if stop.to_hold_s is not None]
    commits = [stop.to_commit_s for stop in stops if stop.to_commit_s is not None]
    kept = [line.answer.missing.first_kept for line in lines if line.answer and line.answer.missing]
    return {
        "interruptions": len(stops),
        "interruptions noticed, %": _percent(stop.to_silence_s is not None for stop in stops),
        "onset to silence p50, s": _rank(silences, 50),
        "onset to silence p95, s": _rank(silences, 95),
        f"onset to hold p95 {BY_LOG}, s": _rank(holds, 95),
        f"onset to commit p95 {BY_LOG}, s": _rank(commits, 95),
        f"first word kept {BY_LOG}, %": _percent(kept),
    }


def _overlaid(overlays: Sequence[Overlay], name: str) -> dict[str, Figure]:
    pauses = [one.paused_s for one in overlays if one.paused_s]
    words = [one.repeated_words for one in overlays if one.repeated_words is not None]
    return {
        name: len(overlays),
        f"{name}: false stops, %": _percent(one.stopped for one in overlays),
        f"{name}: paused, %": _percent(one.paused_s > 0 for one in overlays),
        f"{name}: pause p50, s": _rank(pauses, 50),
        f"{name}: said again at most, s": round(max(one.repeated_s for one in overlays), 2),
        f"{name}: words said again at most {BY_LOG}": max(words) if words else None,
        f"{name}: taken for words {BY_LOG}, %": _percent(
            one.taken_for_words for one in overlays if one.taken_for_words is not None
        ),
    }


def _rank(values: Sequence[float], percent: float) -> Figure:
    return round(percentile(values, percent), 3) if values else None


def _percent(values: Iterable[bool | None]) -> Figure:
    counted = list(values)
    return round(100 * sum(map(bool, counted)) / len(counted), 1) if counted else None


def _total(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


# --- how it is shown --------------------------------------------------------------------------------------------------


def by_group(scores: Sequence[Score]) -> dict[str, dict[str, dict[str, Figure]]]:
    """Return the figures of each server by group: group -> server -> figures, as they come."""
    groups = dict.fromkeys(score.group for score in scores)
    servers = dict.fromkeys(score.server for score in scores)
    return {
        group: {
            server: figures(own)
            for server in servers
            if (own := [score for score in scores if (score.group, score.server) == (group, server)])
        }
        for group in groups
    }


def table(scores: Sequence[Score]) -> str:
    """Return a table for each group, with a column for each server."""
    blocks = []
    for group, servers in by_group(scores).items():
        names = list(dict.fromkeys(name for found in servers.values() for name in found))
        width = max(map(len, [group, *names]))
        lines = [f"{group:<{width}}" + "".join(f"  {server:>{_COLUMN}}" for server in servers)]
        lines += [
            f"{name:<{width}}" + "".join(f"  {_shown(found.get(name)):>{_COLUMN}}" for found in servers.values())
            for name in names
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def as_json(scores: Sequence[Score], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything: ``about`` the run, the figures by group and server, and each session line by line."""
    return {**about, "groups": by_group(scores), "sessions": [asdict(score) for score in scores]}


def _shown(figure: Figure) -> str:
    return "-" if figure is None else str(figure)
