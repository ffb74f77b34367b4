"""Every TCP connection that is open: how many there may be, and how all of them are cut at the end.

A connection from a trusted proxy stands for many people: it is not counted for the proxy's own address. Its requests
are, each for the address that the proxy names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from voice_trio.server.addresses import client_of, forwarded, parse, parse_networks

log = structlog.get_logger()


class Connection(Protocol):
    """One connection, as far as it can be cut."""

    def abort(self) -> None:
        """Close the socket at once; tasks that wait for it are woken."""

    def deliver(self) -> None:
        """Have the system take what the peer has not read."""

    def close(self) -> None:
        """Close the socket, and have the system go on with what it took."""


class Connections:
    """Counts connections, and requests that come by proxies, against the two limits."""

    def __init__(self, most: int, most_per_address: int, trusted_proxies: str = "") -> None:
        """``trusted_proxies`` is a list of addresses and networks with commas. Raises ValueError if it is not."""
        self._most = most
        self._most_per_address = most_per_address
        self._trusted = parse_networks(trusted_proxies)
        self._open: set[Connection] = set()
        self._per_address: Counter[str] = Counter()
        self._full = False
        self.incidents: Counter[str] = Counter()
        """What went wrong with connections so far, by kind: crashed, refused, stuck, violated."""

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def admit(self, connection: Connection, address: str) -> Iterator[bool]:
        """Hold a place for ``connection`` from ``address``; False if there is none."""
        with self.admit_address(address, exempt=self.is_trusted(address)) as admitted:
            if not admitted or len(self._open) >= self._most:
                self._refuse(address)
                yield False
                return
            self._full = False
            self._open.add(connection)
            try:
                yield True
            finally:
                self._open.discard(connection)

    @contextmanager
    def admit_address(self, address: str, *, exempt: bool = False) -> Iterator[bool]:
        """Hold one of the places that ``address`` has; False if there is none."""
        if exempt:
            yield True
            return
        client = client_of(address)
        if self._per_address[client] >= self._most_per_address:
            yield False
            return
        self._per_address[client] += 1
        try:
            yield True
        finally:
            self._per_address[client] -= 1
            # A Counter keeps its zeros, and addresses are without number.
            if not self._per_address[client]:
                del self._per_address[client]

    def is_trusted(self, address: str) -> bool:
        """Return whether ``address`` is a proxy whose word about its clients counts."""
        try:
            parsed = parse(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)

    def client_behind(self, proxy: str, forwarded_for: Iterable[str]) -> str:
        """Return who is behind ``proxy``, by the X-Forwarded-For headers: the last address that is no proxy of ours.

        What stands before that one was written by the client, and is no evidence.
        """
        address = proxy
        for hop in reversed([part.strip() for header in forwarded_for for part in header.split(",")]):
            if not self.is_trusted(address):
                break
            address = forwarded(hop)
        return address

    def deliver_all(self) -> None:
        """Have the system take what the peers have not read: what they are told now will not be taken back."""
        for connection in tuple(self._open):
            connection.deliver()

    def close_all(self) -> None:
        """Close every connection; what was said last on each still arrives, when it is read."""
        for connection in tuple(self._open):
            connection.close()

    def abort_all(self) -> None:
        """Cut every connection, whatever it waits for."""
        for connection in tuple(self._open):
            connection.abort()

    def _refuse(self, address: str) -> None:
        self.incidents["refused"] += 1
        if not self._full:
            # Once, until there was room again: clients that fill the server are not to fill its log as well.
            log.warning("connections are refused", address=address, open=len(self._open))
        self._full = True
