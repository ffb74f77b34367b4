"""The line that the log gets for each turn."""

from __future__ import annotations

from dataclasses import asdict

import structlog

from voice_trio.core.messages import Latency, Outcome

log = structlog.get_logger()

SLOW_RTF = 1.2
"""A real-time factor above this leaves the recogniser ever further behind the speaker."""


def log_latency(latency: Latency, asr_rtf: float | None, *, session: str, turn: int, outcome: Outcome) -> None:
    """Log how fast a turn was; ``asr_rtf`` is seconds of recognition for each second of speech."""
    rtf = None if asr_rtf is None else round(asr_rtf, 3)
    log.info("latency", session_id=session, turn=turn, outcome=outcome, **asdict(latency), asr_rtf=rtf)
    if rtf is not None and rtf > SLOW_RTF:
        log.warning("recogniser is slower than speech", session_id=session, turn=turn, asr_rtf=rtf)
