"""A language model that a person named at the page: its address, its key and its name.

It is another's than the operator's, so nothing of what the environment has for the operator's own API goes there: no
key, no organisation, no header. What goes wrong is told without the names of settings that nobody there has set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from voice_trio import checks
from voice_trio.config import Settings
from voice_trio.entry_points import AUTO

ENGINE: Final = "openai-chat"

_MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class GivenModel:
    """What a person said about a language model. At least one of ``url`` and ``key`` is not empty."""

    url: str = ""
    """Of an OpenAI-compatible API, mostly with ``/v1`` at its end; empty: OpenAI's own."""
    key: str = ""
    model: str = ""
    """Empty: the first that the server lists, or OpenAI's usual one."""

    def __repr__(self) -> str:
        """Say it without the key, which has no place in a log."""
        return f"GivenModel(url={self.url!r}, model={self.model!r})"

    @classmethod
    def of(cls, said: dict[str, Any]) -> GivenModel:
        """Return what ``said``, a JSON object, means. Raises `ValueError` with a sentence."""
        values = {name: said.get(name, "") for name in ("url", "key", "model")}
        for name, value in values.items():
            if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
                raise ValueError(f'"{name}" is to be a text of at most {_MOST_CHARACTERS:,} characters.')
        url, key, model = (value.strip() for value in values.values())
        if not url and not key:
            raise ValueError("A language model takes an address, or a key of OpenAI's, or both.")
        try:
            return cls(_address(url), checks.key(key), checks.line(model))
        except ValueError as error:
            raise ValueError(f"That cannot be used: {error}.") from None


class GivenSettings(Settings):
    """Settings in which the language model is a `GivenModel`, and not what the environment says."""

    given_kept: bool = False
    """Whether it is there again after a start."""

    @classmethod
    def beside(cls, settings: Settings, given: GivenModel, *, kept: bool) -> GivenSettings:
        """Return ``settings`` with ``given`` in the place of the language model."""
        update: dict[str, Any] = {
            "given_kept": kept,
            "openai_base_url": given.url or None,
            "openai_api_key": SecretStr(given.key) if given.key else None,
            "llm_model": given.model,
            "llm_engine": ENGINE,
        }
        # Not read anew: the environment may have changed, and says nothing about this.
        return cls.model_construct(settings.model_fields_set | update.keys(), **{**dict(settings), **update})


def may_take_over(settings: Settings) -> bool:
    """Return whether ``settings`` leave room for a model that a person has kept here: they name no other one."""
    return settings.llm_engine in (AUTO, ENGINE) and not (settings.openai_api_key or settings.openai_base_url)


def _address(url: str) -> str:
    """Return ``url`` as it is to be asked. Raises `ValueError` with the end of a sentence."""
    if not url:
        return ""
    if "@" in urlsplit(checks.api_address(url)).netloc:
        raise ValueError("an address has no name and no password here: the key has a place of its own")
    return url
