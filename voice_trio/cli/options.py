"""Settings as options: every one of them has an option of its name, above its environment variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from pydantic.fields import FieldInfo

from voice_trio.config import Settings, variable
from voice_trio.core.errors import Mendable, first_leaf
from voice_trio.engines.plugged import all_own_settings
from voice_trio.environment import is_secret, words_of

F = TypeVar("F", bound=Callable[..., Any])


def settings_options(command: F) -> F:
    """Give ``command`` an option for each setting but the secret ones, which a process list would show."""
    for name, field in reversed(Settings.model_fields.items()):
        if is_secret(field):
            continue
        default = "" if field.default in (None, "") else f"; default {_shorten(field.default)}"
        # Said alone, `--insecure` is `--insecure 1`.
        switch: dict[str, Any] = {"is_flag": False, "flag_value": "1"} if field.annotation is bool else {}
        command = click.option(
            f"--{name.replace('_', '-')}",
            name,
            cls=_Setting,
            field=field,
            help=f"{field.description} [{variable(name)}{default}]",
            **switch,
        )(command)
    return command


def chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Return those of ``options`` that were given."""
    return {name: value for name, value in options.items() if value is not None}


@contextmanager
def named_as_given(options: dict[str, Any]) -> Iterator[None]:
    """Have what a person can mend name those of ``options`` that were given by their names, not by their variables."""
    names = {variable(name): f"--{name.replace('_', '-')}" for name in chosen(options)}
    pattern = re.compile("|".join(rf"\b{name}\b" for name in names) or "(?!)")
    try:
        yield
    except (Mendable, BaseExceptionGroup) as error:
        if isinstance(error, BaseExceptionGroup) and error.split(Mendable)[1] is not None:
            raise
        said = pattern.sub(lambda found: names[found[0]], message := str(first_leaf(error)))
        if said == message:
            raise
        raise Mendable(said) from error


class _Setting(click.Option):
    """An option for ``field``. What it takes may depend on what is installed, which only its help is asked for."""

    def __init__(self, *args: Any, field: FieldInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._field = field

    def make_metavar(self, *args: Any, **kwargs: Any) -> str:
        """Return what it takes, in short."""
        if words := words_of(self._field):
            return "|".join(words)
        if self._field.annotation is bool:
            return "1|0"
        return "N" if self._field.annotation in (int, float) else "TEXT"


class SettingsCommand(click.Command):
    """A command with settings, whose help tells of those that other packages' engines have of their own."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write them, if there are any."""
        rows = [
            (one.variable, f"{one.description} [{one.engine}{f'; default {one.default}' if one.default else ''}]")
            for one in all_own_settings()
        ]
        if rows:
            with formatter.section("Settings of engines of other packages, in the environment alone"):
                formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


def _shorten(default: object) -> str:
    text = str(int(default)) if isinstance(default, bool) else str(default)
    return text if len(text) <= 40 else text[:37] + "..."
