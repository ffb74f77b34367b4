"""What an engine lacks is fetched from the page: how far it is, one at a time, and no longer than somebody wants it."""

import json
import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.hub import serving_hub
from tests.server.serving import dial, eventually, serving
from tests.server.test_engine_api import ask, wish
from voice_trio import config
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.fetching import Far, Fetch, _far, environment_for
from voice_trio.engines.whisper.models import find
from voice_trio.entry_points import Kind

pytestmark = pytest.mark.real

ASR = "/api/engines/recognizer"
FETCH = f"{ASR}/fetch"
WHISPER = b'{"name": "faster-whisper"}'
LIMIT_S = 120
"""For a process that imports all engines, on a machine that does other things."""


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A model store, and a machine that has nothing of it yet."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@asynccontextmanager
async def asking(running, body=WHISPER):
    """Ask for a fetch, and give what returns the next line of its answer; leaving closes the request."""
    stream = await dial(running)
    head = f"POST {FETCH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    await stream.send_all(head.encode() + body)
    said = bytearray()

    async def line():
        while True:
            for text in [*said.split(b"\r\n")]:
                if text.startswith(b"{") and text.endswith(b"}\n"):
                    del said[: said.index(text) + len(text)]
                    return json.loads(text)
            data = await stream.receive_some()
            assert data, bytes(said)
            said.extend(data)

    async with stream:
        yield line


async def whisper(running):
    """Return what is told of Whisper."""
    _, _, said = await ask(running, "GET", "/api/engines")
    return next(one for one in json.loads(said)["recognizer"]["engines"] if one["name"] == "faster-whisper")


def children():
    """Return the command lines of our processes that fetch something."""
    numbers = [
        number for task in Path("/proc/self/task").iterdir() for number in (task / "children").read_text().split()
    ]
    found = []
    for number in numbers:
        try:
            found.append(Path(f"/proc/{number}/cmdline").read_bytes())
        except OSError:
            continue
    return [line for line in found if b"\0download\0" in line]


async def test_what_was_fetched_can_be_chosen(hub):
    with trio.fail_after(LIMIT_S):
        async with serving() as running:
            before = await whisper(running)
            assert (before["usable"], before["fetches"], before["fetching"]) == (False, "small-int8", False)
            status, headers, said = await ask(running, "POST", FETCH, WHISPER)
            assert (status, headers["content-type"]) == (200, "application/x-ndjson")
            *lines, last = [json.loads(line) for line in said.split(b"\r\n") if line.startswith(b"{")]
            after = await whisper(running)
            assert (after["usable"], after["fetches"], after["fetching"]) == (True, None, False)
            status, told = await wish(running, "faster-whisper", ASR)
            assert (status, told["recognizer"]["at_work"]) == (200, "faster-whisper small-int8")
            # What is here is not fetched again.
            status, _, said = await ask(running, "POST", FETCH, WHISPER)
            assert (status, json.loads(said)["error"]["code"]) == (422, ErrorCode.ASR_FAIL)
    assert last == {"fetched": "small-int8"}
    total = sum(map(len, hub.files.values()))
    assert {line["total"] for line in lines} <= {0, total}
    done = [line["done"] for line in lines]
    assert done == sorted(done)
    assert lines[-1] == {"done": total, "total": total}


async def test_whoever_closes_the_request_ends_it_and_the_next_one_goes_on(hub):
    hub.go.clear()
    with trio.fail_after(LIMIT_S):
        async with serving() as running:
            async with asking(running) as line:
                while not (await line())["done"] > 0:
                    pass
                assert (await whisper(running))["fetching"]
                status, headers, said = await ask(running, "POST", FETCH, WHISPER)
                assert (status, headers["retry-after"]) == (409, "5")
                assert json.loads(said)["error"]["code"] == ErrorCode.SERVER_BUSY
                assert len(children()) == 1
            await eventually(lambda: not children())
            while (await whisper(running))["fetching"]:
                pass
            assert find("small-int8") is None
            hub.go.set()
            async with asking(running) as line:
                while "fetched" not in (said := await line()):
                    assert "error" not in said
            assert find("small-int8") is not None


@pytest.mark.parametrize("grace_s", [0, 5])
async def test_a_server_that_stops_waits_for_no_fetch(hub, grace_s):
    hub.go.clear()
    with trio.fail_after(LIMIT_S):
        async with serving(shutdown_grace_s=grace_s) as running:
            stream = await dial(running)
            head = f"POST {FETCH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(WHISPER)}\r\n\r\n"
            await stream.send_all(head.encode() + WHISPER)
            await eventually(children)
        assert not children()


