"""Uploads of more than browsers record, and answers that are the sound alone."""

import json
import shlex
import shutil
import subprocess
import wave
from pathlib import Path

import pytest
import trio

from tests.recordings import recorded, sine
from tests.server.serving import dial, read_to_end, serving
from tests.server.uploading import WAV, head_of, post
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.testing.scripted import voiced

pytestmark = pytest.mark.real

ROOT = Path(__file__).parent.parent.parent


async def answer_to(running, data, accept):
    """Return the status, the headers and the body of the answer to a WAV."""
    stream = await dial(running)
    await stream.send_all(head_of(len(data), Accept=accept) + data)
    head, _, body = (await read_to_end(stream)).partition(b"\r\n\r\n")
    await stream.aclose()
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, body


@pytest.mark.parametrize(
    ("kind", "mimetype"),
    [
        ("mp3", "audio/mpeg"),
        ("flac", "audio/flac"),
        ("flac", "audio/x-flac"),
        ("mp4", "audio/x-m4a"),
        ("aac", "audio/aac"),
    ],
)
async def test_a_recording_of_a_usual_kind_is_answered(kind, mimetype):
    with trio.fail_after(60):
        async with serving() as running:
            status, _, answer = await post(running, recorded(kind, sine(1500)), mimetype)
            assert (status, answer["outcome"], answer["transcript"]) == (200, "completed", "what is the weather like")


@pytest.mark.parametrize("accept", ["audio/wav", "audio/x-wav", "audio/*", "audio/wav, application/json;q=0.5"])
async def test_who_accepts_sound_is_given_the_sound(accept, tmp_path):
    with trio.fail_after(60):
        async with serving() as running:
            status, headers, body = await answer_to(running, WAV, accept)
            _, _, told = await post(running, WAV, query=f"?conversation={headers['voice-trio-conversation']}")
    assert status == 200
    assert headers["content-type"] == ("audio/x-wav" if accept == "audio/x-wav" else "audio/wav")
    assert int(headers["content-length"]) == len(body)
    (tmp_path / "answer.wav").write_bytes(body)
    with wave.open(str(tmp_path / "answer.wav")) as file:
        assert file.getnframes() * 2 + 44 == len(body) > 100_000
    assert (told["outcome"], told["conversation"]) == ("completed", headers["voice-trio-conversation"])


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, audio/wav", "text/html", ""])
async def test_who_does_not_ask_for_sound_is_given_json(accept):
    with trio.fail_after(60):
        async with serving() as running:
            status, headers, body = await answer_to(running, WAV, accept)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["audio"]["wav"]


@pytest.mark.parametrize(
    ("data", "settings", "error"),
    [
        (wav_of(bytes(32_000), SAMPLE_RATE), {}, None),
        (WAV * 2, {"max_utterance_ms": 2000}, "MAX_DURATION_EXCEEDED"),
    ],
    ids=["nobody spoke", "too long"],
)
async def test_sound_that_is_none_or_not_all_is_told_from_an_answer(data, settings, error):
    with trio.fail_after(60):
        async with serving(**settings) as running:
            status, headers, body = await answer_to(running, data, "audio/wav")
    answer = json.loads(body)
    assert (status, headers["content-type"]) == (422, "application/json")
    assert [one["code"] for one in answer["errors"]] == ([error] if error else [])
    assert (answer["audio"] is None) is (error is None)


async def test_recordings_one_behind_the_other_are_heard_to_the_last():
    """Scripted engines hear a word in each 300 ms of voice."""
    pieces = [wav_of(voiced(300) + bytes(3200), SAMPLE_RATE) for _ in range(4)]
    with trio.fail_after(60):
        async with serving() as running:
            _, _, one = await post(running, pieces[0])
            status, _, all_of_them = await post(running, b"".join(pieces))
    assert status == 200
    assert len(all_of_them["transcript"].split()) >= 4 > len(one["transcript"].split())


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
async def test_what_the_readme_has_for_curl_is_so(tmp_path):
    text = (ROOT / "README.md").read_text().replace("\\\n", " ")
    commands = [line.strip() for line in text.splitlines() if line.startswith("    curl ")]
    assert len(commands) == 2
    with trio.fail_after(60):
        async with serving() as running:
            for command in commands:
                words = shlex.split(command.partition("|")[0].replace("http://127.0.0.1:8765", running.url))
                words = [word.replace("@", f"@{ROOT}/") for word in words]
                done = await trio.run_process(words, cwd=tmp_path, capture_stdout=True, stderr=subprocess.DEVNULL)
                if "--output" not in words:
                    assert "jq .reply" in command
                    assert json.loads(done.stdout)["reply"]
    with wave.open(str(tmp_path / "answer.wav")) as file:
        assert file.getnframes()
