"""Fixtures of tests that remember in a PostgreSQL of their own; without one, a line says that they were left out."""

from itertools import count

import pytest

from tools.own_postgres import MISSING, own_postgres

_numbers = count(1)


def pytest_collection_modifyitems(config, items):
    if MISSING:
        left_out = [item for item in items if _wants_postgres(item)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter):
    if MISSING:
        terminalreporter.write_line(f"The tests of memory in PostgreSQL were left out: {MISSING}.")


def _wants_postgres(item):
    params = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return "postgres" in getattr(item, "fixturenames", ()) or "postgres" in params


@pytest.fixture(scope="session")
def postgres():
    """One server for all tests of a process."""
    with own_postgres() as server:
        yield server


@pytest.fixture
def database_url(postgres):
    """Address of a database that nobody has used yet."""
    name = f"memory_{next(_numbers)}"
    yield postgres.new_database(name)
    # What lies there is looked through whenever the server is started anew.
    postgres.drop_database(name)
