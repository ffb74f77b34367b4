"""One machine in closed form: people who each wait for their answer before they speak again.

That is the machine-repair queue (M/M/c//N): so many people are away for a time, then want a processor for a time. Its
balance equations give the share of the time in which so many wait, exactly; see L. Kleinrock, Queueing Systems, volume
1, section 3.8. Real service times vary less than exponential ones, so it errs on the side of waiting too long.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.capacity.demand import Demand


@dataclass(frozen=True, slots=True)
class Machine:
    """What so many people meet with on one machine."""

    people: int
    busy: float
    """Share of its processors that compute, 0 to 1."""
    wait_s: float
    """In the queue, in the mean, for all that a turn computes before it can sound."""
    gap_s: float
    """From the last word to the first sound, in the mean."""


def machine(demand: Demand, people: int, processors: int) -> Machine:
    """Return what ``people`` meet with who talk all the time."""
    service_s = demand.turn_cpu_s
    away_s = demand.cycle_s
    share, weight = [1.0], 1.0
    for waiting in range(1, people + 1):
        arriving = (people - waiting + 1) / away_s
        leaving = min(waiting, processors) / service_s
        weight *= arriving / leaving
        share.append(weight)
    total = sum(share)
    present = sum(number * part for number, part in enumerate(share)) / total
    busy = sum(min(number, processors) * part for number, part in enumerate(share)) / total
    rate = busy / service_s
    wait_s = present / rate - service_s if rate else 0.0
    return Machine(people, busy / processors, wait_s, demand.window_s + demand.model_s + demand.gap_cpu_s + wait_s)


def most_people(demand: Demand, processors: int, wait_s: float) -> int:
    """Return how many people may talk at once so that they wait for at most ``wait_s`` in the mean."""
    people = 1
    while machine(demand, people + 1, processors).wait_s <= wait_s:
        people += 1
    return people
