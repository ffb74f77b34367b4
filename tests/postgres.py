"""Fixtures of tests that remember in a PostgreSQL of their own."""

from itertools import count

import pytest

from tools.own_postgres import MISSING, own_postgres

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres():
    """One server for all tests of a process."""
    if MISSING:
        pytest.skip(MISSING)
    with own_postgres() as server:
        yield server


@pytest.fixture
def database_url(postgres):
    """Address of a database that nobody has used yet."""
    name = f"memory_{next(_numbers)}"
    yield postgres.new_database(name)
    # What lies there is looked through whenever the server is started anew.
    postgres.drop_database(name)
