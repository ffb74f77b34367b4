"""What can be explored in virtual time only without them: worker processes and the database, in real time."""

import os
import random
import wave
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.engines.pocketsphinx.recognizer import open_pocketsphinx
from voice_trio.engines.voice import open_voice
from voice_trio.memory.open import open_store
from voice_trio.testing.explorer import ENDS, Scenario
from voice_trio.testing.explorer.case import Case
from voice_trio.testing.explorer.leftovers import little_garbage, tokens_held, watching
from voice_trio.testing.explorer.promises import broken_promises
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines, silent

pytestmark = pytest.mark.real

CASES = int(os.environ.get("CASES", "24"))
REAL_ENDS = ("cancel", "gone", "killed", "shutdown_now")

CLIP = Path(__file__).parents[1] / "clips" / "question.wav"
with wave.open(str(CLIP)) as file:
    WORDS = file.readframes(SAMPLE_RATE * 14 // 10)
    """Enough for some words."""


async def ask_aloud(client):
    await client.wait_for(m.SessionOpened)
    await client.ask(m.Start(speed=2.0))
    # All at once: how fast somebody speaks is not what is explored here.
    pcm = WORDS + silent(900)
    for at in range(0, len(pcm), 9600):
        await client.ask(m.Audio(pcm[at : at + 9600]))
    await client.wait_for(m.Done)


@asynccontextmanager
async def real_scenario(folder):
    """Yield what makes a scenario with the real recognizer, the real voice and the real store."""
    settings = config.load(data_dir=str(folder), asr_workers=1, tts_workers=1)
    async with (
        open_pocketsphinx(settings) as recognizer,
        open_voice(settings) as synthesizer,
        open_store(settings) as store,
    ):

        def engines():
            replies = [ScriptedReply(tokens=["Yes. ", "It ", "is."]), ScriptedReply(tokens=["Here."])]
            return scripted_engines(
                recognizer=recognizer,
                language_model=ScriptedLanguageModel(replies=replies),
                synthesizer=synthesizer,
            )

        yield Scenario(ask_aloud, engines, lambda: store, {"partial_interval_ms": 300}), store


async def live(scenario, store, end_name=None, after_s=0.0):
    """Live a session that comes to its end after so many seconds; return what was wrong with it, and the case."""
    end = ENDS.get(end_name)
    with watching() as left:
        case = Case(scenario, None)
        async with trio.open_nursery() as nursery:
            if end is not None:
                nursery.start_soon(act_later, end, case, after_s)
            await case.live(lambda: None, lambda: None)
            nursery.cancel_scope.cancel()
        problems = [*broken_promises(case, end), *await disagreements(store, case.tap.records)]
        # Who asks the database now asks last, so nobody else may be in it any more.
        problems += [f"{tokens} tokens are held of {limiter!r}" for limiter, tokens in tokens_held().items()]
    return problems + left, case


async def disagreements(store, committed):
    """Return the conversations of which the database does not hold what was committed."""
    wrong = []
    for conversation in {record.conversation for record in committed}:
        mine = [record for record in committed if record.conversation == conversation]
        if list(await store.recall(conversation)) != mine:
            wrong.append(f"the database does not hold {mine}")
    return wrong


async def act_later(end, case, after_s):
    await trio.sleep(after_s)
    end.act(case)
    # As many tasks as before.
    await trio.sleep_forever()


def test_any_end_at_any_moment_leaves_nothing_and_a_true_record(tmp_path):
    seed = int(os.environ.get("SEED", random.randrange(10_000)))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    failures = []

    async def main():
        async with real_scenario(tmp_path) as (scenario, store):
            # The first one also makes what is made at the first use.
            await live(scenario, store)
            began_at = trio.current_time()
            problems, case = await live(scenario, store)
            assert problems == []
            long_s = case.link.time_of(case.link.all(m.Done)[0]) - began_at
            for number in range(CASES):
                name, after_s = REAL_ENDS[number % len(REAL_ENDS)], chance.uniform(0, long_s)
                problems, _ = await live(scenario, store, name, after_s)
                if problems:
                    failures.append((name, round(after_s, 3), problems))

    with little_garbage(), watching() as left:
        trio.run(main)
    assert failures == [], f"SEED={seed}"
    assert left == []
