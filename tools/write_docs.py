"""Writes what the documents take from the code: README's table of settings, much of docs/protocol.md, the schema,
the matrices of docs/testing.md, the example of docs/another-engine.md, and the tables of docs/skills.md and
docs/metrics.md.

    python tools/write_docs.py            rewrite them
    python tools/write_docs.py --check    exit with 1 if one of them is out of date

A document says where: `<!-- settings: ... -->`, the part named `settings`, `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from tools import diagrams, far_end_matrix, fault_matrix, protocol_docs
from voice_trio.config import Settings, allowed, variable
from voice_trio.server.metrics import Metrics
from voice_trio.skills import spoken
from voice_trio.skills.table import SKILLS

ROOT = Path(__file__).parent.parent
LONGEST_DEFAULT = 40


def settings_table() -> str:
    rows = ["| variable | default | what it is | values |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = int(field.default) if isinstance(field.default, bool) else field.default
        shown = "" if default in (None, "") else f"`{default}`"
        if len(shown) > LONGEST_DEFAULT:
            shown = "a short instruction to speak plainly"
        rows.append(f"| `{variable(name)}` | {shown} | {field.description} | {allowed(name, here=False)} |")
    return "\n".join(rows)


def skills_table() -> str:
    rows = ["| say | what it does | tool | its arguments |", "|---|---|---|---|"]
    for skill in SKILLS:
        arguments = ", ".join(f"`{name}`" for name in skill.properties)
        alone = " Not offered to a language model." if skill.only_alone else ""
        said = spoken.sentence(skill.example)
        rows.append(f"| {said} | {skill.description}{alone} | `{skill.name}` | {arguments} |")
    return "\n".join(rows)


def metrics_table() -> str:
    @dataclass
    class Nobody:
        leaving: bool = False
        draining: bool = False
        begun: int = 0
        refused: int = 0
        resumed: int = 0
        detached: int = 0
        most: int = 0
        engines_ready: bool = True

        def __len__(self) -> int:
            return 0

    metrics = Metrics()
    metrics.look_at(Nobody())
    rows = ["| name | kind | what it is |", "|---|---|---|"]
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        rows.append(f"| `{name}` | {family.type} | {family.documentation} |")
    return "\n".join(rows)


def file(path: str, language: str) -> str:
    return f"```{language}\n{(ROOT / path).read_text()}```"


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"settings": settings_table},
    "docs/protocol.md": {
        "legality": protocol_docs.legality,
        **{name: partial(protocol_docs.message, name) for name in protocol_docs.EXAMPLES if name != "tts_chunk"},
        "timer": partial(protocol_docs.fields, "ToldAlert"),
        "latency": partial(protocol_docs.fields, "latency"),
        "chunk": protocol_docs.chunk,
        "upload": protocol_docs.uploading,
        "turn": diagrams.turn,
        "listener": diagrams.listener,
        "conversation": protocol_docs.conversation,
    },
    "docs/another-engine.md": {
        "project": partial(file, "tests/plugged/pyproject.toml", "toml"),
        "voice": partial(file, "tests/plugged/morse.py", "python"),
    },
    "docs/skills.md": {"skills": skills_table},
    "docs/metrics.md": {"metrics": metrics_table},
    "docs/testing.md": {
        "faults": fault_matrix.table,
        "tools": fault_matrix.tools_table,
        "remote": far_end_matrix.table,
        "drafted": fault_matrix.drafted_table,
        "held": fault_matrix.into_replies_table,
        "manners": fault_matrix.manners_table,
    },
}
"""Document -> name of the part -> what writes it."""

WHOLE: dict[str, Callable[[], str]] = {"docs/protocol.schema.json": protocol_docs.schema_text}
"""Document -> what writes all of it."""

DOCUMENTS = (*PARTS, *WHOLE)


def rewritten(document: str) -> str:
    """Return the text of ``document`` with all its parts written anew."""
    if document in WHOLE:
        return WHOLE[document]()
    text = (ROOT / document).read_text()
    for name, write in PARTS[document].items():
        pattern = re.compile(f"(<!-- {name}: [^\n]*-->\n).*?(\n<!-- end -->)", re.DOTALL)
        place = pattern.search(text)
        if place is None:
            raise click.ClickException(f"{document} has no place for {name!r}")
        text = text[: place.end(1)] + write() + text[place.start(2) :]
    return text


def is_current(document: str) -> bool:
    """Return whether ``document`` says what the code says."""
    path = ROOT / document
    return path.exists() and path.read_text() == rewritten(document)


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; fail if something would change.")
def main(check: bool) -> None:
    """Write what the documents take from the code."""
    for document in DOCUMENTS:
        if is_current(document):
            continue
        if check:
            click.echo(f"{document} is out of date: python tools/write_docs.py", err=True)
            sys.exit(1)
        (ROOT / document).write_text(rewritten(document))


if __name__ == "__main__":
    main()
