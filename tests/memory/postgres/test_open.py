"""What a person is told whose PostgreSQL cannot be used, without its address; and how its tables come to be."""

import os
import re
import socket
import subprocess
import sys

import psycopg
import pytest
import structlog
import trio

from tests.memory.records import record
from tools.own_postgres import FOLDER, PASSWORD
from voice_trio import config, log
from voice_trio.cli import doctor
from voice_trio.config import ConfigError
from voice_trio.memory.base import CannotRemember
from voice_trio.memory.conversations import Sought
from voice_trio.memory.open import open_holds, open_store
from voice_trio.memory.postgres import open as opening
from voice_trio.memory.postgres.claims import NodeClaims
from voice_trio.memory.postgres.open import open_postgres
from voice_trio.memory.postgres.store import PostgresStore
from voice_trio.memory.sqlite_conversations import open_conversations

pytestmark = pytest.mark.real


async def reason(address):
    """Return why a store cannot be opened at ``address``."""
    with structlog.testing.capture_logs() as lines, pytest.raises(CannotRemember) as caught:
        async with open_store(config.load(database_url=address)):
            pass
    said = f"{caught.value} {lines}"
    assert PASSWORD not in said
    assert "@" not in said
    assert str(caught.value).endswith(
        "Mend STREAM_DATABASE_URL or the database, or leave the setting out to remember in a file."
    )
    return str(caught.value)


async def test_whatever_is_wrong_is_told_and_the_address_is_not(database_url, monkeypatch):
    monkeypatch.setattr(opening, "_OPEN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, trio.fail_after(60):
        free = silent.getsockname()[1]
        port = re.compile(r":\d+/")
        assert "does not take that user and password" in await reason(database_url.replace(PASSWORD, f"{PASSWORD}x"))
        assert "no such user or database" in await reason(database_url + "x")
        assert "did not answer in time" in await reason(port.sub(f":{free}/", database_url))
        assert "takes no encrypted connections" in await reason(database_url + "?sslmode=require")
        assert "cannot be read" in await reason(database_url + "?passwrd=" + PASSWORD)
        assert "no host of that name" in await reason(database_url.replace("127.0.0.1", "nowhere.invalid"))
    assert "nothing listens there" in await reason(port.sub(f":{free}/", database_url))


async def test_the_doctor_and_the_log_know_nothing_of_the_address(database_url):
    settings = config.load(database_url=database_url)
    with trio.fail_after(30):
        assert re.fullmatch(r"PostgreSQL \d+\.\d+, shared with other servers", await doctor._memory(settings))
    assert log.secrets_of(settings) == [database_url, PASSWORD]
    assert PASSWORD not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "address", ["mysql://a:sesame@b/c", "sesame", " ", "postgresql://a:se same@b", "postgresql://\a"]
)
def test_what_is_no_address_is_refused_before_and_not_shown(address):
    with pytest.raises(ConfigError, match="STREAM_DATABASE_URL") as caught:
        config.load(database_url=address)
    assert "sesame" not in str(caught.value)
    assert "same@" not in str(caught.value)


