import pytest

from tests.page.browser import CHROMIUM
from tests.page.server import serving, thinking

NEED_A_BROWSER = ["engines", "looks", "recording", "spoken_into", "talking", "trouble", "under_a_path"]

# `test_scripts.py` says so, in one line.
collect_ignore = [] if CHROMIUM.exists() else [f"test_{name}.py" for name in NEED_A_BROWSER]


@pytest.fixture(scope="session")
def model():
    with thinking() as model:
        yield model


@pytest.fixture(scope="session")
def server(tmp_path_factory, model):
    data = tmp_path_factory.mktemp("page")
    with serving(data, OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none") as server:
        yield server
