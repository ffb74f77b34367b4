"""What a chat API is asked for one reply."""

from __future__ import annotations

from typing import Any

from voice_trio.engines.base import Prompt, Tool


def request_of(prompt: Prompt, model: str, *, is_openai: bool) -> dict[str, Any]:
    """Return the arguments of the SDK's ``create`` for a stream of ``model``'s reply to ``prompt``.

    A server that only resembles OpenAI's may refuse fields that it does not know, so those that we can do without go to
    OpenAI's own alone (``is_openai``), and ``tools`` only where there are any.
    """
    request: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in prompt.messages],
        "stream": True,
    }
    if prompt.tools:
        request["tools"] = [_spelled(tool) for tool in prompt.tools]
    if is_openai:
        # Many of the others tell what they count without being asked.
        request["stream_options"] = {"include_usage": True}
    return request


def _spelled(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": {**tool.parameters}}
    return {"type": "function", "function": function}
