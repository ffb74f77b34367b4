"""The command line as a person meets it: in a process of its own."""

import json
import os
import re
import signal
import sys
import wave
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from tests.commands import COMMAND, read_all, run, serve, talk_to
from voice_trio import sound_file
from voice_trio.cli import main
from voice_trio.cli.doctor import doctor
from voice_trio.cli.serve import serve as serve_command
from voice_trio.cli.talk_view import ConsoleView
from voice_trio.client import CannotConnect
from voice_trio.core import messages as m
from voice_trio.engines.moonshine import model as moonshine

pytestmark = pytest.mark.real

QUESTION = Path(__file__).parent.parent / "examples" / "question.wav"


def test_typed_talk_ends_with_latencies_and_a_recording(tmp_path):
    done = run("talk", "--text", "hi", "--save", "said.wav", cwd=tmp_path, STREAM_TTS_ENGINE="auto")
    assert done.returncode == 0, done.stderr
    assert "answer    You said: hi." in done.stdout
    assert "first audio" in done.stdout
    with wave.open(str(tmp_path / "said.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24000)
        assert file.getnframes() > 24000


def test_json_is_an_object_a_line(tmp_path):
    done = run("talk", "--text", "hi", "--json", cwd=tmp_path)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["type"] == "session"
    assert events[-2]["type"] == "done"
    assert events[-1] == {"type": "saved", "path": "reply.wav"}
    assert {"token", "tts_phrase", "tts_chunk", "tts_phrase_done", "state"} <= {event["type"] for event in events}


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
