"""Exception groups, where only the first cause is of interest."""

from __future__ import annotations


def first_leaf(error: BaseException) -> BaseException:
    """Return the first exception in ``error`` that is not itself a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
