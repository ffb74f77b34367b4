"""What a client is told of an utterance while it is recognised: only what will not change, each word once."""

from __future__ import annotations


class StablePrefix:
    """One utterance's partials in, and out what of them is new and for good."""

    def __init__(self) -> None:
        self._shown = ""
        self._told = ""

    def push(self, keep: int, text: str, stable: int) -> str:
        """Return what can be told now that a partial came, as `Partial` has it; empty where nothing can be."""
        self._shown = self._shown[:keep] + text
        settled = self._shown[:stable]
        # What was begun anew may settle on other words: those that were told stand, until the whole replaces them.
        if len(settled) <= len(self._told) or not settled.startswith(self._told):
            return ""
        new, self._told = settled[len(self._told) :], settled
        return new

    def restart(self) -> None:
        """All that was shown is void; what was told stays told."""
        self._shown = ""
