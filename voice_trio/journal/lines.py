"""How a file spells a session log: one JSON object a line, a header first.

What stands in a line is held against the types of `voice_trio.journal.entries`, to the letter: anybody may have written
it, and a reader looks at none of it again.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, get_args

from pydantic import Field, TypeAdapter, ValidationError

from voice_trio.journal.entries import Entry, Header

_ENTRY: Final[TypeAdapter[Header | Entry]] = TypeAdapter(Annotated[Header | Entry, Field(discriminator="kind")])
_KINDS: Final[dict[type, TypeAdapter[Any]]] = {kind: TypeAdapter(kind) for kind in get_args(Header | Entry)}


class NotAnEntry(Exception):
    """A line is no entry of a session log; the message says why."""


def spell(entry: Header | Entry) -> bytes:
    """Return ``entry`` as a line."""
    return _KINDS[type(entry)].dump_json(entry, exclude_none=True) + b"\n"


def entry_in(line: bytes) -> Header | Entry:
    """Return the entry in ``line``. Raises `NotAnEntry`."""
    try:
        return _ENTRY.validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"])
        raise NotAnEntry(f"{place}: {first['msg']}" if place else first["msg"]) from None
