"""The command line as a person meets it: in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import wave
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import cast

import pytest
import trio

from voice_trio import sound_file
from voice_trio.cli import main
from voice_trio.cli.doctor import doctor
from voice_trio.cli.serve import serve as serve_command
from voice_trio.cli.talk import _take_turn
from voice_trio.cli.talk_view import ConsoleView
from voice_trio.client import CannotConnect, Client
from voice_trio.core import messages as m
from voice_trio.engines.moonshine import model as moonshine

pytestmark = pytest.mark.real

COMMAND = [sys.executable, "-P", "-m", "voice_trio"]
QUESTION = Path(__file__).parent.parent / "examples" / "question.wav"


def run(*arguments, cwd, **environment):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "STREAM_ASR_ENGINE": "pocketsphinx", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


async def banner(process):
    """Return what a server says until it has said where to talk."""
    said = ""
    while "Talk at" not in said or not said.endswith("\n"):
        data = await process.stdout.receive_some()
        assert data, await read_all(process.stderr)
        said += data.decode()
    return said


@asynccontextmanager
async def serve(tmp_path, command=COMMAND, stderr=subprocess.PIPE, **environment):
    """Run ``voice-trio serve`` on a free port; yields the process, what it printed, and its address."""
    settings = {"STREAM_ASR_ENGINE": "auto", "HF_HOME": str(tmp_path), "STREAM_DATA_DIR": str(tmp_path)}
    process = await trio.lowlevel.open_process(
        [*command, "serve", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, **settings, **environment},
        stdout=subprocess.PIPE,
        stderr=stderr,
    )
    async with process.stdout, process.stderr or nullcontext():
        try:
            said = await banner(process)
            yield process, said, said.partition("Talk at ")[2].split()[0]
        finally:
            if process.returncode is None:
                process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()


async def talk_to(url, tmp_path):
    """Have one turn with the server at ``url``."""
    address = f"ws{url.removeprefix('http')}/ws"
    command = [*COMMAND, "talk", "--text", "hi", "--url", address]
    talk = await trio.run_process(command, cwd=tmp_path, capture_stdout=True)
    assert b"done      completed" in talk.stdout


async def read_all(stream):
    return b"".join([data async for data in stream]).decode()


def test_typed_talk_ends_with_latencies_and_a_recording(tmp_path):
    done = run("talk", "--text", "hi", "--save", "said.wav", cwd=tmp_path, STREAM_TTS_ENGINE="auto")
    assert done.returncode == 0, done.stderr
    assert "answer    You said: hi." in done.stdout
    assert "first audio" in done.stdout
    with wave.open(str(tmp_path / "said.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24000)
        assert file.getnframes() > 24000


async def test_what_the_terminal_is_set_up_for_goes_with_what_is_said(monkeypatch):
    asked = []

    class Server:
        """Answers before anything was said."""

        async def ask(self, command):
            asked.append(command)

        async def speak(self, pcm):
            await trio.sleep_forever()

        async def hear(self):
            await trio.testing.wait_all_tasks_blocked()
            return m.Done(turn=1, outcome=m.Outcome.EMPTY, remembered=False, heard=0)

    monkeypatch.setenv("LC_ALL", "de_CH.UTF-8")
    with trio.fail_after(5):
        assert (
            await _take_turn(cast(Client, Server()), b"\0\0", ConsoleView(live=False), waits=False) is m.Outcome.EMPTY
        )
    assert asked == [m.Start(locale="de-CH")]


def test_json_is_an_object_a_line(tmp_path):
    done = run("talk", "--text", "hi", "--json", cwd=tmp_path)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["type"] == "session"
    assert events[-2]["type"] == "done"
    assert events[-1] == {"type": "saved", "path": "reply.wav"}
    assert {"token", "tts_phrase", "tts_chunk", "tts_phrase_done", "state"} <= {event["type"] for event in events}


def test_what_a_person_can_mend_is_one_sentence_and_two(tmp_path):
    (tmp_path / "notes.txt").write_text("not a recording")
    (tmp_path / "empty.wav").touch()
    sound_file.write(tmp_path / "no_sound.wav", b"", 16000)
    for arguments, says in [
        (["talk", "missing.wav"], "There is no file missing.wav."),
        (["talk", "notes.txt"], "notes.txt is not a recording that can be read"),
        (["talk", "empty.wav"], "empty.wav is not a recording that can be read"),
        (["talk", "no_sound.wav"], "no_sound.wav holds no sound."),
        (["talk", "--text", "x", "--url", "ws://127.0.0.1:1/ws"], "No server answers at ws://127.0.0.1:1/ws"),
        (["talk", "--text", "x", "--save", "nowhere/x.wav"], "cannot be written to nowhere/x.wav: there is no folder"),
        (["talk", "--text", "x", "--url", "hello"], "hello is no address of a server"),
        (["serve", "--port", "x"], "STREAM_PORT is 'x'; it takes a whole number from 0 to 65535."),
        (["serve", "--host", "203.0.113.1"], "Cannot listen on 203.0.113.1 port 8765"),
        (["serve", "--host", "no.such.invalid"], "Choose another address with STREAM_HOST and STREAM_PORT.\n"),
        (["models", "download", "huge-int8"], "Whisper model 'huge-int8' is unknown"),
        (["models", "download", "--engine", "nobody"], "There is no engine 'nobody' here that has models."),
        (["talk"], "Give either a RECORDING or --text."),
    ]:
        done = run(*arguments, cwd=tmp_path)
        assert done.returncode == 2, (arguments, done)
        assert says in done.stderr
        assert "Traceback" not in done.stderr
    assert (
        run("talk", "--text", "x", cwd=tmp_path, STREAM_ASR_ENGINE="faster-whisper", HF_HOME="nowhere").returncode == 2
    )


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (ExceptionGroup("", [CannotConnect("No server.")]), 2),
        (CannotConnect("No server."), 2),
        (BaseExceptionGroup("", [KeyboardInterrupt()]), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_the_exit_code_is_that_of_what_was_raised(monkeypatch, raised, code):
    def fail():
        raise raised

    monkeypatch.setattr(doctor, "callback", fail)
    monkeypatch.setattr(sys, "argv", ["voice-trio", "doctor"])
    # A group around it would be a traceback and 1: some versions of Python wrap what leaves `except*`.
    with pytest.raises(SystemExit) as leaving:
        main()
    assert leaving.value.code == code


def test_a_turn_without_latencies_ends_without_a_block_of_them(capsys):
    ConsoleView(live=False).show(m.Done(turn=1, outcome=m.Outcome.COMPLETED, remembered=False, heard=0))
    assert capsys.readouterr().out == "done      completed\n"


def test_doctor_finds_everything_in_order_and_what_is_not(tmp_path):
    well = run("doctor", cwd=tmp_path, STREAM_PORT="0", STREAM_TTS_ENGINE="auto")
    assert well.returncode == 0, well.stdout + well.stderr
    assert [line[:2] for line in well.stdout.splitlines()] == ["ok"] * 14
    address = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "STREAM_LLM_ENGINE": "openai"}
    ill = run("doctor", cwd=tmp_path, STREAM_PORT="0", STREAM_CERTFILE="x", **address)
    assert ill.returncode == 1
    assert [line.split()[1] for line in ill.stdout.splitlines() if line.startswith("BAD")] == ["tls", "model"]


@pytest.mark.skipif(moonshine.assets() is None, reason="there is no wheel with Moonshine's weights for this machine")
def test_a_question_is_heard_with_its_capitals_and_its_question_mark(tmp_path):
    done = run("talk", QUESTION, cwd=tmp_path, STREAM_ASR_ENGINE="moonshine", STREAM_ENDPOINTING="fixed")
    assert done.returncode == 0, done.stderr
    (heard,) = [line for line in done.stdout.splitlines() if line.startswith("heard ")]
    assert re.fullmatch(r"heard +What is the weather like in London.*\?", heard)


@pytest.mark.parametrize(
    ("number", "voice"), [(signal.SIGINT, "auto"), (signal.SIGTERM, "espeak"), (signal.SIGHUP, "espeak")]
)
async def test_serve_says_where_and_ends_cleanly(tmp_path, number, voice):
    with trio.fail_after(60):
        async with serve(tmp_path, STREAM_TTS_ENGINE=voice) as (process, said, url):
            assert re.search("recognizer      (moonshine tiny-en|pocketsphinx)\n", said)
            assert "voice-trio models download small-int8" in said
            assert "STREAM_LLM_ENGINE=auto takes a real one" in said
            await talk_to(url, tmp_path)
            process.send_signal(number)
            log = await read_all(process.stderr)
            assert await process.wait() == 0
    lines = [json.loads(line) for line in log.splitlines()]
    latency = next(line for line in lines if line["event"] == "latency")
    assert {"session_id", "turn", "t_first_partial_ms", "t_first_audio_ms", "total_reply_ms", "asr_rtf"} <= set(latency)
    assert "You said" not in log


@pytest.fixture
def pipe():
    """The two descriptors of a pipe, closed afterwards."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


