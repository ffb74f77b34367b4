"""Servers in processes of their own behind HAProxy, while one of them is told to stop, and while all are full."""

import pytest
import trio

from tools import fleet, proxies

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(proxies.haproxy_command() is None, reason="haproxy is not installed"),
]


def test_nobody_loses_anything_by_a_server_that_stops():
    assert trio.run(fleet.sigterm, 0.0)


def test_who_finds_no_place_is_told_so_before_the_handshake():
    assert trio.run(fleet.full)
