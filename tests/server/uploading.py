"""Clients of /api/utterance, well-behaved and not."""

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import trio
from werkzeug.datastructures import MultiDict
from werkzeug.http import parse_options_header

from tests.server.serving import dial, read_to_end
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.engines.media import Sound
from voice_trio.testing.scripted import voiced

WAV = wav_of(voiced(1500), SAMPLE_RATE)
"""What scripted engines take for five words."""


def head_of(length, content_type="audio/wav", query="", **headers):
    """Return the head of a request that brings ``length`` bytes."""
    lines = [f"POST /api/utterance{query} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {content_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {length}", "Connection: close", "", ""]).encode()


async def post(running, data, content_type="audio/wav", query="", **headers):
    """Return the status, the headers and the JSON of the answer to ``data``."""
    stream = await dial(running)
    try:
        await stream.send_all(head_of(len(data), content_type, query, **headers) + data)
        return parsed(await read_to_end(stream))
    finally:
        await stream.aclose()


def parsed(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert len(body) == int(headers["content-length"]), "the answer is whole"
    return int(status.split(" ")[1]), headers, json.loads(body)


# --- the same without a socket ----------------------------------------------------------------------------------------


class Body:
    """A request's body, which takes ``arrives_s`` to come."""

    def __init__(self, data, arrives_s):
        self.data = data
        self.arrives_s = arrives_s

    def __await__(self):
        return self._read().__await__()

    def clear(self):
        self.data = b""

    async def _read(self):
        await trio.sleep(self.arrives_s)
        return self.data


def request(data=WAV, content_type="audio/wav", *, arrives_s=0.0, address="192.0.2.1", **query) -> Any:
    """Return as much of a request as is looked at."""
    mimetype, _ = parse_options_header(content_type)
    return SimpleNamespace(
        mimetype=mimetype.lower(),
        args=MultiDict(query),
        query_string=urlencode(query).encode(),
        content_length=len(data),
        body=Body(data, arrives_s),
        remote_addr=address,
    )


class PlainDecoder:
    """Takes an upload for 16 kHz PCM in a plain WAV, in ``decode_s``; ``raises`` instead, if given."""

    def __init__(self, *, decode_s=0.01, raises=None) -> None:
        self.decode_s = decode_s
        self.raises = raises

    async def decode(self, data, kind, *, longest_ms):
        await trio.sleep(self.decode_s)
        if self.raises is not None:
            raise self.raises
        pcm, most = data[44:], longest_ms * SAMPLE_RATE // 1000 * 2
        return Sound(pcm[:most], len(pcm) > most)
