"""How the page looks: on small screens and large ones, by day and by night, and to those who do not see it."""

import json
from pathlib import Path

import pytest

from tests.page.browser import visiting

pytestmark = pytest.mark.real

AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES = ["light", "dark"]


def check(page, place):
    """Assert that nobody is kept out, as far as a program can tell, and that nothing sticks out on the right."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{place}: wider than the screen"
    if not AXE.exists():
        return
    if not page.evaluate("'axe' in window"):
        # As a string, since the page's own policy lets no other script in.
        page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    text = [(one["id"], one["impact"], [node["target"] for node in one["nodes"]]) for one in found]
    assert not text, f"{place}: {json.dumps(text, indent=1)}"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_every_state_of_the_page(server, model, width, scheme):
    model.reply = "It is wide and deep, and nobody has ever seen its end. It is full of fish, and of old ships."
    look = {"viewport": {"width": width, "height": 740}, "color_scheme": scheme, "reduced_motion": "reduce"}
    with visiting(server.url, **look) as visit:
        page = visit.page
        visit.phase("ready")
        check(page, "at rest")
        page.fill("#text", "Tell me about the sea")
        page.keyboard.press("Enter")
        page.wait_for_selector(".now")
        check(page, "answering")
        page.keyboard.press("Escape")
        page.wait_for_selector(".unheard")
        check(page, "cut off")
        page.click("#open-settings")
        page.wait_for_selector("dialog[open]")
        check(page, "settings")
        page.check("#choose-timing", force=True)
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="hidden")
        page.click(".unheard")
        page.click(".latency summary")
        check(page, "cut off, with all that there is to know")
        heard = page.locator(".assistant .said").first.inner_text().strip()
        assert page.inner_text("#announcer") == f"Assistant: {heard}"


def test_without_axe_the_test_says_so():
    if not AXE.exists():
        pytest.skip("the check of accessibility was left out: axe-core is not installed (npm ci)")


def test_choices_are_remembered_and_used(server, model):
    model.reply = "It is noon."
    with visiting(server.url) as visit:
        page = visit.page
        visit.phase("ready")
        page.click("#open-settings")
        page.select_option("#choose-voice", index=1)
        voice = page.input_value("#choose-voice")
        page.fill("#choose-speed", "1.5")
        page.keyboard.press("Escape")
        page.reload()
        visit.phase("ready")
        page.fill("#text", "What time is it?")
        page.keyboard.press("Enter")
        visit.over()
        asked = next(message for message in visit.sent if message["type"] == "text")
        assert (asked["voice"], asked["speed"]) == (voice, 1.5)
        with page.expect_download() as download:
            page.click("#download")
        assert download.value.path().read_text() == "You: What time is it?\nAssistant: It is noon.\n"
        page.click("#new")
        page.wait_for_selector("#welcome")
        visit.phase("ready")
        assert page.locator(".turn").count() == 0
        assert visit.trouble == []
