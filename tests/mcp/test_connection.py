"""Requests of a connection whose server is scripted: nothing of it takes time."""

from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import trio
from mcp import MCPError
from mcp_types import CONNECTION_CLOSED, INVALID_PARAMS, METHOD_NOT_FOUND

from voice_trio.mcp.base import Declined, Lost
from voice_trio.mcp.connection import PING_EVERY_S, PING_S, _Connection


class Dispatcher:
    """In the place of the package's: it answers as ``answer`` does; to say that a request is cancelled takes it 5 s."""

    def __init__(self, answer):
        self._answer = answer
        self.told = False

    async def send_raw_request(self, method, params):
        try:
            return await self._answer()
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)
            self.told = True
            raise


class Session:
    """In the place of the package's: each ping has the next of the ``answers``."""

    def __init__(self, *answers):
        self.pinged_at = []
        self._answers = list(answers)

    async def send_ping(self):
        self.pinged_at.append(trio.current_time())
        if isinstance(answer := self._answers.pop(0), Exception):
            raise answer
        await trio.sleep(answer)


@asynccontextmanager
async def connected(answer):
    dispatcher = Dispatcher(answer)
    async with trio.open_nursery() as nursery:
        yield _Connection(cast(Any, dispatcher), nursery), dispatcher
        nursery.cancel_scope.cancel()


def raising(error):
    async def answer():
        await trio.lowlevel.checkpoint()
        raise error

    return answer


async def test_who_cancels_a_request_waits_for_no_server(autojump_clock):
    async with connected(trio.sleep_forever) as (connection, dispatcher):
        with trio.move_on_after(1):
            await connection.ask("tools/call", {})
        assert trio.current_time() == 1
        await trio.sleep(6)
        assert dispatcher.told


@pytest.mark.parametrize(
    ("code", "error"), [(CONNECTION_CLOSED, Lost("it is gone")), (INVALID_PARAMS, Declined("no such tool"))]
)
async def test_an_error_says_whether_the_server_is_there(autojump_clock, code, error):
    async with connected(raising(MCPError(code, "no such tool"))) as (connection, _):
        with pytest.raises(type(error), match=str(error)):
            await connection.ask("tools/call", {})


async def test_a_request_of_a_connection_that_ends_is_over(autojump_clock):
    lost = []

    async def ask(connection):
        with pytest.raises(Lost) as raised:
            await connection.ask("tools/call", {})
        lost.append(raised.value)

    async with trio.open_nursery() as nursery:
        async with connected(trio.sleep_forever) as (connection, _):
            nursery.start_soon(ask, connection)
            await trio.testing.wait_all_tasks_blocked()
        await ask(connection)
    assert len(lost) == 2


async def test_a_server_is_asked_now_and_then_whether_it_is_there(autojump_clock):
    async with connected(raising(MCPError(INVALID_PARAMS, "no"))) as (connection, _):
        session = Session(0, MCPError(METHOD_NOT_FOUND, "what is a ping?"), PING_S + 1)
        with pytest.raises(Lost, match="it did not answer for 10 s"):
            await connection.watch(session)
        assert session.pinged_at == [PING_EVERY_S, 2 * PING_EVERY_S, 3 * PING_EVERY_S]


async def test_a_server_is_asked_at_once_after_an_error(autojump_clock):
    async with connected(raising(MCPError(INVALID_PARAMS, "no"))) as (connection, _):
        session = Session(MCPError(INVALID_PARAMS, "no such session"))
        with pytest.raises(Declined):
            await connection.ask("tools/call", {})
        with pytest.raises(Lost, match="it does not know us any more: no such session"):
            await connection.watch(session)
        assert session.pinged_at == [0]
