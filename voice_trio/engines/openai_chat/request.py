"""What a chat API is asked for one reply."""

from __future__ import annotations

from typing import Any

from voice_trio.core.history import Message
from voice_trio.core.tools import ThatTool
from voice_trio.engines.base import Prompt, Tool, ToolChoice


def request_of(prompt: Prompt, model: str, *, is_openai: bool) -> dict[str, Any]:
    """Return the arguments of the SDK's ``create`` for a stream of ``model``'s reply to ``prompt``.

    A server that only resembles OpenAI's may refuse fields that it does not know, so those that we can do without go to
    OpenAI's own alone (``is_openai``), and ``tools`` only where there are any.
    """
    request: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in prompt.messages],
        "stream": True,
    }
    if prompt.tools:
        request["tools"] = [_spelled(tool) for tool in prompt.tools]
        if prompt.tool_choice != "auto":
            request["tool_choice"] = _choice(prompt.tool_choice)
    if prompt.max_tokens is not None:
        # OpenAI's newer models refuse the name that all the others know.
        request["max_completion_tokens" if is_openai else "max_tokens"] = prompt.max_tokens
    if is_openai:
        # Many of the others tell what they count without being asked.
        request["stream_options"] = {"include_usage": True}
    return request


def _message(message: Message) -> dict[str, Any]:
    spelled: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.calls:
        # Some servers refuse the empty text that goes with calls, and all take none.
        spelled["content"] = message.content or None
        spelled["tool_calls"] = [
            {"id": use.call, "type": "function", "function": {"name": use.name, "arguments": use.arguments}}
            for use in message.calls
        ]
    if message.answers:
        spelled["tool_call_id"] = message.answers
    return spelled


def _choice(choice: ToolChoice) -> Any:
    return {"type": "function", "function": {"name": choice.name}} if isinstance(choice, ThatTool) else choice


def _spelled(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": {**tool.parameters}}
    return {"type": "function", "function": function}
