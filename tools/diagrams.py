"""Prints the state machines as Mermaid diagrams, from the tables that the code goes by.

    python tools/diagrams.py turn        the turn: voice_trio/core/turn_state.py
    python tools/diagrams.py listener    the listener: voice_trio/core/endpointer.py

docs/protocol.md shows them both.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import click

from voice_trio.core import endpointer, turn_state


def turn() -> str:
    return diagram(turn_state.TRANSITIONS)


def listener() -> str:
    return diagram(endpointer.TRANSITIONS)


DIAGRAMS = {"turn": turn, "listener": listener}


def diagram(transitions: Mapping[Any, Mapping[Any, Enum]]) -> str:
    """Return the table as Mermaid: state -> what happens -> state, the first state being where it begins."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {next(iter(transitions)).name}"]
    for state, leads in transitions.items():
        for target in dict.fromkeys(leads.values()):
            causes = ", ".join(cause_name(cause) for cause, other in leads.items() if other is target)
            lines.append(f"    {state.name} --> {target.name}: {causes}")
    return "\n".join([*lines, "```"])


def cause_name(cause: Enum | type) -> str:
    """Return what a person calls it: `FalseStart` is a false start."""
    if isinstance(cause, Enum):
        return str(cause.value)
    return "".join(f" {char.lower()}" if char.isupper() else char for char in cause.__name__).strip()


@click.command()
@click.argument("name", type=click.Choice([*DIAGRAMS]))
def main(name: str) -> None:
    """Print one of the state machines."""
    click.echo(DIAGRAMS[name]())


if __name__ == "__main__":
    main()