async def test_without_a_connection_one_sentence_says_so(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with trio.fail_after(LIMIT_S):
        async with serving() as running, asking(running) as line:
            while "error" not in (said := await line()):
                pass
    assert said["error"] == {
        "code": ErrorCode.ASR_FAIL,
        "message": "small-int8 cannot be downloaded: no connection to http://127.0.0.1:9.",
        "recoverable": True,
    }


async def test_a_store_that_says_no_is_told_with_its_number(hub):
    hub.status = 404
    with trio.fail_after(LIMIT_S):
        async with serving(model_whisper="medium-int8") as running, asking(running) as line:
            while "error" not in (said := await line()):
                pass
    assert "medium-int8 cannot be downloaded" in said["error"]["message"]
    assert "answered HTTP 404" in said["error"]["message"]


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {"X_Forwarded_For": "192.0.2.7"}, 403),
        ({}, {"Origin": "https://evil.example"}, 403),
        ({}, {"Sec_Fetch_Site": "cross-site"}, 403),
        ({"auth_token": "a token"}, {}, 401),
    ],
)
async def test_who_may_not_choose_may_not_fetch(hub, settings, headers, status):
    with trio.fail_after(30):
        async with serving(**settings) as running:
            found, _, said = await ask(running, "POST", FETCH, WHISPER, **headers)
            assert (found, json.loads(said)["error"]["code"]) == (status, ErrorCode.UNAUTHORIZED)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/engines/detector/fetch", WHISPER, 404),
        ("POST", "/api/engines/%00/fetch", WHISPER, 404),
        ("POST", FETCH, b'{"name": "nobody"}', 404),
        ("POST", FETCH, b'{"name": "pocketsphinx"}', 422),
        ("POST", FETCH, b"", 400),
        ("POST", FETCH, b'{"name": 5}', 400),
        ("POST", FETCH, b" " * 1001, 413),
        ("GET", FETCH, b"", 405),
        ("PUT", FETCH, WHISPER, 405),
    ],
)
async def test_whatever_is_wrong_is_one_error_in_json(hub, method, path, body, status):
    with trio.fail_after(30):
        async with serving() as running:
            found, headers, said = await ask(running, method, path, body)
    assert (found, headers["content-type"]) == (status, "application/json")
    assert json.loads(said)["error"]["message"].endswith((".", '"}'))
    assert hub.asked == []


# --- what a server and its process say to each other ------------------------------------------------------------------


def test_the_process_has_the_servers_settings_and_none_of_its_secrets(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hush")
    monkeypatch.setenv("STREAM_AUTH_TOKEN", "hush")
    monkeypatch.setenv("STREAM_MODEL_WHISPER", "tiny-int8")
    monkeypatch.setenv("HF_TOKEN", "the engine's own")
    settings = config.load(model_whisper="base-int8", data_dir="/some where", log_latency=False, vad_silence_ms=900)
    environment = environment_for(settings)
    assert "hush" not in str(environment.values())
    assert environment["HF_TOKEN"] == "the engine's own"
    for name in os.environ.keys() - environment.keys():
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    again = config.load()
    assert again.model_copy(update={"auth_token": None}) == settings.model_copy(
        update={"auth_token": None, "openai_api_key": None}
    )


@pytest.mark.parametrize(
    ("line", "far"),
    [
        (b'{"done": 5, "total": 9}', Far(5, 9)),
        (b'{"model": "x", "folder": "/x"}', None),
        (b'{"done": "five", "total": 9}', None),
        (b'{"done": null, "total": 9}', None),
        (b'{"done": 1e999, "total": 9}', None),
        (b"[1]", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_what_a_line_says_of_the_progress(line, far):
    assert _far(line) == far


async def test_who_waits_for_news_misses_none(autojump_clock):
    fetch, seen = Fetch(), []

    async def watch():
        known = Far(0, 0)
        while not fetch.over:
            await fetch.wait_news(known)
            known = fetch.far
            seen.append((trio.current_time(), known))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        for done in (1, 2, 3):
            await trio.sleep(1)
            fetch.tell(Far(done, 3))
        fetch.end(None)
    assert [far.done for _, far in seen] == [1, 2, 3]
    with trio.fail_after(1):
        await fetch.wait_news(fetch.far)


def test_every_kind_has_an_error_of_its_own():
    from voice_trio.engines.host import SWAPPABLE
    from voice_trio.server.engine_api import _FAILS

    assert set(_FAILS) == set(SWAPPABLE) <= set(Kind)
