"""The snippets in docs/openai-realtime.md, as they stand there but for the port, with the real recognizer and voice."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trio
from playwright.sync_api import sync_playwright

from tests.page.browser import CHROMIUM
from tests.server.documented import HEARD_FOR_REAL, snippets
from tests.server.in_node import PACKAGES, need
from tests.server.serving import certified
from voice_trio import config
from voice_trio.server.run import open_server

pytestmark = HEARD_FOR_REAL

ROOT = Path(__file__).parents[2]
DOCUMENT = "openai-realtime.md"
PLACE = "127.0.0.1:8765"


async def test_a_spoken_question_is_heard_and_answered_aloud():
    said = await run([sys.executable, "-c"], snippets(DOCUMENT, "python")[0])
    assert re.search(r"heard: What is the weather like in London today", said)
    assert "You said: What is the weather" in said
    assert re.search(r"\d\.\d+ seconds of sound: completed", said)


async def test_a_typed_one_is_answered_in_text():
    assert "You said: Is anybody there?" in await run([sys.executable, "-c"], snippets(DOCUMENT, "python")[1])


async def test_the_agents_sdk_has_it_in_its_history():
    assert "You said: Is anybody there?" in await run([sys.executable, "-c"], snippets(DOCUMENT, "python")[2])


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_one_for_a_shell_gets_a_key():
    [text] = snippets(DOCUMENT, "sh")
    secret = json.loads(await run(["sh", "-ec"], text))
    assert secret["value"].startswith("ek_")
    assert secret["session"]["instructions"] == "Be kind."


async def test_openais_client_for_node_is_answered_over_tls(tmp_path):
    need("openai")
    authority, certificate = certified(tmp_path)
    trusting = {"NODE_EXTRA_CA_CERTS": str(authority)}
    said = await run(["node", "--input-type=module", "-e"], snippets(DOCUMENT, "js")[0], trusting, **certificate)
    assert said == "You said: Is anybody there?"


async def test_the_agents_sdk_for_node_is_answered():
    need("@openai/agents-realtime")
    said = await run(["node", "--input-type=module", "-e"], snippets(DOCUMENT, "js")[1])
    assert said == "You said: Is anybody there?\n"


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium (on Debian: apt-get install chromium)")
async def test_and_in_a_page(tmp_path):
    need("@openai/agents-realtime")
    [text] = snippets(DOCUMENT, "html")
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    with files(tmp_path) as origin:
        async with serving(allowed_origins=origin) as running:
            (tmp_path / "page.html").write_text(text.replace(PLACE, place(running)))
            said, console = await trio.to_thread.run_sync(visit, f"{origin}/page.html", abandon_on_cancel=True)
    assert said == "You said: Is anybody there?"
    assert any(line.endswith("seconds of sound") for line in console)


def visit(url):
    """Return what the page at ``url`` says once it says something else than at first, and what it logged."""
    console = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("console", lambda line: console.append(line.text))
        page.goto(url)
        page.wait_for_function("() => document.querySelector('p').textContent !== 'Nothing was said yet.'")
        return page.inner_text("p"), console


@contextmanager
def files(folder):
    """Serve ``folder`` over HTTP; yields the origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@asynccontextmanager
async def serving(**settings):
    """Serve with the real recognizer, and for no longer than a test may take."""
    with trio.fail_after(120):
        async with open_server(config.load(port=0, memory="off", asr_engine="moonshine", **settings)) as running:
            yield running


def place(running):
    return running.url.partition("//")[2]


async def run(command, text, env=None, **settings):
    """Return what a snippet prints, beside a server that listens where it asks."""
    assert PLACE in text
    async with serving(**settings) as running:
        done = await trio.run_process(
            [*command, text.replace(PLACE, place(running))],
            cwd=ROOT,
            env={
                **os.environ,
                "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
                "OPENAI_AGENTS_DISABLE_TRACING": "1",
                **(env or {}),
            },
            capture_stdout=True,
            stderr=subprocess.STDOUT,
        )
    return done.stdout.decode()
