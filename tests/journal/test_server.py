"""STREAM_RECORD_DIR and ``voice-trio replay``, with a real server, real engines and the real command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
import trio

from tools.latency import SILENCE
from voice_trio import config, sound_file
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.installation import clips_dir
from voice_trio.journal import entries as e
from voice_trio.journal.compare import first_difference
from voice_trio.journal.journal import WARNING
from voice_trio.journal.read import read_session_log
from voice_trio.journal.replay import replay
from voice_trio.server.run import open_server

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "question.wav"
TOLERANCE_S = 1.0
"""Room for a machine so busy with other tests that it stands still for a while."""


async def converse(folder):
    """Ask by voice, cut the answer off, type, and go away in the middle of an answer."""
    # The example is flite's, whose voices mean nothing to what weighs pauses.
    # On a machine that is busy with other tests the recognizer may be slower than speech.
    settings = config.load(
        port=0, asr_engine="pocketsphinx", record_dir=str(folder), endpointing="fixed", asr_timeout_s=60
    )
    async with open_server(settings) as running, connect(running.ws_url) as client:
        await client.ask(m.Start())
        await client.speak(sound_file.read(EXAMPLE) + SILENCE)
        chunks = 0
        while chunks < 18:
            chunks += isinstance(await client.hear(), m.TtsChunk)
        await client.ask(m.Cancel())
        await client.ask(m.Text(text="And tomorrow?"))
        await client.wait_for(m.TtsChunk, turn=2)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Return the file of a session with a real server."""
    folder = tmp_path_factory.mktemp("records") / "here"

    async def run():
        with trio.fail_after(150):
            await converse(folder)

    with structlog.testing.capture_logs() as lines:
        trio.run(run)
    assert (WARNING, str(folder)) in [(line["event"], line.get("folder")) for line in lines]
    (file,) = folder.iterdir()
    return file


def test_a_real_session_is_equal_in_its_replay(recorded):
    session_log = read_session_log(recorded)
    kinds = {entry.kind for entry in session_log.entries}
    assert {"audio", "command", "said", "chunk", "ask", "answer", "end"} <= kinds
    words = " ".join(
        answer.transcript.text for answer in session_log.entries if isinstance(answer, e.Answer) and answer.transcript
    )
    assert "weather" in words
    assert first_difference(session_log, replay(session_log, TOLERANCE_S), TOLERANCE_S) is None


def test_pauses_that_were_weighed_are_the_same_in_a_replay(tmp_path):
    async def person():
        settings = config.load(port=0, asr_engine="pocketsphinx", record_dir=str(tmp_path), memory="off")
        async with open_server(settings) as running, connect(running.ws_url) as client:
            assert (await client.wait_for(m.SessionOpened)).end_of_turn == "Smart Turn v3.2"
            await client.ask(m.Start())
            await client.speak(sound_file.read(clips_dir() / "something.flac") + SILENCE)
            await client.wait_for(m.Done)

    async def main():
        with trio.fail_after(90):
            await person()

    trio.run(main)
    session_log = read_session_log(next(tmp_path.iterdir()))
    judged = [answer.judged for answer in session_log.entries if isinstance(answer, e.Answer) and answer.judged]
    asked = [ask for ask in session_log.entries if isinstance(ask, e.Ask) and ask.of == "weigh"]
    assert 1 <= len(judged) <= len(asked)
    assert first_difference(session_log, replay(session_log, TOLERANCE_S), TOLERANCE_S) is None


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-P", "-m", "voice_trio", *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_says_equal_different_or_why_not(recorded, tmp_path):
    equal = run("replay", recorded, "--tolerance-ms", 1000)
    assert (equal.returncode, equal.stderr) == (0, "")
    assert "recognizer pocketsphinx, language model synthetic" in equal.stdout
    assert equal.stdout.endswith("\nequal\n")

    lines = recorded.read_text().splitlines()
    at = next(at for at, line in enumerate(lines) if '"type":"final"' in line)
    planted = json.loads(lines[at])
    planted["message"]["text"] = "\x1b[31mplanted"
    (tmp_path / "planted.jsonl").write_text("\n".join([*lines[:at], json.dumps(planted), *lines[at + 1 :], '{"kind":']))
    different = run("replay", tmp_path / "planted.jsonl", "--tolerance-ms", 1000, "--context", 3)
    assert (different.returncode, different.stderr) == (1, "")
    assert "Its last line was not written to the end" in different.stdout
    shown = different.stdout.partition("different after")[2].splitlines()
    assert shown[0].endswith("text is different")
    assert len(shown[2:-2]) == 3
    assert shown[-2].startswith("then ")
    assert "planted" in shown[-2]
    assert shown[-1].startswith("now ")
    assert '"type": "final"' in shown[-1]
    assert "planted" not in shown[-1]
    assert "\x1b" not in different.stdout

    (tmp_path / "notes.txt").write_text("not a session log\n")
    no = run("replay", tmp_path / "notes.txt")
    assert (no.returncode, no.stdout) == (2, "")
    assert (
        no.stderr
        == f"voice-trio: {tmp_path}/notes.txt cannot be replayed: it does not begin with the header of a session log.\n"
    )


def test_doctor_warns_of_session_logs(tmp_path):
    folder = tmp_path / "bugs"
    done = run("doctor", STREAM_PORT="0", STREAM_ASR_ENGINE="pocketsphinx", STREAM_RECORD_DIR=str(folder))
    assert f"ok   session log {WARNING} to {folder}" in done.stdout


def test_a_folder_that_cannot_be_made_keeps_the_server_from_starting(tmp_path):
    (tmp_path / "file").touch()
    done = run("serve", "--record-dir", tmp_path / "file" / "bugs", "--port", "0")
    assert done.returncode == 2
    assert f"voice-trio: Cannot record in {tmp_path}/file/bugs: that is a file, not a folder." in done.stderr
