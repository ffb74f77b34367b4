"""Which errors are for the person at the terminal, who needs a sentence and no traceback."""

from __future__ import annotations

from voice_trio.core.errors import Mendable, first_leaf

EXIT_USAGE = 2
"""The exit code for what a person can mend."""

EXIT_UNREAD = 1
"""The exit code where nobody read the output to its end; click has the same."""

EXIT_INTERRUPTED = 130
"""What shells give for a command that Ctrl-C ended."""


def sentence(group: BaseExceptionGroup[Exception]) -> str | None:
    """Return what to tell the person; None where ``group`` holds anything that is not theirs to mend."""
    mendable, rest = group.split(Mendable)
    if mendable is None or rest is not None:
        return None
    return str(first_leaf(mendable)).rstrip(".") + "."
