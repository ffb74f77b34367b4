"""What the text of a setting may be, asked of the parsers that will read it: what cannot work is refused at the start.

Each check takes a value without white space around it and returns the one to go on with. Raises `ValueError` with a
reason that stands behind the variable's name; it repeats no value that may hold a secret.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from voice_trio.core.strange_text import mend

if TYPE_CHECKING:
    import httpx2

_NAME = re.compile(rb"[A-Za-z0-9_.-]{1,253}")
"""Names in the DNS have no underscore; those that containers give one another do."""

_LAST_PORT = 65_535
_LONGEST_SHOWN = 80


def quoted(value: object) -> str:
    """Return ``value`` as a message shows it: in quotes, in one line, and not all of it if it is long."""
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[: _LONGEST_SHOWN - 4]}...{shown[-1]}"


def line(value: str) -> str:
    """Refuse what no name, number or address has in it: control characters, invisible ones, bytes of no text."""
    if not value.isprintable():
        raise ValueError(f"{quoted(value)} {_unprintable(value)}")
    return value


def prose(value: str) -> str:
    """Refuse what cannot be sent to a language model: bytes that are no UTF-8. Any number of lines will do."""
    if mend(value) != value:
        raise ValueError(f"{quoted(value)} {_unprintable(value)}")
    return value


def path(value: str) -> str:
    """Refuse what no file can be called. Bytes that are no UTF-8 are as good as any others in a path."""
    try:
        possible = b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise ValueError(f"{quoted(value)} {_unprintable(value)}")
    return value


def key(value: str) -> str:
    """Refuse a key that no header can carry."""
    if not (value.isascii() and value.isprintable()):
        raise ValueError("it holds characters that no key has; the value is not shown here")
    return value


def token(value: str) -> str:
    """Refuse a token that no client could present."""
    if not value.isprintable():
        raise ValueError("it holds characters that no client can send in a header; the value is not shown here")
    return value


def host(value: str) -> str:
    """Return the name or address of a host, an IPv6 address without brackets."""
    if not line(value):
        return value
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if is_address(bare):
        return bare
    if "/" in value or ":" in value:
        raise ValueError(f"{quoted(value)} is more than a host; give a name or an address alone, such as 127.0.0.1")
    _check_name(value, quoted(value))
    return value


def api_address(value: str) -> str:
    """Refuse what is no address of an API. A query is none either: what is asked for is put behind it."""
    if not value:
        return value
    url = web_address(value, ("http", "https"), example="http://127.0.0.1:11434/v1")
    if url.query or url.fragment:
        raise ValueError(f"{_shown(value)} goes on behind its path; give it without ? and #")
    return value


REMOTE_SCHEMES = ("http", "https", "wyoming")
REMOTE_EXAMPLE = "http://192.168.1.20:8000"


def remote_addresses(value: str) -> str:
    """Refuse what is no list, with commas, of addresses of servers with OpenAI's API for audio, or Wyoming's."""
    for part in filter(None, map(str.strip, value.split(","))):
        url = web_address(part, REMOTE_SCHEMES, example=REMOTE_EXAMPLE)
        if url.userinfo:
            raise ValueError("an address here has no name and no password in it; a key is a setting of its own")
        if url.query or url.fragment:
            raise ValueError(f"{_shown(part)} goes on behind its path; give it without ? and #")
        if url.scheme == "wyoming" and (url.port is None or url.path not in ("", "/")):
            raise ValueError(f"{_shown(part)} is to be a host and a port, such as wyoming://192.168.1.20:10300")
    return value


def origins(value: str) -> str:
    """Return the origins that ``value`` lists with commas, each spelled as browsers spell it."""
    return ",".join(_origin(part.strip()) for part in value.split(",") if part.strip())


def database_address(value: str) -> str:
    """Refuse what is no address of PostgreSQL. The driver finds what is wrong in the rest, which holds a password."""
    if value and not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("it does not begin with postgresql://; the value is not shown here")
    if not value.isprintable() or " " in value:
        raise ValueError("it holds a space, or a character that cannot be seen; the value is not shown here")
    return value


def networks(value: str) -> str:
    """Refuse what is no list, with commas, of addresses and networks."""
    for part in filter(None, map(str.strip, value.split(","))):
        try:
            ipaddress.ip_network(part, strict=False)
        except ValueError:
            raise ValueError(f"{quoted(part)} is no address and no network, such as 10.0.0.0/8") from None
    return line(value)


def web_address(value: str, schemes: Collection[str], *, example: str) -> httpx2.URL:
    """Return ``value`` as the HTTP client reads it, with one of ``schemes``, or with any where there are none."""
    # It takes a tenth of a second to import, and few commands need it.
    import httpx2

    shown = _shown(line(value))
    advice = f"give an address such as {example}"
    if " " in value:
        raise ValueError(f"{shown} has a space in it; {advice}")
    try:
        url = httpx2.URL(value)
    except httpx2.InvalidURL:
        # Its words may repeat a password.
        raise ValueError(f"{shown} cannot be read (an IPv6 address stands in brackets); {advice}") from None
    if not url.host or (schemes and url.scheme not in schemes):
        begins = " or ".join(f"{scheme}://" for scheme in schemes) or "a scheme such as https://"
        raise ValueError(f"{shown} does not begin with {begins} and a host; {advice}")
    if url.port is not None and not 1 <= url.port <= _LAST_PORT:
        raise ValueError(f"{shown} has a port that is not from 1 to {_LAST_PORT}; {advice}")
    if not is_address(url.host):
        _check_name(url.raw_host.decode("ascii"), shown)
    return url


def is_address(name: str) -> bool:
    """Return whether ``name`` is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _origin(part: str) -> str:
    if part == "*":
        return part
    if part == "null":
        # A browser says so for a file and for any site's sandbox.
        raise ValueError("'null' is everybody's origin; give * if all pages are to use this server")
    url = web_address(part, (), example="https://voice.example")
    if url.raw_path != b"/" or url.fragment or url.userinfo:
        raise ValueError(f"{_shown(part)} is more than an origin; give scheme, host and port alone")
    return f"{url.scheme}://{url.netloc.decode('ascii').lower()}"


