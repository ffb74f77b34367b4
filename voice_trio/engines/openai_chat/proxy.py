"""Which proxy of the environment leads to an address, by the variables that HTTP clients share.

``http_proxy`` or ``https_proxy``, after the scheme of the address, and then ``all_proxy``; a name in small letters
counts more than one in capitals. ``no_proxy`` lists with commas what is reached without: ``*`` for all, addresses and
networks, names, which stand for all names below them too, and names behind a dot, which stand for those alone.

The SDK's client would read all of them, fail for one that the address has no use for, and look for this machine at the
other side of a proxy.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from typing import TYPE_CHECKING

from voice_trio import checks
from voice_trio.config import ConfigError

if TYPE_CHECKING:
    import httpx2

_PORTS = {"http": 80, "https": 443}
_SCHEMES = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and who named it."""

    variable: str
    """The environment variable that it comes from, as it is spelled there."""
    url: str


def proxy_for(url: httpx2.URL) -> Proxy | None:
    """Return the proxy that leads to ``url``, None where none is wanted. Raises `ConfigError` for what is none."""
    variable, value = _variable(f"{url.scheme}_proxy") or _variable("all_proxy") or ("", "")
    if not value or is_this_machine(url.host):
        return None
    _, excepted = _variable("no_proxy") or ("", "")
    if any(_covers(entry.strip().lower(), url) for entry in excepted.split(",")):
        return None
    try:
        given = value if "://" in value else f"http://{value}"
        checks.web_address(given, _SCHEMES, example="http://proxy.example:3128 or socks5://127.0.0.1:1080")
    except ValueError as error:
        raise ConfigError(f"{variable}: {error}, or reach {url.host} without a proxy by NO_PROXY") from None
    return Proxy(variable, given)


def is_this_machine(host: str) -> bool:
    """Return whether ``host`` leads nowhere but here, as 0.0.0.0 does as well."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        try:
            # The resolver knows 127.1, too.
            address = IPv4Address(socket.inet_aton(name))
        except OSError:
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _variable(name: str) -> tuple[str, str] | None:
    """Return the name in the environment and the value of ``name``; None where it is not set, or set to nothing."""
    for spelled in (name, name.upper()):
        if spelled in os.environ:
            value = os.environ[spelled].strip()
            return (spelled, value) if value else None
    return None


def _covers(entry: str, url: httpx2.URL) -> bool:
    """Return whether ``entry`` of ``no_proxy`` means ``url``."""
    if not entry:
        return False
    host = url.host.lower()
    try:
        network = ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        name, _, port = entry.partition(":")
        if port and port != str(url.port or _PORTS[url.scheme]):
            return False
        name = name.removeprefix("*")
        return not name or host.endswith(name if name.startswith(".") else f".{name}") or host == name
    return checks.is_address(host) and ip_address(host) in network
