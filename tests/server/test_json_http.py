"""Answers in pieces."""

import base64
import json

import pytest

from voice_trio.server.json_http import _PIECE_BYTES, answered


async def whole(response):
    parts = [part async for part in response.response]
    assert len(b"".join(parts)) == int(response.headers["Content-Length"])
    assert all(len(part) <= _PIECE_BYTES * 4 // 3 for part in parts)
    return json.loads(b"".join(parts))


@pytest.mark.parametrize("size", [0, 1, 2, 3, _PIECE_BYTES - 1, _PIECE_BYTES, 3 * _PIECE_BYTES + 2])
async def test_bytes_come_as_base64_wherever_they_are_cut(autojump_clock, size):
    data = bytearray(at % 251 for at in range(size))
    content = {"reply": "é" * 70_000, "audio": {"sample_rate": 16_000, "wav": data}, "errors": []}
    said = await whole(answered(content))
    assert base64.b64decode(said["audio"]["wav"], validate=True) == data
    assert (said["reply"], said["errors"]) == (content["reply"], [])


async def test_what_holds_no_bytes_is_json_as_ever(autojump_clock):
    assert await whole(answered({"a": [1, None], "b": "\n"})) == {"a": [1, None], "b": "\n"}
