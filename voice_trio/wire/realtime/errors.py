"""What is wrong with one event of a client: told as an ``error`` event, after which the session goes on."""

from __future__ import annotations

from typing import Any


class Wrong(Exception):
    """One event of the client was not acted on. The message is a sentence for the client's developer."""

    def __init__(self, message: str, *, code: str = "invalid_value", param: str | None = None) -> None:
        """``code`` is one of OpenAI's, ``param`` the path of the field that is wrong."""
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param


def error(
    message: str,
    *,
    code: str | None,
    param: str | None = None,
    about: str | None = None,
    kind: str = "invalid_request_error",
) -> dict[str, Any]:
    """Return an ``error`` event; ``about`` is the id of the client's event that it answers."""
    told = {"type": kind, "code": code, "message": message, "param": param, "event_id": about}
    return {"type": "error", "error": told}


def expect(value: Any, kinds: type | tuple[type, ...], param: str) -> Any:
    """Return ``value``, if it is one of ``kinds``; a bool is no number. Raises `Wrong`, which names ``param``."""
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        names = " or ".join(_NAMES[kind] for kind in wanted)
        raise Wrong(f"{param!r} has to be {names}.", param=param)
    return value


_NAMES = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}
