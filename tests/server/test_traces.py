"""Traces of turns at a real collector, at one that hangs, at one that is dead, and where nobody wants any."""

import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.server.serving import get
from voice_trio import config
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.messages import Latency, Outcome
from voice_trio.core.timeline import Interval, Moment, Stage, Timeline
from voice_trio.server.run import open_server
from voice_trio.server.traces.open import WAITING, open_traces
from voice_trio.server.traces.spans import spans_of
from voice_trio.session.report import EngineNames, TurnReport
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines, silent, voiced

pytestmark = pytest.mark.real

SECRET = "unmistakable"
UNSET, ERROR = 0, 2


class Collector:
    """Takes what comes by OTLP over HTTP; while ``hangs`` is not set free, it does not answer."""

    def __init__(self):
        self.spans, self.resource, self.came = [], {}, threading.Event()
        self.hangs = threading.Event()
        self.hangs.set()
        self.body = b""

    @contextmanager
    def listening(self):
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.came.set()
                collector.hangs.wait()
                collector.take(body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                self.hangs.set()
                server.shutdown()
                thread.join()

    def take(self, body):
        self.body += body
        for one in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource |= {pair.key: pair.value.string_value for pair in one.resource.attributes}
            self.spans += [span for scope in one.scope_spans for span in scope.spans]

    def turns(self):
        """Return, of each trace, the span of the turn and those in it."""
        traces = defaultdict(list)
        for span in self.spans:
            traces[span.trace_id].append(span)
        return [sorted(spans, key=lambda span: (bool(span.parent_span_id), span.name)) for spans in traces.values()]


def told(span):
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}


@pytest.fixture
def collector():
    return Collector()


@pytest.fixture
def at(monkeypatch):
    """Have the environment name a collector at an address."""
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    return lambda url: monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)


@asynccontextmanager
async def answering(settings):
    yield scripted_engines(language_model=ScriptedLanguageModel(replies=[REPLY]))


REPLY = ScriptedReply(tokens=["It is ", f"{SECRET}."])


async def spoken(client):
    await client.ask(m.Start())
    await client.speak(voiced(900) + silent(1200), real_time=False)
    return await client.wait_for(m.Done)


async def test_a_turn_is_a_trace_with_a_span_a_stage(collector, at):
    with trio.fail_after(60), collector.listening() as url:
        at(url)
        before = time.time_ns()
        async with open_server(config.load(port=0), answering) as running, connect(running.ws_url) as client:
            done = await spoken(client)
            await client.ask(m.Text(text=f"Say {SECRET}."))
            await client.wait_for(m.Done, turn=2)
            await client.ask(m.Text(text="Count for ever."))
            await client.wait_for(m.StateChanged, state=m.State.RESPONDING)
            await client.ask(m.Cancel())
            await client.wait_for(m.Done, turn=3)
        after = time.time_ns()
    assert done.outcome is Outcome.COMPLETED
    assert (collector.resource["service.name"], SECRET.encode() in collector.body) == ("voice_trio", False)
    turns = sorted(collector.turns(), key=lambda spans: told(spans[0])["voice_trio.turn"])
    names = [[span.name for span in spans] for spans in turns]
    assert names[0] == ["turn", "capture", "chat scripted", "playing", "recognition", "synthesis"]
    assert names[1] == ["turn", "chat scripted", "playing", "synthesis"]
    assert names[2][:2] == ["turn", "chat scripted"]
    assert [told(spans[0])["voice_trio.outcome"] for spans in turns] == ["completed", "completed", "cancelled"]
    for spans in turns:
        root = spans[0]
        assert before <= root.start_time_unix_nano <= root.end_time_unix_nano <= after
        assert {span.status.code for span in spans} == {UNSET}
        for span in spans[1:]:
            assert span.parent_span_id == root.span_id
            assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
            assert span.end_time_unix_nano <= root.end_time_unix_nano
    chat = next(span for span in turns[1] if span.name.startswith("chat"))
    assert told(chat)["gen_ai.operation.name"] == "chat"
    assert told(chat)["gen_ai.request.model"] == "scripted"
    assert told(chat)["gen_ai.provider.name"] == "openai"


