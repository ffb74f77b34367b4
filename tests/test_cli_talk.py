"""``voice-trio talk`` with files of all forms, and with servers by all of their addresses: in a process of its own."""

import json
import os
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from tests.commands import COMMAND, in_terminal
from tests.recordings import encoded, sine
from tests.server.serving import certified
from voice_trio import config
from voice_trio.client import CannotConnect, connect
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    scripted_engines,
    silent,
    voiced,
)

pytestmark = pytest.mark.real

FORMS = {
    "m4a": ("mp4", "aac", {}),
    "mp3": ("mp3", "libmp3lame", {}),
    "mp4": ("mp4", "aac", {"rate": 44_100, "layout": "stereo"}),
    "webm": ("webm", "libopus", {}),
    "wma": ("asf", "wmav2", {"rate": 44_100, "layout": "stereo", "options": {"b": "128000"}}),
    "opus": ("ogg", "libopus", {}),
    "flac": ("flac", "flac", {}),
}
"""Ending -> FFmpeg's writer and encoder."""


@asynccontextmanager
async def brief(settings):
    """Engines that hear many words, take their time for it, and say little."""
    recognizer = ScriptedRecognizer(words=[f"word{number}" for number in range(200)], settle_s=0.6)
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=["Fine."]) for _ in range(20)])
    yield scripted_engines(recognizer=recognizer, language_model=model)


async def talk(*arguments, cwd):
    """Return what it came to, the events that it printed, and what it complained of."""
    command = [*COMMAND, "talk", "--json", *map(str, arguments)]
    done = await trio.run_process(command, cwd=cwd, capture_stdout=True, capture_stderr=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def of(kind, events):
    return [event for event in events if event["type"] == kind]


def words_in(events):
    return [len(event["text"].split()) for event in of("final", events)]


@pytest.mark.parametrize("form", FORMS)
async def test_any_sound_file_is_asked(tmp_path, form):
    container, codec, options = FORMS[form]
    (tmp_path / f"question.{form}").write_bytes(encoded(container, codec, sine(1500), **options))
    with trio.fail_after(60):
        async with open_server(config.load(port=0), brief) as running:
            code, events, complaint = await talk(f"question.{form}", "--one", "--url", running.url, cwd=tmp_path)
    assert (code, complaint) == (0, "")
    (words,) = words_in(events)
    assert 4 <= words <= 6
    assert of("note", events) == []


async def test_opus_is_a_choice_and_the_reply_has_its_length(tmp_path):
    (tmp_path / "question.wav").write_bytes(wav_of(sine(1500), SAMPLE_RATE))
    lengths = []
    with trio.fail_after(60):
        async with open_server(config.load(port=0), brief) as running:
            for codec in ("pcm", "opus"):
                asked = ("question.wav", "--one", "--url", running.url, "--codec", codec)
                code, events, complaint = await talk(*asked, cwd=tmp_path)
                assert (code, complaint) == (0, "")
                lengths.append((tmp_path / "reply.wav").stat().st_size)
                assert [event["outcome"] for event in of("done", events)] == ["completed"]
    assert lengths[0] == lengths[1] > 1000


async def test_utterances_of_a_file_are_answered_one_after_the_other(tmp_path):
    # The third follows so soon that it is said while the second is being recognised.
    said = voiced(1500) + silent(2000) + voiced(600) + silent(900) + voiced(2100) + silent(2500)
    (tmp_path / "questions.wav").write_bytes(wav_of(said, SAMPLE_RATE))
    with trio.fail_after(60):
        async with open_server(config.load(port=0, endpointing="fixed", vad_silence_ms=700), brief) as running:
            code, events, complaint = await talk("questions.wav", "--url", running.url, cwd=tmp_path)
    assert (code, complaint) == (0, "")
    assert [event["outcome"] for event in of("done", events)] == ["completed"] * 3
    first, second, third = words_in(events)
    assert first > second
    assert third > second
    assert [event["path"] for event in of("saved", events)] == ["reply.wav", "reply-2.wav", "reply-3.wav"]
    assert len(list(tmp_path.glob("reply*.wav"))) == 3
    assert of("note", events) == [], "silence is nothing that was not used"


async def test_wavs_one_behind_the_other_are_all_asked(tmp_path):
    (tmp_path / "two.wav").write_bytes(2 * wav_of(voiced(900) + silent(1200), SAMPLE_RATE))
    with trio.fail_after(60):
        async with open_server(config.load(port=0), brief) as running:
            code, events, _ = await talk("two.wav", "--url", running.url, cwd=tmp_path)
    assert code == 0
    assert len(of("done", events)) == 2


async def test_a_file_as_one_utterance_and_what_is_beyond_the_longest(tmp_path):
    said = voiced(900) + silent(1200) + voiced(600)
    (tmp_path / "question.wav").write_bytes(wav_of(said, SAMPLE_RATE))
    with trio.fail_after(60):
        async with open_server(config.load(port=0, max_utterance_ms=2000), brief) as running:
            code, events, _ = await talk("question.wav", "--one", "--url", running.url, cwd=tmp_path)
    assert code == 0
    (note,) = of("note", events)
    assert note["message"].startswith("From 2.0 s on, question.wav was not used")
    assert len(of("done", events)) == 1


async def test_what_holds_no_words_is_said(tmp_path):
    @asynccontextmanager
    async def deaf(settings):
        yield scripted_engines(recognizer=ScriptedRecognizer(words=()))

    (tmp_path / "hum.wav").write_bytes(wav_of(voiced(900) + silent(900), SAMPLE_RATE))
    with trio.fail_after(60):
        async with open_server(config.load(port=0), deaf) as running:
            code, events, _ = await talk("hum.wav", "--url", running.url, cwd=tmp_path)
    assert code == 1
    assert of("note", events)[0]["message"].startswith("No words were heard in hum.wav from 0.0 to ")
    assert not list(tmp_path.glob("reply*.wav"))


@pytest.mark.parametrize("form", ["http://{}", "http://{}/", "http://{}/ws", "ws://{}", "ws://{}/ws", "ws://{}/ws/"])
async def test_a_server_is_found_by_any_address_of_it(tmp_path, form):
    with trio.fail_after(60):
        async with open_server(config.load(port=0), brief) as running:
            address = form.format(running.url.removeprefix("http://"))
            code, events, _ = await talk("--text", "hi", "--url", address, cwd=tmp_path)
    assert code == 0
    assert of("done", events)[0]["outcome"] == "completed"


async def test_the_address_of_a_server_with_tls_is_as_good_as_that_of_its_ws(tmp_path):
    signer, settings = certified(tmp_path)
    with trio.fail_after(60):
        async with open_server(config.load(port=0, **settings), brief) as running:
            assert running.url.startswith("https://")
            code, *_ = await talk("--text", "hi", "--url", running.url, "--cafile", signer, cwd=tmp_path)
    assert code == 0


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/ws"),
        ("/voice", "/voice/ws"),
        ("/voice/", "/voice/ws"),
        ("/voice/ws", "/voice/ws"),
        ("/news", "/news/ws"),
        ("/?key=a%20b", "/ws?key=a%20b"),
        ("/voice/#top", "/voice/ws"),
    ],
)
async def test_a_path_stands_before_that_of_ws(path, asked):
    """A server that hangs up when it has read what was asked for."""
    heard = []

    async def answer(stream):
        async with stream:
            heard.append((await stream.receive_some()).split(b"\r\n")[0].decode())

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            (listener,) = await nursery.start(partial(trio.serve_tcp, answer, 0, host="127.0.0.1"))
            port = listener.socket.getsockname()[1]
            with pytest.raises(CannotConnect):
                async with connect(f"http://127.0.0.1:{port}{path}"):
                    pass
            nursery.cancel_scope.cancel()
    assert heard == [f"GET {asked} HTTP/1.1"]


