"""What a server counts, for Prometheus: how many, how long and how often, and never a word of what was said.

Each server has a registry of its own. What happens is counted as it happens; what is there is looked up when somebody
asks. All labels have few values, which are ours and not a client's, so an answer stays small however long the server
runs.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import trio
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from voice_trio import __version__
from voice_trio.core import messages as m
from voice_trio.session.report import TurnReport
from voice_trio.standing import depths
from voice_trio.wire.opus.decoding import TALLY
from voice_trio.workers.process import alive, starts

_BUCKETS_S: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_LAG_BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
_RATIO_BUCKETS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 1.2, 2.0, 5.0)

_LOOK_S: Final = 0.25
"""Between two looks at how late the event loop is."""

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

_STAGES: Final = {
    "partial": "t_first_partial_ms",
    "final": "t_final_transcript_ms",
    "token": "t_first_token_ms",
    "audio": "t_first_audio_ms",
    "reply": "total_reply_ms",
}
"""Label -> the latency of `messages.Latency` that it stands for."""

_FATES: Final = ("promoted", "discarded", "failed")
"""Of drafts: see `session.draft.Ledger`."""


class Guests(Protocol):
    """The sessions of a server: see `server.sessions`."""

    leaving: bool
    draining: bool
    begun: int
    refused: int
    resumed: int

    def __len__(self) -> int:
        """Return how many there are."""

    @property
    def most(self) -> int:
        """How many there may be."""

    @property
    def detached(self) -> int:
        """How many of them have a client that is out of reach."""

    @property
    def engines_ready(self) -> bool:
        """Whether a turn begun now would be heard and answered aloud."""


class Metrics:
    """Counts what happens in one server."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=True)
        Gauge("voice_trio_build_info", "Always 1.", ("version",), registry=registry).labels(__version__).set(1)
        self._turns = Counter(
            "voice_trio_turns", "Turns that are over, by `outcome`: how they ended.", ("outcome",), registry=registry
        )
        self._stages = Histogram(
            "voice_trio_turn_stage_seconds",
            "When a turn came to each `stage`: its first `partial` (since the first speech), its `final` transcript, "
            "first `token`, first `audio` and the end of its `reply` (since the last speech, or the text).",
            ("stage",),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._ratio = Histogram(
            "voice_trio_recognition_ratio",
            "Seconds of computing for each second of speech, a turn.",
            buckets=_RATIO_BUCKETS,
            registry=registry,
        )
        self._drafts = Counter(
            "voice_trio_drafts",
            "Replies begun in a pause, by their `fate`.",
            ("fate",),
            registry=registry,
        )
        self._wasted_tokens = Counter(
            "voice_trio_drafts_wasted_tokens",
            "Pieces of text that the language model wrote for those that came to nothing.",
            registry=registry,
        )
        self._wasted_speech = Counter(
            "voice_trio_drafts_wasted_speech_seconds", "Speech that was made for them.", registry=registry
        )
        self._held = Counter("voice_trio_holds", "Replies that stood still, for somebody spoke.", registry=registry)
        self._released = Counter("voice_trio_releases", "Those that went on afterwards.", registry=registry)
        self._reopened = Counter("voice_trio_reopened", "Utterances that were not over yet.", registry=registry)
        self._errors = Counter("voice_trio_errors", "Errors told to clients, by `code`.", ("code",), registry=registry)
        self._tools = Counter(
            "voice_trio_tool_calls", "Calls of tools that are over, by `state`.", ("state",), registry=registry
        )
        self._untraced = Counter(
            "voice_trio_turns_untraced", "Turns whose trace no collector took, or not in time.", registry=registry
        )
        self._lag = Histogram(
            "voice_trio_event_loop_lag_seconds",
            "How late the event loop comes to what is due.",
            buckets=_LAG_BUCKETS_S,
            registry=registry,
        )
        # What is named from the beginning can be told from what is missing.
        for outcome in m.Outcome:
            self._turns.labels(outcome)
        for code in m.ErrorCode:
            self._errors.labels(code)
        for stage in _STAGES:
            self._stages.labels(stage)
        for fate in _FATES:
            self._drafts.labels(fate)
        for state in m.CallState:
            if state is not m.CallState.STARTED:
                self._tools.labels(state)
        ProcessCollector(registry=registry)

    def look_at(self, sessions: Guests) -> None:
        """Tell of ``sessions``, too. Once."""
        self.registry.register(_Present(sessions))

    def turn_over(self, turn: TurnReport) -> None:
        """A turn is over."""
        self._turns.labels(turn.outcome).inc()
        for stage, name in _STAGES.items():
            if (took_ms := getattr(turn.latency, name)) is not None:
                self._stages.labels(stage).observe(took_ms / 1000)
        if turn.asr_rtf is not None:
            self._ratio.observe(turn.asr_rtf)
        for fate in _FATES:
            self._drafts.labels(fate).inc(turn.drafts.get(f"drafts_{fate}", 0))
        self._wasted_tokens.inc(turn.drafts.get("drafts_wasted_tokens", 0))
        self._wasted_speech.inc(turn.drafts.get("drafts_wasted_speech_s", 0))

    def untraced(self, turns: int) -> None:
        """So many traces were lost."""
        self._untraced.inc(turns)

    def said(self, event: m.Event) -> None:
        """A client is told ``event``."""
        match event:
            case m.Hold():
                self._held.inc()
            case m.Release():
                self._released.inc()
            case m.Reopened():
                self._reopened.inc()
            case m.Error(code=code):
                self._errors.labels(code).inc()
            case m.ToolCalled(state=state) if state is not m.CallState.STARTED:
                self._tools.labels(state).inc()

    async def watch(self) -> None:
        """Look how late the event loop is, until cancelled."""
        while True:
            due_at = trio.current_time() + _LOOK_S
            await trio.sleep_until(due_at)
            self._lag.observe(max(0.0, trio.current_time() - due_at))

    def written(self, accept: str) -> tuple[bytes, str]:
        """Return all of it, in the format that the header ``Accept`` asks for, and what that format is called."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


class _Present:
    """What is there when somebody asks."""

    def __init__(self, sessions: Guests) -> None:
        self._sessions = sessions

    def collect(self) -> Iterator[Metric]:
        """Yield it."""
        sessions = self._sessions
        yield GaugeMetricFamily("voice_trio_sessions", "Sessions that have a place.", len(sessions))
        yield GaugeMetricFamily(
            "voice_trio_sessions_detached",
            "Those of them whose client is out of reach, and may come back.",
            sessions.detached,
        )
        yield GaugeMetricFamily("voice_trio_sessions_max", "Places for sessions.", sessions.most)
        stopping = sessions.leaving or sessions.draining
        yield GaugeMetricFamily("voice_trio_draining", "1 while the server is stopping.", stopping)
        yield GaugeMetricFamily("voice_trio_ready", "1 while all engines are ready.", sessions.engines_ready)
        yield CounterMetricFamily("voice_trio_sessions_begun", "Sessions that have begun.", sessions.begun)
        yield CounterMetricFamily("voice_trio_sessions_refused", "Sessions there was no room for.", sessions.refused)
        yield CounterMetricFamily("voice_trio_sessions_resumed", "Times that clients came back.", sessions.resumed)
        started = CounterMetricFamily(
            "voice_trio_worker_starts",
            "Starts of processes of engines, by `worker`.",
            labels=("worker",),
        )
        for name, times in [*starts.items()]:
            started.add_metric((name,), times)
        yield started
        waiting = GaugeMetricFamily(
            "voice_trio_queue_depth", "What waits in each `queue`, all in all.", labels=("queue",)
        )
        most = GaugeMetricFamily("voice_trio_queue_depth_max", "And in the fullest of its kind.", labels=("queue",))
        for name, found in depths().items():
            waiting.add_metric((name,), sum(found))
            most.add_metric((name,), max(found, default=0))
        yield from (waiting, most)
        yield CounterMetricFamily("voice_trio_opus_packets", "Packets of Opus that clients have sent.", TALLY.packets)
        damaged = "Of those, the ones that could not be decoded, or were said to be lost."
        yield CounterMetricFamily("voice_trio_opus_packets_damaged", damaged, TALLY.damaged)
        memory = GaugeMetricFamily(
            "voice_trio_worker_resident_bytes", "Resident memory of those, by `worker`.", labels=("worker",)
        )
        for name, resident in _resident_bytes().items():
            memory.add_metric((name,), resident)
        yield memory


def _resident_bytes() -> Mapping[str, int]:
    """Return how much memory the workers have, by their name; nothing where the system does not tell."""
    found: defaultdict[str, int] = defaultdict(int)
    for pid, name in [*alive.items()]:
        # It may have ended by now.
        with suppress(OSError, IndexError, ValueError):
            found[name] += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    return found
