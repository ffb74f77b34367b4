"""The file that ``STREAM_MCP`` names: which MCP servers there are, in the form that Claude Desktop and others use.

A server is a command or an address. ``${NAME}`` in its environment and its headers stands for a variable of ours, and
no other variable of ours reaches it but the few that every program needs. Fields that are not ours are passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from voice_trio import checks
from voice_trio.core.strange_text import parse
from voice_trio.environment import ConfigError

MOST_FILE_BYTES: Final = 1_000_000
MOST_SERVERS: Final = 32

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SOUNDS_SECRET: Final = re.compile(r"(?i)key|token|secret|passw|auth|credential")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A server that is a program: it is started here, and spoken to through its standard input and output."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    """What it gets besides the variables that every program needs."""
    cwd: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server that runs elsewhere: it is spoken to through streamable HTTP."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """One server of the file."""

    name: str
    at: Command | Address
    confirm: bool | frozenset[str] = False
    """The tools that wait for a yes, by the server's own names; or whether all do."""
    secrets: tuple[str, ...] = ()
    """What of it no log is to show."""

    @property
    def prefix(self) -> str:
        """What its tools' names begin with: `name` as language models can write it."""
        return re.sub(r"[^A-Za-z0-9_-]", "_", self.name)

    def confirms(self, tool: str) -> bool:
        """Return whether ``tool`` waits for a yes."""
        return self.confirm if isinstance(self.confirm, bool) else tool in self.confirm


def read_servers(path: str, environ: Mapping[str, str]) -> list[ServerConfig]:
    """Return the servers of the file at ``path`` that are not disabled; ``environ`` is our environment.

    Raises `ConfigError` with one sentence about the first thing that is wrong.
    """
    where = f"STREAM_MCP: {path}"
    file = _validated(where, _json(where, Path(path).expanduser()))
    configs = [
        _server(f"{where}: mcpServers.{name}", name, entry, environ)
        for name, entry in file.mcp_servers.items()
        if not entry.disabled
    ]
    prefixes: dict[str, str] = {}
    for config in configs:
        if (other := prefixes.setdefault(config.prefix, config.name)) != config.name:
            raise ConfigError(f"{where}: tools of {other!r} and {config.name!r} could not be told apart: rename one.")
    return configs


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("it holds a NUL character")
    return value


def _variable_name(value: str) -> str:
    if not value or "=" in value:
        raise ValueError("it is no name of a variable")
    return _text(value)


def _header_name(value: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", value):
        raise ValueError("it is no name of a header")
    return value


def _url(value: str) -> str:
    checks.web_address(value, ("http", "https"), example="http://127.0.0.1:8000/mcp")
    return value


_Text = Annotated[str, AfterValidator(_text)]
_Given = Annotated[str, Field(min_length=1), AfterValidator(_text)]


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    command: _Given | None = None
    args: list[_Text] = []
    env: dict[Annotated[str, AfterValidator(_variable_name)], _Text] = {}
    cwd: _Given | None = None
    url: Annotated[str, AfterValidator(_url)] | None = None
    headers: dict[Annotated[str, AfterValidator(_header_name)], str] = {}
    type: Literal["stdio", "http", "streamable-http", "streamableHttp"] | None = None
    confirm: bool | frozenset[str] = False
    disabled: bool = False

    @field_validator("confirm", mode="plain")
    @classmethod
    def _tools(cls, value: object) -> bool | frozenset[str]:
        if isinstance(value, bool):
            return value
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return frozenset(value)
        raise ValueError("give true, or a list of the server's tools")

    @model_validator(mode="after")
    def _one_way(self) -> _Entry:
        if self.command is None and self.url is None:
            raise ValueError("give it a command or a url")
        if self.command is not None and self.url is not None:
            raise ValueError("it has both a command and a url: give one of them")
        if self.type is not None and (self.type == "stdio") is (self.command is None):
            raise ValueError(f"its type is {self.type}, but it has a {'url' if self.command is None else 'command'}")
        return self


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    mcp_servers: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_text)], _Entry],
        Field(alias="mcpServers", max_length=MOST_SERVERS),
    ]


def _json(where: str, path: Path) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
        if len(data) > MOST_FILE_BYTES:
            raise ConfigError(f"{where} has more than {MOST_FILE_BYTES} bytes, and is no list of MCP servers.")
        if not data.strip():
            raise ConfigError(f"{where} is empty.")
        return parse(data.decode())
    except IsADirectoryError:
        raise ConfigError(f"{where} is a folder, and no JSON file.") from None
    except OSError as error:
        raise ConfigError(f"{where} cannot be read: {error.strerror}.") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{where} is no JSON: see line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{where} is no JSON in UTF-8.") from None


def _validated(where: str, data: Any) -> _File:
    try:
        return _File.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # Of a key, pydantic says so.
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        match first["type"]:
            case "value_error":
                says = str(first["ctx"]["error"])
            case "model_type":
                says = "it is no object"
            case _:
                says = first["msg"]
        raise ConfigError(f"{where}: {place + ': ' if place else ''}{says}.") from None


def _server(where: str, name: str, entry: _Entry, environ: Mapping[str, str]) -> ServerConfig:
    secrets: list[str] = []

    def filled(field: str, values: Mapping[str, str]) -> dict[str, str]:
        full = {}
        for key, value in values.items():
            for variable in _VARIABLE.findall(value):
                if variable not in environ:
                    raise ConfigError(f"{where}.{field}.{key} takes ${{{variable}}}, which is not set.")
            full[key] = _VARIABLE.sub(lambda match: environ[match[1]], value)
            if full[key] != value or field == "headers" or _SOUNDS_SECRET.search(key):
                secrets.append(full[key])
        return full

    at: Command | Address
    if entry.command is not None:
        argv = (entry.command, *entry.args)
        cwd = None if entry.cwd is None else str(Path(entry.cwd).expanduser())
        at = Command(argv=argv, env=filled("env", entry.env), cwd=cwd)
    else:
        assert entry.url is not None  # it has one of the two
        headers = filled("headers", entry.headers)
        for key, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                raise ConfigError(f"{where}.headers.{key} holds characters that no header has; it is not shown here.")
        at = Address(url=entry.url, headers=headers)
    # What is as short as a 1 or a "yes" is no secret, and would be taken out of the middle of words.
    return ServerConfig(
        name=name, at=at, confirm=entry.confirm, secrets=tuple(text for text in secrets if len(text) >= 8)
    )
