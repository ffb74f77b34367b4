"""The same over real sockets, with real recordings, and with what is none."""

import base64
import io
import json
import random
import wave
from pathlib import Path

import numpy as np
import pytest
import trio

from tests.recordings import BROWSERS, recorded, sine
from tests.server.serving import dial, eventually, get, read_to_end, serving, until_none
from tests.server.uploading import WAV, head_of, parsed, post
from tools.latency import CLIPS, word_errors, words_of
from voice_trio import config, sound_file
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.server import listening
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import ScriptedReply

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "question.wav"
TYPES = {"webm": "audio/webm;codecs=opus", "ogg": "audio/ogg;codecs=opus", "mp4": "audio/mp4", "wav": "audio/wav"}


@pytest.mark.parametrize("kind", BROWSERS)
async def test_what_a_browser_uploads_is_answered(kind):
    with trio.fail_after(60):
        async with serving() as running:
            status, headers, answer = await post(running, recorded(kind, sine(1500)), TYPES[kind])
            assert (status, headers["content-type"]) == (200, "application/json")
            assert headers["cache-control"] == "no-store"
            assert (answer["outcome"], answer["transcript"]) == ("completed", "what is the weather like")
            # 1,200 signs of 50 ms each, of which nobody waited for the end.
            assert len(base64.b64decode(answer["audio"]["wav"])) > 1_500_000
            await until_none(running)
            assert len(running.sessions) == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/api/utterance", 405, "OPTIONS, POST"),
        ("PUT", "/api/utterance", 405, "OPTIONS, POST"),
        ("POST", "/api/utterances", 404, None),
        ("GET", "/api/", 404, None),
    ],
)
async def test_what_is_no_route_of_the_api_is_told_in_its_own_way(method, path, status, allow):
    with trio.fail_after(60):
        async with serving() as running:
            stream = await dial(running)
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            await stream.send_all(head.encode())
            found, headers, answer = parsed(await read_to_end(stream))
            await stream.aclose()
    assert (found, headers.get("allow")) == (status, allow)
    assert answer["error"]["code"] == "PROTOCOL_VIOLATION"
    assert answer["error"]["message"].startswith(f"There is no {method} {path} here")


async def test_a_question_is_understood_and_answered_aloud():
    words = words_of(json.loads((CLIPS / "clips.json").read_text())["question"]["words"])
    with trio.fail_after(120):
        async with open_server(config.load(port=0, memory="off")) as running:
            for kind in ("webm", "mp4"):
                question = recorded(kind, sound_file.read(EXAMPLE))
                status, _, answer = await post(running, question, TYPES[kind])
                assert (status, answer["outcome"], answer["errors"]) == (200, "completed", [])
                assert word_errors(words, words_of(answer["transcript"])) / len(words) <= 0.2
                assert answer["transcript"] in answer["reply"]
                assert answer["heard"] == len(answer["reply"])
                with wave.open(io.BytesIO(base64.b64decode(answer["audio"]["wav"]))) as file:
                    rate, samples = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
                assert rate == answer["audio"]["sample_rate"]
                assert 120 <= len(answer["reply"].split()) / (len(samples) / rate) * 60 <= 280
                assert 3000 < np.abs(samples.astype(int)).max() < 32767, "neither silent nor clipped"


async def test_the_same_doors_as_those_of_ws():
    with trio.fail_after(30):
        async with serving(auth_token="a token") as running:
            for headers in ({}, {"Authorization": "Bearer wrong"}):
                status, headers, answer = await post(running, WAV, **headers)
                assert (status, headers["www-authenticate"]) == (401, "Bearer")
                assert (answer["error"]["code"], answer["error"]["recoverable"]) == ("UNAUTHORIZED", False)
            status, _, answer = await post(running, WAV, Authorization="Bearer a token", Origin="https://evil.example")
            assert (status, answer["error"]["code"]) == (403, "UNAUTHORIZED")
            status, _, answer = await post(running, WAV, Authorization="Bearer a token")
            assert (status, answer["outcome"]) == (200, "completed")


