"""Ends a session right before each of its steps, in every way that it can end, and sees that it ends well.

    python tools/explore_cancellation.py                            every step, every end
    python tools/explore_cancellation.py --every 20 --seed 7        every 20th step, the tasks in another order
    python tools/explore_cancellation.py --end cancel --step 417    one case, and all that its session said
    python tools/explore_cancellation.py --list                     the ends and the scenarios
    python tools/explore_cancellation.py --scenario my_tests.talks:SCENARIO

It prints how many cases there were, how long they took, and the first one that failed with the command that runs it
again alone; it exits with 1 if one did. docs/testing.md says what is checked.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path

import click

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent.parent), str(Path.cwd())]

from voice_trio import log
from voice_trio.testing.explorer import (
    ENDS,
    RESUMED,
    SCENARIOS,
    Finding,
    Report,
    Scenario,
    UnsoundScenario,
    ends_of,
    explore,
    number,
    try_one,
)


@click.command()
@click.option("--scenario", "name", default="talk", show_default=True, help="One of ours, or module:name of yours.")
@click.option(
    "--end", "ends", multiple=True, type=click.Choice([*ENDS, *RESUMED]), help="Only this end; may be repeated."
)
@click.option("--step", type=click.IntRange(1), help="Only before this step.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="Leave out steps between.")
@click.option("--seed", default=0, show_default=True, help="Order of the tasks, and with --every the first step.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option("--list", "listing", is_flag=True, help="List the ends and the scenarios.")
def main(name: str, ends: tuple[str, ...], step: int | None, every: int, seed: int, jobs: int, listing: bool) -> None:
    """Explore a scenario."""
    if listing:
        for end_name, end in {**ENDS, **RESUMED}.items():
            click.echo(f"{end_name:<14}{end.about}")
        click.echo(f"scenarios: {', '.join(SCENARIOS)}")
        return
    log.configure("ERROR" if step else "CRITICAL")
    there = ends_of(scenario_named(name))
    if strange := [end for end in ends if end not in there]:
        raise click.UsageError(f"{name} can end by {', '.join(there)}, and not by {', '.join(strange)}.")
    ends = ends or tuple(there)
    try:
        numbering = number(scenario_named(name), seed=seed)
    except UnsoundScenario as error:
        raise click.ClickException(f"Undisturbed, the scenario is not sound: {error}") from None
    click.echo(f"{name}, seed {seed}: {len(numbering)} steps (numbering {numbering.digest}), {len(ends)} ends")
    if step is not None:
        if step > len(numbering):
            raise click.UsageError(f"There are {len(numbering)} steps.")
        sys.exit(show([try_one(end, step, scenario_named(name), seed=seed) for end in ends]))
    began_at = time.monotonic()
    steps = range(1 + seed % every, len(numbering) + 1, every)
    reports = run([steps[job::jobs] for job in range(jobs)], name, ends, seed)
    failures = sorted((finding for report in reports for finding in report.failures), key=lambda f: f.step)
    cases = sum(report.cases for report in reports)
    click.echo(f"{cases} cases in {time.monotonic() - began_at:.0f} s, {len(failures)} failed")
    if failures:
        click.echo(f"by end: {dict(Counter(finding.end for finding in failures))}\n\nthe first:")
        tell(failures[0])
        command = f"python tools/explore_cancellation.py --end {failures[0].end} --step {failures[0].step}"
        click.echo(command + (f" --seed {seed}" if seed else "") + (f" --scenario {name}" if name != "talk" else ""))
        sys.exit(1)


def scenario_named(name: str) -> Scenario:
    """Return one of our scenarios, or the one that "module:name" names."""
    if name in SCENARIOS:
        return SCENARIOS[name]
    module, _, attribute = name.partition(":")
    try:
        scenario = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise click.BadParameter(f"There is no scenario {name}: {error}") from None
    if not isinstance(scenario, Scenario):
        raise click.BadParameter(f"{name} is no Scenario.")
    return scenario


def run(parts: list[range], name: str, ends: tuple[str, ...], seed: int) -> list[Report]:
    """Explore each of ``parts``, in a process of its own where there is more than one."""
    part = partial(explore_part, name, ends, seed)
    if len(parts) == 1:
        return [part(parts[0])]
    with ProcessPoolExecutor(len(parts), multiprocessing.get_context("spawn")) as pool:
        return [*pool.map(part, parts)]


def explore_part(name: str, ends: tuple[str, ...], seed: int, steps: range) -> Report:
    log.configure("CRITICAL")
    return explore(scenario_named(name), seed=seed, steps=steps, only=ends)


def show(findings: list[Finding]) -> int:
    """Print ``findings`` with all that their sessions said, and return 1 if there is a problem among them."""
    for finding in findings:
        click.echo()
        for event in finding.said:
            text = str(event)
            click.echo(text if len(text) < 160 else f"{text[:157]}...")
        tell(finding)
    return int(any(finding.problems for finding in findings))


def tell(finding: Finding) -> None:
    click.echo(f"{finding.end} before step {finding.step}, {finding.place}")
    for problem in finding.problems or ("all is well",):
        click.echo(f"    {problem}")


if __name__ == "__main__":
    main()
