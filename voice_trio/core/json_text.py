"""JSON that a stranger wrote, taken apart in one go."""

from __future__ import annotations

import gc
import json
from typing import Any


def parse(text: str | bytes, **options: Any) -> Any:
    """Return what ``text`` says; ``options`` are those of `json.loads`. Raises ValueError and RecursionError.

    Thousands of empty lists in it would each bring the garbage collector's next look at everything closer, though none
    of them is garbage yet: a few kilobytes could cost as much as megabytes. So it looks once, afterwards.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return json.loads(text, **options)
    finally:
        if collects:
            gc.enable()
