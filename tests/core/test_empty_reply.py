import pytest

from voice_trio.core.chat_events import why_empty


@pytest.mark.parametrize(
    ("reason", "signs", "wrote", "words"),
    [
        ("stop", set(), False, "was empty"),
        ("stop", {"waiting"}, False, "was empty"),
        ("", set(), False, "was empty"),
        ("content_filter", set(), False, "filter"),
        ("content_filter", {"thinking"}, True, "filter"),
        ("SAFETY", set(), False, "filter"),
        ("refusal", set(), False, "refused"),
        ("tool_calls", set(), False, "tool"),
        ("stop", {"tool_call", "thinking"}, False, "tool"),
        ("stop", {"thinking"}, False, "only thinking"),
        ("length", {"thinking"}, False, "limit of length while it was thinking"),
        ("length", set(), False, "limit of length before"),
        ("stop", {"tool_call"}, True, "can be spoken"),
    ],
)
def test_the_reason_is_told_in_words(reason, signs, wrote, words):
    assert words in why_empty(reason, signs, wrote=wrote)
