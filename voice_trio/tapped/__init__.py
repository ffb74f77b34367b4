"""A session's engines and store, and its alerts, behind a tap.

    engines, store = tapped(engines, store, Recorder(...))

A tap that adds nothing adds no checkpoint either: a session behind it takes the same steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_trio.core.alerts import Alert
from voice_trio.core.history import Record
from voice_trio.engines.base import Engines
from voice_trio.memory.base import Store
from voice_trio.skills.alerts_kept import Alerts
from voice_trio.tap import Call, Tap
from voice_trio.tapped.answering import (
    TappedLanguageModel as TappedLanguageModel,
    TappedPieces as TappedPieces,
    TappedStream as TappedStream,
    TappedSynthesizer as TappedSynthesizer,
)
from voice_trio.tapped.hearing import (
    TappedDetector as TappedDetector,
    TappedEndOfTurn as TappedEndOfTurn,
    TappedRecognizer as TappedRecognizer,
    TappedUtterance as TappedUtterance,
)
from voice_trio.tapped.using import TappedControl as TappedControl, tapped_tool as tapped_tool


def tapped(engines: Engines, store: Store, tap: Tap) -> tuple[Engines, Store]:
    """Return ``engines`` and ``store`` behind ``tap``."""
    return tapped_engines(engines, tap), TappedStore(store, tap)


def tapped_engines(engines: Engines, tap: Tap) -> Engines:
    """Return ``engines`` behind ``tap``."""
    return replace(
        engines,
        recognizer=TappedRecognizer(engines.recognizer, tap),
        language_model=TappedLanguageModel(engines.language_model, tap),
        synthesizer=TappedSynthesizer(engines.synthesizer, tap),
        new_detector=lambda: TappedDetector(engines.new_detector(), tap),
        end_of_turn=None if engines.end_of_turn is None else TappedEndOfTurn(engines.end_of_turn, tap),
    )


class TappedStore:
    """A store behind a tap."""

    def __init__(self, inner: Store, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        return await self._tap.call(Call("begin"), lambda: self._inner.begin())

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's latest records."""
        call = Call("recall", {"conversation": conversation})
        return await self._tap.call(call, lambda: self._inner.recall(conversation))

    async def commit(self, record: Record) -> None:
        """Keep ``record``."""
        await self._tap.call(Call("commit", {"record": record}), lambda: self._inner.commit(record))

    async def amend(self, record: Record) -> None:
        """Have ``record`` in the place of the one that it is a part of."""
        await self._tap.call(Call("amend", {"record": record}), lambda: self._inner.amend(record))

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``."""
        return await self._tap.call(Call("prune", {"before": before}), lambda: self._inner.prune(before))


class TappedAlerts:
    """Alerts behind a tap."""

    def __init__(self, inner: Alerts, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap

    async def of(self, conversation: str) -> Sequence[Alert]:
        """Return the conversation's alerts."""
        call = Call("alerts", {"conversation": conversation})
        return await self._tap.call(call, lambda: self._inner.of(conversation))

    async def put(self, alert: Alert) -> None:
        """Have ``alert`` in the place of the one of its id, or besides."""
        await self._tap.call(Call("put_alert", {"alert": alert}), lambda: self._inner.put(alert))

    async def remove(self, conversation: str, gone: Sequence[str]) -> None:
        """Have those of the ids ``gone`` be no more."""
        call = Call("remove_alerts", {"conversation": conversation, "gone": gone})
        await self._tap.call(call, lambda: self._inner.remove(conversation, gone))
