"""Which turns of a conversation the store has, as far as its session knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from voice_trio.core.history import Record
from voice_trio.memory.base import RECALLED_RECORDS


class KeptRecords:
    """Those of one session, and of others before it."""

    def __init__(self) -> None:
        self.earlier: list[Record] = []
        """Those of other sessions that were recalled."""
        self.own: dict[int, Record] = {}
        """By the turns of this session, as they stand in the store."""
        self._unsure: list[Record] = []
        """Of this session: they may be in the store, or not."""

    def keep(self, record: Record) -> None:
        """Note that ``record``, of this session, is in the store."""
        self.own[record.turn] = record
        self.own = dict([*self.own.items()][-RECALLED_RECORDS:])

    def doubt(self, record: Record) -> None:
        """Note that ``record``, of this session, may be in the store, or not."""
        self._unsure.append(record)

    def knows(self, records: Sequence[Record]) -> bool:
        """Return whether ``records``, which are all that there are, can be those that are known.

        There are fewer where some were forgotten, and more, or others, where another session had the conversation
        meanwhile. Where one is unsure, that is to be found out.
        """
        known = [*self.earlier, *self.own.values()]
        if self._unsure or len(records) != min(len(known), RECALLED_RECORDS):
            return False
        return not records or any((one.session, one.turn) == (records[-1].session, records[-1].turn) for one in known)

    def learn(self, records: Sequence[Record]) -> list[int]:
        """Take ``records`` for all that there are; return the turns of this session that are there no more."""
        there = _counted(records)
        for record in self._unsure:
            if there[record.turn, record.said]:
                self.keep(record)
        self._unsure = []
        gone = [turn for turn, record in self.own.items() if not there[turn, record.said]]
        # What two sessions remember alike is one's as well as the other's.
        mine = _counted(self.own.values())
        for turn in gone:
            del self.own[turn]
        self.earlier = []
        for record in records:
            if mine[record.turn, record.said]:
                mine[record.turn, record.said] -= 1
            else:
                self.earlier.append(record)
        return gone


def _counted(records: Iterable[Record]) -> Counter[tuple[int, str]]:
    return Counter((record.turn, record.said) for record in records)
