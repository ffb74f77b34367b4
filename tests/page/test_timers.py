"""The strip of timers: what waits, how long, and no more once it was told or cancelled; also in a new session."""

import pytest

from tests.page.browser import visiting
from tests.page.server import serving
from tests.page.test_looks import check
from voice_trio.core import messages as m

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A server without a language model."""
    with serving(tmp_path_factory.mktemp("timers"), STREAM_LLM_ENGINE="none", STREAM_TTS_ENGINE="auto") as server:
        yield server


def write(page, text):
    page.fill("#text", text)
    page.keyboard.press("Enter")


def test_a_timer_counts_down_and_is_told(alone):
    with visiting(alone.url, viewport={"width": 360, "height": 740}) as visit:
        page = visit.page
        visit.phase("ready")
        assert page.is_hidden("#timers")
        write(page, "Set a timer for eight seconds.")
        page.wait_for_selector("#timers .timer")
        assert page.inner_text("#timers .name") == "Timer"
        check(page, "with a timer")
        box = page.locator("#timers .cancel").bounding_box()
        assert min(box["width"], box["height"]) >= 44
        shown = page.inner_text("#timers .left")
        page.wait_for_function("was => document.querySelector('#timers .left')?.textContent !== was", arg=shown)
        page.wait_for_selector("#timers", state="hidden", timeout=30_000)
        visit.over(2)
        told = page.locator(".turn").last
        assert told.locator(".assistant .words").inner_text().strip() == "Your eight-second timer is up."
        assert told.locator(".you").is_hidden()
        first = next(event for event in visit.all(m.StateChanged) if event.turn == 2)
        assert first.origin is m.Origin.TIMER
        assert any(chunk.turn == 2 for chunk in visit.all(m.TtsChunk))
        assert page.inner_text("#announcer") == "Assistant: Your eight-second timer is up."


def test_a_timer_is_cancelled_and_goes_on_in_a_new_session(alone):
    with visiting(alone.url) as visit:
        page = visit.page
        visit.phase("ready")
        write(page, "Set a pasta timer for ten minutes.")
        page.wait_for_selector("#timers .timer")
        visit.over()
        write(page, "Set an egg timer for five minutes.")
        page.wait_for_function("() => document.querySelectorAll('#timers .timer').length === 2")
        assert page.locator("#timers .name").all_inner_texts() == ["egg", "pasta"]
        visit.over(2)
        alone.kill()
        page.wait_for_selector("#connection:not([data-status=open])", state="attached")
        alone.start()
        page.wait_for_selector("#connection[data-status=open]", state="attached", timeout=60_000)
        page.wait_for_function("() => document.querySelectorAll('#timers .timer').length === 2", timeout=60_000)
        page.click("#timers .cancel[aria-label='Cancel: egg']")
        page.wait_for_function("() => document.querySelectorAll('#timers .timer').length === 1")
        assert page.inner_text("#timers .name") == "pasta"
        page.click("#timers .cancel")
        page.wait_for_selector("#timers", state="hidden")
