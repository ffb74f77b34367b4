"""Lets drawn language models answer: streams of every form, cut, packed, broken and oversized as servers never should.

    python tools/fuzz_llm.py                          2,000 streams
    python tools/fuzz_llm.py --count 200 --seed 7
    python tools/fuzz_llm.py --only 1234              stream 1234 of that seed alone, and what came of it

Each stream is sent by a server on a free loopback port, and read by a session's whole reply: the model's client, the
limits, the phrases; only the voice is left out. The same seed draws the same streams. A reply may be whole or break
off, with one of the codes of a language model, once; anything else is shown with its number. It prints how the replies
ended, the longest steps between two checkpoints with their places, and what is left of tasks and open files. It exits
with 1 if a reply ended otherwise, if anything is left, or if a step of ours was longer than `--step-ms` of CPU.
"""

from __future__ import annotations

import gc
import gzip
import json
import os
import random
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import h11
import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools.proc import held_by
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.history import Message
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.core.phrases import Phrase
from voice_trio.engines.base import TurnError
from voice_trio.engines.openai_chat import ChatModel, open_chat_model
from voice_trio.session import llm

SESSIONS = 8
"""Replies that are read at the same time."""

_LIMIT_S = 120.0
"""After so long a reply hangs. Its own limits count its waits alone, and ten thousand phrases take their time."""

_CODES = frozenset({ErrorCode.LLM_FAIL, ErrorCode.LLM_TIMEOUT})

SETTINGS: dict[str, Any] = {"llm_first_token_s": 2.0, "llm_timeout_s": 4.0, "llm_reasoning_s": 4.0, "llm_model": "m"}


# --- what is drawn ----------------------------------------------------------------------------------------------------

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
        data = gzip.compress(data, 1)
    elif packing < 0.25:
        head.append(("Content-Encoding", "deflate"))
        data = zlib.compress(data, 1)
    elif packing < 0.28:
        head.append(("Content-Encoding", chance.choice(["br", "gzip", "zstd", "identity", "x"])))
    elif packing < 0.30:
        head.append(("Content-Encoding", "gzip"))
        data = gzip.compress(chance.choice([b"data: ", b": x\n", b"\n", b"data: {}\n\n"]) * 8_000_000, 1)
    status = chance.choice([200] * 40 + [201, 204, 301, 307, 400, 401, 404, 429, 500, 503])
    if status in (301, 307):
        head.append(("Location", chance.choice(["http://127.0.0.2:1/", "/v1/x", "//", "https://127.0.0.1:1/", "\x7f"])))
    sizes = chance.choice([[1], [1, 2, 3], [10, 1000], [100_000], [len(data) or 1]])
    pieces, at = [], 0
    while at < len(data) and len(pieces) < 400:
        size = chance.choice(sizes)
        pieces.append(data[at : at + size])
        at += size
    pieces.append(data[at:])
    end = chance.choice(["close"] * 8 + ["reset", "hang"])
    return Drawn(head, status, pieces, chance.choice([0.0, 0.0, 0.0, 0.001, 0.05]), end)


# --- the server -------------------------------------------------------------------------------------------------------


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


# --- the reader -------------------------------------------------------------------------------------------------------


_STREAM: ContextVar[int] = ContextVar("stream")
"""Which one a task reads."""


class Steps(trio.abc.Instrument):
    """Notes the longest steps between two checkpoints of a task, in ms of CPU, by the place where it is next.

    The garbage collector strikes whoever is at work, for as long as this process with its drawn streams is large. So
    its time is taken apart.
    """

    def __init__(self) -> None:
        self.longest: dict[str, float] = {}
        self.longest_collection = 0.0
        self._began = 0.0
        self._collected = 0.0
        self._collects_since = 0.0

    def collect(self, phase: str, info: dict[str, int]) -> None:
        """The garbage collector begins or ends; for `gc.callbacks`."""
        if threading.current_thread() is not threading.main_thread():
            return
        if phase == "start":
            self._collects_since = time.thread_time()
            return
        took = time.thread_time() - self._collects_since
        self._collected += took
        self.longest_collection = max(self.longest_collection, took * 1000)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """A step begins."""
        self._collected = 0.0
        self._began = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """It is over."""
        took_ms = (time.thread_time() - self._began - self._collected) * 1000
        if took_ms > 5:
            place = f"{task.name.rpartition('.')[2]} at {place_of(task)}, stream {task.context.get(_STREAM)}"
            self.longest[place] = max(took_ms, self.longest.get(place, 0.0))


