"""What a turn spent its time with, as spans: names, times and figures, and never a word of anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from voice_trio.core.messages import Outcome
from voice_trio.core.timeline import Moment, Stage
from voice_trio.server.engine_list import without_paths
from voice_trio.session.report import TurnReport

Value = str | int | float

_FAILED: Final = frozenset({Outcome.FAILED, Outcome.TIMED_OUT})
"""What is an error. A turn that was cancelled did as it was told: its status stays unset."""


@dataclass(frozen=True, slots=True)
class Span:
    """One of a trace; its times are seconds of Trio's clock."""

    name: str
    began: float
    ended: float
    attributes: Mapping[str, Value] = field(default_factory=dict)
    error: str | None = None
    """The kind of error that it ended with, if it did."""


def spans_of(turn: TurnReport) -> tuple[Span, list[Span]]:
    """Return the span of the turn, and those of its stages, which lie in it."""
    stages = [*_stages(turn)]
    moments = turn.timeline.moments.values()
    began = min([turn.over_at, *moments, *(stage.began for stage in stages)])
    attributes: dict[str, Value] = {
        "voice_trio.session": turn.session,
        "voice_trio.turn": turn.turn,
        "voice_trio.outcome": turn.outcome.value,
        **{f"voice_trio.{name}": value for name, value in turn.drafts.items()},
    }
    if turn.asr_rtf is not None:
        attributes["voice_trio.recognition_ratio"] = round(turn.asr_rtf, 3)
    error = turn.outcome.value if turn.outcome in _FAILED else None
    return Span("turn", began, turn.over_at, attributes, error), stages


def _stages(turn: TurnReport) -> Iterator[Span]:
    moments, over_at = turn.timeline.moments, turn.over_at
    if (spoke_at := moments.get(Moment.SPEECH_START)) is not None:
        yield Span("capture", spoke_at, moments.get(Moment.CAPTURED, over_at))
    for stage, began, ended, name in turn.timeline.intervals:
        match stage:
            case Stage.RECOGNITION:
                yield Span("recognition", began, ended, {"voice_trio.engine": without_paths(turn.engines.recognizer)})
            case Stage.SYNTHESIS:
                yield Span("synthesis", began, ended, {"voice_trio.engine": without_paths(turn.engines.synthesizer)})
            case Stage.CHAT:
                model = without_paths(turn.engines.language_model)
                # What is asked over a network here speaks OpenAI's protocol; nothing tells who is behind it.
                provider = "voice_trio" if turn.engines.synthetic else "openai"
                names = {"operation.name": "chat", "request.model": model, "provider.name": provider}
                told = {f"gen_ai.{name}": value for name, value in names.items()}
                yield Span(f"chat {model}", began, ended, told)
            case Stage.TOOL:
                used = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
                yield Span(f"execute_tool {name}", began, ended, used)
    if (sounded_at := moments.get(Moment.FIRST_AUDIO)) is not None:
        yield Span("playing", sounded_at, over_at)
