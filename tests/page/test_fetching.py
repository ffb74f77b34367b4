"""A better recognizer is fetched from the page, and takes over; and what the browser speaks is told."""

from typing import Any

import pytest

from tests.hub import serving_hub
from tests.page.browser import visiting
from tests.page.server import serving
from tests.page.test_engines import open_settings
from tests.page.test_looks import check

pytestmark = pytest.mark.real


@pytest.fixture
def hub():
    with serving_hub() as hub:
        yield hub


@pytest.fixture
def bare(tmp_path, hub):
    """A server that has nothing of Whisper, and can fetch it."""
    fetching = {"HF_HOME": str(tmp_path / "hub"), "HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1"}
    with serving(tmp_path, STREAM_ASR_ENGINE="auto", **fetching) as server:
        yield server


def test_what_is_better_is_fetched_with_progress_and_can_be_chosen_then(bare, hub):
    hub.go.clear()
    look: dict[str, Any] = {
        "viewport": {"width": 360, "height": 740},
        "color_scheme": "dark",
        "reduced_motion": "reduce",
    }
    with visiting(bare.url, **look) as visit:
        page = visit.page
        visit.phase("ready")
        assert "English only" in page.inner_text("#limits")
        open_settings(page)
        row = page.locator(".engine", has=page.locator("#engine-recognizer"))
        row.locator("summary").click()
        button = row.locator(".fetch button")
        assert button.inner_text() == "Fetch small-int8"
        check(page, "something to fetch")
        button.click()
        page.wait_for_selector(".fetch .far >> text=/ of 3 MB/", timeout=60_000)
        assert button.inner_text() == "Stop"
        assert row.locator("progress").evaluate("bar => bar.value / bar.max") < 1
        assert page.inner_text("#engines-status").startswith("Fetching Whisper")
        check(page, "fetching")
        button.click()
        page.wait_for_function("button => button.textContent === 'Fetch small-int8'", arg=button.element_handle())
        # The one that was stopped may take a moment to end.
        page.wait_for_function(
            "() => fetch('api/engines').then(one => one.text()).then(text => !text.includes('\"fetching\":true'))"
        )
        assert not row.locator("progress").is_visible()
        assert page.locator("#engines-trouble").is_hidden()
        hub.go.set()
        button.click()
        page.wait_for_selector("#engines-status >> text=Whisper is here.", timeout=60_000)
        assert page.evaluate("document.activeElement.id") == "engine-recognizer"
        assert not row.locator(".fetch").count()
        page.select_option("#engine-recognizer", "faster-whisper")
        page.wait_for_selector(".engine >> text=/^faster-whisper small-int8/", timeout=60_000)
        page.wait_for_selector("#engines[aria-busy=false]")
        assert "English only" not in page.inner_text("#limits")
        assert visit.trouble == []


def test_why_nothing_was_fetched_is_one_sentence(bare, hub):
    hub.status = 503
    with visiting(bare.url) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(page)
        row = page.locator(".engine", has=page.locator("#engine-recognizer"))
        row.locator("summary").click()
        row.locator(".fetch button").click()
        page.wait_for_selector("#engines-trouble:not([hidden])", timeout=60_000)
        assert page.inner_text("#engines-trouble").endswith("answered HTTP 503.")
        assert row.locator(".fetch button").inner_text() == "Fetch small-int8"


def test_what_the_browser_speaks_goes_with_what_is_said(server):
    with visiting(server.url, locale="de-CH") as visit:
        visit.phase("ready")
        visit.page.click("#talk")
        visit.phase("listening")
        visit.page.keyboard.press("Escape")
        (start,) = [message for message in visit.sent if message["type"] == "start"]
        assert start["locale"] == "de-CH"
