"""OpenAI's own client against a real server, whose engines are those that a test gives."""

import json
from contextlib import asynccontextmanager

import httpx2
import openai

from tests.server.serving import dial, eventually, read_to_end
from voice_trio import config
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import scripted_engines, silent, voiced

WAV = wav_of(voiced(1500), SAMPLE_RATE)
"""What scripted engines take for five words."""

TWO = wav_of(voiced(1500) + silent(1500) + voiced(900), SAMPLE_RATE)
"""And for five and then three, as long a pause between them as ends an utterance."""


@asynccontextmanager
async def serving(engines=None, **settings):
    """Serve with ``engines``, scripted ones if none are given; yields the server and a client of it."""

    @asynccontextmanager
    async def given(settings):
        yield engines or scripted_engines()

    async with open_server(config.load(port=0, **settings), given) as running, client(running) as asking:
        yield running, asking


def client(running, key="any"):
    """Return a client that tries everything once, and asks nobody's proxy."""
    http = openai.DefaultAsyncHttpxClient(trust_env=False)
    return openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0, http_client=http)


def sync_client(running, key="any"):
    """Return the same for a thread."""
    http = openai.DefaultHttpxClient(trust_env=False)
    return openai.OpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0, http_client=http)


def plain(running):
    """Return an HTTP client, for what OpenAI's cannot be made to send."""
    return httpx2.AsyncClient(base_url=f"{running.url}/v1", trust_env=False, timeout=60)


def form(*parts, boundary="xyz"):
    """Return a form of ``parts`` (what its disposition says after ``form-data;``, its content), and its type."""
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {said}\r\n\r\n".encode() + content + b"\r\n"
        for said, content in parts
    )
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def file_part(data, name="file"):
    return f'name="{name}"; filename="some.wav"', data


def field(name, value):
    return f'name="{name}"', value.encode()


def told(error):
    """Return what an error of the SDK says: status, code, the field that is wrong."""
    assert error.body["type"] == ("server_error" if error.status_code >= 500 else "invalid_request_error")
    assert error.body["message"].endswith((".", ")")), "a sentence"
    return error.status_code, error.body["code"], error.body["param"]


def events(body):
    """Return what the server-sent events of ``body`` say."""
    *said, end = body.split("\n\n")
    assert end == ""
    return [json.loads(one.removeprefix("data: ")) for one in said]


async def begun(running, path, data, headers):
    """Send a request by hand and return its connection."""
    stream = await dial(running)
    lines = {"Host": "x", "Connection": "close", "Content-Length": str(len(data)), **headers}
    head = f"POST /v1{path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    await stream.send_all(head.encode() + data)
    return stream


async def sent_until_end(stream):
    """Return what comes on ``stream``, and close it."""
    async with stream:
        return await read_to_end(stream)


async def left(running):
    """Wait until nothing is left of any request: no place, no connection, no engine at work."""
    engines = running.engines

    def nothing_is_left():
        at_work = engines.recognizer.open_now or engines.synthesizer.open_now
        held = len(running.connections) or len(running.sessions) or len(running.sessions.uploads_coming)
        return not (at_work or held)

    await eventually(nothing_is_left)
    await running.sessions.wait_empty()
