"""A session with a timer, in a process that is killed once that is set, or once the person begins to hear of it.

    python -m tests.memory.alert_killing FOLDER set|begun

prints the conversation.
"""

import os
import signal
import sys
import time
from functools import partial

import trio

from voice_trio import config, log
from voice_trio.core import messages as m
from voice_trio.core.alerts import Alert
from voice_trio.memory.alerts import alerts_of
from voice_trio.memory.open import open_store
from voice_trio.testing.conversation import conversation


async def live(folder, moment):
    async with open_store(config.load(data_dir=folder)) as store:
        alerts = alerts_of(store)
        async with conversation(store=store, alerts=alerts, wall_clock=time.time) as talk:
            name = (await talk.wait_for(m.SessionOpened)).conversation
            print(name, flush=True)
            now = time.time()
            await alerts.put(Alert(conversation=name, id="a", kind="timer", label="pasta", due_at=now, set_at=now))
            if moment == "begun":
                await talk.ask(m.Resume(conversation=name))
                await talk.wait_for(m.TtsChunk)
                # The client is told that the timer is no more when that is kept.
                while (await talk.wait_for(m.Timers)).timers:
                    pass
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    log.configure("ERROR")
    trio.run(partial(live, *sys.argv[1:]))
