"""Streams of a chat API as servers never should send them, drawn by a seed, and a server that sends them."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import h11
import trio

WORDS = [
    "It is ",
    "noon. ",
    "The sun is out. ",
    "Dr. ",
    "x\n",
    "```\n",
    "你好。",
    "😀",
    "a < b ",
    "`<think>` ",
    "3.",
    " ",
    "\ud83d",
]
MARKS = [
    *("<think>", "</think>", "<think a='b'>", "[THINK]", "[/THINK]", "◁think▷", "<tool_call>", "</tool_call>", "</s>"),
    *("<|channel|>", "analysis", "<|message|>", "final", "<|end|>", "<|im_end|>", "<thi", "nk>", "<|", "</"),
]
REASONS = ["stop", "stop", "stop", "length", "content_filter", "tool_calls", "", None, "error", 3]
ODD: list[Any] = [None, "", 0, [], {}, [[]], True, {"a": [1, {"b": None}]}, "x" * 3000, -1e308]


def text(chance: random.Random) -> str:
    """Return a piece of a reply, some of them huge."""
    match chance.random():
        case part if part < 0.70:
            return "".join(chance.choices(WORDS, k=chance.randint(1, 6)))
        case part if part < 0.95:
            return "".join(chance.choices(WORDS + MARKS, k=chance.randint(1, 8)))
    unit = chance.choice([*WORDS, *MARKS, "<", "[", "x", "a. ", '"', "\\", "\n", " "])
    return unit * (chance.choice([1_000, 30_000, 400_000]) // len(unit))


def content(chance: random.Random) -> Any:
    """Return a message's content in one of its forms."""
    piece = text(chance)
    forms: list[Any] = [piece, piece, piece, [{"type": "text", "text": piece}], {"text": piece}, [piece, None]]
    return chance.choice([*forms, [{"type": "thinking", "thinking": piece}], chance.choice(ODD)])


def event(chance: random.Random) -> Any:
    """Return an event, mostly of a completion."""
    message: dict[str, Any] = {}
    for name, share in (("content", 0.85), ("reasoning_content", 0.1), ("refusal", 0.03)):
        if chance.random() < share:
            message[name] = content(chance) if name == "content" else chance.choice([text(chance), None])
    if chance.random() < 0.1:
        message[chance.choice(["tool_calls", "role", "audio", "reasoning", "function_call"])] = chance.choice(ODD)
    choice: dict[str, Any] = {"index": 0, chance.choice(["delta"] * 8 + ["message", "text"]): message}
    if chance.random() < 0.2:
        choice["finish_reason"] = chance.choice(REASONS)
    if chance.random() < 0.03:
        return chance.choice([{"error": chance.choice(ODD)}, {"detail": "no"}, {"choices": chance.choice(ODD)}, *ODD])
    return {"choices": [choice], "model": chance.choice(["m", "m", "some-r1"])}