async def test_no_room_is_said_with_a_time_to_come_back():
    with trio.fail_after(30):
        async with serving(max_sessions=1) as running, connect(running.ws_url) as client:
            await client.wait_for(m.SessionOpened)
            status, headers, answer = await post(running, WAV)
            assert (status, headers["retry-after"]) == (503, "15")
            assert answer["error"]["code"] == "SERVER_BUSY"
            assert answer["error"]["retry_after_s"] == 15


async def test_a_conversation_is_kept_across_requests_and_is_nobody_elses_meanwhile():
    with trio.fail_after(30):
        async with serving() as running:
            _, _, first = await post(running, WAV)
            query = f"?conversation={first['conversation']}&speed=2.0"
            status, _, second = await post(running, WAV, query=query)
            assert (status, second["conversation"]) == (200, first["conversation"])
            prompt = running.engines.language_model.prompts[-1]
            said = [first["transcript"], first["reply"], second["transcript"]]
            assert [message.content for message in prompt][-3:] == said
            async with connect(running.ws_url) as client:
                await client.ask(m.Text(text="hello", conversation=first["conversation"]))
                await client.wait_for(m.Token)
                status, _, answer = await post(running, WAV, query=query)
                assert (status, answer["error"]["code"]) == (400, "PROTOCOL_VIOLATION")
                assert "Another session" in answer["error"]["message"]


async def test_one_connection_serves_one_upload_after_the_other():
    with trio.fail_after(30):
        async with serving() as running:
            stream = await dial(running)
            for _ in range(3):
                await stream.send_all(head_of(len(WAV)).replace(b"Connection: close\r\n", b"") + WAV)
                answer = b""
                while not answer.endswith(b'"infos":[]}'):
                    answer += await stream.receive_some()
                assert parsed(answer)[2]["outcome"] == "completed"
            assert len(running.connections) == 1
            await stream.aclose()


