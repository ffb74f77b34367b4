"""Who gets a session of /v1/realtime, how it begins and is refused, and what stands beside it."""

import json
import time
from contextlib import suppress

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.server.openai_asking import client, plain, serving
from tests.server.realtime import dialled
from tests.server.serving import read_to_end, upgrade

pytestmark = pytest.mark.real

TOKEN = "a good token"


async def refused(running, **how):
    """Return the error that a client gets in place of a session, and how it is closed."""
    async with dialled(running, **how) as socket:
        error = await socket.next()
        assert error["type"] == "error"
        return error["error"]["code"], await socket.closing()


WRONG_KEY = "invalid_api_key", (3000, "invalid_request_error.invalid_api_key")


@pytest.mark.parametrize(
    "query", ["", "?model=", "?model=gpt-realtime&temperature=0.8&voice=alloy", "?model=a&model=b"]
)
async def test_any_model_is_taken(query):
    with trio.fail_after(60):
        async with serving() as (running, _), dialled(running, f"/v1/realtime{query}") as socket:
            created = await socket.next()
            session = created["session"]
            assert created["type"] == "session.created"
            assert session["id"].startswith("sess_")
            assert (session["model"], session["audio"]["output"]["voice"]) == ("scripted", "scripted")
            assert session["expires_at"] > time.time()


async def test_the_token_is_the_key_in_a_header_and_among_the_subprotocols():
    with trio.fail_after(60):
        async with serving(auth_token=TOKEN.replace(" ", "-")) as (running, _):
            key = TOKEN.replace(" ", "-")
            async with dialled(running, key=key) as socket:
                assert (await socket.next())["type"] == "session.created"
                assert socket.socket.subprotocol is None
            offered = ["realtime", f"openai-insecure-api-key.{key}", "openai-agents-sdk.0.20.0"]
            async with dialled(running, subprotocols=offered) as socket:
                assert (await socket.next())["type"] == "session.created"
                assert socket.socket.subprotocol == "realtime"
            for how in (
                {},
                {"key": "wrong"},
                {"key": "ek_wrong"},
                {"subprotocols": ["realtime", "openai-insecure-api-key.wrong"]},
                {"subprotocols": ["realtime"]},
            ):
                assert await refused(running, **how) == WRONG_KEY


async def test_without_a_token_any_key_is_taken():
    with trio.fail_after(60):
        async with serving() as (running, _):
            for how in ({}, {"key": "sk-any"}, {"subprotocols": ["realtime", "openai-insecure-api-key.sk-any"]}):
                async with dialled(running, headers=[(b"OpenAI-Beta", b"realtime=v1")], **how) as socket:
                    assert (await socket.next())["type"] == "session.created"


async def test_a_page_of_another_origin_is_kept_out_and_one_that_is_welcome_let_in():
    with trio.fail_after(60):
        async with serving(allowed_origins="https://app.example") as (running, _):
            _, head = await upgrade(running, "Origin: https://evil.example\r\n", path="/v1/realtime")
            assert head.startswith("HTTP/1.1 403")
            async with dialled(running, headers=[(b"Origin", b"https://app.example")]) as socket:
                assert (await socket.next())["type"] == "session.created"


async def test_a_client_that_finds_no_room_is_told_so():
    with trio.fail_after(60):
        async with serving(max_sessions=1) as (running, _), dialled(running) as first:
            await first.next()
            stream, head = await upgrade(running, path="/v1/realtime")
            assert head.startswith("HTTP/1.1 503")
            said = json.loads((await read_to_end(stream)).decode())["error"]
            assert (said["code"], said["type"]) == ("server_overloaded", "server_error")


async def test_a_session_that_has_lasted_long_enough_is_told_so():
    with trio.fail_after(60):
        async with serving(max_session_s=0.3, shutdown_grace_s=0) as (running, _), dialled(running) as socket:
            error = await socket.wait_for("error")
            assert error["error"]["code"] == "session_expired"
            assert (await socket.closing())[0] == 1000


async def test_a_client_secret_opens_sessions_that_begin_as_it_says():
    with trio.fail_after(60):
        async with serving(auth_token=TOKEN) as (running, _), client(running, TOKEN) as asking:
            wanted = {"type": "realtime", "instructions": "Be kind.", "audio": {"input": {"turn_detection": None}}}
            secret = await asking.realtime.client_secrets.create(
                session=wanted, expires_after={"anchor": "created_at", "seconds": 60}
            )
            assert secret.value.startswith("ek_")
            assert 55 < secret.expires_at - time.time() < 65
            assert secret.session.instructions == "Be kind."
            for _ in range(2):
                async with dialled(running, key=secret.value) as socket:
                    session = (await socket.next())["session"]
                    assert session["instructions"] == "Be kind."
                    assert session["audio"]["input"]["turn_detection"] is None
            offered = ["realtime", f"openai-insecure-api-key.{secret.value}"]
            async with dialled(running, subprotocols=offered) as socket:
                assert (await socket.next())["session"]["instructions"] == "Be kind."
            # It opens nothing else.
            async with plain(running) as http:
                answer = await http.get("/models", headers={"Authorization": f"Bearer {secret.value}"})
                assert answer.status_code == 401


