"""What every server event has to be: valid for OpenAI's own types, and without the nulls that its clients trip over."""

from typing import get_args

from openai.types.realtime.realtime_server_event import RealtimeServerEvent

TYPES = {get_args(one.model_fields["type"].annotation)[0]: one for one in get_args(get_args(RealtimeServerEvent)[0])}
"""Name of a server event -> the SDK's type of it."""

NEVER_NULL = {"id", "type", "role", "status", "call_id", "name", "arguments", "text", "object"}
"""What may be absent from an item or a part, and not null."""

RESPONSE_KEYS = {
    "object",
    "id",
    "status",
    "status_details",
    "output",
    "conversation_id",
    "output_modalities",
    "max_output_tokens",
    "audio",
    "usage",
    "metadata",
}

LONGEST_BYTES = 1024 * 1024
"""What pipecat takes as one message."""


def check(event):
    """Return ``event``, a server event as an object; raises where it is not as the contract has it."""
    assert isinstance(event.get("event_id"), str), event
    # Strict: no text stands for a number, and no number for a text.
    TYPES[event["type"]].model_validate(event, strict=True)
    if (item := event.get("item")) is not None:
        check_item(item)
    if (part := event.get("part")) is not None:
        assert part["type"] in ("audio", "text"), event
        assert isinstance(part["transcript" if part["type"] == "audio" else "text"], str), event
    if (response := event.get("response")) is not None:
        assert response.keys() == RESPONSE_KEYS, event
        for one in response["output"]:
            check_item(one)
        if event["type"] == "response.done":
            assert all_numbers(response["usage"]), event
    if event["type"] == "error":
        assert event["error"].keys() == {"type", "code", "message", "param", "event_id"}
    if "previous_item_id" in TYPES[event["type"]].model_fields:
        assert "previous_item_id" in event, event
    return event


def check_item(item):
    assert item["object"] == "realtime.item"
    assert item["status"] in ("in_progress", "completed", "incomplete")
    assert not {name for name in NEVER_NULL & item.keys() if item[name] is None}, item
    for part in item.get("content", ()):
        if part["type"].endswith("_audio"):
            assert "transcript" in part
            assert "audio" not in part
        else:
            assert isinstance(part["image_url" if part["type"] == "input_image" else "text"], str)


def all_numbers(usage):
    return all(all_numbers(one) if isinstance(one, dict) else isinstance(one, int) for one in usage.values())
