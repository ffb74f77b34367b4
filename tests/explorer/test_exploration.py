"""Any end before any step of a session: a part of them here, all of them by tools/explore_cancellation.py."""

import os
import random
import subprocess
import sys

import pytest
import trio

from tests.explorer.plants import PLANTS
from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome
from voice_trio.testing.explorer import (
    ENDS,
    RESUMED,
    SCENARIO,
    SCENARIOS,
    Scenario,
    UnsoundScenario,
    explore,
    number,
    try_one,
)
from voice_trio.testing.explorer.promises import _of_responses, heard_between
from voice_trio.testing.explorer.scenarios import engines

CASES = 250
"""In the part that is tried here: some seconds."""


async def ask_once(client):
    await client.wait_for(m.SessionOpened)
    await client.ask(m.Text(text="And tomorrow?"))
    await client.wait_for(m.Done)
    await trio.sleep(1)


SHORT = Scenario(ask_once, engines)
DUPLEX = SCENARIOS["duplex"]

INTO_REPLIES = range(282, 480, 3)
"""Some steps of `DUPLEX` in which its replies are spoken into."""


def test_a_part_of_the_steps_another_each_time():
    seed = int(os.environ.get("SEED", random.randrange(10_000)))
    steps = len(number(seed=seed))
    every = steps * len(ENDS) // CASES
    command = f"python tools/explore_cancellation.py --every {every} --seed {seed}"
    print(command)
    report = explore(seed=seed, steps=range(1 + seed % every, steps + 1, every))
    assert report.cases >= CASES * 0.9
    assert report.failures == [], command


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("talk", "_draft: asr.py"),
        ("talk", "Playback._wait"),
        ("talk", "InProcessStore.commit"),
        ("slow", "Outbox.door"),
        ("slow", "ExploredLink.send"),
        ("tools", "ScriptedTool._use"),
        ("tools", "GatedOutlet.wait_open"),
        ("duplex", "Floor._release_in_time"),
        ("duplex", "limit_from_end: capture.py"),
        ("duplex", "run: scripted.py"),
        ("realtime", "Idling.run"),
        ("drafts", "Draft.deliver"),
        ("pauses", "ScriptedEndOfTurn.probability"),
        ("pieces", "Playback._wait"),
        ("timers", "Ringing.run"),
        ("timers", "InProcessAlerts.remove"),
        ("timers", "_wait_begun"),
        ("resumed", "ResumableLink.receive"),
        ("resumed", "ResumableLink.send"),
        ("resumed", "ResumableLink._write"),
        ("resumed_duplex", "Floor._release_in_time"),
    ],
)
def test_a_scenario_of_ours_goes_where_it_is_to_go(name, place):
    assert any(place in visited for visited in number(SCENARIOS[name]).places)


@pytest.mark.parametrize("name", ["resumed", "resumed_duplex"])
def test_a_part_of_the_steps_before_which_the_connection_breaks(name):
    seed = int(os.environ.get("SEED", random.randrange(10_000)))
    steps = len(number(SCENARIOS[name], seed=seed))
    every = steps * len(RESUMED) // CASES
    command = f"python tools/explore_cancellation.py --scenario {name} --every {every} --seed {seed}"
    print(command)
    report = explore(SCENARIOS[name], seed=seed, steps=range(1 + seed % every, steps + 1, every))
    assert report.cases >= CASES * 0.9
    assert report.failures == [], command


