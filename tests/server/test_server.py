"""The real server on a free port, with scripted engines: routes, the socket, and the end."""

import pytest
import trio

from tests.server.serving import closing, get, scripted, serving
from voice_trio import config
from voice_trio.client import CannotConnect, connect
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome
from voice_trio.server.listening import CannotListen
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import silent, voiced

pytestmark = pytest.mark.real


async def test_health_and_the_page():
    with trio.fail_after(60):
        async with serving() as running:
            assert await get(running.url, "/readyz") == ("HTTP/1.1 200 ", '{"status":"ready"}\n')
            status, body = await get(running.url, "/healthz")
            assert status.startswith("HTTP/1.1 200")
            assert '"status":"ok"' in body
            status, body = await get(running.url, "/")
            assert status.startswith("HTTP/1.1 200")
            assert "voice assistant server" in body
            assert (await get(running.url, "/static/base.css"))[0].startswith("HTTP/1.1 200")
            assert (await get(running.url, "/static/../pyproject.toml"))[0].startswith("HTTP/1.1 404")
            assert (await get(running.url, "/nowhere"))[0].startswith("HTTP/1.1 404")


NO_FILES = [
    "a" * 300,
    "%F0%9F%98%80" * 400,
    "js/" + "a/" * 2000,
    "%00",
    "base.css%00",
    "%ff%fe",
    "base.css%ff",
    "..%2f..%2fpyproject.toml",
    "%2e%2e/pyproject.toml",
    "js/../../pyproject.toml",
    "js/..%5c..%5cpyproject.toml",
    "js\\main.js",
    "./base.css",
    "js/./main.js",
    "js//main.js",
    "/base.css",
    "/etc/passwd",
    "%2fetc/passwd",
    "js",
    "js/",
    ".",
    "..",
    "base.css/",
    "base.css/a",
    "BASE.CSS",
    "%C2%85",
    "%0d%0aSet-Cookie:%20a=b",
    "base.css%20",
    "",
]


async def test_a_name_that_is_none_of_the_pages_files_is_no_error(caplog, capsys):
    with trio.fail_after(30):
        async with serving() as running:
            for name in NO_FILES:
                status, _ = await get(running.url, f"/static/{name}")
                assert status.startswith("HTTP/1.1 404"), name
            assert (await get(running.url, "/static/js/main.js?v=1"))[0].startswith("HTTP/1.1 200")
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err


async def test_a_spoken_turn_over_a_socket():
    with trio.fail_after(60):
        async with serving() as running, connect(running.ws_url) as client:
            assert isinstance(await client.hear(), m.SessionOpened)
            await client.ask(m.Start())
            await client.speak(voiced(1500) + silent(900), real_time=False)
            assert (await client.wait_for(m.Final)).text
            await client.wait_for(m.TtsChunk)
            await client.ask(m.Cancel())
            assert (await client.wait_for(m.Done)).outcome is Outcome.CANCELLED


async def test_messages_of_any_size_up_to_the_limit_are_welcome():
    with trio.fail_after(60):
        async with serving() as running, connect(running.ws_url) as client:
            await client.ask(m.Start(mode="hold"))
            for size in (2, 958, 65536):
                await client.ask(m.Audio((voiced(5000))[:size]))
            await client.send_raw(b"")
            await client.ask(m.Stop())
            assert (await client.wait_for(m.Final)).text


@pytest.mark.parametrize(
    ("message", "code"),
    [("no JSON", 1007), ('{"type":"sing"}', 1003), (b"\0", 1007), (b"\0" * 65538, 1009), ("{}", 1007)],
)
async def test_a_violation_is_said_before_the_socket_is_closed(message, code):
    with trio.fail_after(60):
        async with serving() as running, connect(running.ws_url) as client:
            await client.send_raw(message)
            error = await client.wait_for(m.Error)
            assert (error.code, error.recoverable) == (ErrorCode.PROTOCOL_VIOLATION, False)
            assert await closing(client) == code


async def test_a_client_that_hangs_up_leaves_no_session():
    with trio.fail_after(60):
        async with serving() as running:
            async with connect(running.ws_url) as client:
                await client.ask(m.Text(text="hello"))
                await client.wait_for(m.TtsChunk)
                assert len(running.sessions) == 1
            await running.sessions.wait_empty()


async def test_stopping_tells_those_who_are_there():
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            stop, gone = trio.Event(), trio.Event()

            async def serve(task_status):
                async with serving(shutdown_grace_s=10) as running:
                    task_status.started(running)
                    await stop.wait()
                gone.set()

            running = await nursery.start(serve)
            async with connect(running.ws_url) as idle, connect(running.ws_url) as busy:
                await busy.ask(m.Text(text="hello"))
                await busy.wait_for(m.TtsChunk)
                stop.set()
                assert (await idle.wait_for(m.Info, code=InfoCode.SHUTTING_DOWN)).grace_s == 10
                assert await closing(idle) == 1001
                assert (await get(running.url, "/readyz"))[0].startswith("HTTP/1.1 503")
                with pytest.raises(CannotConnect, match="stopping"):
                    async with connect(running.ws_url):
                        pass
                await busy.ask(m.Cancel())
                assert (await busy.wait_for(m.Done)).outcome is Outcome.CANCELLED
                assert await closing(busy) == 1001
            await gone.wait()


async def test_no_server_is_one_sentence():
    with trio.fail_after(60):
        with pytest.raises(CannotConnect, match=r"No server answers at ws://127\.0\.0\.1:1/ws"):
            async with connect("ws://127.0.0.1:1/ws"):
                pass
        with pytest.raises(CannotConnect, match="no address of a server"):
            async with connect("hello"):
                pass


async def test_what_a_caller_waits_for_too_long_is_no_fault_of_the_connection():
    with trio.fail_after(60):
        async with serving() as running:
            with pytest.raises(trio.TooSlowError):
                async with connect(running.ws_url):
                    raise trio.TooSlowError


async def test_a_page_that_is_no_voice_trio_is_one_sentence():
    with trio.fail_after(60):
        async with serving() as running:
            with pytest.raises(CannotConnect, match="refused the session: 404"):
                async with connect(running.ws_url + "/nowhere"):
                    pass


async def test_a_port_in_use_is_one_sentence():
    with trio.fail_after(60):
        async with serving() as running:
            port = int(running.url.rpartition(":")[2])
            with pytest.raises(CannotListen, match=rf"port {port}: Address already in use\. Choose .* end the program"):
                async with open_server(config.load(port=port), scripted):
                    pass


async def test_not_ready_while_an_engine_is_not():
    with trio.fail_after(60):
        async with serving() as running:
            assert (await get(running.url, "/readyz"))[0].startswith("HTTP/1.1 200")
            running.engines.synthesizer.ready = False
            assert (await get(running.url, "/readyz"))[0].startswith("HTTP/1.1 503")
            assert (await get(running.url, "/livez"))[0].startswith("HTTP/1.1 200")
