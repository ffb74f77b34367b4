"""The measuring tools, for a few seconds each, on real servers in processes of their own."""

import json
import random

import pytest
import trio

from tools import latency, load, load_real, soak
from tools.cancel_latency import measure_cancels
from tools.own_server import own_server
from voice_trio.client import connect
from voice_trio.core import messages as m

pytestmark = pytest.mark.real

SHORT = load.Workload("short", cycle_s=2.0, speak_s=1.0)


async def test_a_bare_handler_carries_the_same_traffic(tmp_path):
    with trio.fail_after(90):
        async with own_server("scripted", vad="webrtc") as ours:
            recorded = await load.record_script(ours.ws_url, SHORT)
            script = tmp_path / "script.json"
            script.write_text(json.dumps(recorded))
            async with own_server("bare", script=script) as bare:
                async with connect(bare.ws_url) as client:
                    await client.ask(m.Start(mode="hold"))
                    said = [load.written(await client.hear()) for _ in recorded]
                costs = [
                    await load.measure(server, SHORT, sessions=2, message_ms=60, seconds=4, warm_up_s=1)
                    for server in (ours, bare)
                ]
    assert len(said) > 20
    assert said == [(kind, data) for _, kind, data in recorded]
    for cost in costs:
        assert cost.cpu_s > 0
        assert cost.audio_s == pytest.approx(cost.kept_up * 2 * 4)
        # However late the machine is: with the audio that went out, a start and a stop for each cycle of it.
        assert cost.to_server - round(cost.audio_s / 0.06) == pytest.approx(2 * cost.audio_s / SHORT.cycle_s, abs=5)
        assert cost.from_server > 20


async def test_memory_is_measured_at_every_stage(capsys):
    with trio.fail_after(60):
        assert await load.measure_memory(5) != 0
    stages = capsys.readouterr().out
    assert all(stage in stages for stage in ("connected", "listening", "replying", "after the reply"))


async def test_people_are_let_in_up_to_the_limit_and_their_waiting_is_measured():
    with trio.fail_after(90):
        seen = await load_real.measure(2, holders=0, seconds=20, seed=1, max_sessions=1)
    assert seen.refused
    assert not seen.failed
    assert len(seen.finals_s) == len(seen.audio_s) > 0
    assert seen.cores > 0


async def test_every_kind_of_client_is_held_and_leaves_nothing(capsys):
    run = soak.Run()
    with trio.fail_after(90):
        async with soak.some_server(None, None, 10) as (url, look):
            before = await soak.settled(look, {"sessions": 0, "connections": 0})
            run.began_at = trio.current_time()
            async with trio.open_nursery() as nursery:
                for seed, kind in enumerate(2 * list(soak.KINDS)):
                    guest = soak.Guest(run, url, random.Random(seed), real_time=False)
                    nursery.start_soon(guest.live, kind)
            run.length_s = run.now()
            after = await soak.settled(look, before)
    assert run.begun == dict.fromkeys(soak.KINDS, 2)
    assert soak.report(run, before, after), capsys.readouterr().out
    assert {"session", "final transcript", "first token", "first audio"} <= run.latencies.keys()


async def test_a_run_ends_after_so_many_sessions_and_can_be_drawn():
    with trio.fail_after(60):
        async with soak.some_server(None, None, 10) as (url, look):
            run = await soak.soak(url, look, sessions=4, total=8, minutes=None, seed=3, real_time=False)
    assert run.begun.total() == 8
    assert soak.plot(run, "eight sessions").count("<polyline") > 9


async def test_replies_are_cut_off_on_the_client_s_and_on_the_server_s_clock(capsys):
    with trio.fail_after(60):
        await measure_cancels(None, "scripted", sessions=3, times=2)
    assert "6 replies cut off" in (said := capsys.readouterr().out)
    assert "server: `cancel` read to last audio written" in said


async def test_a_clip_is_asked_and_heard_on_the_recording_too(tmp_path):
    recording = tmp_path / "conversation.wav"
    with trio.fail_after(60):
        wanted = latency.Wanted(None, scripted=True, model=None, recording=recording)
        measured = await latency.measure(wanted, ["question"])
    (turn,) = measured.turns
    # By the clock a silence may be shorter than in the sound, where the machine was late with what came before it.
    assert turn.latency.t_first_audio_ms is not None
    assert turn.silence_ms == 700
    assert turn.gap_ms is not None
    assert recording.stat().st_size > 48_000 * 4 * 3
