"""The page's files, and the worker that a browser keeps them with."""

import re

import pytest
import trio

from tests.server.serving import serving
from tests.server.test_engine_api import ask
from voice_trio.installation import static_dir
from voice_trio.server.shell import Shell

pytestmark = pytest.mark.real


async def test_the_worker_knows_each_file_and_a_browser_asks_for_it_anew():
    with trio.fail_after(60):
        async with serving() as running:
            status, headers, said = await ask(running, "GET", "/worker.js")
            assert (status, headers["content-type"]) == (200, "text/javascript; charset=utf-8")
            assert headers["cache-control"] == "no-cache"
            assert (await ask(running, "GET", "/worker.js", If_None_Match=headers["etag"]))[0] == 304
            files = re.findall(r'"([^"]+)"', re.search(rb"^const FILES = (.*);$", said, re.MULTILINE)[1].decode())
            assert set(files) == {
                one.relative_to(static_dir()).as_posix()
                for one in static_dir().rglob("*")
                if one.is_file() and one.name not in ("index.html", "worker.js")
            }
            for name in files:
                assert (await ask(running, "GET", f"/static/{name}"))[0] == 200
            assert (await ask(running, "GET", "/static/worker.js"))[0] == 404


def test_another_file_is_another_version(tmp_path):
    def version(**files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        return Shell(tmp_path).version

    first = version(index_html="x", worker_js="y", style_css="z")
    assert version() == first
    versions = {first, version(style_css="zz"), version(worker_js="yy"), version(index_html="xx"), version(new_js="")}
    assert len(versions) == 5