def _check_name(name: str, shown: str) -> None:
    try:
        # As the system's resolver is asked, which fails the same way later.
        encoded = name.encode("idna")
    except UnicodeError:
        raise ValueError(f"{shown} names no host: a part between its dots is empty, too long or no name") from None
    if not _NAME.fullmatch(encoded):
        raise ValueError(f"{shown} names no host: it is too long, or holds characters that no host's name has")


def _shown(value: str) -> str:
    """Return an address as a message may show it: a password and a query may be secrets."""
    return "(hidden)" if "@" in value or "?" in value else quoted(value)


def _unprintable(value: str) -> str:
    if mend(value) != value:
        return "holds bytes that are no UTF-8"
    char = next(char for char in value if not char.isprintable())
    return f"holds a character that cannot be seen, U+{ord(char):04X}"


_LLM_ENGINES = {"openai": "openai-chat", "none": "skills"}
_TTS_ENGINES = {"pyttsx3": "espeak"}
"""Words that people use -> the engine that they mean."""


def _llm_engine(value: str) -> str:
    return line(_LLM_ENGINES.get(value, value))


def _tts_engine(value: str) -> str:
    return line(_TTS_ENGINES.get(value, value))


SETTINGS: dict[str, Callable[[str], str]] = {
    "host": host,
    "openai_api_key": key,
    "openai_base_url": api_address,
    "asr_url": remote_addresses,
    "tts_url": remote_addresses,
    "asr_api_key": key,
    "tts_api_key": key,
    "remote_api_key": key,
    "llm_engine": _llm_engine,
    "tts_engine": _tts_engine,
    "llm_system_prompt": prose,
    "data_dir": path,
    "record_dir": path,
    "database_url": database_address,
    "trusted_proxies": networks,
    "auth_token": token,
    "allowed_origins": origins,
    "certfile": path,
    "keyfile": path,
}
"""By the name of the setting."""
