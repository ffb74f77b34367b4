import pytest

from tests.page.browser import CHROMIUM
from tests.page.server import serving, thinking

# `test_scripts.py` says so, in one line.
collect_ignore = (
    []
    if CHROMIUM.exists()
    else ["test_looks.py", "test_recording.py", "test_talking.py", "test_trouble.py", "test_under_a_path.py"]
)


@pytest.fixture(scope="session")
def model():
    with thinking() as model:
        yield model


@pytest.fixture(scope="session")
def server(tmp_path_factory, model):
    data = tmp_path_factory.mktemp("page")
    with serving(data, OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none") as server:
        yield server
