"""What each fault of engines on other machines comes to, as docs/testing.md shows it.

`tests/session/test_far_ends.py` runs each row: a conversation of two spoken turns, the first of which suffers it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OfFarEnd:
    """A fault of engines on other machines, and what comes of it: the turn is completed, without an error."""

    faults: str
    heard_here: bool
    """Whether the recognizer of this machine hears the first turn."""
    spoken_here: bool
    """Whether the voice of this machine speaks any of its reply."""
    note: str


OF_FAR_ENDS = (
    OfFarEnd("remote:delay=1s#1", False, False, "the final comes 1 s late"),
    OfFarEnd("remote:delay=2s#1", False, False, "it is asked again after `STREAM_REMOTE_ATTEMPT_S`"),
    OfFarEnd("remote:hang#1", False, False, "the same"),
    OfFarEnd("remote:error#1", False, False, "it is asked again at once"),
    OfFarEnd("remote:garbage#1", False, False, "the same"),
    OfFarEnd("remote:hang#2", False, False, "of a phrase: it is asked again after `STREAM_REMOTE_ATTEMPT_S`"),
    OfFarEnd("remote:error#2", False, False, "of a phrase: it is asked again at once"),
    OfFarEnd("remote:garbage#2", False, False, "the same"),
    OfFarEnd("remote:delay=2s", True, True, "after three attempts each; then it rests, and nobody waits for it"),
    OfFarEnd("remote:hang", True, True, "the same"),
    OfFarEnd("remote:error", True, True, "the same, at once"),
    OfFarEnd("remote:garbage", True, True, "the same, at once"),
)
"""Of a recognizer and a voice on another machine that are asked for no partials, with those of this one beside them."""


def table() -> str:
    """Return the rows of `OF_FAR_ENDS` in Markdown."""
    lines = ["| fault | the words are heard | the reply is spoken | |", "|---|---|---|---|"]
    for row in OF_FAR_ENDS:
        heard, spoken = ("here" if here else "there" for here in (row.heard_here, row.spoken_here))
        lines.append(f"| `{row.faults}` | {heard} | {spoken} | {row.note} |")
    return "\n".join(lines)
