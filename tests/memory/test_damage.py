"""Databases that are damaged, or are not ours: each is a sentence at the start, or in the turn that comes upon it."""

import sqlite3
from contextlib import closing

import pytest

from tests.memory.records import record
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode
from voice_trio.memory.base import CannotRemember, StoreError
from voice_trio.memory.conversation_rows import count
from voice_trio.memory.database import Database
from voice_trio.memory.sqlite import SqliteStore
from voice_trio.testing.conversation import conversation

pytestmark = pytest.mark.real

KEY = "the key in the database that signs the ids of conversations is "


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "memory.sqlite3"


def made(path):
    with closing(Database(path, busy_s=1.0)) as database:
        for turn in range(1, 40):
            database.add(record("c", turn, said="word " * 200))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("DELETE FROM issuer", KEY + "missing"),
        ("INSERT INTO issuer VALUES (randomblob(32))", KEY + "there more than once"),
        ("UPDATE issuer SET key = randomblob(31)", KEY + "damaged"),
        ("UPDATE issuer SET key = randomblob(64)", KEY + "damaged"),
        ("UPDATE issuer SET key = x''", KEY + "damaged"),
        ("UPDATE issuer SET key = 'a text of thirty-two characters.'", KEY + "damaged"),
        ("UPDATE issuer SET key = 5", KEY + "damaged"),
        ("UPDATE issuer SET key = 0.5", KEY + "damaged"),
        ("DROP TABLE issuer; CREATE TABLE issuer (key); INSERT INTO issuer VALUES (NULL)", KEY + "damaged"),
        ("DROP TABLE issuer", "no such table: issuer"),
        ("ALTER TABLE issuer RENAME COLUMN key TO kee", "no such column: key"),
        ("DROP TABLE records", "no such table: records"),
        ("ALTER TABLE records RENAME COLUMN said TO sad", "no such column: said"),
        ("DROP TABLE leaving", "no such table: leaving"),
        ("PRAGMA user_version = 99", "a newer voice_trio wrote what is there"),
        ("PRAGMA user_version = -1", "the database there is another program's"),
        ("PRAGMA user_version = 0", "the database there is another program's"),
    ],
)
def test_what_is_not_as_we_left_it_is_a_sentence(path, script, reason):
    made(path)
    with closing(sqlite3.connect(path)) as other:
        other.executescript(script)
    with pytest.raises(CannotRemember) as caught:
        Database(path, busy_s=1.0)
    assert str(caught.value).startswith(f"Conversations cannot be remembered in {path.parent}: {reason}")


def test_the_database_of_another_program_is_left_as_it_is(path):
    path.parent.mkdir(0o700)
    with closing(sqlite3.connect(path)) as other:
        other.executescript("CREATE TABLE recipes (title TEXT); INSERT INTO recipes VALUES ('soup')")
    with pytest.raises(CannotRemember, match="another program's"):
        Database(path, busy_s=1.0)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("recipes",)]


@pytest.mark.parametrize("content", [b"Dear diary, " * 1000, b"\0" * 8192, b"SQLite format 3\0"])
def test_what_is_no_database_is_a_sentence(path, content):
    path.parent.mkdir(0o700)
    path.write_bytes(content)
    with pytest.raises(CannotRemember, match=r"not a database|malformed"):
        Database(path, busy_s=1.0)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_database(path):
    path.parent.mkdir(0o700)
    path.touch(0o600)
    made(path)
    with closing(Database(path, busy_s=1.0)) as database:
        assert count(database) == (1, 39)


def test_one_of_the_first_schema_is_brought_up_to_date(path):
    made(path)
    with closing(sqlite3.connect(path)) as earlier:
        (key,) = earlier.execute("SELECT key FROM issuer").fetchone()
        earlier.executescript(
            "DROP TABLE leaving; PRAGMA user_version = 1; ALTER TABLE records DROP COLUMN calls;"
            "ALTER TABLE records DROP COLUMN origin;"
            "CREATE TABLE conversations (id TEXT PRIMARY KEY NOT NULL, begun_at REAL NOT NULL);"
            "INSERT INTO conversations VALUES ('c', 1.0)"
        )
    with closing(Database(path, busy_s=1.0)) as database:
        assert (database.key, database.new, count(database)) == (key, False, (1, 39))


def test_what_was_remembered_before_there_were_tools_goes_on(path):
    made(path)
    with closing(sqlite3.connect(path)) as earlier:
        earlier.executescript(
            "PRAGMA user_version = 2; ALTER TABLE records DROP COLUMN calls; ALTER TABLE leaving DROP COLUMN calls;"
            "ALTER TABLE records DROP COLUMN origin; ALTER TABLE leaving DROP COLUMN origin"
        )
    with closing(Database(path, busy_s=1.0)) as database:
        assert [one.calls for one in database.recall("c", 3)] == [(), (), ()]
        database.turn_out()
        assert database.carry_over(0.0, limit=100) == 0
        assert len(database.recall("c", 100)) == 39


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("said", "x'ff'"),
        ("reply", "x'00'"),
        ("heard", "'much'"),
        ("outcome", "'gone wrong'"),
        ("calls", "x'00'"),
        ("calls", "'[1]'"),
        ("calls", '\'[["a", "{}", "", "begun"]]\''),
        ("calls", "'[['"),
        ("origin", "'nowhere'"),
    ],
)
def test_a_damaged_turn_is_told_where_it_is_recalled(path, column, value):
    made(path)
    with closing(Database(path, busy_s=1.0)) as database:
        database.connection.execute(f"UPDATE records SET {column} = {value} WHERE turn = 7")
        with pytest.raises(StoreError, match=r"turn 7 of session .* is damaged"):
            database.recall("c", 100)
        assert len(database.recall("c", 20)) == 20


async def test_a_page_that_is_found_to_be_damaged_later_fails_the_turn_with_a_hint_and_no_other(path):
    made(path)
    with closing(Database(path, busy_s=1.0)) as whole:
        sound = SqliteStore(whole)
        name = await sound.begin()
        whole.connection.execute("UPDATE records SET conversation = ?", (name,))
    data = bytearray(path.read_bytes())
    leaves = [at for at in range(0, len(data), 4096) if b"word word" in data[at : at + 4096]]
    for at in leaves[2:-2]:
        data[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(data)
    store = SqliteStore(Database(path, busy_s=1.0))
    try:
        async with conversation(store=store) as talk:
            await talk.ask(m.Text(text="hello", conversation=name))
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable) == (ErrorCode.INTERNAL, True)
            assert error.message.startswith("The server's memory cannot be used (incident ")
            assert (await talk.wait_for(m.Done, turn=1)).remembered is False
            await talk.ask(m.Text(text="hello"))
            assert (await talk.wait_for(m.Done, turn=2)).remembered is True
    finally:
        await store.aclose()
