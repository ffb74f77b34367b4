"""What a person can mend: one sentence that names what was given as it was given, and exit code 2."""

import os
import socket

import pytest
import trio

from tests.commands import run, serve
from voice_trio import sound_file
from voice_trio.cli.misspelt import misspelt

pytestmark = pytest.mark.real


@pytest.fixture
def folder(tmp_path):
    """A folder with files that are no good for anything."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "notes.txt").write_text("neither a recording nor a certificate")
    sound_file.write(tmp_path / "no_sound.wav", b"", 16000)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["talk", "missing.wav"], "There is no file missing.wav."),
        (["talk", "folder"], "folder is a folder, and no sound file."),
        (["talk", "empty"], "empty is empty."),
        (
            ["talk", "notes.txt"],
            "notes.txt cannot be read as sound: this is no recording that is read here",
        ),
        (["talk", "no_sound.wav"], "no_sound.wav cannot be read as sound: the recording holds no sound."),
        (["talk", "/proc/self/mem"], "/proc/self/mem cannot be read: Input/output error."),
        (["talk", "--text", "x", "--url", "ws://127.0.0.1:1/ws"], "No server answers at ws://127.0.0.1:1/ws"),
        (["talk", "--text", "x", "--url", "http://127.0.0.1:1"], "No server answers at http://127.0.0.1:1"),
        (
            ["talk", "--text", "x", "--url", "hello"],
            "hello is no address of a server; one looks like http://127.0.0.1:8765",
        ),
        (
            ["talk", "--text", "x", "--url", "https://127.0.0.1:1", "--cafile", "empty"],
            "empty holds no certificate in PEM.",
        ),
        (["talk", "--text", "x", "--save", "nowhere/x.wav"], "cannot be written to nowhere/x.wav: there is no folder"),
        (["talk", "--text", ""], "--text has 0 characters"),
        (["talk", "--text", "x", "--one"], "--one is for a RECORDING."),
        (["talk"], "Give either a RECORDING, --text or --mic."),
        (["serve", "--port", "x"], "voice-trio: --port is 'x'; it takes a whole number from 0 to 65535.\n"),
        (["serve", "--host", "a..b"], "voice-trio: --host: 'a..b' names no host"),
        (["serve", "--asr-engine", "x"], "voice-trio: --asr-engine is 'x'; it takes one of"),
        (["serve", "--host", "203.0.113.1"], "Cannot listen on 203.0.113.1 port 8765 without a token"),
        (["serve", "--host", "no.such.invalid", "--port", "9"], "Choose another address with --host and --port.\n"),
        (["serve", "--host", "no.such.invalid"], "Choose another address with --host and STREAM_PORT.\n"),
        (
            ["serve", "--port", "0", "--data-dir", "empty"],
            "that is a file, not a folder. Choose another folder with --data-dir",
        ),
        (
            ["serve", "--port", "0", "--record-dir", "empty"],
            "that is a file, not a folder. Choose another folder with --record-dir",
        ),
        (
            ["serve", "--port", "0", "--certfile", "folder", "--keyfile", "empty"],
            "Cannot read what --certfile names: Is a directory.",
        ),
        (["serve", "--port", "0", "--mcp", "empty"], "voice-trio: --mcp: empty is empty.\n"),
        (["serve", "--port", "0", "--mcp", "folder"], "voice-trio: --mcp: folder is a folder, and no JSON file.\n"),
        (
            ["serve", "--port", "0", "--mcp", "notes.txt"],
            "voice-trio: --mcp: notes.txt is no JSON: see line 1, column 1.\n",
        ),
        (["replay", "folder"], "folder is a folder, and no session log."),
        (["replay", "empty"], "empty is empty."),
        (["models", "download", "huge-int8"], "Whisper model 'huge-int8' is unknown"),
        (["models", "download", "--engine", "nobody"], "There is no engine 'nobody' here that has models."),
    ],
)
def test_what_a_person_can_mend_is_one_sentence_and_two(folder, arguments, says):
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2, done
    assert says in done.stderr
    for strange in ("Traceback", "Errno", "Error(", "pydantic"):
        assert strange not in done.stderr
    # Each name once: what was given is not called by another name as well.
    assert not [name for name in arguments if name.startswith("--") and variable(name) in done.stderr]


def variable(option):
    return f"STREAM_{option.removeprefix('--').replace('-', '_').upper()}"


def test_a_setting_of_the_environment_is_named_so(folder):
    done = run("serve", cwd=folder, STREAM_PORT="x")
    assert done.stderr == "voice-trio: STREAM_PORT is 'x'; it takes a whole number from 0 to 65535.\n"


def test_a_model_that_is_not_here_is_told(folder):
    done = run("talk", "--text", "x", cwd=folder, STREAM_ASR_ENGINE="faster-whisper", HF_HOME="nowhere")
    assert done.returncode == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="who may read everything finds no file that cannot be read")
def test_a_file_that_may_not_be_read(folder):
    (folder / "notes.txt").chmod(0)
    assert "notes.txt cannot be read: Permission denied." in run("talk", "notes.txt", cwd=folder).stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("STREAM_PROT", "STREAM_PROT is no setting, and has no effect; perhaps STREAM_PORT is meant."),
        ("STREAM_ASR_ENGIN", "STREAM_ASR_ENGIN is no setting, and has no effect; perhaps STREAM_ASR_ENGINE is meant."),
        ("STREAM_WHATEVER", "STREAM_WHATEVER is no setting, and has no effect."),
        ("STREAM_PORT", None),
        ("STREAM_LLM", None),
        ("stream_port", None),
        ("OPENAI_API_KEY", None),
        ("STREAMING", None),
    ],
)
def test_a_variable_that_looks_like_a_setting(name, says):
    assert misspelt([name, "PATH"]) == ([] if says is None else [says])


def test_a_misspelt_variable_is_pointed_out_where_it_has_no_effect(folder):
    done = run("serve", "--port", "x", cwd=folder, STREAM_PROT="9999")
    assert done.stderr.splitlines() == [
        "voice-trio: STREAM_PROT is no setting, and has no effect; perhaps STREAM_PORT is meant.",
        "voice-trio: --port is 'x'; it takes a whole number from 0 to 65535.",
    ]


@pytest.mark.parametrize("tls", ["0", "1"])
async def test_doctor_knows_its_own_server(tmp_path, tls):
    with trio.fail_after(120):
        async with serve(tmp_path, STREAM_TTS_ENGINE="espeak", STREAM_TLS_SELF_SIGNED=tls) as (_, _, url):
            port = url.rpartition(":")[2]
            done = await trio.to_thread.run_sync(lambda: run("doctor", cwd=tmp_path, STREAM_PORT=port))
    (line,) = [line for line in done.stdout.splitlines() if line.split()[1] == "port"]
    assert line == f"ok   port        a voice_trio server runs at {url}, with 0 sessions"


async def test_doctor_knows_what_is_no_server_of_ours(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = await trio.to_thread.run_sync(lambda: run("doctor", cwd=tmp_path, STREAM_PORT=port))
    (line,) = [line for line in done.stdout.splitlines() if line.split()[1] == "port"]
    assert line.startswith(f"BAD  port        Cannot listen on 127.0.0.1 port {port}")


def test_models_are_listed_with_what_they_weigh_and_whose_they_are(tmp_path):
    lines = run("models", "list", cwd=tmp_path, HF_HOME="nowhere").stdout.splitlines()
    (small,) = [line.split() for line in lines if line.startswith("small ")]
    assert small == ["small", "484", "MB", "MIT", "not", "here:", "Systran/faster-whisper-small"]
    along = lines[lines.index("With packages come along:") + 1 :]
    assert {line.split()[-1] for line in along} >= {"faster-whisper"}
    assert all(" MB " in line for line in along)
