"""Any end before any step of a session whose recognizer and voice are on another machine: a part of them."""

import os
import random

from tests.explorer.far_ends import SCENARIO
from voice_trio.testing.explorer import ENDS, explore, number

CASES = 40


def test_a_part_of_the_steps_another_each_time():
    seed = int(os.environ.get("SEED", random.randrange(10_000)))
    steps = len(number(SCENARIO, seed=seed))
    every = steps * len(ENDS) // CASES
    where = f"--scenario tests.explorer.far_ends:SCENARIO --every {every} --seed {seed}"
    command = f"python tools/explore_cancellation.py {where}"
    print(command)
    report = explore(SCENARIO, seed=seed, steps=range(1 + seed % every, steps + 1, every))
    assert report.cases > 0
    assert report.failures == [], command
