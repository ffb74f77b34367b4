"""The snippets in docs/openai-realtime.md, as they stand there but for the port, with the real recognizer and voice."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from voice_trio import config
from voice_trio.engines.moonshine import model as moonshine
from voice_trio.server.run import open_server

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        moonshine.assets() is None, reason="there is no wheel with Moonshine's weights for this machine"
    ),
]

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "openai-realtime.md").read_text()
PLACE = "127.0.0.1:8765"


def snippets(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


async def test_a_spoken_question_is_heard_and_answered_aloud():
    said = await run([sys.executable, "-c"], snippets("python")[0])
    assert re.search(r"heard: What is the weather like in London today", said)
    assert "You said: What is the weather" in said
    assert re.search(r"\d\.\d+ seconds of sound: completed", said)


async def test_a_typed_one_is_answered_in_text():
    assert "You said: Is anybody there?" in await run([sys.executable, "-c"], snippets("python")[1])


async def test_the_agents_sdk_has_it_in_its_history():
    assert "You said: Is anybody there?" in await run([sys.executable, "-c"], snippets("python")[2])


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_one_for_a_shell_gets_a_key():
    [text] = snippets("sh")
    secret = json.loads(await run(["sh", "-ec"], text))
    assert secret["value"].startswith("ek_")
    assert secret["session"]["instructions"] == "Be kind."


async def run(command, text):
    """Return what a snippet prints, beside a server that listens where it asks."""
    assert PLACE in text
    with trio.fail_after(120):
        async with open_server(config.load(port=0, memory="off", asr_engine="moonshine")) as running:
            done = await trio.run_process(
                [*command, text.replace(PLACE, running.url.removeprefix("http://"))],
                env={
                    **os.environ,
                    "NO_PROXY": "127.0.0.1",
                    "no_proxy": "127.0.0.1",
                    "OPENAI_AGENTS_DISABLE_TRACING": "1",
                },
                capture_stdout=True,
                stderr=subprocess.STDOUT,
            )
    return done.stdout.decode()
