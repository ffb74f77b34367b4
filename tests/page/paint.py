"""When the page is first seen, and what its style sheets cost by being many: ``python -m tests.page.paint [LOADS]``.

Each load is that of a browser that has nothing of the page, on loopback: from the server; and, in turns, from a plain
server of files with the style sheets as they are, and with all of them in the first.
"""

import re
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.page.browser import keeping_browsers, visiting
from tests.page.server import serving
from tests.page.test_installing import site

LINK = re.compile(r'<link rel="stylesheet" href="(static/[\w-]+\.css)">')
FIRST_PAINT_MS = """
() => new Promise((resolve) => new PerformanceObserver((list) => {
  for (const { name, startTime } of list.getEntries()) if (name === "first-contentful-paint") resolve(startTime);
}).observe({ type: "paint", buffered: true }))
"""


def join_sheets(folder: Path) -> int:
    """Put all style sheets of the page in ``folder`` into the first; return how many there were."""
    page = folder / "index.html"
    first, *others = LINK.findall(page.read_text())
    (folder / first).write_text("\n".join((folder / name).read_text() for name in (first, *others)))
    page.write_text(LINK.sub(lambda link: link[0] if link[1] == first else "", page.read_text()))
    return 1 + len(others)


def main(loads: int) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(keeping_browsers())
        server = stack.enter_context(serving(folder / "data", STREAM_LLM_ENGINE="none"))
        urls = {"server": server.url}
        for name in ("sheets", "sheet"):
            (folder / name).mkdir()
            urls[name], _ = stack.enter_context(site(folder / name))
        count = join_sheets(folder / "sheet")
        taken: dict[str, list[float]] = {name: [] for name in urls}
        for _ in range(loads + 1):
            for name, url in urls.items():
                with visiting(url) as visit:
                    taken[name].append(visit.page.evaluate(FIRST_PAINT_MS))
                    # Whatever still comes, so that no request is broken off.
                    visit.page.wait_for_load_state("networkidle")
        # The first load is that of a browser that has just started.
        ms = {name: median(times[1:]) for name, times in taken.items()}
    print(
        f"first contentful paint, median of {loads} loads: {ms['server']:.0f} ms, at most {max(taken['server']):.0f} ms"
    )
    print(f"from a server of files: {ms['sheets']:.0f} ms with {count} style sheets, {ms['sheet']:.0f} ms with one")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
