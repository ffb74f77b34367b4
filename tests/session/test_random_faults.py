"""Houses of a few sessions, with faults drawn at random for their engines and store, and clients in all moods.

    HOUSES=250 pytest tests/session/test_random_faults.py        a thousand sessions

A house's number is its seed, so one that fails can be run again alone: ``HOUSES=250 pytest -k "[137]" ...``
"""

import os
import random
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import trio

from tests.session.promises import RecordingStore, act, check, listen_in
from voice_trio.core import messages as m
from voice_trio.core.faults import KINDS, Kind, Stage, Takes, parse
from voice_trio.core.messages import Outcome
from voice_trio.fault_tap import inject
from voice_trio.faults import Faults
from voice_trio.memory.holds import Claims
from voice_trio.session.link import LinkClosed
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines, silent, voiced

HOUSES = int(os.environ.get("HOUSES", "25"))
SESSIONS = 4
"""In each house, at the same time."""

LONGEST_S = 600.0
"""By then every turn has come to its end, whatever hangs; hardly any takes a minute."""

REPLIES = [
    ScriptedReply(),
    ScriptedReply(tokens=["One sentence. ", "Another sentence, which is longer. ", "And a third."]),
    ScriptedReply(tokens=["Word "] * 60, token_s=0.0),
    ScriptedReply(tokens=[]),
]


POSSIBLE = [
    (stage, kind)
    for stage in KINDS
    for kind in KINDS[stage]
    if stage not in (Stage.REMOTE, Stage.MCP) and (stage, kind) != (Stage.LLM, Kind.CRASH)
]
"""Nothing here is on another machine."""


def drawn_faults(chance):
    """Return a specification of one to three faults."""
    return ", ".join(drawn_fault(chance, *chance.choice(POSSIBLE)) for _ in range(chance.randint(1, 3)))


def drawn_fault(chance, stage, kind):
    values = {
        Takes.NOTHING: [""],
        Takes.SECONDS: ["", "=20ms", "=100ms", "=2s", "=6s", "=20s"],
        Takes.PIECES: ["", "=0", "=1", "=3"],
        Takes.OPERATION: ["", "=recall"],
    }[KINDS[stage][kind]]
    return f"{stage}:{kind}{chance.choice(values)}{chance.choice(['', '#1', '#2', '#3', '@20%', '@50%'])}"


@dataclass
class Client:
    """What a client does: commands, and the seconds between them."""

    actions: list[m.Command | float]
    read_s: float | None
    ending: str


def drawn_client(chance):
    def action():
        pause = chance.choice([0.0, 0.02, 0.05, 0.1, 0.3, 1.0, 6.0])
        return chance.choice(
            [
                [m.Start(mode=chance.choice(["tap", "hold", "hands_free"])), 0.02],
                [m.Start(barge_in=True), *[m.Audio(voiced(60)), 0.06] * 20, *[m.Audio(silent(60)), 0.06] * 30],
                [*[m.Audio(voiced(60)), 0.06] * chance.choice([5, 20]), *[m.Audio(silent(60)), 0.06] * 15, pause],
                [m.Start(), *[m.Audio(voiced(60)), 0.06] * 20, *[m.Audio(silent(60)), 0.06] * 15, pause],
                [m.Audio(voiced(chance.choice([30, 300, 2000])))],
                [m.Audio(silent(chance.choice([10, 300, 900])))],
                [m.Text(text="typed"), pause],
                [m.Text(text="typed"), pause],
                [m.Text(text="typed"), 20.0],
                [m.Stop()],
                [m.Cancel(turn=chance.choice([None, None, 1, 2]))],
                [m.Played(turn=chance.choice([1, 2]), samples=chance.choice([0, 1600, 10**6]))],
                [pause],
            ]
        )

    return Client(
        actions=[step for _ in range(chance.randint(1, 10)) for step in action()],
        read_s=chance.choice([0.0, 0.0, 0.0, 0.05, None]),
        ending=chance.choice(["stay", "stay", "vanish", "malformed", "drain", "stall"]),
    )


async def live(client, talk):
    """Be ``client``; return how it ended, as `check` wants to know it."""
    ending = await act(talk, client.actions, client.ending)
    if ending == "stall":
        talk.read_s = LONGEST_S
    if ending == "drain":
        talk.session.drain(1.0)
    if ending != "vanish":
        await trio.sleep(LONGEST_S)
    if ending == "stay":
        turn = talk.session._turns.latest
        # Hands-free waits for ever, and rightly; where nothing is read, it is the socket that has a limit.
        waits = client.read_s is None or (talk.session._floor.hands_free and turn.state is m.State.CAPTURING)
        assert waits or turn is None or turn._over.is_set(), f"turn {turn.number} hangs"
        with suppress(LinkClosed):
            await talk.ask(m.Cancel())
        await trio.sleep(10)
    if ending in ("drain", "malformed") and client.read_s is not None:
        assert talk.link.closed is not None, "the session hangs"
    return "vanish" if client.read_s is None or ending == "stall" else ending


async def house(number):
    """Hold the sessions of house ``number``, then one without faults; check them all."""
    chance = random.Random(number)
    plain = scripted_engines(language_model=ScriptedLanguageModel(replies=chance.sample(REPLIES, 4)))
    store, claims = RecordingStore(fails=False), Claims()
    faults = Faults(parse(drawn_faults(chance)), seed=number)
    engines, faulty_store = inject(faults, plain, store)
    clients = [drawn_client(chance) for _ in range(SESSIONS)]
    lived = []

    async def hold(client):
        async with conversation(engines=engines, store=faulty_store, claims=claims, read_s=client.read_s) as talk:
            said = listen_in(talk.session)
            ended = await live(client, talk)
        lived.append((talk, said, ended))

    tasks = trio.lowlevel.current_statistics().tasks_living
    with trio.fail_after(10 * LONGEST_S):
        async with trio.open_nursery() as nursery:
            for client in clients:
                nursery.start_soon(hold, client)
        async with conversation(engines=plain, store=store, claims=claims) as after:
            await after.ask(m.Start())
            await after.say(1500, 900)
            assert (await after.wait_for(m.Done)).outcome is Outcome.COMPLETED
    assert len(lived) == SESSIONS
    for talk, said, ended in lived:
        check(talk, said, ended, plain, of_session(store, talk.session.id))
    assert claims._holders == {}
    assert trio.lowlevel.current_statistics().tasks_living == tasks


def of_session(store, session):
    return SimpleNamespace(records=[record for record in store.records if record.session == session])


@pytest.mark.parametrize("number", range(HOUSES))
async def test_the_promises_hold_whatever_fails(autojump_clock, number):
    await house(number)


def test_the_draw_has_every_fault_and_every_mood():
    drawn = [drawn_faults(random.Random(number)) for number in range(250)]
    faults = {(fault.stage, fault.kind) for text in drawn for fault in parse(text)}
    assert faults == {*POSSIBLE}
