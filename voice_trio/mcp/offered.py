"""What of the tools that an MCP server lists can be offered to a language model, and under which names.

What a server lists is any JSON at all. A tool that no model accepts is left out, and costs the others nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from voice_trio.core.strange_text import mend
from voice_trio.core.tools import Tool
from voice_trio.mcp.config import ServerConfig

MOST_TOOLS: Final = 128
"""Of one server. Models choose worse among more, and some APIs refuse more."""
MOST_ALL_BYTES: Final = 256_000
"""Of all their descriptions and schemas."""
MOST_SCHEMA_BYTES: Final = 32_000
MOST_DEPTH: Final = 12
MOST_PARTS: Final = 2_000
"""Of a schema whose references are followed."""
MOST_DESCRIPTION: Final = 2_000
MOST_NAME: Final = 64
MOST_TOLD: Final = 20

_NO_ROOT: Final = ("oneOf", "anyOf", "allOf", "enum", "not", "$ref")
"""What APIs refuse in a schema of parameters outside of its properties."""


class Unfit(Exception):
    """No language model accepts this tool; the message says why, in words that follow "it"."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool of a server's that can be offered."""

    tool: Tool
    named: str
    """Its name at the server."""
    has_effects: bool
    confirm: bool


class Offers:
    """The tools of one server, as its list comes in, page by page. No more is held of it than is offered."""

    def __init__(self, config: ServerConfig) -> None:
        self.left_out: dict[str, str] = {}
        """Why a tool is not offered, by its name, of the first `MOST_TOLD` that are not."""
        self.waiting: set[str] = set()
        """Of the tools that the file says wait for a yes, those that there are."""
        self._config = config
        self._offered: dict[str, Offered] = {}
        self._bytes = 0

    @property
    def offered(self) -> list[Offered]:
        """Return those that can be offered."""
        return [*self._offered.values()]

    def add(self, listed: Iterable[Any]) -> None:
        """Take what the server ``listed``."""
        for entry in listed:
            named = _text(entry.get("name")) if isinstance(entry, Mapping) else ""
            if not isinstance(self._config.confirm, bool) and named in self._config.confirm:
                self.waiting.add(named)
            try:
                self._add(named, entry)
            except Unfit as error:
                if len(self.left_out) < MOST_TOLD:
                    self.left_out[mend(named)[:100] or "a tool without a name"] = str(error)

    def _add(self, named: str, entry: Any) -> None:
        if len(self._offered) >= MOST_TOOLS:
            raise Unfit(f"is one too many: {MOST_TOOLS} are offered")
        one = _offered(self._config, named, entry)
        if one.tool.name in self._offered:
            raise Unfit("has the name of another")
        size = len(one.tool.description) + len(json.dumps(one.tool.parameters))
        if self._bytes + size > MOST_ALL_BYTES:
            raise Unfit(f"is too much: {MOST_ALL_BYTES // 1000} KB of schemas are offered")
        self._offered[one.tool.name] = one
        self._bytes += size


def name_for(config: ServerConfig, named: str) -> str:
    """Return the name by which models call the tool that a server has ``named``.

    It is ``server__tool``. Where that would be too long, or has characters that no model may write, it ends with a hash
    of what it would have been, so that it stays different from others, and the same at every start.
    """
    whole = f"{config.prefix}__{named}"
    fit = re.sub(r"[^A-Za-z0-9_-]", "_", whole)
    if fit == whole and len(fit) <= MOST_NAME:
        return fit
    mark = sha256(whole.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{fit[: MOST_NAME - len(mark) - 1]}_{mark}"


def _offered(config: ServerConfig, named: str, entry: Any) -> Offered:
    if not named:
        raise Unfit("has no name")
    description = _text(entry.get("description")).strip() or _text(entry.get("title")).strip() or named
    annotations = entry.get("annotations")
    reads_only = isinstance(annotations, Mapping) and annotations.get("readOnlyHint") is True
    return Offered(
        tool=Tool(name_for(config, named), mend(description[:MOST_DESCRIPTION]), _parameters(entry.get("inputSchema"))),
        named=named,
        has_effects=not reads_only,
        confirm=config.confirms(named),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _parameters(schema: Any) -> dict[str, Any]:
    """Return a schema of parameters as APIs take it. Raises `Unfit`."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise Unfit("has a schema that is of no object")
    if root := next((key for key in _NO_ROOT if key in schema), None):
        raise Unfit(f"has {root} at the root of its schema")
    if not isinstance(schema.get("properties", {}), dict):
        raise Unfit("has properties that are none")
    try:
        text = mend(json.dumps(schema, allow_nan=False, ensure_ascii=False))
    except (ValueError, RecursionError):
        raise Unfit("has a schema that is no JSON") from None
    if len(text) > MOST_SCHEMA_BYTES:
        raise Unfit(f"has a schema of more than {MOST_SCHEMA_BYTES // 1000} KB")
    _Walk(schema).check(schema, depth=0, within=())
    kept = {key: value for key, value in json.loads(text).items() if key != "$schema"}
    return {"properties": {}, **kept}


class _Walk:
    """A walk through all of a schema, as a model's API takes it that writes out what references stand for."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._parts = 0

    def check(self, part: Any, *, depth: int, within: tuple[str, ...]) -> None:
        """Walk through ``part``, which is reached by following the references ``within``. Raises `Unfit`."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Unfit("has a schema of too many parts")
        # Each level of a schema is two of its JSON: the keyword, and what stands there.
        if depth > 2 * MOST_DEPTH or len(within) > MOST_DEPTH:
            raise Unfit(f"has a schema of more than {MOST_DEPTH} levels")
        if isinstance(part, dict) and isinstance(reference := part.get("$ref"), str):
            if reference in within:
                raise Unfit("has a schema that contains itself")
            self.check(self._meant(reference), depth=depth, within=(*within, reference))
        for inner in _inner(part):
            self.check(inner, depth=depth + 1, within=within)

    def _meant(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise Unfit("has a schema that refers to elsewhere")
        part: Any = self._root
        for step in filter(None, reference[1:].split("/")):
            key = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(part, dict) or key not in part:
                raise Unfit("has a schema that refers to what is not there")
            part = part[key]
        return part


def _inner(part: Any) -> Iterator[Any]:
    """Yield the schemas, and whatever else, that stand in ``part``, but for definitions, which are met by reference."""
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key not in ("$defs", "definitions"))
    elif isinstance(part, list):
        yield from part
