"""Every step of a scenario, and every end that can come right before it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product, zip_longest
from math import inf

import trio
import trio.testing

from voice_trio.core import messages as m
from voice_trio.testing.explorer.case import Case
from voice_trio.testing.explorer.ends import End, ends_of
from voice_trio.testing.explorer.leftovers import little_garbage, watching
from voice_trio.testing.explorer.promises import broken_promises
from voice_trio.testing.explorer.scenarios import SCENARIO, Scenario
from voice_trio.testing.explorer.steps import Steps, seeded

_MOST_STEPS = 50_000
"""Far more than any session worth exploring has: one that takes more does not come to an end."""


@dataclass(frozen=True)
class Numbering:
    """The steps of an undisturbed session."""

    places: tuple[str, ...]
    """Where the task stood that was about to take each step."""

    def __len__(self) -> int:
        return len(self.places)

    @property
    def digest(self) -> str:
        """A short name: equal numberings have equal ones."""
        return hashlib.sha256("\n".join(self.places).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Finding:
    """What was found when ``end`` came right before ``step``; no ``problems`` is as it should be."""

    end: str
    step: int
    place: str
    """Where the task stood that took the step."""
    problems: tuple[str, ...]
    said: tuple[m.Event, ...] = field(repr=False)
    """All that the session said."""


@dataclass
class Report:
    """What an exploration did and found."""

    cases: int = 0
    seconds: float = 0.0
    failures: list[Finding] = field(default_factory=list)


class UnsoundScenario(Exception):
    """A scenario that cannot be explored: undisturbed it breaks a promise, or it is not the same every time."""


def number(scenario: Scenario = SCENARIO, *, seed: int = 0) -> Numbering:
    """Live ``scenario`` undisturbed, twice, and return its steps. Raises `UnsoundScenario`."""
    with little_garbage():
        # Once for what is loaded or made at the first use.
        _live(scenario, None, seed, Steps())
        numberings = []
        for _ in range(2):
            steps = Steps(trace=True)
            problems, _ = _live(scenario, None, seed, steps)
            if problems:
                raise UnsoundScenario("; ".join(problems))
            numberings.append(Numbering(tuple(steps.places)))
    first, second = numberings
    if first != second:
        pairs = enumerate(zip_longest(first.places, second.places, fillvalue="the end"), 1)
        step, (one, other) = next((step, pair) for step, pair in pairs if pair[0] != pair[1])
        raise UnsoundScenario(f"two runs differ at step {step}: {one} and {other}")
    return first


def try_one(
    end: str, step: int, scenario: Scenario = SCENARIO, *, seed: int = 0, ends: Mapping[str, End] | None = None
) -> Finding:
    """Live ``scenario`` with ``end`` right before ``step``, and return what was found."""
    with little_garbage():
        return _try(end, step, scenario, seed, ends or ends_of(scenario))


def explore(
    scenario: Scenario = SCENARIO,
    *,
    seed: int = 0,
    steps: Iterable[int] | None = None,
    only: Sequence[str] = (),
    ends: Mapping[str, End] | None = None,
    enough: float = inf,
    tried: Callable[[Finding], None] = lambda finding: None,
) -> Report:
    """Live ``scenario`` once for each of ``steps`` (all that there are) and each of ``only`` (all of ``ends``).

    Without ``ends`` they are those of `ends_of`. It stops at ``enough`` failures, and calls ``tried`` after each case.
    Raises `UnsoundScenario`.
    """
    began_at = time.monotonic()
    report, ends = Report(), ends or ends_of(scenario)
    numbering = number(scenario, seed=seed)
    chosen = range(1, len(numbering) + 1) if steps is None else steps
    with little_garbage():
        for step, end in product(chosen, only or ends):
            finding = _try(end, step, scenario, seed, ends)
            report.cases += 1
            if finding.problems:
                report.failures.append(finding)
            tried(finding)
            if len(report.failures) >= enough:
                break
    report.seconds = time.monotonic() - began_at
    return report


def _try(name: str, step: int, scenario: Scenario, seed: int, ends: Mapping[str, End]) -> Finding:
    end = ends[name]
    steps = Steps(at=step)
    problems, said = _live(scenario, end, seed, steps)
    if steps.count < step:
        problems.append(f"there were only {steps.count} steps")
    if steps.error is not None:
        problems.append(f"the end itself failed: {steps.error!r}")
    return Finding(name, step, next(iter(steps.places), ""), tuple(problems), tuple(said))


def _live(scenario: Scenario, end: End | None, seed: int, steps: Steps) -> tuple[list[str], list[m.Event]]:
    """Live ``scenario`` and return the promises that were broken, and all that the session said."""
    cases: list[Case] = []

    async def live() -> None:
        case = Case(scenario, clock)
        cases.append(case)
        if end is not None:
            act = end.act
            steps.act = lambda: act(case)
        steps.limit = _MOST_STEPS, case.scope
        await case.live(steps.begin, steps.end)

    problems = []
    with watching() as left, seeded(seed):
        clock = trio.testing.MockClock(autojump_threshold=0)
        try:
            trio.run(live, clock=clock, instruments=[steps])
        except Exception as error:
            problems.append(f"the session raised {error!r}")
            error.__traceback__ = None
    if steps.count > _MOST_STEPS:
        problems.append(f"the session had not ended after {_MOST_STEPS} steps")
    for case in cases:
        problems += broken_promises(case, end)
    return problems + left, [event for case in cases for event in case.link.taken]
