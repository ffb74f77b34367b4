"""Somebody else's engines: a wheel that was made outside the package, installed beside ours and chosen by settings."""

import os
import re
import subprocess
import sys
from array import array
from pathlib import Path

import pytest
import trio

from tests.commands import COMMAND, banner, read_all
from tests.plugged.morse import CODES
from tools.latency import SILENCE
from voice_trio import sound_file
from voice_trio.client import connect
from voice_trio.core import messages as m

pytestmark = pytest.mark.real

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "tests" / "plugged"

DOT_MS = 4
CHOSEN = {
    "STREAM_ASR_ENGINE": "sounds",
    "STREAM_TTS_ENGINE": "morse",
    "STREAM_LLM_ENGINE": "synthetic",
    "STREAM_MORSE_DOT_MS": str(DOT_MS),
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the built wheel's content and metadata."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", wheels, PROJECT]
    subprocess.run(build, check=True, capture_output=True)
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", folder]
    subprocess.run([*install, *wheels.glob("*.whl")], check=True, capture_output=True)
    return folder


def environment(installed, home, **chosen):
    here = {"PYTHONPATH": str(installed), "HF_HOME": str(home), "STREAM_DATA_DIR": str(home), "STREAM_PORT": "0"}
    return {**os.environ, **here, **chosen}


def run(*arguments, env, cwd):
    return subprocess.run([*COMMAND, *arguments], env=env, cwd=cwd, capture_output=True, text=True, timeout=120)


def read_morse(pcm, dot):
    """Return the text in ``pcm``, of dots of so many samples."""
    samples = array("h", bytes(pcm))
    on = [max(map(abs, samples[at : at + dot])) > 3000 for at in range(0, len(samples) - dot + 1, dot)]
    line = "".join("-" if one else " " for one in on)
    letters = {code: char for char, code in CODES.items()}
    words = re.split(r" {5,}", line.strip())
    return " ".join(
        "".join(
            letters[re.sub("-+", lambda run: "." if len(run[0]) == 1 else "-", letter).replace(" ", "")]
            for letter in re.split(r" {3,4}", word)
        )
        for word in words
    )


async def test_they_hold_a_conversation(installed, tmp_path):
    with trio.fail_after(120):
        process = await trio.lowlevel.open_process(
            [*COMMAND, "serve"],
            cwd=tmp_path,
            env=environment(installed, tmp_path, **CHOSEN),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            said = await banner(process)
            assert "recognizer      sounds" in said
            assert "voice           morse" in said
            events, reply = await converse(said.partition("Talk at ")[2].split()[0])
            process.terminate()
            log = await read_all(process.stderr)
            assert await process.wait() == 0
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
            await process.stdout.aclose()
            await process.stderr.aclose()
    assert "cannot be used" not in log
    assert not any(isinstance(event, m.Info) and event.code is m.InfoCode.ASR_FALLBACK for event in events)
    final = next(event.text for event in events if isinstance(event, m.Final))
    assert re.fullmatch(r"[1-9]\d* sounds", final)
    assert events[-1].outcome is m.Outcome.COMPLETED
    assert events[-1].heard == sum(len(event.text) for event in events if isinstance(event, m.Token))
    heard = read_morse(reply, 16 * DOT_MS)
    assert heard.startswith(f"you said {final}.")


async def converse(url):
    events: list[m.Event] = []
    reply = bytearray()
    async with connect(f"ws{url.removeprefix('http')}/ws") as client:
        await client.ask(m.Start())
        await client.speak(sound_file.read(ROOT / "examples" / "question.wav") + SILENCE, real_time=False)
        while not events or not isinstance(events[-1], m.Done):
            events.append(await client.hear())
            if isinstance(events[-1], m.TtsChunk):
                reply += events[-1].pcm
    return events, reply


def test_doctor_lists_them(installed, tmp_path):
    used = run("doctor", env=environment(installed, tmp_path, **CHOSEN), cwd=tmp_path)
    assert used.returncode == 0, used.stdout
    assert "ok   recognizer  sounds works\n" in used.stdout
    assert "ok   voice       morse works" in used.stdout
    assert "ok   engine      recognizer sounds of voice-morse 1.0 is used\n" in used.stdout
    assert "ok   engine      synthesizer morse of voice-morse 1.0 is used\n" in used.stdout
    assert "STREAM_MORSE_DOT_MS  length of a dot in Morse code, in ms\n" in used.stdout
    assert "STREAM_MAX_UTTERANCE_MS" not in used.stdout


def test_they_are_used_by_nobody_who_did_not_ask(installed, tmp_path):
    done = run("doctor", env=environment(installed, tmp_path, STREAM_TTS_ENGINE="auto"), cwd=tmp_path)
    assert re.search("ok   recognizer  (moonshine tiny-en|pocketsphinx) works", done.stdout)
    assert "recognizer sounds of voice-morse 1.0 can be used: STREAM_ASR_ENGINE=sounds\n" in done.stdout


def test_help_names_them_and_their_settings(installed, tmp_path):
    said = " ".join(run("serve", "--help", env=environment(installed, tmp_path), cwd=tmp_path).stdout.split())
    assert "--asr-engine auto|faster-whisper|moonshine|remote|pocketsphinx|sounds" in said
    assert "STREAM_MORSE_DOT_MS length of a dot in Morse code, in ms [morse; default 60]" in said


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("STREAM_MORSE_DOT_MS", "0", "STREAM_MORSE_DOT_MS is '0'; it takes a whole number from 1 to 500."),
        (
            "STREAM_TTS_ENGINE",
            "parrot",
            "STREAM_TTS_ENGINE is 'parrot'; it takes one of auto, remote, hibari, espeak, morse.",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence(installed, tmp_path, variable, value, says):
    env = environment(installed, tmp_path, **{**CHOSEN, variable: value})
    done = run("serve", env=env, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"voice-trio: {says}\n"
