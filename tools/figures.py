"""The arithmetic of measuring: percentiles, and whether something grows."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BATCHES = 6
_T = 4.604
"""Student's t for a two-sided 99 %, with two degrees of freedom fewer than batches."""


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value that ``percent`` of ``values`` do not exceed: the nearest rank, so it is one of them.

    Raises ValueError where there are none.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Trend:
    """How something went over the second half of a run."""

    mean: float
    growth: float
    """From the first to the last of it, by the fitted line."""
    margin: float
    """99 % of such lines lie within ``growth`` plus or minus this."""

    def grows(self, floor: float) -> bool:
        """Return whether it surely grows, and by more than ``floor``, below which nobody would call it growth."""
        return self.growth - self.margin > 0 and self.growth > floor


def trend(times: Sequence[float], values: Sequence[float]) -> Trend:
    """Return how ``values`` at ``times`` went over the second half of the time. Raises ValueError for too few.

    What is warming up is over by then. Neighbouring samples of memory are much alike, and a line fitted to them all
    would claim a certainty that they do not hold; so their means over `BATCHES` stretches of time are fitted (the
    method of batch means), by least squares, with Student's t for the 99 % interval of the slope.
    """
    middle = (times[0] + times[-1]) / 2 if times else 0.0
    half = [(t, v) for t, v in zip(times, values, strict=True) if t >= middle]
    if len(half) < BATCHES:
        raise ValueError(f"{len(half)} samples in the second half; {BATCHES} are needed")
    batches = [half[i * len(half) // BATCHES : (i + 1) * len(half) // BATCHES] for i in range(BATCHES)]
    x = [statistics.fmean(t for t, _ in batch) for batch in batches]
    y = [statistics.fmean(v for _, v in batch) for batch in batches]
    slope, intercept = statistics.linear_regression(x, y)
    mean_x = statistics.fmean(x)
    spread = sum((one - mean_x) ** 2 for one in x)
    left = sum((b - intercept - slope * a) ** 2 for a, b in zip(x, y, strict=True))
    error = math.sqrt(left / (BATCHES - 2) / spread)
    span = half[-1][0] - half[0][0]
    return Trend(statistics.fmean(y), slope * span, _T * error * span)