def place_of(task: trio.lowlevel.Task) -> str:
    """Return the innermost line of ours, or of this file, that ``task`` is at."""
    place, coroutine = "its end", task.coro
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        if frame is not None and ("voice_trio" in frame.f_code.co_filename or frame.f_code.co_filename == __file__):
            place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)
    return place


@dataclass
class Tally:
    """What came of the replies."""

    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def read(model: ChatModel, settings: config.Settings, number: int, tally: Tally) -> str:
    """Read reply ``number`` as a session does, and return how it ended; what may not be goes into ``tally``."""
    said: list[str] = []
    told: list[str] = []
    failures: list[TurnError] = []
    send, phrases = trio.open_memory_channel[Phrase](5)
    spoken: list[Phrase] = []

    async def speak() -> None:
        async with phrases:
            async for phrase in phrases:
                spoken.append(phrase)

    async def emit(event: m.Event) -> None:
        await trio.lowlevel.checkpoint()
        assert isinstance(event, m.Info)
        told.append(event.code)

    async def emit_token(token: str) -> None:
        await trio.lowlevel.checkpoint()
        token.encode()
        said.append(token)

    async def break_off(error: TurnError) -> Outcome:
        await trio.lowlevel.checkpoint()
        failures.append(error)
        return Outcome.FAILED

    written = None
    try:
        with trio.fail_after(_LIMIT_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(speak)
                written = await llm.write(
                    [Message("user", str(number))],
                    model,
                    send,
                    settings,
                    turn=1,
                    emit=emit,
                    emit_token=emit_token,
                    break_off=break_off,
                )
    except Exception as error:  # whatever it is, it is what is looked for
        tally.wrong.append(f"stream {number}: {error!r}")
        return "wrong"
    reply = "".join(said)
    problems = {
        "two failures": len(failures) > 1,
        "a code that is no language model's": any(failure.code not in _CODES for failure in failures),
        "too long": len(reply) > settings.max_reply_chars,
        "too many phrases": any(phrase.index > 0xFFFF for phrase in spoken),
        "phrases that are not the reply's beginning": not reply.startswith("".join(phrase.text for phrase in spoken)),
        "phrases that are not all of a whole reply": not failures and "".join(p.text for p in spoken) != reply,
    }
    tally.wrong += [f"stream {number}: {problem}" for problem, is_so in problems.items() if is_so]
    if failures:
        return f"{failures[0].code}: {failures[0].message.rpartition('/v1')[2]}"
    assert written is not None
    return "cut" if told else "whole" if written.has_text else f"empty: {written.why_empty}"


async def fuzz(numbers: Sequence[int], seed: int, tally: Tally, show: Callable[[str], None]) -> None:
    """Read all of ``numbers``, a few at a time."""
    left = iter(numbers)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, lambda stream: answer(stream, seed), listeners)
        url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/v1"
        settings = config.load(openai_base_url=url, openai_api_key="none", **SETTINGS)

        async def session(model: ChatModel) -> None:
            for number in left:
                _STREAM.set(number)
                ended = await read(model, settings, number, tally)
                tally.ends[ended] += 1
                show(f"stream {number}: {ended}")

        async with open_chat_model(settings) as model, trio.open_nursery() as sessions:
            for _ in range(SESSIONS):
                sessions.start_soon(session, model)
        nursery.cancel_scope.cancel()


@click.command()
@click.option("--count", default=2000, show_default=True, help="Streams.")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", type=int, help="The number of one stream.")
@click.option("--step-ms", default=20.0, show_default=True, help="The longest step that ours may take, in ms of CPU.")
def main(count: int, seed: int, only: int | None, step_ms: float) -> None:
    tally, steps = Tally(), Steps()
    numbers = range(count) if only is None else [only]
    gc.callbacks.append(steps.collect)
    before = held_by(os.getpid())["files"]
    trio.run(fuzz, numbers, seed, tally, print if only is not None else lambda _: None, instruments=[steps])
    files = held_by(os.getpid())["files"] - before
    print(f"{len(numbers)} streams of seed {seed}")
    for ended, times in tally.ends.most_common():
        print(f"{times:6}  {ended}")
    print("longest steps, ms of CPU")
    for place, took_ms in sorted(steps.longest.items(), key=lambda item: -item[1])[:10]:
        print(f"{took_ms:6.1f}  {place}")
    print(f"longest garbage collection: {steps.longest_collection:.1f} ms of CPU")
    print(f"open files left: {files}")
    for wrong in tally.wrong[:20]:
        print(wrong)
    ours = max((ms for place, ms in steps.longest.items() if "fuzz_llm.py" not in place), default=0.0)
    sys.exit(bool(tally.wrong or files > 0 or ours > step_ms))


if __name__ == "__main__":
    main()
