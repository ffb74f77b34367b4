"""How an alert begins: it has an id of its own, is put where alerts are, and the session hears of it."""

from __future__ import annotations

import secrets
from typing import Any

from voice_trio.core.alerts import Alert
from voice_trio.skills.skill import Means
from voice_trio.toolbox.base import Circumstances

ID_BYTES = 6


async def put(circumstances: Circumstances, means: Means, **fields: Any) -> Alert:
    """Begin an alert of those ``fields`` for whoever asked, and return it. Raises what `Alerts.put` does."""
    alert = Alert(
        conversation=circumstances.conversation,
        id=secrets.token_hex(ID_BYTES),
        set_at=circumstances.now.timestamp(),
        **fields,
    )
    await means.alerts.put(alert)
    circumstances.control.alerts_changed()
    return alert
