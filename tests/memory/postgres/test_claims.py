"""A conversation has one holder in a fleet of servers, and none that is dead; whoever lost it adds nothing to it."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.store_bench.races import race

pytestmark = pytest.mark.real

TTL_S = 1.0
LIMIT_S = 20.0


class Node:
    """Another process."""

    def __init__(self, address, ttl_s=TTL_S):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.memory.postgres.node"],
            cwd=Path(__file__).parents[3],
            env={**os.environ, "STREAM_DATABASE_URL": address, "STREAM_CLAIM_TTL_S": str(ttl_s)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_ready(self):
        assert self._process.stdout.readline() == "ready\n"
        return self

    def ask(self, *words):
        self.begin(*words)
        return self.answer()

    def begin(self, *words):
        print(*words, file=self._process.stdin, flush=True)

    def answer(self):
        return self._process.stdout.readline().rstrip("\n")

    def signal(self, number):
        self._process.send_signal(number)

    def end(self):
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()

    def take_over(self, conversation, session="taker"):
        """Ask until it is ours, and return how long that took."""
        began_at = time.monotonic()
        while self.ask("claim", conversation, session) != "yes":
            assert time.monotonic() < began_at + LIMIT_S
            # Nobody tells when it is free.
            time.sleep(0.02)
        return time.monotonic() - began_at


@pytest.fixture
def nodes(database_url):
    # They make the schema together, each for itself.
    nodes = [Node(database_url), Node(database_url)]
    try:
        yield [node.wait_ready() for node in nodes]
    finally:
        for node in nodes:
            node.end()


def test_one_that_a_session_lets_go_is_free_for_another_server_at_once(nodes):
    one, other = nodes
    name = one.ask("begin", "s1")
    assert one.ask("commit", name, "s1", 1) == "yes"
    assert one.ask("claim", name, "s2") == "no"
    assert other.ask("claim", name, "s3") == "no"
    assert other.ask("commit", name, "s3", 1) == "lost"
    assert one.ask("release", "s1") == "yes"
    assert other.take_over(name) < TTL_S / 2
    assert other.ask("recall", name) == "turns 1"
    assert one.ask("claim", name, "s1") == "no"
    assert other.ask("commit", name, "taker", 1) == "yes"


def test_a_live_server_keeps_what_it_has_for_longer_than_the_ttl(nodes):
    one, other = nodes
    name = one.ask("begin", "s1")
    began_at = time.monotonic()
    while time.monotonic() < began_at + 3 * TTL_S:
        assert other.ask("claim", name, "s2") == "no"
    assert one.ask("commit", name, "s1", 1) == "yes"


def test_a_server_that_is_killed_loses_its_conversations_within_the_ttl(nodes):
    one, other = nodes
    name = one.ask("begin", "s1")
    assert one.ask("commit", name, "s1", 1) == "yes"
    one.signal(signal.SIGKILL)
    assert other.take_over(name) < TTL_S + 1.0
    assert other.ask("recall", name) == "turns 1"


def test_a_server_that_ends_leaves_its_conversations_at_once(nodes):
    one, other = nodes
    name = one.ask("begin", "s1")
    one._process.stdin.close()
    one._process.wait(10)
    assert other.ask("claim", name, "s2") == "yes"


@pytest.mark.parametrize("released", [True, False])
def test_all_late_commits_of_a_server_that_stood_still_are_refused(nodes, released):
    one, other = nodes
    names = [one.ask("begin", "s1") for _ in range(5)]
    for name in names:
        assert one.ask("recall", name) == "turns"
        assert one.ask("commit", name, "s1", 1) == "yes"
    one.signal(signal.SIGSTOP)
    # What it is to do first when it wakes.
    for name in names:
        one.begin("commit", name, "s1", 2)
    for name in names:
        assert other.take_over(name) < TTL_S + 1.0
        assert other.ask("commit", name, "taker", 1) == "yes"
    if released:
        assert other.ask("release", "taker") == "yes"
    one.signal(signal.SIGCONT)
    assert [one.answer() for _ in names] == ["lost"] * 5
    for name in names:
        assert other.ask("recall", name) == "turns 1 1"
    # Where it is free, it may be had again, and what is begun then counts.
    if released:
        assert one.take_over(names[0], "s1") < TTL_S
        assert one.ask("commit", names[0], "s1", 3) == "lost"
        assert one.ask("recall", names[0]) == "turns 1 1"
        assert one.ask("commit", names[0], "s1", 3) == "yes"


def test_a_server_that_stood_still_and_was_not_missed_loses_nothing(nodes):
    one, other = nodes
    name = one.ask("begin", "s1")
    one.signal(signal.SIGSTOP)
    one.begin("commit", name, "s1", 1)
    time.sleep(1.5 * TTL_S)
    one.signal(signal.SIGCONT)
    assert one.answer() == "yes"
    assert one.ask("claim", name, "s1") == "yes"
    assert other.ask("claim", name, "s2") == "no"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_killed_and_stopped_each_commit_has_the_claim_of_its_moment(database_url, seed):
    """Servers take over from one another, stopped and woken: what each believed to commit is there, in one order."""
    chance = random.Random(seed)
    nodes = [Node(database_url), Node(database_url), Node(database_url)]
    try:
        for node in nodes:
            node.wait_ready()
        name = nodes[0].ask("begin", "s0")
        nodes[0].ask("release", "s0")
        kept: list[str] = []
        for turn in range(1, 13):
            number = chance.randrange(3)
            nodes[number].take_over(name, f"s{number}")
            assert nodes[number].ask("recall", name).split()[1:] == kept
            if chance.random() < 0.4:
                other = (number + 1) % 3
                nodes[number].signal(signal.SIGSTOP)
                nodes[number].begin("commit", name, f"s{number}", 1000 + turn)
                nodes[other].take_over(name, f"s{other}")
                assert nodes[other].ask("commit", name, f"s{other}", turn) == "yes"
                nodes[other].ask("release", f"s{other}")
                nodes[number].signal(signal.SIGCONT)
                assert nodes[number].answer() == "lost"
            else:
                assert nodes[number].ask("commit", name, f"s{number}", turn) == "yes"
            kept.append(str(turn))
            nodes[number].ask("release", f"s{number}")
        assert nodes[0].ask("recall", name).split()[1:] == kept
    finally:
        for node in nodes:
            node.end()


def test_of_many_races_none_has_two_winners(database_url):
    found = race(database_url, racers=3, each=200)
    assert (found.run, found.two_holders) == (600, 0)
    assert found.won > 50
    assert found.lost > 50