async def test_a_client_secret_is_good_for_a_while(monkeypatch):
    with trio.fail_after(60):
        async with serving(auth_token=TOKEN) as (running, _), client(running, TOKEN) as asking:
            secret = await asking.realtime.client_secrets.create()
            assert 595 < secret.expires_at - time.time() < 605
            later = time.time() + 601
            monkeypatch.setattr(time, "time", lambda: later)
            assert await refused(running, key=secret.value) == WRONG_KEY


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"x", None),
        (b"[]", None),
        (b'{"expires_after": {"seconds": 9}}', "expires_after.seconds"),
        (b'{"expires_after": {"seconds": 7201}}', "expires_after.seconds"),
        (b'{"expires_after": "never"}', "expires_after.seconds"),
        (b'{"session": {"audio": {"output": {"speed": 1' + b"0" * 400 + b"}}}}", None),
        (b'{"session": {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": NaN}}}}}', None),
        (b'{"session": ' + b"[" * 30_000, None),
        (b'{"session": []}', "session"),
        (b'{"session": {"audio": {"input": {"format": {"type": "x"}}}}}', "session.audio.input.format.type"),
    ],
)
async def test_a_client_secret_that_cannot_be_is_refused(body, param):
    with trio.fail_after(60):
        async with serving() as (running, _), plain(running) as http:
            answer = await http.post("/realtime/client_secrets", content=body)
            assert answer.status_code == 400
            assert answer.json()["error"]["param"] == param
            assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_the_body_may_be_absent_and_the_key_may_not():
    with trio.fail_after(60):
        async with serving(auth_token=TOKEN) as (running, _), plain(running) as http:
            right = {"Authorization": f"Bearer {TOKEN}"}
            assert (await http.post("/realtime/client_secrets", headers=right)).status_code == 200
            answer = await http.post("/realtime/client_secrets")
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/realtime/calls"),
        ("POST", "/realtime/sessions"),
        ("POST", "/realtime"),
        ("GET", "/realtime"),
        ("GET", "/realtime/x"),
        ("POST", "/realtime/transcription_sessions"),
    ],
)
async def test_what_is_not_here_is_said_as_openai_would(method, path):
    with trio.fail_after(60):
        async with serving() as (running, _), plain(running) as http:
            answer = await http.request(method, path)
            assert answer.status_code in (404, 405, 426)
            assert answer.json()["error"].keys() == {"message", "type", "param", "code"}


async def test_garbage_is_answered_and_ends_nothing():
    with trio.fail_after(60):
        async with serving() as (running, _), dialled(running) as socket:
            await socket.next()
            for message, code in [
                ("{", "invalid_json"),
                ("[]", "invalid_json"),
                (b"\0", "invalid_event"),
                (b"", "invalid_event"),
                ("{}", "missing_required_parameter"),
                ('{"type": "x"}', "invalid_value"),
                ('{"type": 1}', "invalid_value"),
                ('{"type": "session.update", "session": 3}', "invalid_value"),
                ('{"type": "input_audio_buffer.append", "audio": "?"}', "invalid_value"),
            ] * 2:
                await socket.socket.send_message(message)
                assert (await socket.wait_for("error"))["error"]["code"] == code
            await socket.send("session.update", session={"instructions": "x"}, event_id="mine")
            assert (await socket.wait_for("session.updated"))["session"]["instructions"] == "x"
            await socket.send("response.create", response="x", event_id="mine")
            error = (await socket.wait_for("error"))["error"]
            assert (error["event_id"], error["param"]) == ("mine", "response")


async def test_messages_may_be_long_and_not_endless():
    with trio.fail_after(120):
        async with serving() as (running, _), dialled(running) as socket:
            await socket.next()
            # As much as /ws takes, and sixteen times that.
            await socket.socket.send_message(json.dumps({"type": "x" * 1_100_000}))
            assert (await socket.wait_for("error"))["error"]["code"] == "string_above_max_length"
            await socket.send("input_audio_buffer.append", audio="A" * (20 * 1024 * 1024 + 8))
            assert "15 MiB" in (await socket.wait_for("error"))["error"]["message"]
            await socket.socket.send_message("x" * 22_000_000)
            assert (await socket.closing())[0] == 1009


async def test_a_conversation_is_filled_at_once_and_a_flood_ends_it():
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    with trio.fail_after(120):
        async with serving() as (running, _), dialled(running) as socket:
            await socket.next()
            async with trio.open_nursery() as nursery:

                async def fill():
                    for number in range(500):
                        await socket.send("conversation.item.create", item={**item, "id": str(number)})

                nursery.start_soon(fill)
                for number in range(500):
                    added = await socket.wait_for("conversation.item.done")
                    assert added["item"]["id"] == str(number)

                async def flood():
                    with suppress(ConnectionClosed):
                        while True:
                            await socket.send("response.cancel")

                nursery.start_soon(flood)
                assert (await socket.closing())[0] == 1008


@pytest.mark.parametrize("query", ["call_id=rtc_1", "intent=transcription"])
async def test_a_session_of_another_kind_is_refused(query):
    with trio.fail_after(60):
        async with serving() as (running, _):
            code, (number, _) = await refused(running, path=f"/v1/realtime?{query}")
            assert (code, number) == ("invalid_value", 1003)
