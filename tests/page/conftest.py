import pytest

from tests.page.browser import CHROMIUM, keeping_browsers, write_speech
from tests.page.server import ROOT, serving, thinking

NEED_A_BROWSER = [
    *("conversations", "engines", "fetching", "installing", "looks", "markdown", "newcomer", "recording"),
    *("resuming", "settings", "spoken_into", "stage", "stranger", "talking", "timers", "transcript", "trouble"),
    *("under_a_path", "webcodecs"),
]

# `test_scripts.py` says so, in one line.
collect_ignore = [] if CHROMIUM.exists() else [f"test_{name}.py" for name in NEED_A_BROWSER]


@pytest.fixture(autouse=True, scope="package")
def browsers():
    with keeping_browsers():
        yield


@pytest.fixture(scope="session")
def question(tmp_path_factory):
    """A recording for a microphone: somebody asks, and is silent."""
    speech = tmp_path_factory.mktemp("speech") / "question.wav"
    return write_speech(speech, 0.6, ROOT / "examples" / "question.wav", 30.0)


@pytest.fixture(scope="session")
def model():
    with thinking() as model:
        yield model


@pytest.fixture(scope="session")
def server(tmp_path_factory, model):
    data = tmp_path_factory.mktemp("page")
    environment = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none", "STREAM_TOOLS": "tests.page.own_tools"}
    with serving(data, STREAM_TTS_ENGINE="auto", **environment) as server:
        yield server
