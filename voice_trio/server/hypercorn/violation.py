"""How a connection is ended from inside: by raising, or by cancelling its tasks."""

from __future__ import annotations

from typing import Any

import trio


class Violation(Exception):
    """The peer broke the rules, was told so where that is possible, and is to be cut off."""


def nursery_of(task_group: Any) -> trio.Nursery:
    """Return the nursery that holds all tasks of one connection."""
    nursery: trio.Nursery = task_group._nursery
    return nursery
