"""A server's memory, that does what it is told to: some words a line, answered by a line each.

python -P -m tests.memory.postgres.node
"""

import sys

import trio

from tests.memory.records import record
from voice_trio import config, log
from voice_trio.memory.base import ClaimLost, StoreError
from voice_trio.memory.holds import Claims
from voice_trio.memory.open import open_holds, open_store


async def main():
    settings = config.load()
    async with open_store(settings) as store:
        with open_holds(settings, store) as holds:
            claims = Claims(holds)
            print("ready", flush=True)
            while line := await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True):
                print(await do(store, claims, line.split()), flush=True)


async def do(store, claims, words):
    try:
        match words:
            case "begin", session:
                conversation = await store.begin()
                return conversation if await claims.claim(conversation, session) else "no"
            case "claim", conversation, session:
                return "yes" if await claims.claim(conversation, session) else "no"
            case "release", session:
                claims.release(session)
                return "yes"
            case "commit", conversation, session, turn:
                await store.commit(record(conversation, int(turn), session=f"{session} in {conversation}"))
                return "yes"
            case "recall", conversation:
                return " ".join(["turns", *(str(one.turn) for one in await store.recall(conversation))])
    except ClaimLost:
        return "lost"
    except StoreError as error:
        return f"error {type(error).__name__}"


if __name__ == "__main__":
    log.configure("CRITICAL")
    trio.run(main)
