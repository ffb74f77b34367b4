"""Why a turn was slow, as an operator asks for it."""

import json

import pytest
import trio

from tests.server.serving import get, serving
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.messages import Latency, Outcome
from voice_trio.core.timeline import Timeline
from voice_trio.server.turn_log import KEPT, TurnLog
from voice_trio.session.report import EngineNames, TurnReport
from voice_trio.standing import QUEUES

pytestmark = pytest.mark.real


async def asked(url, path="/api/turns"):
    status, body = await get(url, path)
    assert status.startswith("HTTP/1.1 200")
    return json.loads(body), body


async def test_open_turns_stand_somewhere_and_those_that_are_over_have_their_times():
    with trio.fail_after(60):
        async with serving() as running, connect(running.ws_url) as client:
            session = (await client.wait_for(m.SessionOpened)).session
            assert (await asked(running.url))[0] == {"open": [], "latest": []}
            await client.ask(m.Text(text="What is the secret?"))
            await client.wait_for(m.TtsChunk)
            (told, _) = await asked(running.url)
            [turn] = told["open"]
            assert (turn["session"], turn["turn"], turn["state"]) == (session, 1, "RESPONDING")
            assert 0 <= turn["for_s"] < 60
            assert "chat" in turn["waits"] or "player" in turn["waits"]
            assert turn["queues"].keys() <= {*QUEUES}
            await client.ask(m.Cancel())
            await client.wait_for(m.Done)
            told, body = await asked(running.url)
    assert told["open"] == []
    [turn] = told["latest"]
    assert (turn["session"], turn["turn"], turn["outcome"]) == (session, 1, "cancelled")
    assert 0 <= turn["t_first_token_ms"] <= turn["t_first_audio_ms"]
    assert turn["t_final_transcript_ms"] is turn["asr_rtf"] is None
    assert "secret" not in body


async def test_the_tree_of_tasks_is_told_to_who_asks_for_it():
    with trio.fail_after(60):
        async with serving() as running:
            told, _ = await asked(running.url, "/api/turns?tasks=1")
    assert any("serve" in line for line in told["tasks"])


async def test_where_there_is_a_token_it_is_asked_for():
    with trio.fail_after(60):
        async with serving(auth_token="a token of some length") as running:
            assert (await get(running.url, "/api/turns"))[0].startswith("HTTP/1.1 401")


def test_as_many_are_kept_as_a_person_looks_through():
    log = TurnLog(wall_clock=lambda: 1.23456)
    for turn in range(KEPT + 5):
        report = TurnReport(
            session="s",
            turn=turn,
            outcome=Outcome.COMPLETED,
            latency=Latency(t_first_audio_ms=250),
            asr_rtf=0.12345,
            drafts={"drafts_promoted": 1},
            timeline=Timeline(),
            over_at=0.0,
            engines=EngineNames("a", "l", "s", synthetic=False),
        )
        log.turn_over(report)
    assert [one["turn"] for one in log.latest] == list(range(5, KEPT + 5))
    first = log.latest[0]
    assert (first["ended_at"], first["asr_rtf"], first["t_first_audio_ms"]) == (1.235, 0.123, 250)
    assert first["drafts_promoted"] == 1
