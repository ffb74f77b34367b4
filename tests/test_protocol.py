"""The rules of docs/protocol.md, row by row: what is sent in which state, and what comes of it.

Every row runs against a session that is sent bytes, in virtual time, and some of them also against the server itself.
What leaves a session open leaves it usable: a typed turn completes afterwards.
"""

import json
import math
from contextlib import asynccontextmanager
from itertools import product

import pytest
import trio

from tests.json_schema import Schema
from tests.protocol_rows import (
    ACCEPTED,
    BEGINNINGS,
    FAILURES,
    LARGEST,
    MALFORMED,
    SENT,
    BrokenStore,
    Defect,
    Failure,
    engines_that,
    engines_that_take_their_time,
    legality,
)
from tools.write_docs import ROOT
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome, State
from voice_trio.core.turn_state import COMMANDS, Verdict
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import scripted_engines
from voice_trio.testing.talk import calling
from voice_trio.testing.wire import holding
from voice_trio.wire import native
from voice_trio.wire.codec import CloseCode

SCHEMA = Schema(json.loads((ROOT / "docs/protocol.schema.json").read_text()))


async def reach(talk, state):
    """Bring a new session into ``state``; where that takes a turn, it is the first."""
    await talk.next_is(m.SessionOpened)
    match state:
        case State.CAPTURING:
            await talk.send('{"type":"start"}')
            await talk.say(300)
            await talk.wait_for(m.StateChanged, state=State.CAPTURING)
        case State.THINKING:
            await talk.send('{"type":"text","text":"hello"}')
            await talk.wait_for(m.StateChanged, state=State.THINKING)
        case State.RESPONDING | State.COMPLETE:
            await talk.send('{"type":"text","text":"hello"}')
            await talk.wait_for(m.StateChanged, state=State.RESPONDING)
            await talk.wait_for(m.TtsChunk)
    if state is State.COMPLETE:
        await talk.send('{"type":"cancel"}')
        await talk.wait_for(m.Done)


async def complete_a_turn(talk):
    await talk.send('{"type":"text","text":"still there?"}')
    announced = await talk.wait_for(m.StateChanged, state=State.THINKING)
    done = await talk.wait_for(m.Done, turn=announced.turn)
    assert (done.outcome, done.remembered) == (Outcome.COMPLETED, True)
    assert talk.reply(done.turn)
    assert talk.audio(done.turn)


# --- what is legal where --------------------------------------------------------------------------------------------


def test_the_table_of_what_is_legal_is_the_one_the_session_goes_by():
    words = {"yes": Verdict.ACT, "ignored": Verdict.IGNORE, "info": Verdict.NOTHING_TO_CANCEL, "error": None}
    table = {(row.values[0], row.values[1]): words[row.values[2]] for row in legality()}
    kinds = {"audio": m.Audio, **native.COMMANDS}
    assert table == {(name, state): COMMANDS[state].get(kinds[name]) for name, state in product(kinds, State)}


async def check_legality(talk, name, state, verdict):
    await reach(talk, state)
    await talk.send(SENT[name])
    if verdict == "error":
        error = await talk.wait_for(m.Error)
        assert (error.code, error.recoverable, error.turn) == (ErrorCode.PROTOCOL_VIOLATION, True, None)
        assert f"{name} is not possible in state {state}" in error.message
    elif verdict == "info":
        await talk.wait_for(m.Info, code=InfoCode.NOTHING_TO_CANCEL)
    elif name in ("start", "text"):
        begun = await talk.wait_for(m.StateChanged, state=State.CAPTURING if name == "start" else State.THINKING)
        assert begun.turn == (1 if state is State.IDLE else 2)
    elif name == "cancel":
        await talk.wait_for(m.StateChanged, turn=1, state=State.COMPLETE)
        await talk.next_is(m.Done, turn=1, outcome=Outcome.CANCELLED)
    elif (name, state) == ("stop", State.CAPTURING):
        await talk.wait_for(m.Final, turn=1)
    turn = talk.all(m.StateChanged)[-1:]
    if turn and turn[0].state is not State.COMPLETE:
        # Whatever was sent did not end the turn, except by what was asked.
        await talk.send('{"type":"cancel"}')
        await talk.wait_for(m.Done, turn=turn[0].turn, outcome=Outcome.CANCELLED)
    await complete_a_turn(talk)
    assert len(talk.all(m.Error)) == (verdict == "error")
    assert len(talk.all(m.Info)) == (verdict == "info")