async def test_a_log_that_nobody_reads_changes_nothing(tmp_path, pipe):
    """The pipe is full before the server writes its first line to it."""
    _, writing = pipe
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while os.write(writing, bytes(65536)):
            pass
    os.set_blocking(writing, True)
    with trio.fail_after(60):
        async with serve(tmp_path, stderr=writing) as (process, _, url):
            await talk_to(url, tmp_path)
            process.send_signal(signal.SIGUSR1)
            await talk_to(url, tmp_path)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0


async def test_a_log_whose_reader_is_gone_changes_nothing(tmp_path, pipe):
    reading, writing = pipe
    with trio.fail_after(60):
        async with serve(tmp_path, stderr=writing) as (process, _, url):
            os.dup2(writing, reading)
            await talk_to(url, tmp_path)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0


async def test_a_hang_up_means_nothing_where_it_was_ignored(tmp_path):
    with trio.fail_after(60):
        async with serve(tmp_path, ["nohup", *COMMAND]) as (process, _, url):
            process.send_signal(signal.SIGHUP)
            await talk_to(url, tmp_path)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0


def test_any_rate_and_any_number_of_channels_can_be_asked_with(tmp_path):
    import numpy as np
    import soundfile

    for rate, channels, subtype in [(8000, 1, "PCM_U8"), (44100, 2, "PCM_24"), (48000, 6, "FLOAT")]:
        path = tmp_path / f"{rate}.wav"
        tone = np.sin(np.arange(rate) * 440 * 2 * np.pi / rate) * 0.5
        soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate, subtype=subtype)
        samples = np.frombuffer(sound_file.read(path), "<i2")
        assert abs(len(samples) - 16000) <= 1
        spectrum = abs(np.fft.rfft(samples[:16000] * np.hanning(len(samples[:16000]))))
        assert spectrum.argmax() == pytest.approx(440, abs=1)
        assert abs(samples).max() == pytest.approx(16384, rel=0.05)


def test_the_example_is_where_the_readme_says():
    assert sound_file.read(QUESTION)


def test_serve_guards_its_memory_before_anything_else(monkeypatch):
    module, done = sys.modules[serve_command.callback.__module__], []

    def load(**options):
        done.append("loaded")
        raise ZeroDivisionError

    monkeypatch.setattr(module, "guard_memory", lambda: done.append("guarded"))
    monkeypatch.setattr(module.config, "load", load)
    with pytest.raises(ZeroDivisionError):
        serve_command.callback()
    assert done == ["guarded", "loaded"]
