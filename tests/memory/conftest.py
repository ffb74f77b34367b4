"""Where a test remembers: in this process, in a file, or in a PostgreSQL of its own."""

import pytest

from voice_trio import config


@pytest.fixture
def settings_of(request, tmp_path):
    """Return what returns the settings for a memory that is "on" (a file), "off", or "postgres"."""

    def settings_of(memory, **more):
        if memory != "postgres":
            return config.load(memory=memory, data_dir=str(tmp_path / "data"), **more)
        return config.load(database_url=request.getfixturevalue("database_url"), **more)

    return settings_of
