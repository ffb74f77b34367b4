"""Reads a session log, which anybody may have written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from voice_trio import config
from voice_trio.config import ConfigError, Settings
from voice_trio.core import messages as m
from voice_trio.core.errors import Mendable
from voice_trio.journal import entries as e
from voice_trio.journal.file import LONGEST_BYTES, NotAnEntry, entry_in
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Malformed
from voice_trio.session.settings import SessionSettings
from voice_trio.wire import native
from voice_trio.wire.codec import CLOSE_CODES

_COMMANDS: Final = {**native.COMMANDS, **native.OTHERS}
"""What a session log can hold: the commands of /ws, and those of other wires, spelled alike."""

_MALFORMED: Final = {
    CLOSE_CODES[kind]: kind for kind in (Farewell.UNSUPPORTED, Farewell.BAD_DATA, Farewell.TOO_LARGE, Farewell.FLOOD)
}
"""What was wrong with a client's message, by the number that a session log has for it."""

_VALUES: Final[dict[str, set[str]]] = {
    "weigh": {"judged"},
    "open": {"over"},
    "hypothesize": {"hypothesis"},
    "anticipate": {"transcript"},
    "settle": {"transcript"},
    "write": {"text", "halves", "alive", "tool_call", "finish", "over"},
    "use": {"text", "halves"},
    "speak": {"voice", "over"},
    "begin": {"conversation"},
    "recall": {"records"},
    "commit": set(),
    "amend": set(),
    "claim": {"granted"},
    "alerts": {"alerts"},
    "put_alert": set(),
    "remove_alerts": set(),
}
"""What each question can be answered with."""

_BARE: Final = {"open", "anticipate", "write", "recall", "commit", "amend", "put_alert", "remove_alerts"}
"""Questions that can be answered with nothing but that it is done."""


class CannotReplay(Mendable):
    """The file is no session log that can be replayed; the message says where and why."""


@dataclass(frozen=True, slots=True)
class SessionLog:
    """What a file holds."""

    header: e.Header
    entries: list[e.Entry]
    torn: bool = False
    """Its last line is half a line, and was left out."""
    asks: dict[int, e.Ask] = field(default_factory=dict)
    """By the number of the call."""

    @property
    def end(self) -> e.End | None:
        """How the session ended; None where the session log ends before it."""
        return next((entry for entry in reversed(self.entries) if isinstance(entry, e.End)), None)

    @property
    def lasts_s(self) -> float:
        """How long after the session's beginning the last entry is."""
        return max((entry.at for entry in self.entries), default=0.0)

    def settings(self) -> SessionSettings:
        """Return the session's settings. Raises `ConfigError`."""
        given = {name: Settings.model_fields[name].default for name in SessionSettings.names()}
        # What a session log does not say of it is older than any other way.
        given["endpointing"], given["drafts"] = "fixed", "off"
        given |= {name: value for name, value in self.header.settings.items() if name in given}
        return SessionSettings.of(config.load(**given))


def read_session_log(path: Path) -> SessionLog:
    """Return the session log in ``path``. Raises `CannotReplay`."""
    try:
        with path.open("rb") as file:
            data = file.read(2 * LONGEST_BYTES + 1)
    except IsADirectoryError as error:
        raise CannotReplay(f"{path} is a folder, and no session log.") from error
    except OSError as error:
        raise CannotReplay(f"{path} cannot be read: {error.strerror or error}.") from error
    if not data:
        raise CannotReplay(f"{path} is empty.")
    if len(data) > 2 * LONGEST_BYTES:
        raise CannotReplay(f"{path} is longer than any session log.")
    try:
        session_log = parse(data)
        session_log.settings()
    except (_Wrong, ConfigError) as error:
        raise CannotReplay(f"{path} cannot be replayed: {error}") from None
    return session_log


class _Wrong(Exception):
    pass


def parse(data: bytes) -> SessionLog:
    """Return the session log in ``data``, without a last line that was not written to its end."""
    *lines, rest = data.split(b"\n")
    if not lines:
        raise _Wrong("it has no whole line.")
    session_log = SessionLog(_header(lines[0]), [], torn=bool(rest))
    for number, line in enumerate(lines[1:], start=2):
        try:
            entry = entry_in(line)
            _add(session_log, entry)
        except (NotAnEntry, Malformed, _Wrong) as error:
            raise _Wrong(f"line {number} is wrong: {error}") from None
    return session_log


def _header(line: bytes) -> e.Header:
    """Return the header, having looked at its version first: in another one all else may be different."""
    try:
        body = json.loads(line)
        version = body["format"] if body["kind"] == "header" else None
    except (ValueError, KeyError, TypeError, RecursionError):
        version = None
    if version is None:
        raise _Wrong("it does not begin with the header of a session log.")
    if version != e.FORMAT:
        raise _Wrong(f"it is a session log of format {str(version)[:20]!r}; this voice_trio reads format {e.FORMAT}.")
    try:
        header = entry_in(line)
    except NotAnEntry as error:
        raise _Wrong(f"its header is wrong: {error}") from None
    assert isinstance(header, e.Header)
    return header


def _add(session_log: SessionLog, entry: e.Header | e.Entry) -> None:
    match entry:
        case e.Header():
            raise _Wrong("a second header")
        case e.Command():
            command_of(entry)
        case e.Audio(pcm=pcm):
            native.decode_command(pcm)
        case e.Malformed():
            malformed_of(entry)
        case e.Ask(call=call):
            if call in session_log.asks:
                raise _Wrong(f"call {call} was asked before")
            session_log.asks[call] = entry
        case e.Answer():
            _check_answer(entry, session_log.asks.get(entry.call))
    session_log.entries.append(entry)


def command_of(entry: e.Command) -> m.Command:
    """Return what the client asked. Raises `Malformed`."""
    return native.decode_text(json.dumps(entry.message), _COMMANDS)


def malformed_of(entry: e.Malformed) -> Malformed:
    """Return what the session was told of a message that was none."""
    if entry.close_code not in _MALFORMED:
        known = ", ".join(map(str, sorted(_MALFORMED)))
        raise _Wrong(f"close_code: no message is malformed with {entry.close_code}; known are {known}")
    return Malformed(entry.message, _MALFORMED[entry.close_code])


def text_of(answer: e.Answer) -> str | None:
    """Return the piece of a reply that ``answer`` holds, if it does. Raises `ValueError`."""
    if answer.halves is None:
        return answer.text
    text = json.loads(answer.halves)
    if not isinstance(text, str):
        raise ValueError("halves is no string")
    return text


def _check_answer(answer: e.Answer, ask: e.Ask | None) -> None:
    if ask is None:
        raise _Wrong(f"call {answer.call} is answered, and was not asked")
    if answer.failure is not None:
        if (answer.failure.by == "engine") != (answer.failure.code is not None):
            raise _Wrong("failure.code: an engine's failure has one, and no other")
        return
    given = {name for names in _VALUES.values() for name in names if getattr(answer, name) is not None}
    if len(given) > 1 or not given <= _VALUES[ask.of] or not (given or ask.of in _BARE):
        raise _Wrong(f"{ask.of!r} cannot be answered with {', '.join(sorted(given)) or 'nothing'}")
    try:
        text_of(answer)
    except (ValueError, RecursionError):
        raise _Wrong("halves: no JSON string") from None
