"""What the commands write can be read anywhere, and does nothing but be read."""

import ast
import json
import os
import re
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from hypothesis import given, strategies as st

import voice_trio.cli
from tests.commands import COMMAND, in_terminal
from voice_trio import config
from voice_trio.cli import output
from voice_trio.cli.talk_view import ConsoleView, JsonView
from voice_trio.core import messages as m
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

CLI = Path(voice_trio.cli.__file__).parent

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""But for line feeds, which end our own lines."""

ATTACKS = {
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "title": "\x1b]0;mine\x1b\\",
    "cursor": "\x1b[2J\x1b[H",
    "second set": "\x9b2J \x9d0;mine\x9c \x90q\x9c",
    "overwritten": "no\ryes\b\b\b",
    "reversed": "\u202egpj.exe\u2066\u2069",
    "new lines": "\u2028\u2029\x85\v\f",
    "bell, nul, del": "\a\0\x7f",
    "bytes": "caf\udce9 \ud83d",
}

LEFT = "Grüße – “yes”, 10\u202f% ❤\ufe0f 👩\u200d🚀 می\u200cخواهم \u200fعربی\tÄ"


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_nothing_is_obeyed(capfd, attack):
    output.say(attack)
    output.say(attack, err=True)
    output.say_on(attack)
    ConsoleView(live=False).show(m.Error(code=m.ErrorCode.INTERNAL, message=attack, recoverable=True))
    ConsoleView(live=True).show(m.Final(turn=1, text=attack, language="en"))
    out, err = capfd.readouterr()
    assert OBEYED.findall(out.replace("\rheard", "heard")) == []
    assert OBEYED.findall(err) == []
    assert err.count("\n") == 1


@given(st.text())
def test_a_line_is_one_line(text):
    assert not OBEYED.search(output.plain(text))
    assert "\n" not in output.plain(text)
    assert output.plain(output.plain(text)) == output.plain(text)


def test_what_a_terminal_only_shows_is_left():
    assert output.plain(LEFT) == LEFT


def test_a_reply_has_lines_but_cannot_look_like_ours(capfd):
    view = ConsoleView(live=False)
    for token in ("One\r", "\ndone      completed\n", "two"):
        view.show(m.Token(turn=1, text=token))
    assert capfd.readouterr().out == "answer    One\n          done      completed\n          two"


def test_somebody_who_goes_on_speaking_reads_each_word_once(capfd):
    view = ConsoleView(live=False)
    view.show(m.Final(turn=1, text="call my", language="en"))
    view.show(m.Reopened(turn=1, revision=1))
    view.show(m.Final(turn=1, text="call my mother", language="en"))
    view.show(m.Token(turn=1, text="I do."))
    assert capfd.readouterr().out == "heard     call my mother\nanswer    I do."
    view.show(m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=b"12"))
    view.show(m.Reopened(turn=1, revision=2))
    assert view.reply == b""
    view.show(m.Final(turn=1, text="call my mother back", language="en"))
    view.show(m.Token(turn=1, text="Now."))
    lines = capfd.readouterr().out.splitlines()
    assert lines == ["", lines[1], "heard     call my mother back", "answer    Now."]
    assert lines[1].startswith("note      You went on speaking.")


def test_on_a_terminal_the_line_of_what_was_heard_is_replaced(capfd):
    view = ConsoleView(live=True)
    view.show(m.Final(turn=1, text="call my", language="en"))
    view.show(m.Reopened(turn=1, revision=1))
    view.show(m.Partial(turn=1, keep=0, text="call my mother", stable=0))
    view.show(m.Final(turn=1, text="call my mother", language="en"))
    view.show(m.StateChanged(turn=1, state=m.State.THINKING))
    out = capfd.readouterr().out
    assert "\n" not in out
    assert out.rpartition("\r")[2] == "heard     call my mother"
    view.show(m.Token(turn=1, text="I do."))
    assert capfd.readouterr().out.rpartition("\r")[2] == "heard     call my mother\nanswer    I do."


def test_what_becomes_of_speech_into_an_answer_is_said(capfd):
    view = ConsoleView(live=False)
    view.show(m.Token(turn=1, text="One two"))
    view.show(m.Hold(turn=1, sample=900))
    view.show(m.Release(turn=1, sample=900))
    view.show(m.Token(turn=1, text=" three."))
    view.show(m.Done(turn=1, outcome=m.Outcome.INTERRUPTED, remembered=True, heard=3))
    assert capfd.readouterr().out.splitlines() == [
        "answer    One two",
        "paused    somebody speaks into the answer",
        "goes on   that was not meant for us",
        "answer     three.",
        "done      interrupted: somebody spoke into the answer",
    ]


def test_json_keeps_the_audio_of_the_reply_that_counts(capfd):
    view = JsonView()
    for pcm in (b"1234", None, b"56"):
        chunk = (
            m.Reopened(turn=1, revision=1)
            if pcm is None
            else m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=pcm)
        )
        view.show(chunk)
    assert view.reply == b"56"
    assert json.loads(capfd.readouterr().out.splitlines()[1]) == {"type": "reopened", "turn": 1, "revision": 1}


@pytest.mark.parametrize("attack", [*ATTACKS.values(), LEFT], ids=[*ATTACKS, "left"])
def test_json_is_in_ascii_and_says_the_same(capfd, attack):
    JsonView().show(m.Token(turn=1, text=attack))
    JsonView().closed(ValueError(attack))
    lines = capfd.readouterr().out.splitlines()
    assert all(re.fullmatch("[ -~]+", line) for line in lines)
    token, closed = map(json.loads, lines)
    assert closed["reason"] == attack
    assert token["text"] == attack


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda path: path.name)
def test_there_is_no_other_way_out(path):
    """Questions aside, which hold no text of others: every command writes by `output`."""
    if path.name == "output.py":
        return
    called = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = {ast.unparse(function) for function in called}
    assert names & {"print", "click.echo", "click.secho", "echo", "sys.stdout.write", "sys.stderr.write"} == set()


# --- in processes of their own ----------------------------------------------------------------------------------------

HOSTILE_REPLY = "".join(ATTACKS[name] for name in ATTACKS if name != "bytes") + LEFT


@asynccontextmanager
async def hostile(settings):
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=[HOSTILE_REPLY, " End."])])
    yield scripted_engines(language_model=model)


@pytest.mark.real
async def test_what_a_model_says_commands_no_terminal(tmp_path):
    with trio.fail_after(60):
        async with open_server(config.load(port=0), hostile) as running:
            shown = await trio.to_thread.run_sync(in_terminal, tmp_path, "talk", "--text", "x", "--url", running.ws_url)
    assert OBEYED.findall(shown.replace("\r\n", "\n")) == []
    assert r"\x1b]52;c;" in shown
    assert "End." in shown


@pytest.mark.real
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
async def test_an_output_without_the_letters_has_others(tmp_path, encoding):
    with trio.fail_after(60):
        async with open_server(config.load(port=0), hostile) as running:
            done = await trio.run_process(
                [*COMMAND, "talk", "--text", "x", "--url", running.ws_url],
                cwd=tmp_path,
                env={**os.environ, "PYTHONIOENCODING": encoding},
                capture_stdout=True,
                capture_stderr=True,
            )
    assert done.stderr == b""
    assert "done      completed" in done.stdout.decode(encoding)


def run(tmp_path, *arguments, redirect):
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirect}', "sh", *COMMAND, *arguments],
        cwd=tmp_path,
        env={**os.environ, "HF_HOME": str(tmp_path), "STREAM_DATA_DIR": str(tmp_path)},
        capture_output=True,
        timeout=60,
    )


FULL = b"voice-trio: standard output cannot be written: No space left on device.\n"


@pytest.mark.real
@pytest.mark.parametrize("arguments", [["models", "list"], ["serve", "--help"], ["--version"]])
def test_an_output_that_is_full_ends_a_command_in_a_sentence(tmp_path, arguments):
    full = run(tmp_path, *arguments, redirect=">/dev/full")
    assert (full.returncode, full.stderr) == (2, FULL)


@pytest.mark.real
def test_an_output_that_nobody_reads_is_no_fault(tmp_path):
    assert run(tmp_path, "models", "list", redirect=">&-").stderr == b""
    assert run(tmp_path, "models", "list", redirect=">&- <&- 2>&-").returncode == 0
    assert run(tmp_path, "models", "list", redirect="| true").stderr == b""


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["talk", b"caf\xe9\x1b[2J.wav"], rb"There is no file caf\udce9\x1b[2J.wav."),
        (["replay", b"caf\xe9\x1b[2J.jsonl"], rb"caf\udce9\x1b[2J.jsonl cannot be read"),
        (["forget", "--data-dir", b"caf\xe9", "x"], rb"No conversation x is remembered in"),
        (["talk", "--text", b"caf\xe9"], rb"Error: --text 'caf\udce9' holds bytes that are no UTF-8."),
        (["talk", "--text", "x", "--url", "ws://a..b/ws"], b"is no address of a server"),
        (["talk", "--text", "x", "--url", b"ws://\xe9\x1b/ws"], b"is no address of a server"),
        (["serve", "--host", b"\xe9"], b"--host: "),
    ],
)
def test_names_of_any_bytes_are_shown(tmp_path, arguments, says):
    locale = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, env={**os.environ, **locale}, capture_output=True, timeout=60
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert b"\x1b" not in done.stderr
    assert b"Traceback" not in done.stderr
