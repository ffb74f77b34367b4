"""What a client to whom utterances and replies are two things can ask of a conversation's items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import MaxLen

from voice_trio.core.codes import Count
from voice_trio.core.items import Item, ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class AddItem:
    """Put an item into the conversation, behind the one of the id ``after``; "" is before all, and None behind all."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"val_json_bytes": "base64"}

    name: ClassVar[str] = "additem"
    item: Item
    after: Annotated[str, MaxLen(200)] | None = None
    pcm: bytes | None = None
    """What a person said, 16 kHz s16le mono: its words are recognised, and become the item's, which has none yet. Of
    more than the longest utterance the beginning is dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadItem:
    """Say what an item is by now."""

    name: ClassVar[str] = "readitem"
    item: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteItem:
    """Take an item out of the conversation, and out of what is remembered."""

    name: ClassVar[str] = "deleteitem"
    item: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class CutItem:
    """Only the first ``samples`` of a reply's audio, at the output's rate, were heard: forget what is behind them.

    A reply may be cut at any time, also while it is made, and again; but it never becomes longer.
    """

    name: ClassVar[str] = "cutitem"
    item: ItemId
    samples: Count
