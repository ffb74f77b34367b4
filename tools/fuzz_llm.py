"""Lets drawn language models answer: streams of every form, cut, packed, broken and oversized as servers never should.

    python tools/fuzz_llm.py                          2,000 streams
    python tools/fuzz_llm.py --count 200 --seed 7
    python tools/fuzz_llm.py --only 1234              stream 1234 of that seed alone, and what came of it

Each stream is sent by a server on a free loopback port, and read by a session's whole reply: the model's client, the
limits, the phrases; only the voice is left out. The same seed draws the same streams. A reply may be whole or break
off, with one of the codes of a language model, once; anything else is shown with its number. It prints how the replies
ended, the longest steps between two checkpoints with their places, and what is left of open files. It exits
with 1 if a reply ended otherwise, if anything is left, or if a step of ours was longer than `--step-ms` of CPU.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools.fuzzing.llm_streams import answer
from tools.proc import held_by
from tools.stalls import LIMIT_MS, Stalls
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.history import Message
from voice_trio.core.items import Words, reply_id
from voice_trio.core.messages import ErrorCode
from voice_trio.core.phrases import Phrase
from voice_trio.core.timeline import Timeline
from voice_trio.engines.base import Prompt, ToolCall
from voice_trio.engines.openai_chat.model import ChatModel, open_chat_model
from voice_trio.session.llm import Written
from voice_trio.session.outbox import Outbox
from voice_trio.session.outlet import Outlet
from voice_trio.session.question import NO_HANDS
from voice_trio.session.settings import SessionSettings
from voice_trio.session.tool_use import Deeds

SESSIONS = 8
"""Replies that are read at the same time."""

_LIMIT_S = 120.0
"""After so long a reply hangs. Its own limits count its waits alone, and ten thousand phrases take their time."""

_CODES = frozenset({ErrorCode.LLM_FAIL, ErrorCode.LLM_TIMEOUT})

SETTINGS: dict[str, Any] = {"llm_first_token_s": 2.0, "llm_timeout_s": 4.0, "llm_reasoning_s": 4.0, "llm_model": "m"}


@dataclass
class Tally:
    """What came of the replies."""

    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def read(model: ChatModel, settings: config.Settings, number: int, tally: Tally) -> str:
    """Read reply ``number`` as a session does, and return how it ended; what may not be goes into ``tally``."""
    said: list[m.Event] = []
    send, phrases = trio.open_memory_channel[Phrase](5)
    spoken: list[Phrase] = []
    outbox = Outbox(capacity=5, reserve=5, overflowed=lambda: None)

    async def speak() -> None:
        async with phrases:
            async for phrase in phrases:
                spoken.append(phrase)

    async def take() -> None:
        while (event := await outbox.take()) is not None:
            said.append(event)

    def begin() -> m.Event:
        return m.ItemAdded(item=Words(id=reply_id(1), by="assistant"), after=None)

    def use_tool(_: int, call: ToolCall) -> m.Event:
        raise AssertionError(f"nobody offered a tool, and {call} is to be used")

    written = Written(1, SessionSettings.of(settings), begin, use_tool, Deeds(1, "fuzz"), lambda: False)
    try:
        with trio.fail_after(_LIMIT_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(speak)
                nursery.start_soon(take)
                prompt = Prompt([Message("user", str(number))])
                await written.write(prompt, NO_HANDS, model, send, Outlet(outbox, Timeline()))
                outbox.close()
    except Exception as error:  # whatever it is, it is what is looked for
        tally.wrong.append(f"stream {number}: {error!r}")
        return "wrong"
    failures = [event for event in said if isinstance(event, m.Error)]
    reply = "".join(event.text for event in said if isinstance(event, m.Token))
    reply.encode()
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
    if any(isinstance(event, m.Info) for event in said):
        return "cut"
    return "whole" if reply.strip() else f"empty: {written.why_empty}"


async def fuzz(
    numbers: Sequence[int],
    seed: int,
    tally: Tally,
    *,
    show: Callable[[str], None] = lambda _: None,
    begin: Callable[[], None] = lambda: None,
) -> None:
    """Read all of ``numbers``, a few at a time; ``begin`` is called before the first, ``show`` with how each ended."""
    left = iter(numbers)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, lambda stream: answer(stream, seed), listeners)
        url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/v1"
        settings = config.load(openai_base_url=url, openai_api_key="none", **SETTINGS)

        async def session(model: ChatModel) -> None:
            for number in left:
                ended = await read(model, settings, number, tally)
                tally.ends[ended] += 1
                show(f"stream {number}: {ended}")

        async with open_chat_model(settings) as model, trio.open_nursery() as sessions:
            begin()
            for _ in range(SESSIONS):
                sessions.start_soon(session, model)
        nursery.cancel_scope.cancel()


@click.command()
@click.option("--count", default=2000, show_default=True, help="Streams.")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", type=int, help="The number of one stream.")
@click.option("--step-ms", default=LIMIT_MS, show_default=True, help="The longest step of ours, in ms of CPU.")
def main(count: int, seed: int, only: int | None, step_ms: float) -> None:
    tally, stalls = Tally(), Stalls(step_ms)
    numbers = range(count) if only is None else [only]
    before = held_by(os.getpid())["files"]
    show = {} if only is None else {"show": print}
    with stalls.watching():
        # The start takes its time.
        trio.run(partial(fuzz, numbers, seed, tally, begin=stalls.forget, **show), instruments=[stalls])
    files = held_by(os.getpid())["files"] - before
    print(f"{len(numbers)} streams of seed {seed}")
    for ended, times in tally.ends.most_common():
        print(f"{times:6}  {ended}")
    print(stalls.report())
    print(f"open files left: {files}")
    for wrong in tally.wrong[:20]:
        print(wrong)
    # The collector strikes whatever step is at work, for as long as this process with its drawn streams is large.
    ours = [step for step in stalls.steps if step.ours and step.cpu_ms - step.gc_ms > step_ms]
    sys.exit(bool(tally.wrong or files > 0 or ours))


if __name__ == "__main__":
    main()
