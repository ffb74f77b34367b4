"""Exception groups, taken apart."""

from __future__ import annotations

from collections.abc import Iterator


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
