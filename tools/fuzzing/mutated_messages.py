"""Honest WebSockets, in which what is said is wrong."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import trio

from tools.fuzzing.mutation import mutated
from voice_trio.client import Client, SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.session.link import Malformed
from voice_trio.wire import native
from voice_trio.wire.codec import CloseCode

CLIENTS = 8
"""Clients that send mutated messages at the same time."""

SESSION_MESSAGES = 90
"""What each of them says in one session at most."""

_ANSWER_S = 20.0
"""How long a malformed message may wait for the end of its session."""

COMMANDS: list[m.Command] = [
    m.Start(mode="hold", language="en", speed=1.5, silence_ms=500),
    m.Start(),
    m.Text(text="hello", voice="scripted", speed=0.5),
    m.Text(text="what is the weather like?", hands_free=True),
    m.Stop(),
    m.Cancel(turn=1),
    m.Cancel(),
    m.Cancel(turn=1, samples=500),
    m.Played(turn=1, samples=500),
    m.Sounding(turn=1, sample=500, at=12),
    m.Mark(turn=1, marks={"first_audio": 12.5, "speech_end": 3}),
]

_ODD_VALUES: list[Any] = [
    *(
        None,
        True,
        -1,
        0,
        0.5,
        2**31,
        2**32,
        2**63,
        2**64,
        -(2**70),
        10**4000,
        1e308,
        "",
        "1",
        "\0",
        "\ud800",
        "x" * 20_000,
    ),
    *([], {}, [1], {"type": "start"}, [[[]]], {"": None}, {"a": 1e9, "b": -1}, dict.fromkeys(map(str, range(100)), 1)),
]
_NUMBERS = ["NaN", "-Infinity", "1e400", "-0", "9" * 5000, "0." + "1" * 5000, "1e-400", "01", "0x1"]


def mutated_messages(chance: random.Random) -> Iterator[str | bytes]:
    """Yield messages of a client, without end: one in four is in order, the others are not, or not quite."""
    ways = [_as_it_is, _flipped, _cut, _doubled, _wrong_type, _odd_number, _nested, _odd_audio]
    while True:
        yield chance.choices(ways, weights=[5, 3, 1, 1, 4, 2, 1, 3])[0](chance)


def _as_it_is(chance: random.Random) -> str | bytes:
    command = chance.choice([*COMMANDS, m.Audio(bytes(960)), m.Audio(b"\1\0" * 480)])
    return native.encode_command(command)


def _text(chance: random.Random) -> str:
    return str(native.encode_command(chance.choice(COMMANDS)))


def _flipped(chance: random.Random) -> str:
    data = _text(chance).encode()
    if chance.random() < 0.5:
        return mutated(data, chance).decode(errors="replace")
    flipped = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return flipped.decode(errors="replace")


def _cut(chance: random.Random) -> str:
    text = _text(chance)
    return text[: chance.randrange(len(text))]


def _doubled(chance: random.Random) -> str:
    text = _text(chance)
    # A whole message twice, or each of its fields.
    return text + text if chance.random() < 0.5 else text[:-1] + "," + text[1:]


def _wrong_type(chance: random.Random) -> str:
    body = json.loads(_text(chance))
    # Unknown fields are ignored, whatever is in them.
    body[chance.choice([*body, "conversation", "voice", "unknown"])] = chance.choice(_ODD_VALUES)
    return json.dumps(body)


def _odd_number(chance: random.Random) -> str:
    name, place = chance.choice([("played", "samples"), ("cancel", "turn"), ("start", "speed"), ("mark", "turn")])
    return f'{{"type":"{name}","turn":1,"{place}":{chance.choice(_NUMBERS)}}}'


def _nested(chance: random.Random) -> str:
    depth = chance.choice([5, 100, 1_000, 10_000, 30_000])
    opening, closing = chance.choice([("[", "]"), ('{"a":', "}")])
    if len(opening) * depth > m.MAX_MESSAGE_BYTES // 2:
        opening, closing = "[", "]"
    deep = opening * depth + "1" + closing * depth
    place = chance.choice(["marks", "text", "type", "unknown"])
    return chance.choice([deep, f'{{"type":"mark","turn":1,"{place}":{deep}}}', opening * depth])


def _odd_audio(chance: random.Random) -> bytes:
    if chance.random() < 0.02:
        return bytes(chance.choice([m.MAX_MESSAGE_BYTES, m.MAX_MESSAGE_BYTES + 2, 2 * m.MAX_MESSAGE_BYTES + 2]))
    return chance.randbytes(chance.choice([0, 1, 2, 3, 255, 256, 960, 1921, 4000]))


@dataclass
class Tally:
    """What became of mutated messages, and of the sessions they were said in."""

    sent: int = 0
    malformed: int = 0
    """Of those sent, the ones that must end their session."""
    ends: Counter[str] = field(default_factory=Counter)
    """How sessions ended: by close code, or otherwise."""
    errors: Counter[str] = field(default_factory=Counter)
    """What the server said about it, by error code."""

    @property
    def well(self) -> bool:
        """Whether nothing was ever the server's own failure, and every malformed message had its answer."""
        failures = (self.ends[str(CloseCode.INTERNAL)], self.ends[UNANSWERED], self.errors[m.ErrorCode.INTERNAL])
        return not any(failures)


UNANSWERED = "not at all, after a malformed message"
LEFT = "left by the client"


async def say_mutated(url: str, count: int, seed: int, clients: int = CLIENTS) -> Tally:
    """Say ``count`` mutated messages to the server at ``url``, in as many sessions as that takes."""
    tally = Tally()

    async def one(number: int) -> None:
        messages = mutated_messages(random.Random(f"{seed}/{number}"))
        while tally.sent < count:
            async with connect(url) as client:
                await _one_session(client, messages, count, tally)

    async with trio.open_nursery() as nursery:
        for number in range(clients):
            nursery.start_soon(one, number)
    return tally


async def _one_session(client: Client, messages: Iterator[str | bytes], count: int, tally: Tally) -> None:
    closed = trio.Event()

    async def hear() -> None:
        try:
            while True:
                event = await client.hear()
                if isinstance(event, m.Error):
                    tally.errors[event.code] += 1
        except SessionClosed as end:
            tally.ends[str(end.code)] += 1
            closed.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hear)
        said = 0
        while said < SESSION_MESSAGES and tally.sent < count and not closed.is_set():
            message = next(messages)
            said += 1
            tally.sent += 1
            fatal = _is_malformed(message)
            tally.malformed += fatal
            try:
                await client.send_raw(message)
            except SessionClosed:
                await closed.wait()
            if fatal:
                # What is said after it is not heard any more.
                with trio.move_on_after(_ANSWER_S):
                    await closed.wait()
                if not closed.is_set():
                    tally.ends[UNANSWERED] += 1
                    break
        else:
            if not closed.is_set():
                tally.ends[LEFT] += 1
        nursery.cancel_scope.cancel()


def _is_malformed(message: str | bytes) -> bool:
    try:
        native.decode_command(message)
    except Malformed:
        return True
    return False
