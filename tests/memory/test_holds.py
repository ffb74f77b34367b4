"""Conversations on one data folder have one holder, in whatever process it is, and none that is dead."""

import fcntl
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from voice_trio import config
from voice_trio.memory.base import StoreError
from voice_trio.memory.holds import Claims, FileHolds
from voice_trio.memory.in_process import InProcessStore
from voice_trio.memory.open import database_path, open_holds, open_store

pytestmark = pytest.mark.real

SEEDS = range(4)
CONVERSATIONS = [f"c{n}" for n in range(3)]
SESSIONS = ["s1", "s2"]


class Server:
    """Another process, that claims what it is told to."""

    def __init__(self, path):
        self._path = path
        self.start()

    def start(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.memory.holder", str(self._path)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "ready\n"

    def ask(self, *words):
        print(*words, file=self._process.stdin, flush=True)
        return self._process.stdout.readline() == "yes\n"

    def end(self, number=signal.SIGKILL):
        self._process.send_signal(number)
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "memory.in_use"


@pytest.fixture
def servers(path):
    servers = [Server(path), Server(path)]
    yield servers
    for server in servers:
        server.end()


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_claimed_released_and_killed_nothing_has_two_holders(path, servers, seed):
    chance = random.Random(seed)
    held: dict[str, tuple[int, str]] = {}
    """Conversation to (server, session), as it must be."""
    granted = refused = 0
    for _ in range(200):
        server, session = chance.randrange(2), chance.choice(SESSIONS)
        match chance.choices(["claim", "release", "kill", "delete"], [20, 5, 1, 1])[0]:
            case "claim":
                conversation = chance.choice(CONVERSATIONS)
                free = held.get(conversation, (server, session)) == (server, session)
                assert servers[server].ask("claim", conversation, session) is free
                granted, refused = granted + free, refused + (not free)
                if free:
                    held[conversation] = (server, session)
            case "release":
                assert servers[server].ask("release", session)
                held = {key: holder for key, holder in held.items() if holder != (server, session)}
            case "kill":
                servers[server].end(chance.choice([signal.SIGKILL, signal.SIGTERM]))
                servers[server].start()
                held = {key: holder for key, holder in held.items() if holder[0] != server}
            case "delete":
                path.unlink(missing_ok=True)
                # Who asks next, and has something, takes it to the new file: so let both ask for what they have.
                for conversation, (holder, its) in held.items():
                    assert servers[holder].ask("claim", conversation, its)
    assert granted > 20
    assert refused > 20


def test_one_that_a_session_lets_go_is_free_for_another_process(path, servers):
    one, other = servers
    assert one.ask("claim", "c", "s1")
    assert not one.ask("claim", "c", "s2")
    assert not other.ask("claim", "c", "s1")
    assert one.ask("release", "s1")
    assert other.ask("claim", "c", "s1")
    assert not one.ask("claim", "c", "s1")


def test_a_server_that_is_stopped_keeps_what_it_has(path, servers):
    one, other = servers
    assert one.ask("claim", "c", "s1")
    one._process.send_signal(signal.SIGSTOP)
    assert not other.ask("claim", "c", "s1")
    one._process.send_signal(signal.SIGCONT)
    assert not other.ask("claim", "c", "s1")


async def test_a_file_system_without_locks_is_told_once_and_keeps_nobody_from_talking(path, monkeypatch):
    def lockf(*_):
        raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "lockf", lockf)
    holds = FileHolds(path)
    try:
        claims = Claims(holds)
        assert await claims.claim("c", "s1")
        assert not await claims.claim("c", "s2")
        claims.release("s1")
        assert await claims.claim("c", "s2")
    finally:
        holds.close()


def test_what_is_off_shares_nothing(tmp_path):
    with open_holds(config.load(memory="off", data_dir=str(tmp_path)), InProcessStore()) as holds:
        assert holds is None
    assert [*tmp_path.iterdir()] == []


async def test_the_file_lies_beside_the_database_and_stays_empty(tmp_path):
    settings = config.load(data_dir=str(tmp_path))
    async with open_store(settings) as store:
        with open_holds(settings, store) as holds:
            for number in range(1000):
                assert await holds.hold(f"c{number}")
    file = database_path(settings).with_name("memory.in_use")
    assert (file.stat().st_size, file.stat().st_mode & 0o777) == (0, 0o600)


class OneAnswer:
    """Holds whose answer comes when it is set."""

    def __init__(self):
        self.asked = trio.Event()
        self.answer = trio.Event()
        self.granted = True

    async def hold(self, conversation):
        self.asked.set()
        await self.answer.wait()
        if self.granted is None:
            raise StoreError("away")
        return self.granted

    def let_go(self, conversation):
        self.left = conversation


@pytest.mark.parametrize(
    ("granted", "is_ours", "is_free"), [(True, True, False), (False, False, True), (None, False, True)]
)
async def test_while_a_database_is_asked_nobody_else_here_has_it_and_then_who_was_given_it(granted, is_ours, is_free):
    holds = OneAnswer()
    claims = Claims(holds)

    async def ask():
        with suppress(StoreError):
            assert await claims.claim("c", "s1") is granted

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await holds.asked.wait()
            assert not await claims.claim("c", "s2")
            holds.granted = granted
            holds.answer.set()
        assert claims.has("c", "s1") is is_ours
        holds.granted = True
        assert await claims.claim("c", "s2") is is_free
        # Asked again, nobody could tell: it stays with who has it. Then it is lost.
        holder = "s1" if is_ours else "s2"
        holds.granted = None
        with pytest.raises(StoreError):
            await claims.claim("c", holder)
        assert claims.has("c", holder)
        holds.granted = False
        assert not await claims.claim("c", holder)
        assert not claims.has("c", holder)