@pytest.mark.parametrize(
    ("name", "cases"),
    [
        ("duplex", CASES // 2),
        ("tools", CASES // 2),
        ("drafts", CASES // 3),
        ("pauses", CASES // 5),
        ("pieces", CASES // 5),
    ],
)
def test_a_part_of_the_steps_of_what_else_a_session_does(name, cases):
    seed = int(os.environ.get("SEED", random.randrange(10_000)))
    steps = len(number(SCENARIOS[name], seed=seed))
    every = steps * len(ENDS) // cases
    command = f"python tools/explore_cancellation.py --scenario {name} --every {every} --seed {seed}"
    print(command)
    report = explore(SCENARIOS[name], seed=seed, steps=range(1 + seed % every, steps + 1, every))
    assert report.failures == [], command


def test_a_part_of_the_steps_of_a_realtime_client():
    seed = int(os.environ.get("SEED", random.randrange(10_000)))
    scenario = SCENARIOS["realtime"]
    steps = len(number(scenario, seed=seed))
    every = steps * len(ENDS) // (CASES // 4)
    command = f"python tools/explore_cancellation.py --scenario realtime --every {every} --seed {seed}"
    print(command)
    report = explore(scenario, seed=seed, steps=range(1 + seed % every, steps + 1, every))
    assert report.failures == [], command


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ([("created", "a"), ("done", "a"), ("created", "b"), ("output_text.delta", "b"), ("done", "b")], None),
        ([("created", "a"), ("created", "b"), ("done", "a"), ("output_text.delta", "b"), ("done", "b")], None),
        ([("created", "a")], "had no end"),
        ([("created", "a"), ("created", "a"), ("done", "a")], "came again"),
        ([("created", "a"), ("done", "a"), ("output_text.delta", "a")], "outside of it"),
        ([("done", "a")], "outside of it"),
    ],
)
def test_a_response_begins_and_ends_once(told, problem):
    events = [
        {"type": f"response.{kind}", **({"response_id": name} if "delta" in kind else {"response": {"id": name}})}
        for kind, name in told
    ]
    problems = "; ".join(_of_responses(events, to_the_end=True))
    assert problem in problems if problem else not problems


def test_the_steps_are_the_same_each_time_and_others_with_another_seed():
    assert number(SHORT) == number(SHORT)
    assert number(SHORT).places != number(SHORT, seed=1).places


def test_one_case_is_the_same_each_time():
    first, second = (try_one("cancel", 40, SHORT) for _ in range(2))
    assert first.place == second.place
    assert [type(event) for event in first.said] == [type(event) for event in second.said]
    assert Outcome.CANCELLED in [getattr(event, "outcome", None) for event in first.said]


def test_a_step_that_does_not_exist_is_no_success():
    assert "there were only" in try_one("cancel", 10_000, SHORT).problems[0]


def test_a_scenario_that_is_not_the_same_each_time_is_refused():
    calls: list[None] = []

    async def moody(client):
        calls.append(None)
        for _ in calls:
            await trio.lowlevel.checkpoint()
        await ask_once(client)

    with pytest.raises(UnsoundScenario, match="differ at step"):
        number(Scenario(moody, engines))


def test_a_scenario_whose_client_never_leaves_is_refused():
    async def stay(client):
        await ask_once(client)
        await client.wait_for(m.Done, turn=2)

    with pytest.raises(UnsoundScenario, match="did not end"):
        number(Scenario(stay, engines))


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_planted_bug_is_found(plant, monkeypatch):
    """Every one of them hides from a session that nothing happens to."""
    plant.put_in(monkeypatch)
    scenario, steps = (DUPLEX, INTO_REPLIES) if plant.into_replies else (SHORT, None)
    if plant.with_tools:
        scenario, steps = SCENARIOS["tools"], range(90, 300, 2)
    if plant.end in RESUMED:
        scenario, steps = SCENARIOS["resumed"], range(200, 600, 4)
    report = explore(scenario, steps=steps, only=[plant.end], enough=1)
    assert report.failures, f"not found in {report.cases} cases"
    found = report.failures[0]
    assert plant.complaint in "; ".join(found.problems)
    again = try_one(plant.end, found.step, scenario)
    assert (again.place, len(again.problems)) == (found.place, len(found.problems))


def test_what_can_have_been_heard():
    events: list[m.Event] = [
        m.TtsPhrase(turn=1, phrase=0, start=0, end=5, sample_rate=16000),
        m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=bytes(200)),
        m.TtsPhraseDone(turn=1, phrase=0, samples=100),
        m.TtsPhrase(turn=1, phrase=1, start=6, end=9, sample_rate=16000),
        m.TtsChunk(turn=1, phrase=1, seq=1, first_sample=100, pcm=bytes(80)),
    ]
    assert heard_between(events, 0) == (0, 0)
    assert heard_between(events, 99) == (0, 5)
    assert heard_between(events, 100) == (5, 5)
    assert heard_between(events, 101) == (5, 9)


@pytest.mark.real
def test_the_tool_numbers_the_steps_as_we_do_in_a_process_of_its_own():
    tool = [sys.executable, "tools/explore_cancellation.py", "--end", "cancel"]
    one = subprocess.run([*tool, "--step", "200"], capture_output=True, text=True, timeout=60)
    assert one.returncode == 0, one.stderr
    assert number(SCENARIO).digest in one.stdout
    assert "Done(turn=2" in one.stdout
    part = subprocess.run([*tool, "--every", "100", "--jobs", "2"], capture_output=True, text=True, timeout=60)
    assert part.returncode == 0, part.stderr
    assert "5 cases" in part.stdout
    assert ", 0 failed" in part.stdout
