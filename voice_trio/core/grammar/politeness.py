"""What people put before and behind what they want, which means nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voice_trio.core.grammar.tokens import Token

_BEFORE_TEXT: Final = """
hey | hi | hello | hello there | hi there | okay | so | well | oh | please | now | and | then | no | yes | yeah |
right | all right | listen | excuse me | sorry | actually | just | good morning | good evening | computer |
assistant | can you | could you | would you | will you | can you please | could you please | would you please |
will you please | would you mind | can i | could i | may i | i want you to | i would like you to | i need you to |
i want to | i would like to | tell me | let me know | let us | do you know | do you happen to know |
can you tell me | could you tell me | i want to know | i would like to know | i need to know | i wonder |
i was wondering | i am wondering | any idea | kindly | quickly | go ahead and | for me | i want | i would like | i need
"""
_BEHIND_TEXT: Final = """
please | thanks | thank you | thank you very much | for me | right now | now | at the moment | just now | then |
will you | would you | could you | can you | okay | if you can | if you could | if you would |
if you do not mind | computer | assistant | by the way | real quick | quickly | or what | mate | dear | again
"""
_BEFORE: Final = [row.split() for row in _BEFORE_TEXT.split("|")]
_BEHIND: Final = [row.split() for row in _BEHIND_TEXT.split("|")]
_MOST_WORDS: Final = 12


def beginnings(tokens: Sequence[Token]) -> set[int]:
    """Return where that which counts may begin."""
    words = [token.word for token in tokens[:_MOST_WORDS]]
    found, new = {0}, [0]
    while new:
        at = new.pop()
        for row in _BEFORE:
            end = at + len(row)
            if end not in found and words[at:end] == row:
                found.add(end)
                new.append(end)
    return found


def ends(tokens: Sequence[Token]) -> set[int]:
    """Return where that which counts may end."""
    words = [token.word for token in tokens]
    found, new = {len(words)}, [len(words)]
    while new:
        at = new.pop()
        for row in _BEHIND:
            begin = at - len(row)
            if begin >= max(0, len(words) - _MOST_WORDS) and begin not in found and words[begin:at] == row:
                found.add(begin)
                new.append(begin)
    return found
