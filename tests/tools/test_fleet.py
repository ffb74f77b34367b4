"""Servers in processes of their own behind HAProxy, while one of them stops or is killed, and while all are full."""

import math

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


def test_a_conversation_goes_on_at_the_other_server_when_one_is_killed(database_url, monkeypatch):
    monkeypatch.setenv("STREAM_DATABASE_URL", database_url)
    monkeypatch.setenv("STREAM_CLAIM_TTL_S", "3")
    # The answers have to be right.
    monkeypatch.delenv("STREAM_LLM_ENGINE")
    assert trio.run(fleet.kill, math.inf)
