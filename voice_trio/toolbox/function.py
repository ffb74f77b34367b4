"""A Python function as a tool: its signature and its docstring are what a language model is told of it.

from voice_trio.toolbox.function import tool

@tool(has_effects=False)
def weather(city: str) -> str:
    '''Tell what the weather is like in a city.'''
    return f"It is sunny in {city}."
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar, get_type_hints, overload

import trio
from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema

from voice_trio.core.tools import Tool
from voice_trio.toolbox.base import Circumstances, ServerTool, ToolError

F = TypeVar("F", bound=Callable[..., Any])

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What language models can call a tool."""

MADE_OF: Final = "server_tool"
"""Under this name a function has its `ServerTool`."""

_THREADS: Final = 4
"""In which a function that is no coroutine can be at once: one that hangs takes none of anybody else's."""


class NoTool(Exception):
    """The function cannot be one; the message is a sentence that says why."""


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(*, has_effects: bool = True, confirm: bool = False) -> Callable[[F], F]: ...
def tool(function: F | None = None, /, *, has_effects: bool = True, confirm: bool = False) -> F | Callable[[F], F]:
    """Make a tool of a function, which stays as it is.

    ``has_effects`` says whether a call of it changes anything, ``confirm`` whether it waits for a yes: see
    `base.ServerTool`. A parameter that is annotated as `base.Circumstances` is given those, and all others are the
    model's to fill in: their types are checked, and what stands in ``Annotated[..., pydantic.Field(description=...)]``
    is told. What is no text is returned as JSON. One that is not ``async`` runs in a thread, which nobody waits for
    once the time is up. To decline, it raises `base.ToolError`. Raises `NoTool`.
    """

    def make(function: F) -> F:
        setattr(function, MADE_OF, _made_of(function, has_effects=has_effects, confirm=confirm))
        return function

    return make if function is None else make(function)


class _Untitled(GenerateJsonSchema):
    """A title says the name once more, and costs tokens."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _made_of(function: Callable[..., Any], *, has_effects: bool, confirm: bool) -> ServerTool:
    name, description = getattr(function, "__name__", ""), inspect.getdoc(function) or ""
    if not NAME.fullmatch(name):
        raise NoTool(f"{name!r} is no name for a tool: use up to 64 letters of English, digits, _ and -.")
    if not description.strip():
        raise NoTool(f"{name} has no docstring, so no language model could know when to use it.")
    try:
        fields, given = _parameters(function, name)
        model = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        schema = model.model_json_schema(schema_generator=_Untitled)
    except (PydanticUserError, NameError, TypeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise NoTool(f"{name} takes what no language model can fill in: {first}") from None
    parameters = {key: value for key, value in schema.items() if key != "title"}
    limiter = trio.CapacityLimiter(_THREADS)

    async def use(arguments: Mapping[str, Any], circumstances: Circumstances) -> str:
        values = {**_checked(model, arguments), **dict.fromkeys(given, circumstances)}
        if inspect.iscoroutinefunction(function):
            answer = await function(**values)
        else:
            call = partial(function, **values)
            answer = await trio.to_thread.run_sync(call, limiter=limiter, abandon_on_cancel=True)
        return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, default=str)

    spec = Tool(name, description, parameters)
    return ServerTool(tool=spec, use=use, has_effects=has_effects, confirm=confirm)


def _parameters(function: Callable[..., Any], name: str) -> tuple[dict[str, Any], list[str]]:
    """Return what the model fills in, as a model of pydantic has its fields, and what is given circumstances."""
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    given: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise NoTool(f"{name} takes {parameter}: each parameter of a tool is given by its name.")
        hint = hints.get(parameter.name, Any)
        if hint is Circumstances:
            given.append(parameter.name)
        else:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (hint, default)
    return fields, given


def _checked(model: type[BaseModel], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that ``arguments`` are. Raises `ToolError`, so that the model can mend them."""
    try:
        checked = model.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the arguments"
        raise ToolError(f"{place}: {first['msg']}") from None
    return {name: getattr(checked, name) for name in type(checked).model_fields}
