import logging

import pytest
import structlog
from hypothesis import settings

from voice_trio.engines.local_llm import finder

pytest_plugins = ("tests.postgres",)
"""With fixtures that tests of several folders use."""


def drop(logger, method, event):
    raise structlog.DropEvent


# Sessions log every turn; a failing test is easier to read without thousands of them. A test that wants the log takes
# it with `structlog.testing.capture_logs`, which puts itself in the place of the processors.
structlog.configure(processors=[drop])

# How long an example takes says more about the machine than about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True, scope="session")
def remember_elsewhere(tmp_path_factory):
    """No test writes into the memory of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAM_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True, scope="session")
def ask_no_language_model_of_this_machine():
    """No test talks with a language model that whoever runs it happens to have.

    Here there is nobody to be asked, whatever a test makes of the settings; and the processes that tests start are told
    to ask nobody.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finder, "SERVERS", ())
        patch.setenv("STREAM_LLM_ENGINE", "synthetic")
        yield


@pytest.fixture(autouse=True, scope="session")
def speak_with_the_voice_that_is_soon_ready():
    """The neural voice, which computes for a second and more before it is ready, speaks in tests that ask for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAM_TTS_ENGINE", "espeak")
        yield


@pytest.fixture(autouse=True)
def keep_the_log():
    """What a command that a test runs makes of the log is over with the test."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)
