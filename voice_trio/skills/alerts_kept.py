"""Where alerts are kept until they were told."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import trio

from voice_trio.core.alerts import MOST_ALERTS, Alert
from voice_trio.toolbox.base import ToolError

NO_ROOM = f"There is no room for more than {MOST_ALERTS} timers, alarms and reminders: cancel one first."


class Alerts(Protocol):
    """Keeps the alerts of each conversation that are still to be told.

    Each method raises `ToolError` where they cannot be kept, and then has changed nothing.
    """

    async def of(self, conversation: str) -> Sequence[Alert]:
        """Return the conversation's alerts, the next one first."""

    async def put(self, alert: Alert) -> None:
        """Have ``alert`` in the place of the one of its id, or besides, if there are fewer than `MOST_ALERTS`."""

    async def remove(self, conversation: str, gone: Sequence[str]) -> None:
        """Have those of the ids ``gone`` be no more; ids of none are no matter."""


class InProcessAlerts:
    """Alerts that last as long as the process, of the latest ``max_conversations`` conversations that set any."""

    def __init__(self, alerts: Sequence[Alert] = (), *, max_conversations: int = 10_000) -> None:
        """``alerts`` are those that there are already."""
        self._max_conversations = max_conversations
        self._conversations: OrderedDict[str, dict[str, Alert]] = OrderedDict()
        for alert in alerts:
            self._conversations.setdefault(alert.conversation, {})[alert.id] = alert

    async def of(self, conversation: str) -> Sequence[Alert]:
        """Return the conversation's alerts, the next one first."""
        await trio.lowlevel.checkpoint()
        alerts = self._conversations.get(conversation, {}).values()
        return sorted(alerts, key=lambda alert: (alert.due_at, alert.id))

    async def put(self, alert: Alert) -> None:
        """Have ``alert`` in the place of the one of its id, or besides. Raises `ToolError`."""
        await trio.lowlevel.checkpoint()
        alerts = self._conversations.get(alert.conversation, {})
        if alert.id not in alerts and len(alerts) >= MOST_ALERTS:
            raise ToolError(NO_ROOM)
        self._conversations[alert.conversation] = {**alerts, alert.id: alert}
        self._conversations.move_to_end(alert.conversation)
        while len(self._conversations) > self._max_conversations:
            self._conversations.popitem(last=False)

    async def remove(self, conversation: str, gone: Sequence[str]) -> None:
        """Have those of the ids ``gone`` be no more."""
        await trio.lowlevel.checkpoint()
        alerts = self._conversations.get(conversation, {})
        self._leave(conversation, {key: alert for key, alert in alerts.items() if key not in gone})

    def prune(self, before: float) -> None:
        """Have those be no more that were due before ``before``, seconds since 1970, and will not be again."""
        for conversation, alerts in [*self._conversations.items()]:
            left = {key: alert for key, alert in alerts.items() if alert.weekdays or alert.due_at >= before}
            self._leave(conversation, left)

    def _leave(self, conversation: str, alerts: dict[str, Alert]) -> None:
        """Have no others than ``alerts`` in ``conversation``."""
        if alerts:
            self._conversations[conversation] = alerts
        else:
            self._conversations.pop(conversation, None)
