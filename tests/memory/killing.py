"""Sessions whose turns end in quick succession, in a process that is killed at any moment, many times.

    python -m tests.memory.killing FOLDER SEED KILLS

prints, as one JSON object a line, every record that a `Done` announced as remembered before the kill. The process
that is killed is forked from this one, which has imported everything: so each takes hardly longer than its life.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from itertools import count

import trio

from voice_trio import config, log
from voice_trio.core import messages as m
from voice_trio.memory.open import open_store
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer, scripted_engines

SPEAKERS = 6
LIFE_S = (0.005, 0.2)
ANNOUNCED = (1, 30)


async def live(folder, run, earlier, announce):
    """Talk until killed. The first speaker goes on with conversation ``earlier``, if there is one."""
    async with open_store(config.load(data_dir=folder)) as store, trio.open_nursery() as nursery:
        for speaker in range(SPEAKERS):
            nursery.start_soon(talk_on, store, f"{run}.{speaker}", earlier if speaker == 0 else None, announce)


async def talk_on(store, name, earlier, announce):
    engines = scripted_engines(
        language_model=ScriptedLanguageModel(
            replies=[ScriptedReply(tokens=[f"Answer {n} ", "to ", name], token_s=0.0) for n in range(1, 500)]
        ),
        synthesizer=ScriptedSynthesizer(char_ms=0 if name.endswith("1") else 1, speak_s=0.0),
    )
    async with conversation(store=store, engines=engines, log_latency=False) as talk:
        opened = await talk.wait_for(m.SessionOpened)
        for turn in count(1):
            said = f"Question {turn} of {name}. " + "Please. " * (turn % 50)
            await talk.ask(m.Text(text=said, conversation=earlier))
            if turn % 5 == 0:
                await talk.wait_for(m.Token, turn=turn)
                await talk.ask(m.Cancel())
            done = await talk.wait_for(m.Done, turn=turn)
            assert done.remembered
            announce(
                {
                    "conversation": earlier or opened.conversation,
                    "session": opened.session,
                    "turn": turn,
                    "said": said,
                    "reply": talk.reply(turn),
                    "heard": done.heard,
                    "outcome": done.outcome,
                }
            )


def kill_one(folder, run, earlier, chance):
    """Let sessions live for a while, kill them, and return what they announced."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            trio.run(live, folder, run, earlier, lambda record: os.write(writing, json.dumps(record).encode() + b"\n"))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    with open(reading, "rb") as pipe:
        announced = []
        if run % 2:
            time.sleep(chance.uniform(*LIFE_S))
        else:
            # At the very moment when it says so.
            announced = [pipe.readline() for _ in range(chance.randint(*ANNOUNCED))]
        os.kill(child, signal.SIGKILL)
        announced += pipe.readlines()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "it ended by itself"
    return [json.loads(line) for line in announced]


def main(folder, seed, kills):
    log.configure("ERROR")
    chance = random.Random(int(seed))
    earlier = None
    for run in range(int(kills)):
        for record in kill_one(folder, run, earlier, chance):
            print(json.dumps(record))
            earlier = record["conversation"]


if __name__ == "__main__":
    main(*sys.argv[1:])
