"""Faults that are injected on purpose: which call each of them strikes. `fault_tap` does it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf

import structlog

from voice_trio.config import Settings
from voice_trio.core.faults import Fault, Kind, Stage, parse

log = structlog.get_logger()

_SLOW = (Kind.DELAY, Kind.DRIP)
"""Kinds that leave an answer as it is, so that more than one of them can strike a call."""


class Faults:
    """Counts the calls of every stage, of all sessions together, and says what goes wrong with each.

    The same faults and the same ``seed`` strike the same calls. Each fault draws for itself, so that adding one
    changes nothing for the others.
    """

    def __init__(self, faults: Sequence[Fault], seed: int = 0) -> None:
        self._faults = [(fault, random.Random(f"{seed}/{place}")) for place, fault in enumerate(faults)]
        self._calls: Counter[tuple[Stage, bool]] = Counter()

    @classmethod
    def of(cls, settings: Settings) -> Faults:
        """Return those that ``settings`` ask for."""
        return cls(parse(settings.faults), settings.faults_seed)

    def __iter__(self) -> Iterator[Fault]:
        return iter([fault for fault, _ in self._faults])

    def strikes(self, stage: Stage) -> bool:
        """Whether any call of ``stage`` may go wrong."""
        return any(fault.stage is stage for fault in self)

    def strike(self, stage: Stage, *, recall: bool = False) -> Struck:
        """Count a call of ``stage`` and return what goes wrong with it; for STORE, ``recall`` says which call it is."""
        self._calls[stage, recall] += 1
        number = self._calls[stage, recall]
        struck = []
        for fault, chance in self._faults:
            if (fault.stage, fault.recall) == (stage, recall):
                drawn = chance.random() < fault.share
                if drawn if fault.call is None else fault.call == number:
                    struck.append(fault)
        return Struck(struck, number)


class Struck:
    """One call of a stage, and the faults that strike it. Each is logged when it does."""

    def __init__(self, faults: Sequence[Fault], number: int) -> None:
        self._faults = faults
        self._number = number
        self._logged: set[Fault] = set()

    def __bool__(self) -> bool:
        return bool(self._faults)

    def seconds(self, kind: Kind) -> float:
        """Return by how much the call is to be slowed down, ``kind`` being DELAY or DRIP."""
        slow = [fault for fault in self._faults if fault.kind is kind]
        for fault in slow:
            self._log(fault)
        return sum(fault.seconds for fault in slow)

    def breakdown(self, pieces: float = inf) -> Kind | None:
        """Return what goes wrong now that ``pieces`` of the answer were given; the first fault listed counts."""
        for fault in self._faults:
            if fault.kind not in _SLOW and fault.after <= pieces:
                self._log(fault)
                return fault.kind
        return None

    def _log(self, fault: Fault) -> None:
        if fault not in self._logged:
            self._logged.add(fault)
            log.warning(
                "fault injected", stage=str(fault.stage), kind=str(fault.kind), call=self._number, fault=fault.text
            )
