"""Errors by blame: what a client may not have, what an engine could not do, what a person can mend; whatever else is
raised is a defect of ours. And what is in a group of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from voice_trio.core.messages import ErrorCode


class Refused(Exception):
    """What was asked for cannot be done here, or not now.

    ``message`` is shown to the person: it says what was wrong and what to do, and holds no secrets.
    ``retry_after_s`` is there where the same would do at another time.
    """

    def __init__(self, code: ErrorCode, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s


class EngineError(Exception):
    """An engine could not do its part of a turn.

    ``code`` says which and in what way; ``message`` is shown to the person, so it holds no secrets, no traceback and
    nothing of what was said.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Mendable(Exception):
    """Who runs a command can mend this; the message is a sentence that says what is wrong and what to do."""


class CannotLoad(Mendable):
    """An engine that the settings ask for cannot be had; the message says why and what to do."""


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions in ``error`` that are not themselves groups, in order; ``error`` itself if it is none."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def first_leaf(error: BaseException) -> BaseException:
    """Return the first exception in ``error`` that is not itself a group."""
    return next(leaves(error))