# --- how large, how slow ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True])
async def test_what_is_too_large_is_told_so(chunked):
    """Also if it says nothing of its size, and although it is still being sent."""
    data = bytes(5_000_000)
    with trio.fail_after(30):
        async with serving(max_upload_bytes=100_000) as running:
            if chunked:
                stream = await dial(running)
                head = head_of(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
                await stream.send_all(head + f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n")
                status, _, answer = parsed(await read_to_end(stream))
            else:
                status, _, answer = await post(running, data)
            assert (status, answer["error"]["code"]) == (413, "PROTOCOL_VIOLATION")
            assert "100,000 bytes" in answer["error"]["message"]
            await until_none(running)


async def test_a_drop_at_a_time_is_not_for_ever():
    with trio.fail_after(30):
        async with serving(upload_timeout_s=0.5) as running:
            stream = await dial(running)
            await stream.send_all(head_of(len(WAV)))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(drip, stream)
                status, _, answer = parsed(await read_to_end(stream))
                nursery.cancel_scope.cancel()
            assert (status, answer["error"]["code"]) == (408, "PROTOCOL_VIOLATION")
            await until_none(running)


async def drip(stream):
    try:
        while True:
            await stream.send_all(b"\0")
            await trio.sleep(0.02)
    except trio.BrokenResourceError:
        pass


async def test_who_waits_for_an_answer_is_not_taken_for_gone(monkeypatch):
    monkeypatch.setattr(listening, "READ_TIMEOUT_S", 0.3)
    with trio.fail_after(30):
        async with serving() as running:
            running.engines.recognizer.settle_s = 1.5
            status, _, answer = await post(running, WAV)
            assert (status, answer["outcome"]) == (200, "completed")
            # One who has not said what he wants is.
            stream = await dial(running)
            await stream.send_all(head_of(10) + b"\0")
            assert not await read_to_end(stream)


@pytest.mark.parametrize("after", ["half of it", "all of it"])
async def test_a_client_that_leaves_leaves_nothing(after):
    with trio.fail_after(30):
        async with serving() as running:
            running.engines.recognizer.settle_s = 60.0
            stream = await dial(running)
            data = recorded("webm", sine(1500))
            await stream.send_all(head_of(len(data), "audio/webm") + data[: len(data) // 2])
            if after == "all of it":
                await stream.send_all(data[len(data) // 2 :])
                await eventually(lambda: running.engines.recognizer.open_now)
            else:
                await eventually(lambda: len(running.sessions.uploads_coming))
            await stream.aclose()
            await until_none(running)
            await running.sessions.wait_empty()
            assert len(running.sessions.uploads_coming) == 0
            assert running.engines.recognizer.open_now == 0


async def test_a_large_answer_reaches_a_slow_reader():
    """Each piece of it has its own time to be taken; the kernel takes some megabytes by itself."""
    with trio.fail_after(60):
        async with serving(send_timeout_s=0.5) as running:
            running.engines.language_model.replies = [
                ScriptedReply(tokens=["A sentence that goes on. "] * 250, token_s=0)
            ]
            running.engines.synthesizer.speak_s = 0.0
            stream = await dial(running, SO_RCVBUF=65_536)
            await stream.send_all(head_of(len(WAV)) + WAV)
            answer = b""
            while data := await stream.receive_some(100_000):
                answer += data
                await trio.sleep(len(data) / 4_000_000)
            assert len(answer) > 10_000_000
            assert parsed(answer)[2]["outcome"] == "completed"


# --- what is no recording ---------------------------------------------------------------------------------------------

MUTANTS = 240


def mutate(data, chance):
    """Return ``data`` with a few things wrong."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(len(data))
        # Most of what can be wrong with a file is in its first part.
        at = at if chance.random() < 0.5 else at % 600
        length = chance.choice((1, 2, 4, 8, 64, 1000))
        match chance.choice(("flip", "noise", "cut", "drop", "double", "largest", "zero")):
            case "flip":
                data[at] ^= 1 << chance.randrange(8)
            case "noise":
                data[at : at + length] = chance.randbytes(length)
            case "cut":
                del data[max(at, 1) :]
            case "drop":
                del data[at : at + length]
            case "double":
                data[at:at] = data[at : at + length]
            case "largest":
                data[at : at + 4] = b"\xff\xff\xff\xff"
            case "zero":
                data[at : at + length] = bytes(length)
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


async def test_mutated_uploads_are_answered_or_refused_and_harm_nobody():
    chance = random.Random(5)
    originals = {kind: recorded(kind, sine(700)) for kind in BROWSERS}
    mutants = []
    for _ in range(MUTANTS):
        kind = chance.choice(sorted(originals))
        mutants.append((TYPES[kind], mutate(originals[kind], chance)))
    seen = []

    async def work(running):
        while mutants:
            content_type, data = mutants.pop()
            status, _, answer = await post(running, data, content_type)
            seen.append(status)
            if status == 200:
                assert answer["outcome"] in ("completed", "empty")
            else:
                assert status == 422
                assert answer["error"]["code"] == "PROTOCOL_VIOLATION"

    with trio.fail_after(300):
        async with serving(memory="off") as running:
            running.engines.language_model.replies = [ScriptedReply(tokens=["Yes, indeed."])]
            running.engines.recognizer.settle_s = 0.0
            async with trio.open_nursery() as nursery:
                for _ in range(4):
                    nursery.start_soon(work, running)
            status, _, answer = await post(running, originals["webm"], TYPES["webm"])
            assert (status, answer["outcome"]) == (200, "completed")
            await until_none(running)
            assert (await get(running.url, "/readyz"))[0].startswith("HTTP/1.1 200")
            assert not running.connections.incidents["crashed"]
    assert len(seen) == MUTANTS
    assert 30 < seen.count(422) < MUTANTS - 30, "both ends are tried"
