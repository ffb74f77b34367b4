"""What a page of another origin may ask and read, and what it is told where it may not."""

from contextlib import AsyncExitStack

import pytest
import trio

from tests.server.serving import dial, read_to_end, serving, upgrade
from tests.server.uploading import WAV
from voice_trio.client import connect
from voice_trio.core import messages as m

pytestmark = pytest.mark.real

FRIEND = "https://app.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


async def ask(running, method="GET", path="/api/utterance", body=b"", **headers):
    """Return the status and the headers of an answer; of a header that came twice the values with a comma."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    stream = await dial(running)
    await stream.send_all("\r\n".join([*lines, "", ""]).encode() + body)
    head = (await read_to_end(stream)).partition(b"\r\n\r\n")[0].decode()
    await stream.aclose()
    status, *rest = head.split("\r\n")
    found: dict[str, str] = {}
    for name, _, value in (line.partition(": ") for line in rest):
        found[name.lower()] = ", ".join([*found.get(name.lower(), "").split(", "), value]).removeprefix(", ")
    return int(status.split(" ")[1]), found


def said_to_pages(headers):
    return {name for name in headers if name.startswith("access-control-")}


async def test_a_browsers_question_before_a_request_is_answered_without_a_token():
    with trio.fail_after(60):
        async with serving(allowed_origins=FRIEND, auth_token="a token") as running:
            for path in ("/api/utterance", "/livez"):
                status, headers = await ask(running, "OPTIONS", path, Origin=FRIEND, **PREFLIGHT)
                assert (status, headers["access-control-allow-origin"], headers["vary"]) == (204, FRIEND, "Origin")
                assert headers["access-control-allow-headers"] == "authorization, content-type"
                assert {"GET", "POST", "PATCH", "DELETE"} <= {*headers["access-control-allow-methods"].split(", ")}
                assert int(headers["access-control-max-age"]) > 0
                assert "access-control-allow-credentials" not in headers
                assert "access-control-allow-private-network" not in headers
            sends = "authorization, X-Stainless-OS,openai-project,cookie, x-stainless-lang"
            wanted = {**PREFLIGHT, "Access-Control-Request-Headers": sends}
            _, headers = await ask(running, "OPTIONS", "/v1/audio/speech", Origin=FRIEND, **wanted)
            allowed = "authorization, content-type, x-stainless-os, openai-project, x-stainless-lang"
            assert headers["access-control-allow-headers"] == allowed
            network = {"Access-Control-Request-Private-Network": "true"}
            _, headers = await ask(running, "OPTIONS", Origin=FRIEND, **PREFLIGHT, **network)
            assert headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://app.example", None])
async def test_a_stranger_is_told_nothing(origin):
    headers = {} if origin is None else {"Origin": origin}
    with trio.fail_after(60):
        async with serving(allowed_origins=FRIEND) as running:
            for method, more in (("OPTIONS", PREFLIGHT), ("POST", {}), ("GET", {})):
                status, found = await ask(running, method, **headers, **more)
                assert status != 204
                assert said_to_pages(found) == set()
                # Or a cache between could hand on what was said to a friend, or to a stranger.
                assert found["vary"] == "Origin"


async def test_where_nobody_is_listed_nothing_is_said():
    with trio.fail_after(60):
        async with serving() as running:
            for method in ("OPTIONS", "GET"):
                _, found = await ask(running, method, "/livez", Origin=FRIEND, **PREFLIGHT)
                assert said_to_pages(found) == set()
                assert "vary" not in found


async def test_what_is_asked_without_a_preflight_is_no_preflight():
    with trio.fail_after(60):
        async with serving(allowed_origins=FRIEND, auth_token="a token") as running:
            status, found = await ask(running, "OPTIONS", Origin=FRIEND)
            assert (status, found["access-control-allow-origin"]) == (401, FRIEND)


@pytest.mark.parametrize("origins", [FRIEND, "*"])
@pytest.mark.parametrize(
    ("status", "method", "path", "body", "headers"),
    [
        (200, "GET", "/livez", b"", {}),
        (200, "GET", "/static/js/pcm.js", b"", {}),
        (200, "POST", "/api/utterance", WAV, {"Content-Type": "audio/wav"}),
        (400, "POST", "/api/utterance", b"", {"Content-Type": "audio/wav"}),
        (200, "POST", "/api/conversations/lookup", b'{"ids": []}', {"Content-Type": "application/json"}),
        (403, "GET", "/api/conversations", b"", {}),
        (404, "DELETE", "/api/conversations/x", b"", {}),
        (404, "GET", "/api/nothing", b"", {}),
        (404, "GET", "/nothing", b"", {}),
        (405, "GET", "/api/utterance", b"", {}),
        (413, "POST", "/api/utterance", bytes(60_000), {"Content-Type": "audio/wav"}),
        (415, "POST", "/api/utterance", WAV, {"Content-Type": "text/plain"}),
    ],
)
async def test_every_answer_may_be_read(origins, status, method, path, body, headers):
    with trio.fail_after(60):
        async with serving(allowed_origins=origins, max_upload_bytes=50_000) as running:
            found, said = await ask(running, method, path, body, Origin=FRIEND, **headers)
            assert (found, said["access-control-allow-origin"]) == (status, origins)
            assert "Retry-After" in said["access-control-expose-headers"]
            assert "access-control-allow-credentials" not in said


async def test_no_token_and_no_room_may_be_read_too():
    with trio.fail_after(60):
        async with serving(allowed_origins=FRIEND, auth_token="a token", max_sessions=1) as running:
            status, said = await ask(running, "POST", Origin=FRIEND)
            assert (status, said["access-control-allow-origin"]) == (401, FRIEND)
            async with connect(running.ws_url, token="a token") as client:
                await client.wait_for(m.SessionOpened)
                welcome = {"Origin": FRIEND, "Content-Type": "audio/wav", "Authorization": "Bearer a token"}
                status, said = await ask(running, "POST", body=WAV, **welcome)
                assert (status, said["access-control-allow-origin"], said["retry-after"]) == (503, FRIEND, "15")


async def test_an_address_that_has_no_place_left_may_read_that():
    with trio.fail_after(60):
        async with (
            serving(allowed_origins=FRIEND, trusted_proxies="127.0.0.0/8", max_connections_per_address=1) as running,
            AsyncExitStack() as stack,
        ):
            by_proxy = {"X-Forwarded-For": "198.51.100.1"}
            stream, head = await upgrade(running, "X-Forwarded-For: 198.51.100.1\r\n")
            stack.push_async_callback(stream.aclose)
            assert head.startswith("HTTP/1.1 101")
            status, said = await ask(running, path="/livez", Origin=FRIEND, **by_proxy)
            assert (status, said["access-control-allow-origin"]) == (503, FRIEND)


@pytest.mark.parametrize(("origin", "status"), [(FRIEND, 101), ("HTTPS://APP.example:443", 101), ("null", 403)])
async def test_the_handshake_of_a_listed_origin(origin, status):
    with trio.fail_after(60):
        async with serving(allowed_origins=FRIEND) as running:
            _, head = await upgrade(running, f"Origin: {origin}\r\n")
            assert head.startswith(f"HTTP/1.1 {status}")
            assert "access-control" not in head.lower()
