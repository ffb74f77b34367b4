from pathlib import Path

import pytest

from voice_trio.engines.whisper import packages


@pytest.fixture(scope="session")
def base_model(tmp_path_factory) -> Path:
    """The folder of OpenAI's Whisper base, put together from its packages."""
    return packages.assemble(tmp_path_factory.mktemp("base"))
