"""One connection to PostgreSQL, for one thread at a time: the only module that knows the driver (psycopg).

Each wait for the server ends by a deadline, so a thread is never lost to a server that does not answer. What is told
of errors holds nothing of the address, and nothing of what was said: PostgreSQL's own words may repeat either.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import inf
from typing import Any, Final, cast

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumperUnknown, TextLoader

from voice_trio.memory.base import StoreBusy, StoreError, StoreFull
from voice_trio.memory.postgres import text
from voice_trio.memory.postgres.connection import BadAddress, Collided, Lost, Orphan, Unreachable
from voice_trio.memory.transactions import Execute, Parameters

_TICK_S: Final = 0.05
"""How often a wait looks at its deadline."""

_OPTIONS: Final[Mapping[str, str | int]] = {
    "application_name": "voice_trio",
    # The shortest that there is, in seconds.
    "connect_timeout": 2,
    # What connects us to it may forget an idle connection within minutes.
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""What the address need not say."""

_LASTING: Final = {
    "certificate": "no encrypted connection came about (sslmode, sslrootcert)",
    "does not support SSL": "it takes no encrypted connections, and sslmode asks for one",
    "no password supplied": "it wants a password, and the address has none",
    "authentication failed": "it does not take that user and password",
    "pg_hba.conf": "it lets nobody in from here that way (its pg_hba.conf says who)",
    "does not exist": "there is no such user or database",
}
_PASSING: Final = {
    "refused": "nothing listens there (is PostgreSQL running?)",
    "No such file": "nothing listens there (is PostgreSQL running?)",
    "timeout": "it did not answer in time",
    "resolve": "there is no host of that name",
    "translate host name": "there is no host of that name",
    "too many": "it has no connection left",
    "connection slots": "it has no connection left",
    "starting up": "it is starting up",
    "not yet accepting": "it is starting up",
    "recovery": "it is starting up",
    "shutting down": "it is shutting down",
    "closed the connection": "it broke off the connection",
    "SSL": "no encrypted connection came about (sslmode, sslrootcert)",
}
"""What stands in the driver's words -> what is told of it: what a person has to mend, and what may pass by itself."""


class _TooLate(Exception):
    """The deadline is over."""


class _Text(StrDumperUnknown):
    def dump(self, obj: str) -> Any:
        return super().dump(text.stored(obj))


class _Read(TextLoader):
    def load(self, data: Any) -> str:
        return text.read(cast(str, super().load(data)))


class _Bounded(psycopg.Connection[Any]):
    """Ends each wait at ``deadline``, seconds of `time.monotonic`."""

    deadline = inf

    def wait(self, gen: Generator[Any, Any, Any], *_: Any, **__: Any) -> Any:
        return super().wait(self._watched(gen), _TICK_S)

    def _watched(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        answer = None
        while True:
            try:
                asked = gen.send(answer)
            except StopIteration as over:
                return over.value
            answer = yield asked
            if not answer and time.monotonic() > self.deadline:
                raise _TooLate


class PsycopgConnection:
    """An open `Connection`."""

    def __init__(self, address: str) -> None:
        """Connect. Raises `BadAddress`, `Unreachable` and `StoreError`."""
        try:
            options = psycopg.conninfo.conninfo_to_dict(address)
        except psycopg.Error:
            # Its words repeat what it could not read, which may be a part of a password.
            raise BadAddress from None
        for name, usual in _OPTIONS.items():
            options.setdefault(name, usual)
        try:
            self._connection = _Bounded.connect(
                autocommit=True, prepare_threshold=None, **cast(dict[str, Any], options)
            )
        except psycopg.Error as error:
            if (lasting := _told_of(error, _LASTING)) is not None:
                raise StoreError(f"PostgreSQL cannot be used: {lasting}") from None
            raise Unreachable(_told_of(error, _PASSING) or f"{type(error).__name__}") from None
        self._connection.adapters.register_dumper(str, _Text)
        self._connection.adapters.register_loader("text", _Read)

    def within(self, deadline: float) -> None:
        """Have all that follows end by ``deadline``, seconds of `time.monotonic`."""
        self._connection.deadline = deadline

    def close(self) -> None:
        """Close it. Never waits, and may be done again."""
        with suppress(psycopg.Error):
            self._connection.close()

    @property
    def is_sound(self) -> bool:
        """Whether it is open, and in no transaction."""
        return not self._connection.closed and self._connection.info.transaction_status == TransactionStatus.IDLE

    @property
    def version(self) -> str:
        """The server's, such as 15.14."""
        return str(self._connection.info.parameter_status("server_version")).split()[0]

    @property
    def encoding(self) -> str:
        """The one in which the database keeps text."""
        return str(self._connection.info.parameter_status("server_encoding"))

    def read(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return the rows that ``query``, which changes nothing, finds; ``?`` stands for each parameter."""
        with self._telling(may_be_done=False):
            return self._execute(query, parameters).fetchall()

    def write(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Do ``query``, which changes something, as a transaction of its own, and return its rows."""
        with self._telling(may_be_done=True):
            cursor = self._execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self, *, stepwise: bool = False) -> Iterator[Execute]:
        """All of it happens, or nothing, as if no other one ran meanwhile.

        ``stepwise``, each step sees what others have done by then.
        """
        with self._telling(may_be_done=False):
            level = "READ COMMITTED" if stepwise else "SERIALIZABLE"
            self._execute(f"BEGIN ISOLATION LEVEL {level}; SET LOCAL search_path TO voice_trio")
            try:
                yield self._execute
            except BaseException:
                with suppress(psycopg.Error, _TooLate):
                    self._execute("ROLLBACK")
                raise
        with self._telling(may_be_done=True):
            self._execute("COMMIT")

    def _execute(self, query: str, parameters: Parameters = ()) -> psycopg.Cursor[Any]:
        # SQLite's marks, so that the queries which both know are written once.
        return self._connection.execute(cast(Any, query.replace("?", "%s")), parameters or None)

    @contextmanager
    def _telling(self, *, may_be_done: bool) -> Iterator[None]:
        """Make what the driver says one of ours."""
        try:
            yield
        except _TooLate:
            self.close()
            raise Lost(may_be_done=may_be_done) from None
        except (errors.SerializationFailure, errors.DeadlockDetected) as error:
            raise Collided from error
        except errors.ForeignKeyViolation:
            raise Orphan from None
        except errors.ReadOnlySqlTransaction:
            # What was the first server stands by for another one now.
            self.close()
            raise Lost(may_be_done=False) from None
        except psycopg.Error as error:
            if self._connection.closed:
                raise Lost(may_be_done=may_be_done) from None
            raise _told(error) from None


def _told(error: psycopg.Error) -> StoreError:
    kinds: Sequence[tuple[type[psycopg.Error], type[StoreError]]] = (
        (errors.DiskFull, StoreFull),
        (errors.QueryCanceled, StoreBusy),
        (errors.LockNotAvailable, StoreBusy),
        (errors.OutOfMemory, StoreBusy),
    )
    kind = next((ours for theirs, ours in kinds if isinstance(error, theirs)), StoreError)
    return kind(f"PostgreSQL cannot do that: {type(error).__name__} ({error.sqlstate or 'no code'})")


def _told_of(error: psycopg.Error, reasons: Mapping[str, str]) -> str | None:
    words = str(error)
    return next((told for part, told in reasons.items() if part in words), None)
