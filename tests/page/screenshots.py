"""Takes the pictures in docs/screenshots, or in another folder: ``python -m tests.page.screenshots [FOLDER]``."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.page.browser import Visit, keeping_browsers, visiting, write_speech
from tests.page.server import ROOT, serving, thinking

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots"
KEPT = {
    *("rest-wide-light", "answering-wide-light", "answering-wide-dark", "latency-wide-light"),
    *("answering-narrow-dark", "stopped-narrow-light", "latency-narrow-dark", "settings-narrow-light"),
    *("engines-narrow-dark", "rest-narrow-dark", "answering-landscape-dark"),
}
REPLY = (
    "It will be **mild** in London today, about fourteen degrees. Rain is likely after nine in the evening.\n\n"
    "- In the park, a jacket will do.\n- If you are out late, take an umbrella."
)

TALKS = [
    ("How long do I boil an egg?", "Eight minutes."),
    ("What goes well with green tea?", "Rice cakes, or nothing at all."),
    ("Ideas for a rainy Sunday", "Bake bread."),
]


def ask(visit: Visit, text: str) -> None:
    """Type ``text``, and wait until the answer was heard."""
    visit.phase("ready")
    visit.page.fill("#text", text)
    visit.page.keyboard.press("Enter")
    visit.over()


def main() -> None:
    """Take all of them."""
    folder = Path(tempfile.mkdtemp())
    question = write_speech(folder / "question.wav", 0.4, ROOT / "examples" / "question.wav", 30.0)
    with (
        keeping_browsers(),
        thinking() as model,
        serving(folder, OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none") as server,
    ):
        model.reply = REPLY
        for name, width, height in [("wide", 1280, 800), ("narrow", 390, 844), ("landscape", 844, 390)]:
            for scheme in ["light", "dark"]:
                look: dict[str, Any] = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
                with visiting(server.url, question, **look) as visit:

                    def take(what: str, page: Page = visit.page, name: str = name, scheme: str = scheme) -> None:
                        if f"{what}-{name}-{scheme}" in KEPT:
                            page.screenshot(path=FOLDER / f"{what}-{name}-{scheme}.png")

                    visit.phase("ready")
                    take("rest")
                    visit.page.click("#talk")
                    visit.phase("answering")
                    visit.page.wait_for_selector(".now >> text=degrees")
                    take("answering")
                    visit.page.keyboard.press("Escape")
                    visit.page.wait_for_selector(".unheard")
                    take("stopped")
                    visit.page.click("#open-settings")
                    visit.switch("choose-timing")
                    visit.page.keyboard.press("Escape")
                    visit.page.click(".latency summary")
                    visit.page.evaluate("document.querySelector('#scroller').scrollTop = 1e6")
                    take("latency")
                    visit.page.click("#open-settings")
                    visit.page.wait_for_timeout(300)
                    take("settings")
                    visit.page.evaluate("document.querySelector('#engines').scrollIntoView()")
                    visit.page.click(".missing:not([hidden]) summary")
                    take("engines")
                    visit.page.keyboard.press("Escape")
        narrow: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
        with visiting(server.url, question, **narrow) as visit:
            visit.phase("ready")
            # Held, so that it still listens when the picture is taken.
            visit.page.hover("#talk")
            visit.page.mouse.down()
            visit.page.wait_for_selector(".you .words >> text=/London to-?day/")
            visit.page.screenshot(path=FOLDER / "listening-narrow-light.png")
        with visiting(server.url, **narrow, color_scheme="light") as visit:
            for text, reply in TALKS:
                model.reply = reply
                ask(visit, text)
                visit.page.click("#new")
            visit.page.click("#open-conversations")
            visit.page.wait_for_selector(f".drawer .title >> nth={len(TALKS) - 1}")
            visit.page.wait_for_timeout(400)
            visit.page.screenshot(path=FOLDER / "conversations-narrow-light.png")
        with visiting(server.url, **narrow, color_scheme="dark") as visit:
            model.calls = [("set_timer", '{"duration": "10 minutes", "name": "pasta"}')]
            model.reply = "Ten minutes for the pasta, from now on."
            ask(visit, "Set a pasta timer for ten minutes")
            visit.page.wait_for_selector("#timers .timer")
            visit.page.screenshot(path=FOLDER / "timer-narrow-dark.png")
        with visiting(server.url, **narrow) as visit:
            visit.phase("ready")
            server.kill()
            visit.page.wait_for_selector("#phase >> text=Reconnecting automatically")
            visit.page.fill("#text", "Are you there?")
            visit.page.keyboard.press("Enter")
            visit.page.screenshot(path=FOLDER / "lost-narrow-light.png")


if __name__ == "__main__":
    main()
