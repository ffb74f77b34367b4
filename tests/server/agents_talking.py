"""OpenAI's Agents SDK in a process of its own: ``python -m tests.server.agents_talking SCENARIO URL`` prints what came.

What is printed is one JSON object: the types of events, the errors, the calls of the tool, and the history at the end.
"""

import asyncio
import json
import sys

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner

from tests.wire.realtime.talking import silent, voiced

CALLS: list[str] = []


@function_tool
def weather(place: str) -> str:
    """Say how the weather is.

    Args:
        place: Where.
    """
    CALLS.append(place)
    return "sunny"


async def typed(session, seen):
    await session.send_message("How is the weather?")
    await seen("audio_end")


async def spoken(session, seen):
    await session.send_audio(voiced(1500) + silent(2500))
    await seen("audio_end")
    # Once it knows the words, it asks for the item.
    while not any("input_audio" in json.dumps(item) and item.get("role") == "user" for item in seen.history):
        await seen("history_updated")


async def calling(session, seen):
    await session.send_message("How is the weather at sea?")
    await seen("tool_end")
    await seen("audio_end")


async def interrupted(session, seen):
    await session.send_message("Tell me a story.")
    await seen("audio")
    await session.send_audio(voiced(1500) + silent(2500))
    await seen("audio_interrupted")
    await seen("audio_end")


async def stopped(session, seen):
    await session.send_message("Tell me a story.")
    await seen("audio")
    await session.interrupt()
    await seen("audio_interrupted")
    await session.send_message("And now?")
    await seen("audio_end")


class Seen:
    """What came of a session."""

    def __init__(self):
        self.types = []
        self.errors = []
        self.history = []
        self._read = 0
        self._news = asyncio.Condition()

    async def collect(self, session):
        async for event in session:
            async with self._news:
                self.types.append(event.type)
                if event.type == "error":
                    self.errors.append(repr(event.error))
                if event.type == "history_updated":
                    self.history = [item.model_dump(exclude_none=True) for item in event.history]
                self._news.notify_all()

    async def __call__(self, kind):
        """Wait for the next event of that type."""
        async with self._news:
            while True:
                await self._news.wait_for(lambda: len(self.types) > self._read)
                self._read += 1
                if self.types[self._read - 1] == kind:
                    return


async def main(scenario, url):
    agent = RealtimeAgent(name="Assistant", instructions="Be brief.", tools=[weather])
    seen = Seen()
    async with await RealtimeRunner(agent).run(model_config={"url": url, "api_key": "any"}) as session:
        collecting = asyncio.create_task(seen.collect(session))
        async with asyncio.timeout(60):
            await globals()[scenario](session, seen)
            # What is on its way still.
            await asyncio.sleep(0.5)
        collecting.cancel()
    print(json.dumps({"types": seen.types, "errors": seen.errors, "calls": CALLS, "history": seen.history}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