@pytest.mark.parametrize(("name", "state", "verdict"), legality())
async def test_what_a_client_may_send_in_each_state(autojump_clock, name, state, verdict):
    with trio.fail_after(100):
        async with holding(engines=engines_that_take_their_time()) as talk:
            await check_legality(talk, name, state, verdict)


# --- right messages at the wrong moment -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    ['{"type":"played","turn":2,"samples":0}', '{"type":"mark","turn":2,"marks":{}}'],
    ids=["played", "mark"],
)
async def test_a_turn_that_has_not_been_is_not_known(autojump_clock, message):
    with trio.fail_after(100):
        async with holding(engines=engines_that_take_their_time()) as talk:
            await reach(talk, State.RESPONDING)
            await talk.send(message)
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable) == (ErrorCode.PROTOCOL_VIOLATION, True)
            await talk.wait_for(m.Done, turn=1, outcome=Outcome.COMPLETED)
            await complete_a_turn(talk)


@pytest.mark.parametrize("state", [State.CAPTURING, State.THINKING, State.RESPONDING])
async def test_a_cancel_of_another_turn_changes_nothing(autojump_clock, state):
    with trio.fail_after(100):
        async with holding(engines=engines_that_take_their_time()) as talk:
            await reach(talk, state)
            await talk.send('{"type":"cancel","turn":2}')
            await talk.wait_for(m.Info, code=InfoCode.NOTHING_TO_CANCEL)
            await talk.send('{"type":"cancel","turn":1}', '{"type":"cancel","turn":1}')
            await talk.wait_for(m.Done, turn=1, outcome=Outcome.CANCELLED)
            await complete_a_turn(talk)
            assert len(talk.all(m.Info, code=InfoCode.NOTHING_TO_CANCEL)) == 2


@pytest.mark.parametrize("state", [State.CAPTURING, State.THINKING, State.RESPONDING])
@pytest.mark.parametrize("begin", ["start", "text"])
async def test_cancel_and_the_next_turn_in_one_breath(autojump_clock, state, begin):
    with trio.fail_after(100):
        async with holding(engines=engines_that_take_their_time()) as talk:
            await reach(talk, state)
            await talk.send('{"type":"cancel"}', SENT[begin])
            await talk.wait_for(m.Done, turn=1, outcome=Outcome.CANCELLED)
            await talk.next_is(m.StateChanged, turn=2)
            if begin == "start":
                await talk.say(900)
                await talk.silence(900)
            await talk.wait_for(m.Done, turn=2, outcome=Outcome.COMPLETED)
            assert not talk.all(m.Error)


async def check_flood(talk):
    await talk.next_is(m.SessionOpened)
    for recoverable in (True, True, True, True, False):
        await talk.send(SENT["stop"])
        await talk.next_is(m.Error, code=ErrorCode.PROTOCOL_VIOLATION, recoverable=recoverable)
    assert await talk.closing() == CloseCode.POLICY


async def test_the_fifth_message_in_the_wrong_state_is_the_last(autojump_clock):
    with trio.fail_after(100):
        async with holding() as talk:
            await check_flood(talk)


async def test_four_messages_in_the_wrong_state_are_forgotten_in_ten_seconds(autojump_clock):
    with trio.fail_after(100):
        async with holding() as talk:
            await talk.next_is(m.SessionOpened)
            for pause_s in (0, 0, 0, 10.1, 0, 0, 0):
                await talk.send(SENT["stop"])
                await talk.next_is(m.Error, recoverable=True)
                await trio.sleep(pause_s)
            await complete_a_turn(talk)


async def test_the_fifth_ends_the_turn_before_the_session(autojump_clock):
    with trio.fail_after(100):
        async with holding(engines=engines_that_take_their_time()) as talk:
            await reach(talk, State.RESPONDING)
            await talk.send(*[SENT["start"]] * 5)
            await talk.wait_for(m.Error, recoverable=False)
            await talk.next_is(m.StateChanged, turn=1, state=State.COMPLETE)
            await talk.next_is(m.Done, turn=1, outcome=Outcome.CANCELLED)
            assert await talk.closing() == CloseCode.POLICY


@pytest.mark.parametrize("begin", ["start", "text"])
async def test_a_conversation_that_was_never_issued_fails_the_turn(autojump_clock, begin):
    with trio.fail_after(100):
        async with holding() as talk:
            await talk.next_is(m.SessionOpened)
            await talk.send(SENT[begin].replace("}", ',"conversation":"x"}'))
            await talk.next_is(m.StateChanged, turn=1)
            await talk.next_is(m.Error, code=ErrorCode.PROTOCOL_VIOLATION, recoverable=True, turn=1)
            await talk.next_is(m.StateChanged, turn=1, state=State.COMPLETE)
            await talk.next_is(m.Done, turn=1, outcome=Outcome.FAILED, remembered=False)
            await complete_a_turn(talk)