async def test_without_its_driver_it_says_what_to_install(database_url, monkeypatch):
    monkeypatch.delitem(sys.modules, "voice_trio.memory.postgres.driver", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'voice-trio[postgres]'" in await reason(database_url)


def test_nothing_imports_the_driver_where_there_is_no_database():
    code = "import sys, voice_trio.server.run; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_database_of_another_encoding_and_one_of_a_newer_version_are_refused(postgres, database_url):
    with trio.fail_after(60), psycopg.connect(database_url, autocommit=True) as connection:
        name = database_url.rpartition("/")[2]
        connection.execute(
            f"CREATE DATABASE {name}_latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
        assert "LATIN1; make one with the encoding UTF8" in await reason(database_url + "_latin")
        async with open_store(config.load(database_url=database_url)):
            pass
        connection.execute("INSERT INTO voice_trio.migrations (version) VALUES (99)")
        assert "a newer voice_trio wrote what is there" in await reason(database_url)


async def test_servers_that_start_together_make_the_tables_once_and_sign_with_one_key(database_url):
    ids = []

    async def begin():
        async with open_postgres(database_url, connections=1, claim_ttl_s=5) as store:
            ids.append(await store.begin())

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(begin)
        async with open_postgres(database_url, connections=1, claim_ttl_s=5) as store:
            assert [await store.recall(one) for one in ids] == [[]] * 8
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT version FROM voice_trio.migrations").fetchall() == [(1,)]


async def test_who_may_not_make_a_schema_has_it_made(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS lodger")
        connection.execute(f"CREATE ROLE lodger LOGIN PASSWORD '{PASSWORD}'")
        lodger = database_url.replace("//voice:", "//lodger:")
        assert "InsufficientPrivilege" in await reason(lodger)
        connection.execute("CREATE SCHEMA voice_trio AUTHORIZATION lodger")
        async with open_store(config.load(database_url=lodger)) as store:
            name = await store.begin()
            await store.commit(record(name, 1))
            assert len(await store.recall(name)) == 1


async def test_what_is_remembered_nowhere_needs_no_database():
    with trio.fail_after(10):
        async with open_store(config.load(memory="off", database_url="postgresql://nowhere.invalid/x")) as store:
            with open_holds(config.load(memory="off"), store) as holds:
                assert holds is None


async def test_it_has_as_many_connections_as_it_is_told_and_one_for_the_heartbeat(database_url, monkeypatch):
    settings = config.load(database_url=database_url, database_connections=3, claim_ttl_s=2.5)
    made = []
    plain = NodeClaims.__init__

    def noted(self, *args, ttl_s):
        made.append(ttl_s)
        plain(self, *args, ttl_s=ttl_s)

    monkeypatch.setattr(NodeClaims, "__init__", noted)
    with trio.fail_after(30):
        async with open_store(settings) as store, trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(store.commit, record(f"c{number}", 1))
        async with open_store(settings) as store:
            async with trio.open_nursery() as nursery:
                for number in range(30):
                    nursery.start_soon(store.commit, record(f"c{number}", 2))
            with psycopg.connect(database_url) as connection:
                query = "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
                assert connection.execute(query).fetchall().count(("voice_trio",)) == 4
    assert made == [2.5, 2.5]


async def test_what_is_too_old_leaves_with_all_that_belongs_to_it(database_url):
    settings = config.load(database_url=database_url, memory_days=1)
    now = 10 * 86_400.0
    with trio.fail_after(30):
        async with open_store(config.load(database_url=database_url)) as store:
            for name, ended_at in (("old", now - 86_401), ("new", now)):
                await store.commit(record(name, 1, ended_at=ended_at))
        async with open_store(settings, lambda: now) as store:
            with psycopg.connect(database_url, autocommit=True) as connection:
                query = "SELECT conversation FROM voice_trio.records"
                while connection.execute(query).fetchall() != [("new",)]:  # noqa: ASYNC110 - nobody is told
                    await trio.sleep(0.01)


async def test_what_was_backed_up_is_there_again_under_the_same_ids(postgres, database_url, tmp_path):
    """As docs/operating.md says."""
    elsewhere, dump = postgres.new_database("restored"), str(tmp_path / "voice.dump")

    def tool(name, *words):
        subprocess.run([FOLDER / name, *words], check=True, capture_output=True, timeout=60)

    with trio.fail_after(120):
        async with open_store(config.load(database_url=database_url)) as store, open_conversations(store) as looking:
            name = await store.begin()
            await store.commit(record(name, 1))
            await looking.rename(name, "By name")
            assert isinstance(store, PostgresStore)
            assert await store.claims.hold(name)
            tool("pg_dump", "--schema=voice_trio", "--format=custom", f"--file={dump}", database_url)
        for _ in range(2):
            tool("pg_restore", "--clean", "--if-exists", f"--dbname={elsewhere}", dump)
            async with open_store(config.load(database_url=elsewhere)) as store, open_conversations(store) as looking:
                assert await store.recall(name) == [record(name, 1)]
                assert (await looking.page(Sought(limit=1))).conversations[0].title == "By name"


def command(database_url, *arguments, answer=""):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "voice_trio", *arguments],
        env={**os.environ, "STREAM_DATABASE_URL": database_url, "TZ": "UTC"},
        input=answer,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_commands_look_into_it_and_forget(database_url):
    async def remember():
        async with open_store(config.load(database_url=database_url)) as store:
            for name, turn in (("anna", 1), ("bert", 1), ("bert", 2), ("cora", 1)):
                await store.commit(record(name, turn, said="Green tea?", ended_at=60.0 * turn))

    assert command(database_url, "conversations") == (0, "Nothing is remembered in PostgreSQL.\n")
    trio.run(remember)
    code, said = command(database_url, "conversations", "--search", "tea")
    assert (code, said.splitlines()[0]) == (0, "1970-01-01 00:02    2 turns  Green tea?  [bert]")
    assert command(database_url, "forget", "bert") == (0, "Forgot 2 turns.\n")
    assert command(database_url, "forget", "bert") == (
        2,
        "voice-trio: No conversation bert is remembered in PostgreSQL.\n",
    )
    code, said = command(database_url, "forget", "--all", answer="y\n")
    assert code == 0
    assert "Forget 2 conversations, 2 turns in all?" in said
    assert said.endswith("Forgot 2 turns.\n")
    assert command(database_url, "conversations") == (0, "Nothing is remembered in PostgreSQL.\n")
    code, said = command(database_url + "x", "conversations")
    assert code == 2
    assert "no such user or database" in said
