"""A tool of the server, behind a tap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from voice_trio.core.messages import Latency
from voice_trio.tap import Call, Tap
from voice_trio.toolbox.base import Circumstances, Control, ServerTool


def tapped_tool(tool: ServerTool, tap: Tap) -> ServerTool:
    """Return ``tool`` behind ``tap``."""

    async def use(arguments: Mapping[str, Any], circumstances: Circumstances) -> str:
        control = TappedControl(circumstances.control)
        told = {"turn": circumstances.turn, "name": tool.tool.name, "arguments": arguments, "control": control}
        call = Call("use", told)
        return await tap.call(call, lambda: tool.use(arguments, replace(circumstances, control=control)))

    return replace(tool, use=use)


class TappedControl:
    """A `Control` that tells what a tool did with it."""

    def __init__(self, inner: Control) -> None:
        self.speed_wished: float | None = None
        """At which speed replies are to be spoken from now on; None where it wished nothing."""
        self.forgot = 0
        """How many turns it took out."""
        self.changed_alerts = False
        """Whether there are other alerts than before."""
        self._inner = inner

    @property
    def speed(self) -> float:
        """That of the inner one."""
        return self._inner.speed

    def speak_at(self, speed: float) -> None:
        """Have replies be spoken at ``speed``."""
        self.speed_wished = speed
        self._inner.speak_at(speed)

    def latest_latency(self) -> Latency | None:
        """Return that of the inner one."""
        return self._inner.latest_latency()

    def forget_latest(self) -> bool:
        """Take the latest turn out."""
        forgot = self._inner.forget_latest()
        self.forgot += forgot
        return forgot

    def alerts_changed(self) -> None:
        """Have the session look anew at its alerts."""
        self.changed_alerts = True
        self._inner.alerts_changed()
