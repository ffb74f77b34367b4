"""What a server counts, as a Prometheus asks for it."""

import shutil

import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from tests.server.serving import get, serving
from tools.free_port import free_port
from voice_trio.client import ServerBusy, connect
from voice_trio.core import messages as m
from voice_trio.core.messages import CallState, ErrorCode, Latency, Outcome
from voice_trio.core.timeline import Timeline
from voice_trio.server.metrics import Metrics
from voice_trio.session.report import EngineNames, TurnReport

pytestmark = pytest.mark.real


def read(text):
    """Return every sample by its name and labels."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(one.name, *one.labels.values()): one.value for one in samples}


async def asked(url):
    status, body = await get(url, "/metrics")
    assert status.startswith("HTTP/1.1 200")
    return body


async def test_a_turn_is_counted_with_its_stages_and_no_word_of_it():
    with trio.fail_after(60):
        async with serving() as running:
            before = read(await asked(running.url))
            async with connect(running.ws_url) as client:
                await client.ask(m.Text(text="What is the secret?"))
                await client.wait_for(m.TtsChunk)
                during = read(await asked(running.url))
                await client.ask(m.Cancel())
                await client.wait_for(m.Done)
            body = await asked(running.url)
    after = read(body)
    assert before["voice_trio_turns_total", "cancelled"] == 0
    assert (during["voice_trio_sessions",], during["voice_trio_sessions_begun_total",]) == (1, 1)
    assert after["voice_trio_turns_total", "cancelled"] == 1
    assert after["voice_trio_turn_stage_seconds_count", "audio"] == 1
    assert after["voice_trio_turn_stage_seconds_count", "final"] == 0
    assert 0 < after["voice_trio_turn_stage_seconds_sum", "audio"] < 30
    assert (after["voice_trio_sessions_max",], after["voice_trio_ready",], after["voice_trio_draining",]) == (32, 1, 0)
    assert "secret" not in body
    assert len(body) < 20_000


async def test_a_session_without_room_is_counted():
    with trio.fail_after(60):
        async with serving(max_sessions=1, max_sessions_per_address=1) as running, connect(running.ws_url) as client:
            await client.ask(m.Text(text="Go on."))
            await client.wait_for(m.TtsChunk)
            with pytest.raises(ServerBusy):
                async with connect(running.ws_url):
                    pass
            assert read(await asked(running.url))["voice_trio_sessions_refused_total",] == 1


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
async def test_prometheus_has_nothing_to_say_against_it():
    with trio.fail_after(60):
        async with serving() as running:
            body = await asked(running.url)
            done = await trio.run_process(
                ["promtool", "check", "metrics"], stdin=body.encode(), check=False, capture_stderr=True
            )
    assert (done.returncode, done.stderr) == (0, b"")


async def test_where_there_is_a_token_it_is_asked_for():
    with trio.fail_after(60):
        async with serving(auth_token="a token of some length") as running:
            status, body = await get(running.url, "/metrics")
    assert status.startswith("HTTP/1.1 401")
    assert "voice_trio_turns" not in body


async def test_at_a_port_of_its_own_it_is_there_without_one_and_nothing_else_is():
    unused_port = free_port()
    with trio.fail_after(60):
        async with serving(auth_token="a token of some length", metrics_port=unused_port) as running:
            other = f"http://127.0.0.1:{unused_port}"
            assert "voice_trio_turns_total" in await asked(other)
            assert (await get(other, "/readyz"))[0].startswith("HTTP/1.1 404")
            assert not (await get(running.url, "/metrics"))[0].startswith("HTTP/1.1 200")
        with pytest.raises(OSError, match="connect"):
            await get(other, "/metrics")


async def test_labels_are_ours_and_few():
    metrics = Metrics()
    for outcome in Outcome:
        metrics.turn_over(
            TurnReport(
                session="s" * 100,
                turn=10**9,
                outcome=outcome,
                latency=Latency(t_first_audio_ms=250),
                asr_rtf=0.3,
                drafts={
                    "drafts_promoted": 1,
                    "drafts_discarded": 2,
                    "drafts_wasted_tokens": 5,
                    "drafts_wasted_speech_s": 0.5,
                },
                timeline=Timeline(),
                over_at=0.0,
                engines=EngineNames("a", "l", "s", synthetic=False),
            )
        )
    for code in ErrorCode:
        metrics.said(m.Error(code=code, message="x" * 1000, recoverable=True))
    for state in CallState:
        metrics.said(m.ToolCalled(turn=1, call="c", name="n" * 64, arguments="{}", state=state))
    for event in (m.Hold(turn=1, sample=1), m.Release(turn=1, sample=1), m.Reopened(turn=1, revision=1)):
        metrics.said(event)
    body, content_type = metrics.written("")
    counted = read(body.decode())
    assert content_type.startswith("text/plain")
    assert len(body) < 20_000
    assert (counted["voice_trio_drafts_total", "discarded"], counted["voice_trio_drafts_total", "failed"]) == (12, 0)
    assert (
        counted["voice_trio_drafts_wasted_tokens_total",],
        counted["voice_trio_drafts_wasted_speech_seconds_total",],
    ) == (30, 3)
    assert [counted[f"voice_trio_{name}_total",] for name in ("holds", "releases", "reopened")] == [1, 1, 1]
    assert sum(value for (name, *_), value in counted.items() if name == "voice_trio_tool_calls_total") == 3
    assert counted["voice_trio_turn_stage_seconds_bucket", "0.3", "audio"] == len(Outcome)


async def test_how_late_the_event_loop_is_is_measured(autojump_clock):
    metrics = Metrics()
    with trio.move_on_after(10.1):
        await metrics.watch()
    assert read(metrics.written("")[0].decode())["voice_trio_event_loop_lag_seconds_count",] == 40
