"""Settings from the environment: read, checked, and described; ours, and those of engines.

A setting's environment variable is ``STREAM_`` and its name in capitals, unless its field names another one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import AliasChoices, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from voice_trio import checks
from voice_trio.core.errors import Mendable

PREFIX = "STREAM_"


class ConfigError(Mendable):
    """A setting cannot be used; the message names it, its value and what is allowed."""


class NotSet(ConfigError):
    """A setting that has no default was not given."""


class FromEnvironment(BaseSettings):
    """Settings that can be read by `load`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, populate_by_name=True)

    text_checks: ClassVar[dict[str, Callable[[str], str]]] = {}
    """What the text of a setting must pass before it is read as what it is; that of all others is one line."""
    not_blank: ClassVar[frozenset[str]] = frozenset()
    """Settings of which white space is no way to say nothing."""

    @field_validator("*", mode="before")
    @classmethod
    def _can_be_used(cls, value: object, info: ValidationInfo) -> object:
        """Check a text without the white space around it, which files with other line ends leave there."""
        if not isinstance(value, str) or info.field_name is None:
            return value
        stripped = value.strip()
        if value and not stripped and info.field_name in cls.not_blank:
            raise ValueError("it holds nothing but white space")
        return cls.text_checks.get(info.field_name, checks.line)(stripped)


S = TypeVar("S", bound=FromEnvironment)


class OneOf:
    """Marks a setting that takes one of several words, some of which depend on what is installed.

    ``words`` returns them: with True all of this installation, with False those that every installation has.
    """

    def __init__(self, words: Callable[[bool], list[str]]) -> None:
        self.words = words


def is_secret(field: FieldInfo) -> bool:
    """Return whether ``field`` holds a key or a token."""
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def variable(model: type[FromEnvironment], name: str) -> str:
    """Return the environment variable of setting ``name``."""
    return variables(model, name)[0]


def variables(model: type[FromEnvironment], name: str) -> list[str]:
    """Return all environment variables that setting ``name`` is read from; of those that are set, the first counts."""
    match model.model_fields[name].validation_alias:
        case str(alias):
            return [alias]
        case AliasChoices(choices=choices):
            return [str(choice) for choice in choices]
    return [f"{PREFIX}{name.upper()}"]


def _given(model: type[FromEnvironment], name: str) -> str:
    """Return that environment variable of setting ``name`` which is set, or else the one that it is called by."""
    names = variables(model, name)
    return next((one for one in names if one in os.environ), names[0])


def words_of(field: FieldInfo, *, here: bool = True) -> list[str]:
    """Return the words that ``field`` takes, if it takes nothing else; with ``here``, those of this installation."""
    if get_origin(field.annotation) is Literal:
        return [str(word) for word in get_args(field.annotation)]
    return next((mark.words(here) for mark in field.metadata if isinstance(mark, OneOf)), [])


def allowed(model: type[FromEnvironment], name: str, *, here: bool = True) -> str:
    """Return, in words, which values setting ``name`` takes."""
    field = model.model_fields[name]
    kind = field.annotation
    if words := words_of(field, here=here):
        return "one of " + ", ".join(words)
    if kind is bool:
        return "1 or 0"
    if kind not in (int, float):
        return "text" if any(isinstance(rule, MinLen) for rule in field.metadata) else "text, or nothing"
    return f"a {'whole ' if kind is int else ''}number{_bounds(field)}"


def load(model: type[S], **overrides: Any) -> S:
    """Return the settings of this process's environment, with ``overrides`` above it.

    Raises `ConfigError` with one sentence about the first bad value.
    """
    try:
        settings = model(**overrides)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = str(first["loc"][0])
        name = next(name for name in model.model_fields if place in (name, *variables(model, name)))
        takes, called = f"it takes {allowed(model, name)}", _given(model, name)
        if first["type"] == "missing":
            raise NotSet(f"{called} is not set; {takes}.") from None
        if first["type"] == "value_error":
            raise ConfigError(f"{called}: {first['ctx']['error']}.") from None
        if is_secret(model.model_fields[name]):
            raise ConfigError(f"{called} cannot be used, and is not shown here; {takes}.") from None
        raise ConfigError(f"{called} is {checks.quoted(first['input'])}; {takes}.") from None
    for name, field in model.model_fields.items():
        value = getattr(settings, name)
        # To look at what is installed takes 20 ms and more, so it is looked at only for a word that may be of there.
        if isinstance(value, str) and not (_takes(field, value, here=False) or _takes(field, value, here=True)):
            raise ConfigError(f"{_given(model, name)} is {checks.quoted(value)}; it takes {allowed(model, name)}.")
    return settings


def spelled(settings: FromEnvironment) -> dict[str, str]:
    """Return the environment in which `load` finds those of ``settings`` that were given and are not secret."""
    model = type(settings)
    return {
        variable(model, name): str(int(value) if isinstance(value, bool) else value)
        for name in sorted(settings.model_fields_set)
        if not is_secret(model.model_fields[name])
        for value in [getattr(settings, name)]
    }


def _takes(field: FieldInfo, value: str, *, here: bool) -> bool:
    words = words_of(field, here=here)
    return not words or value in words


def _bounds(field: FieldInfo) -> str:
    low, high = "", ""
    for rule in field.metadata:
        match rule:
            case Ge(ge=bound):
                low = f" from {bound}"
            case Gt(gt=bound):
                low = f" above {bound}"
            case Le(le=bound):
                high = f" to {bound}" if low else f" up to {bound}"
            case Lt(lt=bound):
                high = f" below {bound}"
    return low + high
