"""The parts of the page's scripts that need no browser, under node's own test runner; and how they know each other."""

import re
import shutil
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.page.browser import CHROMIUM
from voice_trio.installation import static_dir

pytestmark = pytest.mark.real

HERE = Path(__file__).parent


def test_there_is_a_browser():
    if not CHROMIUM.exists():
        pytest.skip("the browser tests were left out: there is no Chromium (on Debian: apt-get install chromium)")


def test_the_parts_that_need_no_browser():
    node = shutil.which("node")
    if node is None:
        pytest.skip("the tests of the page's scripts were left out: there is no node (version 20.19 or later)")
    files = sorted(HERE.glob("*.test.js"))
    command = [node, "--test", "--test-timeout=120000", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=HERE)
    assert done.returncode == 0, done.stdout


def test_nothing_of_the_page_is_asked_for_at_the_root_of_its_host():
    """A proxy may serve it under any path."""
    files = [one for one in static_dir().rglob("*") if one.suffix in (".html", ".css", ".js")]
    files = [one for one in files if one.parent.name != "vendor"]
    assert len(files) > 30
    at_the_root = re.compile(r"""["'`(=]\s*/[a-z]""")
    assert [(one.name, line) for one in files for line in at_the_root.findall(one.read_text())] == []


def test_no_script_knows_who_uses_it():
    """A part tells what happened by events, so that what it imports, types included, never leads back to it."""
    files = list((static_dir() / "js").glob("*.js"))
    imports = {one.name: set(re.findall(r"""["']\./([\w-]+\.js)["']""", one.read_text())) for one in files}
    assert {"assistant.js", "client.js"} <= imports["main.js"] | imports["assistant.js"]
    TopologicalSorter(imports).prepare()
    long = [one.name for one in files if len(one.read_text().splitlines()) > 300]
    assert long == []


def test_what_the_first_paint_waits_for_is_asked_for_at_once():
    """By following its imports it would be found behind the sixty files that the page is made of besides."""
    page = (static_dir() / "index.html").read_text()
    waited_for, left = set(), ["theme.js"]
    while left:
        script = left.pop()
        waited_for.add(script)
        found = re.findall(r"""["']\./([\w-]+\.js)["'];""", (static_dir() / "js" / script).read_text())
        left.extend(set(found) - waited_for)
    assert {"choices.js"} < waited_for
    assert set(re.findall(r'rel="modulepreload" href="static/js/([\w-]+\.js)"', page)) | {"theme.js"} == waited_for


def test_the_page_stays_small_enough_to_be_read():
    """Without its comments, which say what each part is for."""
    lines = [line.strip() for one in (static_dir() / "js").glob("*.js") for line in one.read_text().splitlines()]
    assert 1000 < len([line for line in lines if line and not line.startswith(("//", "/*", "*"))]) < 4500
