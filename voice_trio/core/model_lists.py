"""Lists of models, as servers of language models give them, and which of the models can talk.

Read are the list of the OpenAI API (`/v1/models`, with ``data``), with what llama.cpp adds to it (``models``), LM
Studio's own (`/api/v0/models`, with a ``type`` and a ``state`` for each) and Ollama's own (`/api/tags`, with a
``details.family``).

Whether a model can talk is told by those fields as their servers document them. Where there are none it is told by its
name, which is how people tell as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voice_trio.core.strange_text import parse

_LONGEST_NAME = 200
_MOST_MODELS = 1000

_CHAT_TYPES = frozenset({"llm", "vlm", "model", "chat", "text-generation"})
"""What servers put into ``type`` for what can talk; llama.cpp says ``model`` of each. ``vlm`` sees as well."""

_CHAT_CAPABILITIES = frozenset({"completion", "chat", "chat_completion"})

_ENCODER = re.compile(r"(^|[^a-z])(\w*bert)($|[^a-z])")
"""Families of models that turn text into vectors, and into nothing else."""

_NO_CHAT = re.compile(
    r"embed|rerank|whisper|moderation|guard|\bocr\b"
    r"|(^|[^a-z])(tts|asr|stt|clip|siglip|vae|colbert|bge|gte|e5|minilm|mxbai|paraphrase|kokoro|piper|parakeet"
    r"|speecht5|dall-e|sdxl|flux|diffusion|bark)($|[^a-z])"
    r"|stable-diffusion|all-minilm|text-to-speech|speech-to-text"
)
"""Names of what embeds, ranks, hears, speaks, paints or judges."""


@dataclass(frozen=True, slots=True)
class ModelList:
    """What a server lists, in its order, but with those that are loaded first."""

    chat: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """What cannot talk."""


def read_models(body: bytes) -> ModelList | None:
    """Return the models in ``body``, an answer of a server's; None where it is no list of models. Never raises."""
    try:
        answer = parse(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    listed = [answer[name] for name in ("data", "models") if isinstance(answer.get(name), list)]
    if not listed:
        # Ollama without a single model has ``"data": null``.
        return ModelList() if answer.get("object") == "list" and answer.get("data", 0) is None else None
    can_talk: dict[str, bool] = {}
    loaded: set[str] = set()
    for model in (one for models in listed for one in models[:_MOST_MODELS] if isinstance(one, dict)):
        name = _name(model)
        if name is None:
            continue
        # llama.cpp describes each in both lists, and only one of them says what it can do.
        can_talk[name] = can_talk.get(name, True) and _can_talk(name, model)
        if model.get("state") == "loaded":
            loaded.add(name)
    names = sorted(can_talk, key=lambda name: name not in loaded)
    chat = tuple(name for name in names if can_talk[name])
    return ModelList(chat, tuple(name for name in names if not can_talk[name]))


def is_called(name: str, wanted: str) -> bool:
    """Return whether a person who asks for ``wanted`` means ``name``; a tag ``latest`` need not be said."""
    return name in (wanted, f"{wanted}:latest")


def _name(model: Mapping[str, Any]) -> str | None:
    """Return what a request calls ``model``; None for what nobody can be shown or could ask for."""
    name = next((model[key] for key in ("id", "model", "name") if isinstance(model.get(key), str)), "")
    return name if 0 < len(name) <= _LONGEST_NAME and name.isprintable() else None


def _can_talk(name: str, model: Mapping[str, Any]) -> bool:
    kind = model.get("type")
    if isinstance(kind, str) and kind.lower() not in _CHAT_TYPES:
        return False
    capabilities = model.get("capabilities")
    if isinstance(capabilities, list) and capabilities:
        can = {one for one in capabilities if isinstance(one, str)}
        if can.isdisjoint(_CHAT_CAPABILITIES):
            return False
    details = model.get("details")
    family = details.get("family") if isinstance(details, dict) else None
    if isinstance(family, str) and _ENCODER.search(family.lower()):
        return False
    return not _NO_CHAT.search(name.lower())
