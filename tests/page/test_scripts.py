"""The pure parts of the page's scripts, under node's own test runner."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.page.browser import CHROMIUM
from voice_trio.assets import static_dir

pytestmark = pytest.mark.real

HERE = Path(__file__).parent


def test_there_is_a_browser():
    if not CHROMIUM.exists():
        pytest.skip("the browser tests were left out: there is no Chromium (on Debian: apt-get install chromium)")


def test_the_pure_parts_of_the_scripts():
    node = shutil.which("node")
    if node is None:
        pytest.skip("the tests of the page's scripts were left out: there is no node (version 20.19 or later)")
    files = sorted(HERE.glob("*.test.js"))
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, timeout=60, cwd=HERE)
    assert done.returncode == 0, done.stdout


def test_nothing_of_the_page_is_asked_for_at_the_root_of_its_host():
    """A proxy may serve it under any path."""
    files = [one for one in static_dir().rglob("*") if one.suffix in (".html", ".css", ".js")]
    assert len(files) > 30
    at_the_root = re.compile(r"""["'`(=]\s*/[a-z]""")
    assert [(one.name, line) for one in files for line in at_the_root.findall(one.read_text())] == []
