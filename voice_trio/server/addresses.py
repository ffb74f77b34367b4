"""Addresses: who is one client, what only this machine can reach, and what a person opens."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import quote

Network = IPv4Network | IPv6Network

_CLIENT_PREFIX = 64
"""One IPv6 host has as many addresses as it likes in a network of this length, the smallest that is given away."""

_MAPPED_PREFIX = 96
"""``::ffff:0:0/96`` holds the IPv4 addresses as a socket for both families writes them."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""What stands for all addresses of a family -> the one of them that every machine has."""

_NOBODY = {"0.0.0.0": (socket.AF_INET, "192.0.2.1"), "::": (socket.AF_INET6, "2001:db8::1")}
"""What stands for all addresses of a family -> an address that nobody has, and is routed like any on the internet."""


def parse(text: str) -> IPv4Address | IPv6Address:
    """Return the address ``text``; an IPv4 address written as one of IPv6 is what it is. Raises ValueError."""
    address = ip_address(text)
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def parse_networks(text: str) -> list[Network]:
    """Return the addresses and networks that ``text`` lists with commas. Raises ValueError."""
    return [_network(part.strip()) for part in text.split(",") if part.strip()]


def forwarded(text: str) -> str:
    """Return the address in ``text``, a part of X-Forwarded-For; some write a port there. What is none stays so."""
    if text.startswith("["):
        bare = text[1:].partition("]")[0]
    else:
        bare = text.partition(":")[0] if text.count(":") == 1 else text
    try:
        return str(parse(bare))
    except ValueError:
        return text


def client_of(address: str) -> str:
    """Return under what the client at ``address`` is counted: for IPv6 the network that is all its own."""
    try:
        parsed = parse(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(IPv6Network((int(parsed), _CLIENT_PREFIX), strict=False))


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach ``address``. Raises ValueError for what is none."""
    return parse(address).is_loopback


def is_everywhere(host: str) -> bool:
    """Return whether ``host`` stands for all addresses of a family."""
    return host in _EVERYWHERE


def lan_address(everywhere: str) -> str | None:
    """Return this machine's address in its network, of the family that ``everywhere`` is of; None if it is in none."""
    family, nobody = _NOBODY[everywhere]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Connecting a datagram socket sends nothing: it only asks the routing table.
            probe.connect((nobody, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def url_of(scheme: str, bound: Iterable[tuple[Any, ...]]) -> str:
    """Return an address to open in a browser, of those that sockets are ``bound`` to (as `getsockname` says it).

    IPv4 goes first, as what every device at home speaks. A server that listens everywhere is named as the network
    knows it.
    """
    names = sorted(bound, key=lambda name: ":" in name[0])
    found = [lan_address(host) if is_everywhere(host) else _with_link(host, *more) for host, _, *more in names]
    port = names[0][1]
    shown = next((host for host in found if host is not None), _EVERYWHERE.get(names[0][0]))
    assert shown is not None
    # Only the sign before a link's name needs a code, and has one (RFC 6874).
    return f"{scheme}://[{quote(shown, safe=':')}]:{port}" if ":" in shown else f"{scheme}://{shown}:{port}"


def _with_link(host: str, _flow: int = 0, link: int = 0) -> str:
    """Return ``host`` with the name of its link, without which an address of one says nothing."""
    return f"{host}%{socket.if_indextoname(link)}" if link else host


def _network(text: str) -> Network:
    network = ip_network(text, strict=False)
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_PREFIX:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((int(mapped), network.prefixlen - _MAPPED_PREFIX))
    return network
