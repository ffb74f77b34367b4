"""Spans on their way to a collector, by OpenTelemetry's SDK and its exporter over HTTP. All of it belongs in a thread.

Both are set by OTEL_*, as OpenTelemetry has it: where the collector is, what it is to be told beside, how long it may
take, and which turns are traced.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from voice_trio import __version__
from voice_trio.server.traces.spans import Span

_NS: Final = 1_000_000_000


class _Ended(SpanProcessor):
    """Keeps what was ended until it is taken."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep ``span``."""
        self.spans.append(span)


class Exporter:
    """What one server has."""

    def __init__(self) -> None:
        """Raises `ValueError` for settings that are none."""
        # It would say once more, at each try, what is said in the log.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        ours = Resource.create({"service.name": "voice_trio", "service.version": __version__})
        provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        self._ended = _Ended()
        provider.add_span_processor(self._ended)
        self._tracer = provider.get_tracer("voice_trio", __version__)
        self._exporter = OTLPSpanExporter()

    def send(self, turns: Sequence[tuple[Span, Sequence[Span]]], clock_ns: int) -> bool:
        """Send the traces of ``turns``, each a span and those in it, and return whether they were taken.

        ``clock_ns`` is what Trio's clock is behind that of the system.
        """
        for turn, stages in turns:
            self._write(turn, stages, clock_ns)
        # What was not chosen is not here.
        spans, self._ended.spans = self._ended.spans, []
        return not spans or self._exporter.export(spans) is SpanExportResult.SUCCESS

    def _write(self, turn: Span, stages: Sequence[Span], clock_ns: int) -> None:
        def at(moment: float) -> int:
            return clock_ns + round(moment * _NS)

        root = self._tracer.start_span(
            turn.name, kind=SpanKind.SERVER, attributes=turn.attributes, start_time=at(turn.began)
        )
        if turn.error is not None:
            root.set_attribute("error.type", turn.error)
            root.set_status(Status(StatusCode.ERROR))
        inside = set_span_in_context(root)
        for stage in stages:
            kind = SpanKind.CLIENT if "gen_ai.operation.name" in stage.attributes else SpanKind.INTERNAL
            span = self._tracer.start_span(
                stage.name, inside, kind, attributes=stage.attributes, start_time=at(stage.began)
            )
            span.end(at(stage.ended))
        root.end(at(turn.ended))