def too_much(chance: random.Random) -> bytes:
    """Return data that is JSON of the worst kinds, or none."""
    size = chance.choice([100, 20_000, 900_000, 3_000_000])
    unit, end = chance.choice(
        [(b"[", b""), (b"[],", b"0]"), (b'{"a":', b""), (b"1", b""), (b"\xff", b""), (b"0,", b"0]")]
    )
    return chance.choice([b"", b"["]) + unit * (size // len(unit)) + end


def body(chance: random.Random) -> bytes:
    """Return a whole body: mostly a stream of events."""
    eol = chance.choice([b"\n"] * 4 + [b"\r\n", b"\r"])
    lines: list[bytes] = [b"\xef\xbb\xbf"] if chance.random() < 0.05 else []
    for _ in range(chance.choice([0, 1, 3, 10, 10, 40, 300])):
        data = json.dumps(event(chance), ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
        match chance.random():
            case part if part < 0.90:
                lines += [b"data: ", data, eol, eol]
            case part if part < 0.93:
                lines += [b": keep-alive", eol * chance.randint(1, 3)]
            case part if part < 0.95:
                lines += [chance.choice([b"event: error", b"id: 1", b"retry: 5", b"nonsense", b"event: ping"]), eol]
            case part if part < 0.97:
                lines += [data, eol]
            case part if part < 0.985:
                lines += [b"data: ", data, eol]
            case part if part < 0.99:
                lines += [b"error: ", data, eol]
            case _:
                lines += [b"data: ", too_much(chance), eol, eol]
    if chance.random() < 0.6:
        finish = json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}).encode()
        lines += [b"data: ", finish, eol, eol] if chance.random() < 0.8 else []
        lines += [b"data: [DONE]", eol, eol] if chance.random() < 0.8 else []
    whole = b"".join(lines)
    match chance.random():
        case part if part < 0.03:
            return b"<!doctype html><title>Some app</title>" + whole
        case part if part < 0.06:
            return json.dumps(event(chance), indent=chance.choice([None, 2])).encode(errors="surrogatepass")
        case part if part < 0.08:
            return whole[: chance.randint(0, len(whole))]
        case part if part < 0.09:
            return chance.choice([b"data: ", b": ", b"", b"data: x\n"]) * 500_000
    return whole


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one request is answered with."""

    head: list[tuple[str, str]]
    status: int
    pieces: list[bytes]
    gap_s: float
    """Between two pieces, now and then."""
    end: str
    """``close``, ``reset`` or ``hang``."""


def draw(seed: int, number: int) -> Drawn:
    """Return stream ``number`` of ``seed``."""
    chance = random.Random(f"{seed}:{number}")
    data = body(chance)
    head = [("Content-Type", chance.choice(["text/event-stream", "application/json", "text/html"]))]
    packing = chance.random()
    if packing < 0.15:
        head.append(("Content-Encoding", "gzip"))
        data = gzip.compress(data, 1, mtime=0)
    elif packing < 0.25:
        head.append(("Content-Encoding", "deflate"))
        data = zlib.compress(data, 1)
    elif packing < 0.28:
        head.append(("Content-Encoding", chance.choice(["br", "gzip", "zstd", "identity", "x"])))
    elif packing < 0.30:
        head.append(("Content-Encoding", "gzip"))
        data = gzip.compress(chance.choice([b"data: ", b": x\n", b"\n", b"data: {}\n\n"]) * 8_000_000, 1, mtime=0)
    status = chance.choice([200] * 40 + [201, 204, 301, 307, 400, 401, 404, 429, 500, 503])
    if status in (301, 307):
        head.append(("Location", chance.choice(["http://127.0.0.2:1/", "/v1/x", "//", "https://127.0.0.1:1/", "\x7f"])))
    sizes = chance.choice([[1], [1, 2, 3], [10, 1000], [100_000], [len(data) or 1]])
    pieces: list[bytes] = []
    at = 0
    while at < len(data) and len(pieces) < 400:
        size = chance.choice(sizes)
        pieces.append(data[at : at + size])
        at += size
    pieces.append(data[at:])
    end = chance.choice(["close"] * 8 + ["reset", "hang"])
    return Drawn(head, status, pieces, chance.choice([0.0, 0.0, 0.0, 0.001, 0.05]), end)


async def answer(stream: trio.SocketStream, seed: int) -> None:
    """Answer one request with the stream whose number it asks for, and close."""
    http = h11.Connection(h11.SERVER)
    asked = bytearray()
    with suppress(trio.BrokenResourceError, h11.RemoteProtocolError):
        while not isinstance(got := http.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
            if got is h11.NEED_DATA:
                http.receive_data(await stream.receive_some())
            elif isinstance(got, h11.Data):
                asked += got.data
        if asked:
            number = int(json.loads(asked)["messages"][0]["content"])
            drawn = await trio.to_thread.run_sync(draw, seed, number)
            head = "".join(f"{name}: {value}\r\n" for name, value in drawn.head)
            await stream.send_all(f"HTTP/1.1 {drawn.status} X\r\n{head}Connection: close\r\n\r\n".encode())
            for at, piece in enumerate(drawn.pieces):
                if drawn.gap_s and at % 20 == 1:
                    await trio.sleep(drawn.gap_s)
                await stream.send_all(piece)
            if drawn.end == "hang":
                await stream.receive_some()
    await stream.aclose()
