"""Settings as options: every one of them has an option of its name, above its environment variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, get_args, get_origin

import click
from pydantic import SecretStr

from voice_trio.config import Settings, variable

F = TypeVar("F", bound=Callable[..., Any])


def settings_options(command: F) -> F:
    """Give ``command`` an option for each setting but the secret ones, which a process list would show."""
    for name, field in reversed(Settings.model_fields.items()):
        if SecretStr in get_args(field.annotation):
            continue
        default = "" if field.default in (None, "") else f"; default {_shorten(field.default)}"
        # Said alone, `--insecure` is `--insecure 1`.
        switch: dict[str, Any] = {"is_flag": False, "flag_value": "1"} if field.annotation is bool else {}
        command = click.option(
            f"--{name.replace('_', '-')}",
            name,
            metavar=_metavar(field.annotation),
            help=f"{field.description} [{variable(name)}{default}]",
            **switch,
        )(command)
    return command


def chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Return those of ``options`` that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _metavar(annotation: object) -> str:
    if get_origin(annotation) is Literal:
        return "|".join(get_args(annotation))
    if annotation is bool:
        return "1|0"
    return "N" if annotation in (int, float) else "TEXT"


def _shorten(default: object) -> str:
    text = str(int(default)) if isinstance(default, bool) else str(default)
    return text if len(text) <= 40 else text[:37] + "..."