async def test_the_names_that_the_operator_gives_count(collector, at, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "kitchen")
    with trio.fail_after(60), collector.listening() as url:
        at(url)
        async with open_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": url}, lambda turns: None) as trace:
            trace(report_of(Outcome.FAILED))
    assert collector.resource["service.name"] == "kitchen"
    assert [(span.name, span.status.code) for span in collector.spans] == [("turn", ERROR)]


async def test_a_collector_that_hangs_slows_no_turn_and_not_the_end(collector, at):
    collector.hangs.clear()
    lost: list[int] = []
    with trio.fail_after(60), collector.listening() as url:
        at(url)
        async with open_server(config.load(port=0), answering) as running, connect(running.ws_url) as client:
            for turn in (1, 2):
                await client.ask(m.Text(text="What time is it?"))
                assert (await client.wait_for(m.Done, turn=turn)).outcome is Outcome.COMPLETED
            await trio.to_thread.run_sync(collector.came.wait)
            ended = trio.current_time()
        assert trio.current_time() - ended < 5
        # And what is beyond the places for turns is counted, not kept.
        async with open_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": url}, lost.append) as trace:
            began = trio.current_time()
            for _ in range(WAITING + 20):
                trace(report_of(Outcome.COMPLETED))
            assert trio.current_time() - began < 5
            closing = trio.current_time()
        assert trio.current_time() - closing < 5
    assert sum(lost) == 20


async def test_a_dead_collector_is_counted_and_holds_up_nothing(at, monkeypatch, free_tcp_port):
    url = f"http://127.0.0.1:{free_tcp_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    at(url)
    with trio.fail_after(60):
        async with open_server(config.load(port=0), answering) as running, connect(running.ws_url) as client:
            await client.ask(m.Text(text="What time is it?"))
            await client.wait_for(m.Done, outcome=Outcome.COMPLETED)
            while "voice_trio_turns_untraced_total 1.0" not in (await get(running.url, "/metrics"))[1]:
                pass
            await client.ask(m.Text(text="What time is it?"))
            await client.wait_for(m.Done, outcome=Outcome.COMPLETED)
            ended = trio.current_time()
        assert trio.current_time() - ended < 5


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
async def test_where_nobody_asks_for_them_nothing_is_imported(environment):
    program = (
        "import sys, trio\n"
        "from voice_trio.server.traces.open import open_traces\n"
        "async def main():\n"
        f"    async with open_traces({environment!r}, print) as trace:\n"
        "        trace(None)\n"
        "trio.run(main)\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    ran = await trio.run_process([sys.executable, "-c", program], capture_stdout=True, stderr=subprocess.STDOUT)
    assert ran.stdout == b"[]\n"


def report_of(outcome, timeline=None):
    return TurnReport(
        session="s",
        turn=1,
        outcome=outcome,
        latency=Latency(),
        asr_rtf=None,
        drafts={},
        timeline=timeline or Timeline(),
        over_at=100.0,
        engines=EngineNames("/home/somebody/whisper", "l", "s", synthetic=True),
    )


def test_what_a_turn_did_not_do_has_no_span():
    turn, stages = spans_of(report_of(Outcome.EMPTY))
    assert (turn.began, turn.ended, turn.error, stages) == (100.0, 100.0, None, [])


def test_a_turn_that_failed_says_so_and_no_path_of_the_machine_is_in_it():
    timeline = Timeline()
    timeline.first(Moment.SPEECH_START, 90.0)
    timeline.first(Moment.CAPTURED, 92.0)
    timeline.note(Interval(Stage.RECOGNITION, 91.0, 99.0))
    timeline.note(Interval(Stage.TOOL, 99.0, 99.5, "set_timer"))
    turn, (capture, recognition, tool) = spans_of(report_of(Outcome.TIMED_OUT, timeline))
    assert (turn.began, turn.error) == (90.0, "timed_out")
    assert (capture.began, capture.ended) == (90.0, 92.0)
    assert recognition.attributes == {"voice_trio.engine": "whisper"}
    assert (tool.name, tool.began, tool.ended) == ("execute_tool set_timer", 99.0, 99.5)
    assert tool.attributes == {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "set_timer"}
