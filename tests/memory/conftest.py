"""Where a test remembers: in this process, in a file, or in a PostgreSQL of its own."""

from itertools import count

import pytest

from tools.own_postgres import MISSING, own_postgres
from voice_trio import config

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
    return postgres.new_database(f"memory_{next(_numbers)}")


@pytest.fixture
def settings_of(request, tmp_path):
    """Return what returns the settings for a memory that is "on" (a file), "off", or "postgres"."""

    def settings_of(memory, **more):
        if memory != "postgres":
            return config.load(memory=memory, data_dir=str(tmp_path / "data"), **more)
        return config.load(database_url=request.getfixturevalue("database_url"), **more)

    return settings_of