# --- messages that are none -----------------------------------------------------------------------------------------


async def check_malformed(talk, state, message, code, says):
    await reach(talk, state)
    live = state in (State.CAPTURING, State.THINKING, State.RESPONDING)
    await talk.send(message)
    error = await talk.wait_for(m.Error)
    assert (error.code, error.recoverable, error.turn) == (ErrorCode.PROTOCOL_VIOLATION, False, None)
    assert says in error.message
    if live:
        await talk.next_is(m.StateChanged, turn=1, state=State.COMPLETE)
        await talk.next_is(m.Done, turn=1, outcome=Outcome.CANCELLED)
    assert await talk.closing() == code
    assert talk.heard[-1] is error or live
    assert error.message.startswith(talk.over.reason)


@pytest.mark.parametrize("state", [State.IDLE, State.RESPONDING])
@pytest.mark.parametrize(("message", "code", "says"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
async def test_what_is_no_message_ends_the_session(autojump_clock, state, message, code, says):
    with trio.fail_after(100):
        async with holding(engines=engines_that_take_their_time()) as talk:
            await check_malformed(talk, state, message, code, says)


@pytest.mark.parametrize("message", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
async def test_what_is_unusual_and_right(autojump_clock, message):
    with trio.fail_after(100):
        async with holding() as talk:
            await reach(talk, State.CAPTURING)
            await talk.send(message)
            await talk.say(600)
            await talk.silence(900)
            await talk.wait_for(m.Done, turn=1)
            assert not talk.all(m.Error)
            await complete_a_turn(talk)


@pytest.mark.parametrize("message", BEGINNINGS, ids=lambda message: message[:40])
async def test_every_value_in_range_is_taken(autojump_clock, message):
    with trio.fail_after(100):
        async with holding() as talk:
            await talk.next_is(m.SessionOpened)
            await talk.send(message)
            await talk.next_is(m.StateChanged, turn=1)
            if "start" in message:
                await talk.say(900)
                await talk.silence(5100)
                await talk.send(SENT["stop"])
            await talk.wait_for(m.Done, turn=1, outcome=Outcome.COMPLETED)
            await complete_a_turn(talk)


# --- engines, and defects -------------------------------------------------------------------------------------------


async def check_failure(talk, failure):
    await talk.next_is(m.SessionOpened)
    await talk.send(SENT["start"])
    await talk.say(failure.speaks_ms)
    await talk.silence(900)
    done = await talk.wait_for(m.Done)
    errors = talk.all(m.Error)
    assert [error.code for error in errors] == [failure.code] * failure.errors
    assert all(error.recoverable and error.turn == 1 for error in errors)
    assert (done.outcome, done.remembered) == (failure.outcome, failure.remembered)
    assert (len(talk.audio(1)) > 0, done.heard > 0) == (failure.spoken, failure.spoken)
    if failure.code is ErrorCode.TTS_FAIL:
        skipped = [end.phrase for end in talk.all(m.TtsPhraseDone, samples=0)]
        assert [error.phrase for error in errors] == skipped
    assert [error.incident is not None for error in errors] == [failure.code is ErrorCode.INTERNAL] * failure.errors
    await complete_a_turn(talk)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
async def test_what_breaks_in_a_turn_leaves_the_session(autojump_clock, failure):
    with trio.fail_after(300):
        store = BrokenStore(*failure.store)
        async with holding(engines=engines_that(failure), store=store, **failure.settings) as talk:
            await check_failure(talk, failure)


async def test_a_defect_outside_a_turn_ends_the_session(autojump_clock):
    calls: list[None] = []

    def engines():
        # Who opens the session needs them, and each turn as it begins.
        calls.append(None)
        if len(calls) > 3:
            raise Defect
        return engines_that_take_their_time()

    with trio.fail_after(100):
        async with holding(engines=engines) as talk:
            await talk.next_is(m.SessionOpened)
            await talk.send(SENT["text"])
            await talk.wait_for(m.StateChanged, state=State.RESPONDING)
            await talk.send(SENT["cancel"], SENT["text"])
            await talk.wait_for(m.Done, turn=1, outcome=Outcome.CANCELLED)
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable, error.turn) == (ErrorCode.INTERNAL, False, None)
            assert error.incident
            assert await talk.closing() == CloseCode.INTERNAL


def test_every_error_has_a_row():
    later = {ErrorCode.SERVER_BUSY, ErrorCode.UNAUTHORIZED}
    assert {failure.code for failure in FAILURES} | {ErrorCode.PROTOCOL_VIOLATION} | later == set(ErrorCode)


# --- the schema -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [Failure("nothing", ErrorCode.INTERNAL, Outcome.COMPLETED), *FAILURES])
async def test_all_that_is_said_fits_the_schema(autojump_clock, failure):
    with trio.fail_after(300):
        store = BrokenStore(*failure.store)
        async with holding(engines=engines_that(failure), store=store, **failure.settings) as talk:
            await talk.send(SENT["start"])
            await talk.say(failure.speaks_ms)
            await talk.silence(900)
            await talk.wait_for(m.Done)
            await talk.send(*[message for name, message in SENT.items() if name != "start"], "{}")
            assert await talk.closing() == CloseCode.BAD_DATA
    said = [json.loads(line.data) for line in talk.lines if not line.by_client and isinstance(line.data, str)]
    asked = [json.loads(line.data) for line in talk.lines[:-1] if line.by_client and isinstance(line.data, str)]
    assert len(said) > 5
    assert all(SCHEMA.fits(message, "server") for message in said)
    assert not any(SCHEMA.fits(message, "client") for message in said)
    assert all(SCHEMA.fits(message, "client") for message in asked if message != {})


def objects(messages):
    """Yield what of ``messages`` is JSON and of a size that may be sent."""
    for message in messages:
        if isinstance(message, str) and len(message.encode()) <= LARGEST:
            try:
                yield json.loads(message, parse_constant=float)
            except (ValueError, RecursionError):
                continue


def test_the_schema_and_the_server_agree_on_what_is_right():
    refused = [*objects(row[1] for row in MALFORMED if row[0] != "half a pair")]
    assert len(refused) > 45
    assert [message for message in refused if SCHEMA.fits(message, "client")] == []
    taken = [*objects([*SENT.values(), *BEGINNINGS, *(row[1] for row in ACCEPTED)])]
    assert len(taken) > 15
    assert [message for message in taken if not SCHEMA.fits(message, "client")] == []


# --- a few of all these, through a socket ---------------------------------------------------------------------------


@asynccontextmanager
async def serving(engines, **settings):
    @asynccontextmanager
    async def opened(settings):
        yield engines

    async with open_server(config.load(port=0, **settings), opened) as running:
        yield running.ws_url


async def check_all(engines, check, rows):
    """Check all ``rows`` against one server, each in a session of its own."""

    async def check_one(row):
        async with few_at_a_time:
            try:
                async with calling(url, speed=math.inf) as talk:
                    await check(talk, *row)
            except BaseException as error:
                error.add_note(f"row: {row}"[:200])
                raise

    few_at_a_time = trio.CapacityLimiter(8)
    async with serving(engines) as url, trio.open_nursery() as nursery:
        for row in rows:
            nursery.start_soon(check_one, row)


@pytest.mark.real
async def test_legality_through_a_socket():
    some = ("audio-IDLE", "start-THINKING", "stop-COMPLETE", "cancel-RESPONDING", "played-CAPTURING", "mark-IDLE")
    with trio.fail_after(30):
        rows = [row.values for row in legality() if row.id in some]
        await check_all(engines_that_take_their_time(0.3, char_ms=10), check_legality, rows)


@pytest.mark.real
@pytest.mark.parametrize("state", [State.IDLE, State.RESPONDING])
async def test_no_messages_through_a_socket(state):
    with trio.fail_after(30):
        rows = [(state, *row[1:]) for row in MALFORMED]
        await check_all(engines_that_take_their_time(0.0), check_malformed, rows)


@pytest.mark.real
@pytest.mark.parametrize("name", ["too long an utterance", "no reply", "every phrase fails", "a defect in the model"])
async def test_failures_through_a_socket(name):
    failure = next(failure for failure in FAILURES if failure.name == name)
    with trio.fail_after(20):
        async with (
            serving(engines_that(failure, char_ms=10), **failure.settings) as url,
            calling(url, speed=math.inf) as talk,
        ):
            await check_failure(talk, failure)


@pytest.mark.real
async def test_a_flood_through_a_socket():
    with trio.fail_after(20):
        async with serving(scripted_engines()) as url, calling(url, speed=math.inf) as talk:
            await check_flood(talk)
