"""A PostgreSQL of the system's own, made anew in a folder: on 127.0.0.1 alone, and syncing what it commits.

It refuses to run as root, so root runs it as nobody.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tools.free_port import free_port

_FOLDERS = Path("/usr/lib/postgresql").glob("*/bin")
FOLDER = max(_FOLDERS, default=Path("/usr/bin"), key=lambda one: float(one.parent.name))
MISSING = None if (FOLDER / "initdb").exists() else "it is not installed (on Debian: apt-get install postgresql)"
"""Why there is none to be had; None where there is."""

_NOBODY = 65534
_USER = "voice"
_LIMIT_S = 60.0

PASSWORD = "nobody-is-to-be-told-of-this"
"""Of its user: in no message is it to be found."""


class OwnPostgres:
    """One that runs."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.port = free_port()

    def new_database(self, name: str) -> str:
        """Make a database, and return its address."""
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        return self._address(name)

    def drop_database(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))

    def make(self) -> None:
        """Make its files."""
        password = self._data.with_name("password")
        password.write_text(PASSWORD)
        self._do("initdb", "-D", self._data, "-U", _USER, "--pwfile", password, "-A", "scram-sha-256", "-E", "UTF8")
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n")

    def start(self) -> None:
        """Start it, and wait until it can be used."""
        self._do("pg_ctl", "-D", self._data, "-w", "-l", self._data.with_name("log"), "start")

    def stop(self) -> None:
        """End it as a power cut would."""
        self._do("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def restart(self) -> None:
        """End it as a power cut would, and start it again."""
        self.stop()
        self.start()

    @property
    def pid(self) -> int:
        """Of the process that all its others are children of."""
        return int((self._data / "postmaster.pid").read_text().splitlines()[0])

    def children(self) -> list[int]:
        """Return its other processes."""
        told = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in told.split()]

    def _address(self, database: str) -> str:
        return f"postgresql://{_USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def _do(self, command: str, *words: str | Path) -> None:
        as_nobody: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": ()} if os.geteuid() == 0 else {}
        done = subprocess.run(
            [FOLDER / command, *words],
            **as_nobody,
            cwd=self._data.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            timeout=_LIMIT_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command} failed: {done.stdout}")


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """Have one in a folder of its own, which nobody else may look into."""
    folder = Path(tempfile.mkdtemp(prefix="voice_trio_postgres_"))
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
    server = OwnPostgres(folder / "data")
    try:
        server.make()
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder)
