"""Lists and notes, which belong to the conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from voice_trio.core.grammar.sentences import Sentence
from voice_trio.core.grammar.tokens import tokens
from voice_trio.skills import arguments as given, spoken
from voice_trio.skills.keeping import MOST_CHARS, MOST_ITEMS
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError

NOTES = "notes"
"""The list of what is noted; its items are never taken apart."""
_USUAL = "shopping"
_SAME = {"grocery": "shopping", "groceries": "shopping", "to do": "to-do", "todo": "to-do", "todos": "to-do"}
_NEAR = 0.85
"""As alike names of lists are one: `difflib` has it."""
_READ_AT_MOST = 20
"""What is told of a long list: nobody keeps more in mind."""

_BETWEEN = re.compile(r"\s*(?:,\s*(?:and\s+)?|;|\s+and\s+|\s+&\s+)\s*", re.IGNORECASE)
_AROUND = " .,;:!?\"'“”"


async def _add(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    items = given.texts(arguments, "items", most=MOST_ITEMS, longest=400)
    name = await _named(arguments, circumstances, means)
    items = [item for said in items for item in (_parts(said) if name != NOTES else [said.strip(_AROUND)]) if item]
    if not items:
        raise ToolError("I did not make out what to add.")
    if max(map(len, items)) > MOST_CHARS:
        raise ToolError("That is too long for a list.")
    there = await means.lists.read(circumstances.conversation, name)
    known = _by_likeness(there)
    new = [alike[0] for plain, alike in _by_likeness(items).items() if plain not in known]
    if not new:
        return f"{spoken.sentence(spoken.listed(items))}: that is on your {_list_of(name)} already."
    await means.lists.add(circumstances.conversation, name, new)
    if name == NOTES:
        return f"Noted: {spoken.listed(new)}."
    return f"I added {spoken.listed(new)} to your {name} list."


async def _read(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    name = await _named(arguments, circumstances, means)
    items = await means.lists.read(circumstances.conversation, name)
    if not items:
        return "You have no notes." if name == NOTES else f"There is nothing on your {name} list."
    told = [*items[:_READ_AT_MOST]]
    if len(items) > len(told):
        told.append(f"{len(items) - len(told)} more")
    if name == NOTES:
        return f"You have {spoken.count(len(items), 'note')}: {'; '.join(told)}."
    return f"On your {name} list {'is' if len(items) == 1 else 'are'} {spoken.listed(told)}."


async def _names(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    names = await means.lists.names(circumstances.conversation)
    if not names:
        return "You have no lists yet."
    told = ["your notes" if name == NOTES else f"your {name} list" for name in names]
    return f"There {'is' if len(told) == 1 else 'are'} {spoken.listed(told)}."


async def _remove(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    wanted = given.texts(arguments, "items", most=MOST_ITEMS, longest=400)
    name = await _named(arguments, circumstances, means)
    there = _by_likeness(await means.lists.read(circumstances.conversation, name))
    found: list[str] = []
    missing: list[str] = []
    for said in wanted:
        whole = there.get(_plain(said))
        for part in [said] if whole else _parts(said):
            alike = whole or there.get(_plain(part), [])
            found += [item for item in alike if item not in found]
            missing += [] if alike else [part]
    if not found:
        raise ToolError(f"I do not find {spoken.listed(missing) or 'that'} on your {_list_of(name)}.")
    await means.lists.remove(circumstances.conversation, name, found)
    left_out = f" I did not find {spoken.listed(missing)} on it." if missing else ""
    return f"I took {spoken.listed(found)} off your {_list_of(name)}.{left_out}"


async def _clear(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    name = await _named(arguments, circumstances, means)
    there = await means.lists.read(circumstances.conversation, name)
    if not there:
        return f"There is nothing on your {_list_of(name)}."
    await means.lists.remove(circumstances.conversation, name, there)
    return f"I took everything off your {_list_of(name)}."


async def _named(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    """Return the list that is meant: without a name, that to which something was added last."""
    said = " ".join(token.word for token in tokens(given.text(arguments, "list", most=MOST_CHARS)))
    said = re.sub(r"^(?:my|the|our|a) | lists?$", "", said)
    names = await means.lists.names(circumstances.conversation)
    if said and said != "list":
        name = _SAME.get(said, said)
        # A name that was misheard by a letter or two is no new list.
        near = [] if name in names else get_close_matches(name, [*names, NOTES, *_SAME.values()], 1, _NEAR)
        return near[0] if near else name
    return next((name for name in reversed(names) if name != NOTES), _USUAL)


def _list_of(name: str) -> str:
    return name if name == NOTES else f"{name} list"


def _parts(said: str) -> list[str]:
    """Return the things that ``said`` names, one by one."""
    return [part for part in (part.strip(_AROUND) for part in _BETWEEN.split(said)) if part]


def _by_likeness(things: Sequence[str]) -> dict[Sequence[str], list[str]]:
    """Return ``things`` by what they are, in their order. There may be thousands, so each is looked at once."""
    alike: dict[Sequence[str], list[str]] = {}
    for thing in things:
        alike.setdefault(_plain(thing), []).append(thing)
    return alike


def _plain(thing: str) -> Sequence[str]:
    """Return the words of ``thing``: case, articles and a plural do not matter."""
    words = tuple(token.word.removesuffix("s") for token in tokens(thing))
    return words[1:] if len(words) > 1 and words[0] in ("the", "a", "an", "some", "my") else words


_LIST = {"type": "string", "description": "Its name, such as shopping or to-do; the latest one if left out"}
_ITEMS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_NAME = "(my|the|our) [{list:listname}] list"

ADD = Skill(
    name="add_to_list",
    description="Adds things to one of the person's lists, or takes a note, on the list called notes.",
    does=_add,
    properties={"items": {**_ITEMS, "description": "What to add, each by itself"}, "list": _LIST},
    required=("items",),
    has_effects=True,
    example="add milk and bread to my shopping list.",
    sentences=(
        Sentence(f"(add|put|write) {{items:text}} (to|on|onto|into) {_NAME}"),
        Sentence(f"(add|put|write) (to|on) {_NAME} {{items:text}}"),
        Sentence("(add|put) {items:text} (to|on) [a] {list:listname} list"),
        Sentence("(take|make|write) [down] a note [that|to|saying|about] {items:text}", {"list": NOTES}),
        Sentence("(note|write) down [that] {items:text}", {"list": NOTES}),
        Sentence("add {items:text} to my notes", {"list": NOTES}),
        Sentence("[a] new note [that|to|saying] {items:text}", {"list": NOTES}),
        Sentence("(add|put) {items:text} (to|on) my (to dos|todos)", {"list": "to-do"}),
        Sentence("add a note [that|to|saying] {items:text}", {"list": NOTES}),
    ),
)
READ = Skill(
    name="read_list",
    description="Tells what stands on one of the person's lists. Their notes are the list called notes.",
    does=_read,
    properties={"list": _LIST},
    example="what is on my shopping list?",
    sentences=(
        Sentence(f"what (is|do I have|have I got|was|all is) on {_NAME}"),
        Sentence(f"what does {_NAME} say"),
        Sentence("what is (my|the) {list:listname} list"),
        Sentence("what do (I|we) (need|have) to (buy|get) [at the shop|at the store]", {"list": _USUAL}),
        Sentence(f"(read|show|tell|give|say|list) [me|out] [what is on] {_NAME} [to me|out|out loud|aloud]"),
        Sentence(f"is there anything on {_NAME}"),
        Sentence("(read|show|tell|list) [me|out] (my|the) notes [to me|out|out loud|aloud]", {"list": NOTES}),
        Sentence("what (are|is in|did I put in) my notes", {"list": NOTES}),
        Sentence("what did I (note|write) down", {"list": NOTES}),
        Sentence("what notes (do|did) I (have|take)", {"list": NOTES}),
        Sentence("do I have [any] notes", {"list": NOTES}),
    ),
)
NAMES = Skill(
    name="name_lists",
    description="Tells which lists the person has.",
    does=_names,
    is_shown=False,
    example="which lists do I have?",
    sentences=(
        Sentence("(what|which) lists (do I have|have I got|are there)"),
        Sentence("(read|show|tell|list) [me] [all] my lists"),
    ),
)
REMOVE = Skill(
    name="remove_from_list",
    description="Takes things off one of the person's lists or notes.",
    does=_remove,
    properties={"items": {**_ITEMS, "description": "What to take off, each by itself"}, "list": _LIST},
    required=("items",),
    has_effects=True,
    is_shown=False,
    example="take milk off my shopping list.",
    sentences=(
        Sentence(
            f"(remove|delete|take|cross|scratch|strike|erase|drop) [off] {{items:text}} (from|off|of|off of) {_NAME}"
        ),
        Sentence("(remove|delete|take|cross|erase) {items:text} (from|off|off of) my notes", {"list": NOTES}),
    ),
)
CLEAR = Skill(
    name="clear_list",
    description="Takes everything off one of the person's lists, or all notes off the list called notes.",
    does=_clear,
    properties={"list": _LIST},
    has_effects=True,
    is_shown=False,
    example="clear my shopping list.",
    sentences=(
        Sentence(f"(clear|empty|delete|erase|wipe|throw away) [all of|everything on|everything from] {_NAME}"),
        Sentence(f"(remove|take|delete) everything (from|off|on) {_NAME}"),
        Sentence("(clear|delete|erase|throw away|forget) [all] [of] my notes", {"list": NOTES}),
    ),
)
SKILLS = (ADD, READ, NAMES, REMOVE, CLEAR)
