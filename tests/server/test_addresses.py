"""Who is one client, what only this machine can reach, and what is printed for a person to open."""

import socket
from typing import Any, cast

import pytest

from voice_trio.server import addresses
from voice_trio.server.addresses import client_of, forwarded, is_loopback, parse_networks, url_of
from voice_trio.server.connections import Connections


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_who_is_one_client(address, client):
    assert client_of(address) == client


@pytest.mark.parametrize(
    ("address", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.7", False),
        ("::", False),
        ("0.0.0.0", False),
        ("fe80::1%eth0", False),
    ],
)
def test_what_only_this_machine_reaches(address, only_here):
    assert is_loopback(address) is only_here


@pytest.mark.parametrize(
    ("part", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("unknown", "unknown"),
        ("_hidden:1", "_hidden:1"),
        ("[", "["),
        ("", ""),
    ],
)
def test_how_proxies_write_an_address(part, address):
    assert forwarded(part) == address


def test_networks_of_ipv4_written_as_ipv6_are_what_they_are():
    text = "::ffff:127.0.0.1, ::ffff:10.0.0.0/104, 2001:db8::/32, ::/0"
    assert [str(one) for one in parse_networks(text)] == ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32", "::/0"]


class Cut:
    def abort(self):
        pass


@pytest.mark.parametrize(("step", "admitted"), [(1, 5), (1 << 32, 5), (1 << 64, 20)])
def test_a_network_that_is_one_hosts_own_has_the_places_of_one(step, admitted):
    connections = Connections(100, 5)
    base = int.from_bytes(socket.inet_pton(socket.AF_INET6, "2001:db8:1::"))
    clients = [socket.inet_ntop(socket.AF_INET6, (base + n * step).to_bytes(16)) for n in range(20)]
    holders = [connections.admit(cast(Any, Cut()), client) for client in clients]
    assert sum(holder.__enter__() for holder in holders) == admitted
    for holder in holders:
        holder.__exit__(None, None, None)
    assert len(connections) == 0


def test_both_ways_to_write_a_proxy_are_that_proxy():
    connections = Connections(10, 1, "::ffff:127.0.0.1, 2001:db8::/64")
    for proxy in ("127.0.0.1", "::ffff:127.0.0.1", "2001:db8::9"):
        assert connections.client_behind(proxy, ["198.51.100.1:4711"]) == "198.51.100.1"
    with connections.admit_address("::ffff:198.51.100.1") as one, connections.admit_address("198.51.100.1") as other:
        assert (one, other) == (True, False)


LAN = {"0.0.0.0": "192.0.2.7", "::": "2001:db8::7"}
V4, V6 = ("0.0.0.0", 80), ("::", 80, 0, 0)


@pytest.mark.parametrize(
    ("bound", "lan", "url"),
    [
        ([("127.0.0.1", 80)], LAN, "http://127.0.0.1:80"),
        ([("::1", 80, 0, 0), ("127.0.0.1", 80)], LAN, "http://127.0.0.1:80"),
        ([("::1", 80, 0, 0)], LAN, "http://[::1]:80"),
        ([V4], LAN, "http://192.0.2.7:80"),
        ([V4], {}, "http://127.0.0.1:80"),
        ([V6], LAN, "http://[2001:db8::7]:80"),
        ([V6], {}, "http://[::1]:80"),
        ([V6, V4], LAN, "http://192.0.2.7:80"),
        ([V6, V4], {"::": "2001:db8::7"}, "http://[2001:db8::7]:80"),
        ([V6, V4], {}, "http://127.0.0.1:80"),
        ([("fe80::1", 80, 0, 1)], LAN, "http://[fe80::1%25lo]:80"),
    ],
)
def test_what_is_printed_is_of_a_family_that_is_listened_for(monkeypatch, bound, lan, url):
    monkeypatch.setattr(addresses, "lan_address", lan.get)
    monkeypatch.setattr(socket, "if_indextoname", {1: "lo"}.__getitem__)
    assert url_of("http", bound) == url


@pytest.mark.real
@pytest.mark.parametrize(("everywhere", "family"), [("0.0.0.0", socket.AF_INET), ("::", socket.AF_INET6)])
def test_an_address_in_the_network_is_of_the_family_asked_for(everywhere, family):
    found = addresses.lan_address(everywhere)
    assert found is None or socket.inet_pton(family, found)
