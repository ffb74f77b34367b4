"""The snippets in docs/openai-audio.md, as they stand there but for the port."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.server.documented import HEARD_FOR_REAL, snippets
from voice_trio import config
from voice_trio.server.run import open_server

pytestmark = HEARD_FOR_REAL

ROOT = Path(__file__).parents[2]
DOCUMENT = "openai-audio.md"
ADDRESS = "http://127.0.0.1:8765"


@pytest.mark.parametrize("number", [0, 1])
async def test_each_in_python_hears_the_question(number, tmp_path):
    said = await run(tmp_path, lambda text: [sys.executable, "-c", text], snippets(DOCUMENT, "python")[number])
    assert "weather like in London" in said
    if number == 0:
        assert (tmp_path / "said.mp3").stat().st_size > 10_000
    else:
        assert said.index("transcript.text.delta") < said.index("transcript.text.done")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_one_for_a_shell_hears_and_speaks(tmp_path):
    [text] = snippets(DOCUMENT, "sh")
    assert "transcript.text.done" in await run(tmp_path, lambda text: ["sh", "-ec", text], text)
    assert (tmp_path / "said.wav").read_bytes()[:4] == b"RIFF"
    assert (tmp_path / "said.wav").stat().st_size > 10_000


async def run(folder, command, text):
    """Return what a snippet prints that runs in ``folder``, beside a server that listens where it asks."""
    assert ADDRESS in text
    (folder / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "question.wav", folder / "examples")
    with trio.fail_after(120):
        async with open_server(config.load(port=0, memory="off", asr_engine="moonshine")) as running:
            done = await trio.run_process(
                command(text.replace(ADDRESS, running.url)),
                cwd=folder,
                env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
                capture_stdout=True,
                stderr=subprocess.STDOUT,
            )
    return done.stdout.decode()
