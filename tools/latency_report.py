"""What `tools/latency.py` makes of its turns: a table, a picture, and whether the goals are met."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.figures import percentile
from tools.raw_engines import Raw
from tools.svg import Row, waterfall
from voice_trio.core.messages import Latency

TOLERANCE_MS = 200
"""Between the server's first audio and the gap on the recording.

The server counts from the last frame that its detector takes for speech, and a detector holds on for some frames after
the last sound: webrtcvad for 110 to 160 ms with these voices, Silero for 50 to 100. The recording has the sound itself,
so its gap is longer by that, and it is what a person waits. The rest is a message's length (60 ms) at most, and a voice
that begins with a few ms of silence.
"""

_SPEECH_SHOWN_MS = 300
"""The end of it; all of it would leave no room for what comes after."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One latency: how `Latency` names it, what it counts from, and goal and aim for its median in ms."""

    field: str
    name: str
    since: str
    goal: float | None
    aim: float | None
    limit: Callable[[float, Raw], float] | None
    """What it cannot be less than, of the silence in ms and the engines' own times; None where the goal stands for it.
    """


FIGURES = (
    Figure("t_first_partial_ms", "first partial", "the start of speech", 1500, 700, None),
    Figure("t_final_transcript_ms", "final transcript", "its end", None, None, lambda ms, raw: ms + raw.recognizer),
    Figure(
        "t_first_token_ms", "first token", "its end", None, None, lambda ms, raw: ms + raw.recognizer + raw.first_token
    ),
    Figure(
        "t_first_audio_ms",
        "first audio",
        "its end",
        3500,
        1000,
        lambda ms, raw: ms + raw.recognizer + raw.first_token + raw.first_phrase + raw.voice,
    ),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what came of it."""

    name: str
    words_wrong: float | None
    """Share of the words; None where the recognizer only pretends to hear."""
    speech_ms: float
    silence_ms: float
    latency: Latency
    raw: Raw | None
    """None for a server whose engines cannot be asked by themselves."""
    gap_ms: float | None = None
    """The wait for the first audio, as the recording has it."""

    def value(self, figure: Figure) -> float | None:
        """Return ``figure`` in ms; None for what did not come."""
        value: int | None = getattr(self.latency, figure.field)
        return value

    def ratio(self, figure: Figure) -> float | None:
        """Return how many times its limit ``figure`` was."""
        value = self.value(figure)
        if value is None:
            return None
        if figure.limit is None:
            assert figure.goal is not None
            return value / figure.goal
        raw = self.raw or Raw(0, 0, 0, 0)
        return value / figure.limit(self.silence_ms, raw)


def table(turns: Sequence[Turn]) -> list[list[str]]:
    """Return the rows of a table, heads first: each turn, then medians and 95th percentiles."""
    rows = [["", "words wrong", *(figure.name for figure in FIGURES), "gap on the recording"]]
    for turn in turns:
        wrong = "" if turn.words_wrong is None else f"{turn.words_wrong:.0%}"
        cells = [_cell(turn.value(figure), turn.ratio(figure)) for figure in FIGURES]
        rows.append([turn.name, wrong, *cells, _cell(turn.gap_ms, None)])
    for name, pick in (("median", statistics.median), ("p95", lambda values: percentile(values, 95))):
        cells = []
        for figure in FIGURES:
            values = [value for turn in turns if (value := turn.value(figure)) is not None]
            ratios = [ratio for turn in turns if (ratio := turn.ratio(figure)) is not None]
            cells.append(_cell(pick(values), pick(ratios)) if values else "-")
        gaps = [turn.gap_ms for turn in turns if turn.gap_ms is not None]
        rows.append([name, "", *cells, _cell(pick(gaps), None) if gaps else "-"])
    return rows


def _cell(value: float | None, ratio: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if ratio is None else f"{value:.0f} ({ratio:.2f})"


def failures(turns: Sequence[Turn]) -> list[str]:
    """Return a sentence for each goal that was missed, and for each disagreement with the recording."""
    found = []
    for figure in FIGURES:
        values = [value for turn in turns if (value := turn.value(figure)) is not None]
        if len(values) < len(turns):
            found.append(f"{figure.name} did not come in {len(turns) - len(values)} of {len(turns)} turns")
        elif figure.goal is not None and statistics.median(values) > figure.goal:
            found.append(f"median {figure.name} is {statistics.median(values):.0f} ms, goal {figure.goal:.0f}")
    worst = agreement(turns)
    if worst is None:
        found.append("the recording does not have one gap for each turn")
    elif worst > TOLERANCE_MS:
        found.append(f"the recording says otherwise by up to {worst:.0f} ms, tolerance {TOLERANCE_MS}")
    return found


def agreement(turns: Sequence[Turn]) -> float | None:
    """Return by how many ms, at most, the recording's gaps differ from the server's figures; None if one is missing."""
    apart = []
    for turn in turns:
        if turn.gap_ms is None or turn.latency.t_first_audio_ms is None:
            return None
        apart.append(abs(turn.gap_ms - turn.latency.t_first_audio_ms))
    return max(apart, default=None)


def notes(turns: Sequence[Turn]) -> list[str]:
    """Return lines that say how to read the figures, and how far the recording agrees."""
    lines = []
    for figure in FIGURES:
        values = [value for turn in turns if (value := turn.value(figure)) is not None]
        if values:
            wanted = f", goal {figure.goal:.0f}, aim {figure.aim:.0f}" if figure.goal and figure.aim else ""
            lines.append(
                f"{figure.name} after {figure.since}: median {statistics.median(values):.0f} ms, "
                f"p95 {percentile(values, 95):.0f} ms{wanted}"
            )
    worst = agreement(turns)
    if worst is not None:
        gap = statistics.median(turn.gap_ms for turn in turns if turn.gap_ms is not None)
        lines.append(
            f"on the recording, from the last sound to the first: median {gap:.0f} ms; it differs from first audio by "
            f"at most {worst:.0f} ms (tolerance {TOLERANCE_MS})"
        )
    return lines


def markdown(title: str, turns: Sequence[Turn], picture_file: str, command: str, machine: str) -> str:
    """Return the report as a Markdown file."""
    head, *body = table(turns)
    lines = [
        f"# {title}",
        "",
        f"Written by `{command}`, {machine}.",
        "",
        "Milliseconds; in brackets the ratio to the limit: for the first partial the goal of 1500 ms, for the others",
        "the silence that ends an utterance and the engines' own times for the same words, measured in the same run.",
        "",
        f"![What came when]({picture_file})",
        "",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
        *("| " + " | ".join(row) + " |" for row in body),
        "",
        *(f"- {line}" for line in notes(turns)),
        "",
    ]
    return "\n".join(lines)


def picture(title: str, turns: Sequence[Turn]) -> str:
    """Return a waterfall of ``turns``: milliseconds since the end of speech."""
    rows = []
    for turn in turns:
        latency = turn.latency
        spans = [("speech", -min(turn.speech_ms, _SPEECH_SHOWN_MS), 0.0)]
        at = 0.0
        for name, value in (
            ("silence", min(turn.silence_ms, latency.t_final_transcript_ms or turn.silence_ms)),
            ("final transcript", latency.t_final_transcript_ms),
            ("first token", latency.t_first_token_ms),
            ("first audio", latency.t_first_audio_ms),
        ):
            if value is not None and value > at:
                spans.append((name, at, float(value)))
                at = float(value)
        note = (
            f"first partial {_cell(turn.value(FIGURES[0]), None)}, first audio {_cell(turn.value(FIGURES[-1]), None)}"
        )
        rows.append(Row(turn.name, spans, note))
    return waterfall(f"{title}: ms since the end of speech", rows, notes(turns))
