"""``voice-trio top``, as an operator reads it."""

import json
import re
import subprocess
import sys

import pytest
import trio

from tests.server.serving import serving
from voice_trio.cli.top import _bar
from voice_trio.client import connect
from voice_trio.core import messages as m

pytestmark = pytest.mark.real

TOKEN = "a token of some length"


async def top(*args, token=None):
    environ = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **({"STREAM_AUTH_TOKEN": token} if token else {})}
    done = await trio.run_process(
        [sys.executable, "-m", "voice_trio", "top", *args],
        env=environ,
        check=False,
        capture_stdout=True,
        capture_stderr=True,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def test_it_shows_what_is_open_and_where_the_time_went():
    with trio.fail_after(120):
        async with serving(auth_token=TOKEN) as running, connect(running.ws_url, token=TOKEN) as client:
            assert "none yet" in (await top(running.url, token=TOKEN))[1]
            for turn in (1, 2):
                await client.ask(m.Text(text="What is the secret?"))
                await client.wait_for(m.TtsChunk, turn=turn)
                if turn == 1:
                    await client.ask(m.Cancel())
                    await client.wait_for(m.Done)
            code, shown, _ = await top(running.ws_url, "--tasks", token=TOKEN)
            told = json.loads((await top(running.url, "--json", token=TOKEN))[1])
    assert code == 0
    assert re.search(r"^open .*\n +\S{16} +2  RESPONDING +\d+\.\d s  .*player", shown, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d \S{16} +1  cancelled +-  +\d\.\d\d", shown, re.MULTILINE)
    assert "voice_trio.session.session.Session._read" in shown
    assert "secret" not in shown
    assert [one["turn"] for one in told["open"] + told["latest"]] == [2, 1]


async def test_what_is_wrong_is_one_sentence():
    with trio.fail_after(120):
        async with serving(auth_token=TOKEN) as running:
            code, _, said = await top(running.url)
            assert (code, said) == (2, f"voice-trio: {running.url} wants a token: set STREAM_AUTH_TOKEN to it.\n")
        for url in (running.url, "no address", "http://[", "ftp://127.0.0.1"):
            code, shown, said = await top(url)
            assert (code, shown, said.count("\n")) == (2, "", 1), said


def test_a_bar_is_as_long_as_its_turn_and_in_order():
    turn = {"t_final_transcript_ms": 500, "t_first_token_ms": 600, "t_first_audio_ms": 750, "total_reply_ms": 1000}
    assert _bar(turn, 1000) == "." * 20 + "=" * 4 + "#" * 6 + "-" * 10
    typed = {**turn, "t_final_transcript_ms": None, "total_reply_ms": None}
    assert _bar(typed, 3000) == "=" * 8 + "#" * 2


def test_its_help_says_what_it_is_for():
    done = subprocess.run(
        [sys.executable, "-m", "voice_trio", "top", "--help"], check=True, capture_output=True, text=True, timeout=60
    )
    assert "Watch the server at URL" in done.stdout
