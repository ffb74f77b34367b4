"""The rows of nodes and of what they have in the database: each of these is one short step, and may be done again.

A claim is there for as long as its node's row is. A node puts its deadline off by a heartbeat; one that is over may
be buried by anybody, with all its claims, and never comes back under that name. Two that want to change a row wait
for each other and then look again, so a node is either renewed or buried: no claim has two holders. All times are
those of the database's clock.
"""

from __future__ import annotations

from typing import Final

from voice_trio.memory.postgres.connection import Connection

_DEADLINE: Final = "clock_timestamp() + ? * interval '1 second'"

_TIDIED: Final = "1 hour"
"""Nodes that have been dead for so long are buried though nobody wants what they had."""


def enter(connection: Connection, node: str, ttl_s: float) -> None:
    """Have a row for ``node``, with a deadline in ``ttl_s``; bury those of long ago."""
    connection.write(f"DELETE FROM voice_trio.nodes WHERE deadline < clock_timestamp() - interval '{_TIDIED}'")
    connection.write(
        f"INSERT INTO voice_trio.nodes VALUES (?, {_DEADLINE})"
        " ON CONFLICT (node) DO UPDATE SET deadline = excluded.deadline",
        (node, ttl_s),
    )


def renew(connection: Connection, node: str, ttl_s: float) -> bool:
    """Put the deadline of ``node`` off to in ``ttl_s``; False where it was buried."""
    query = f"UPDATE voice_trio.nodes SET deadline = {_DEADLINE} WHERE node = ? RETURNING node"
    return bool(connection.write(query, (ttl_s, node)))


def leave(connection: Connection, node: str) -> None:
    """Have ``node`` be no more, nor anything that it has."""
    connection.write("DELETE FROM voice_trio.nodes WHERE node = ?", (node,))


def claim(connection: Connection, conversation: str, node: str) -> int | None:
    """Give ``conversation`` to ``node``; return the epoch of the claim, or None where another node has it.

    Each claim has a greater epoch than those before it. One of the node's own gets a new one. Raises `StoreError`, too,
    where the node was buried.
    """
    while True:
        rows = connection.write(
            "INSERT INTO voice_trio.claims AS there (conversation, node) VALUES (?, ?)"
            " ON CONFLICT (conversation) DO UPDATE SET epoch = excluded.epoch WHERE there.node = excluded.node"
            " RETURNING epoch",
            (conversation, node),
        )
        if rows:
            return int(rows[0][0])
        buried = connection.write(
            "DELETE FROM voice_trio.nodes WHERE deadline <= clock_timestamp()"
            " AND node = (SELECT node FROM voice_trio.claims WHERE conversation = ?) RETURNING node",
            (conversation,),
        )
        if not buried:
            return None


def forsake(connection: Connection, conversation: str, node: str) -> None:
    """Have the claim of ``node`` be no more, whatever its epoch, if it has any."""
    connection.write("DELETE FROM voice_trio.claims WHERE conversation = ? AND node = ?", (conversation, node))


def give_back(connection: Connection, conversation: str, epoch: int) -> None:
    """Have the claim of that ``epoch`` be no more; one that is there since then stays."""
    connection.write("DELETE FROM voice_trio.claims WHERE conversation = ? AND epoch = ?", (conversation, epoch))
