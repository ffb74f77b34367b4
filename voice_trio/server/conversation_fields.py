"""What the fields of a request about conversations may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from quart.wrappers import Request

from voice_trio.core.strange_text import mend
from voice_trio.core.titles import MAX_TITLE_CHARS
from voice_trio.memory.conversations import Place
from voice_trio.server.json_http import refusal, small_object

T = TypeVar("T")

_BAD_REQUEST = 400

MAX_NAMED: Final = 200
"""Ids that one lookup may name."""

_MAX_ID_CHARS = 100

_MOST_BYTES = 32_000


async def object_in(asked: Request) -> dict[str, Any]:
    """Return the JSON object that the body of ``asked`` is. Raises `HttpError`."""
    return await small_object(asked, _MOST_BYTES)


def ids_in(fields: dict[str, Any]) -> frozenset[str]:
    """Return the ids that ``fields`` name. Raises `HttpError`."""
    ids = fields.get("ids")
    if (
        not isinstance(ids, list)
        or len(ids) > MAX_NAMED
        or not all(isinstance(one, str) and len(one) <= _MAX_ID_CHARS for one in ids)
    ):
        message = f"ids is to be a list of at most {MAX_NAMED} ids of conversations."
        raise refusal(_BAD_REQUEST, message)
    return frozenset(map(mend, ids))


def title_in(fields: dict[str, Any]) -> str:
    """Return the title in ``fields``, in one line. Raises `HttpError`."""
    title = " ".join(text_in(fields, "title", MAX_TITLE_CHARS).split())
    if not title:
        raise refusal(_BAD_REQUEST, f"title is to be a text of 1 to {MAX_TITLE_CHARS} code points.")
    return title


def text_in(fields: dict[str, Any], name: str, most: int) -> str:
    """Return the text that ``fields`` have under ``name``, empty where it is not there. Raises `HttpError`."""
    text = fields.get(name) or ""
    if not isinstance(text, str) or len(text) > most:
        raise refusal(_BAD_REQUEST, f"{name} is to be a text of at most {most} code points.")
    return mend(text)


def number_in(fields: Mapping[str, Any], name: str, usual: T, most: int | None = None) -> int | T:
    """Return the whole number that ``fields`` have under ``name``, from 1 to ``most``; ``usual`` where it is not there.

    Raises `HttpError`.
    """
    given = fields.get(name)
    if given is None:
        return usual
    try:
        number = int(given) if isinstance(given, (int, str)) and len(str(given)) < 16 else 0
    except ValueError:
        number = 0
    if number < 1 or (most is not None and number > most):
        raise refusal(_BAD_REQUEST, f"{name} is to be a whole number from 1{'' if most is None else f' to {most}'}.")
    return number


def place_in(fields: dict[str, Any]) -> Place | None:
    """Return the place that ``fields`` want older conversations than. Raises `HttpError`."""
    before = text_in(fields, "before", 2 * _MAX_ID_CHARS)
    if not before:
        return None
    last_at, _, conversation = before.partition(" ")
    try:
        return Place(float(last_at), conversation)
    except ValueError:
        raise refusal(_BAD_REQUEST, "before is to be what an earlier answer called so.") from None
