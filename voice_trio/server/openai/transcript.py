"""The words of a recording, in the form that a client asked for."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any, Final

from voice_trio.core.languages import name_of
from voice_trio.server.openai.hearing import Hearing, Segment

MIMETYPES: Final = {
    "json": "application/json",
    "verbose_json": "application/json",
    "text": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}


def written(hearing: Hearing, response_format: str) -> str:
    """Return what was heard, as one of `MIMETYPES` has it."""
    match response_format:
        case "text":
            return f"{hearing.text}\n"
        case "srt":
            return srt(hearing.segments)
        case "vtt":
            return vtt(hearing.segments)
        case "verbose_json":
            return _json(_verbose(hearing))
        case _:
            return _json({"text": hearing.text, "usage": _usage(hearing)})


def _json(said: dict[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _usage(hearing: Hearing) -> dict[str, Any]:
    return {"type": "duration", "seconds": round(hearing.seconds, 3)}


def _verbose(hearing: Hearing) -> dict[str, Any]:
    return {
        "task": "transcribe",
        "language": "" if hearing.language is None else name_of(hearing.language).lower(),
        "duration": round(hearing.seconds, 3),
        "text": hearing.text,
        "segments": [_segment(number, segment) for number, segment in enumerate(hearing.segments)],
        "usage": _usage(hearing),
    }


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    """Return ``segment`` with every field that strict clients want; of what no recognizer here tells, 0 or nothing."""
    text = segment.text.encode()
    return {
        "id": number,
        "seek": 0,
        "start": round(segment.start_s, 3),
        "end": round(segment.end_s, 3),
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": 0.0,
        "compression_ratio": round(len(text) / len(zlib.compress(text)), 3),
        "no_speech_prob": 0.0,
    }


def srt(segments: Sequence[Segment]) -> str:
    """Return ``segments`` as SubRip has them."""
    return "".join(
        f"{number}\n{_clock(one.start_s, ',')} --> {_clock(one.end_s, ',')}\n{_line(one)}\n\n"
        for number, one in enumerate(segments, 1)
    )


def vtt(segments: Sequence[Segment]) -> str:
    """Return ``segments`` as WebVTT has them, in which three signs have a meaning."""
    cues = (
        f"{_clock(one.start_s, '.')} --> {_clock(one.end_s, '.')}\n"
        f"{_line(one).replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}\n\n"
        for one in segments
    )
    return "WEBVTT\n\n" + "".join(cues)


def _line(segment: Segment) -> str:
    """Return its words on one line: an empty one would end them, and an arrow be taken for times."""
    return " ".join(segment.text.split()).replace("-->", "->")


def _clock(seconds: float, point: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"
