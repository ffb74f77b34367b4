"""Why a reply left nothing to say, in words."""

from __future__ import annotations

from collections.abc import Set

_REASONS = {
    "content_filter": "A filter of the language model's kept its reply back.",
    "safety": "A filter of the language model's kept its reply back.",
    "refusal": "The language model refused to answer.",
}


def why_empty(reason: str, signs: Set[str], *, wrote: bool) -> str:
    """Return the sentence for a reply that ended for ``reason``, as the model calls it.

    ``signs`` are those of `Alive` that there were; ``wrote`` says whether there was text, which the voice left out.
    """
    known = _REASONS.get(reason.lower())
    if known:
        return known
    if wrote:
        return "The language model's reply has nothing in it that can be spoken."
    if "tool_call" in signs or reason in ("tool_calls", "function_call"):
        return "The language model asked for a tool instead of answering, and there is none here."
    if "thinking" in signs:
        if reason == "length":
            return "The language model came to its limit of length while it was thinking, and said nothing."
        return "The language model was only thinking, and said nothing."
    if reason == "length":
        return "The language model came to its limit of length before it said anything."
    return "The language model's reply was empty."
