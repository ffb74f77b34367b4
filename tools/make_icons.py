"""Draws the page's icons in static/ from icon.svg, in Chromium: ``python -m tools.make_icons``.

A browser that installs the page wants them as PNG. In the maskable one the ground goes to the edge, for a system that
cuts a shape of its own out of it; what is drawn lies within the four fifths that are left in any case.
"""

import re

from playwright.sync_api import sync_playwright

from voice_trio.installation import static_dir

CHROMIUM = "/usr/bin/chromium"


def main() -> None:
    """Draw all of them."""
    folder = static_dir()
    drawn = (folder / "icon.svg").read_text()
    square = re.sub(r' rx="18"', "", drawn)
    assert square != drawn, "icon.svg has no round corners any more"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, svg, size in [("icon-192", drawn, 192), ("icon-512", drawn, 512), ("icon-maskable-512", square, 512)]:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: 100vw }}</style>{svg}")
            page.screenshot(path=folder / f"{name}.png", omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