def test_what_its_own_server_logs_stands_behind_the_conversation(tmp_path):
    """One of its phrases fails, of which there is a line in the log."""
    shown = in_terminal(
        tmp_path,
        *("talk", "--text", "Tell me a story."),
        STREAM_ALLOW_FAULTS="1",
        STREAM_FAULTS="tts:error#1",
        STREAM_DATA_DIR=str(tmp_path),
    )
    lines = shown.replace("\r\n", "\n").rstrip("\n").split("\n")
    logged = [number for number, line in enumerate(lines) if line.startswith("{")]
    assert logged, shown
    assert logged == [*range(logged[0], len(lines))]
    assert any(line.startswith("done ") for line in lines[: logged[0]])


async def test_a_session_that_ends_in_the_middle_says_what_was_not_answered(tmp_path):
    (tmp_path / "question.wav").write_bytes(wav_of(voiced(8000), SAMPLE_RATE))
    with trio.fail_after(60):
        async with open_server(config.load(port=0, max_session_s=2.0), brief) as running:
            code, events, complaint = await talk("question.wav", "--url", running.url, cwd=tmp_path)
    assert (code, complaint) == (1, "")
    assert events[-1]["type"] == "closed"
    assert of("note", events)[-1]["message"] == "From 0.0 s on, question.wav was not answered."


async def test_what_the_terminal_is_set_up_for_goes_with_what_is_said(tmp_path):
    (tmp_path / "question.wav").write_bytes(wav_of(voiced(300), SAMPLE_RATE))
    recognizer = ScriptedRecognizer(words=["wort"] * 9, language_probability=0.0)

    @asynccontextmanager
    async def listening(settings):
        yield scripted_engines(recognizer=recognizer)

    with trio.fail_after(60):
        async with open_server(config.load(port=0), listening) as running:
            command = [*COMMAND, "talk", "question.wav", "--one", "--url", running.url]
            await trio.run_process(
                command, cwd=tmp_path, env={**os.environ, "LC_ALL": "de_CH.UTF-8"}, capture_stdout=True, check=False
            )
    assert recognizer.guided_to == ["de"]
