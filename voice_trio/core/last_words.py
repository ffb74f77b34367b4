"""Whether what somebody has said so far can be all, by its words.

Words seldom say that a person has finished: nobody goes on behind "thank you very much". But often they say that the
person has not: a sentence does not end with "the", nor a question before it has a verb. Two strengths of that are told
apart: what hardly ever ends there, and what may well go on. Only English is known. Recognizers put full stops and
question marks behind whatever breaks off, so these say nothing; a comma, or nothing at all where they write punctuation
otherwise, does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Final


class Sense(IntEnum):
    """What the words of an utterance so far say of whether there are more."""

    COMPLETE = 0
    """They hardly ever go on."""
    WHOLE = 1
    """They may be all, for all that is known."""
    DOUBTFUL = 2
    """They may well go on."""
    BROKEN_OFF = 3
    """They hardly ever end here."""


def sense_of(text: str, language: str | None) -> Sense:
    """Return what ``text``, the words of an utterance so far, says of whether there are more.

    In any ``language`` but English (``en``) they may always be all.
    """
    if language != "en":
        return Sense.WHOLE
    said = text.lower().replace("’", "'").strip()
    words = _WORD.findall(said)
    if not words:
        return Sense.DOUBTFUL
    written = _by_punctuation(text)
    if written is Sense.WHOLE and _FORMULA.fullmatch(" ".join(words)):
        return Sense.COMPLETE
    return max(_by_ending(words, said), _by_number(words, said), _by_beginning(words, said), written)


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD: Final = re.compile(r"[a-z']+|\d+")

# --- by the last word -------------------------------------------------------------------------------------------------

_NEVER_LAST: Final = _set(
    """
    and or but nor because although unless whereas while if whether than since until
    a an the my your our their its every
    of to from with without into onto for by at between among during toward towards upon via per about
    um uh uhm er erm hm hmm
    i'm you're we're they're he's she's it's that's there's what's who's how's i'll you'll we'll i'd i've we've let's
    very dot plus minus whose
    """
)
"""English words after which a sentence goes on, but for the few times that it does not."""

_SELDOM_LAST: Final = _set("in which who what where why how some any another next whole same other most best")
"""Those that are sometimes the last of a sentence, and mostly not."""

_PREPOSITIONS: Final = _set("of to from with for by at about in")
"""Of both, those that may end a question which asks for what belongs behind them: "who is it for?"."""

_BEFORE_IN: Final = _set("come came go log sign check fill turn let move put it them him her me you all")
_BEFORE_OF: Final = _set("made think thinking thought sure afraid heard consist composed kind sort out")

_OBJECT_WANTED: Final = _set(
    "add put give tell show set convert take make find send bring buy get let want need remind explain ask turn"
)
"""Verbs behind which something is still to come."""
_FOR_WHOM: Final = _set("give tell show send bring get buy book find remind let make teach lend pass hand")
_WHOM: Final = _set("me us him her them")

_SUBJECTS: Final = _set("i we he she they")
_PRONOUNS: Final = _SUBJECTS | _set("you it there this that")
_AUXILIARIES: Final = _set("am is are was were do does did can could will would shall should have has had")
_DOING: Final = _AUXILIARIES - _set("am is are was were")
"""Auxiliaries that want a verb, too."""
_ASKING: Final = _set("what who where when why how which")
_PAIR: Final = 2


def _by_ending(words: Sequence[str], said: str) -> Sense:
    before, last = ["", *words][-2:]
    asks = words[0] in _ASKING
    if last in _PREPOSITIONS and said.endswith("?") and asks and (last != "of" or before in _BEFORE_OF):
        return Sense.WHOLE
    if last == "in" and before in _BEFORE_IN:
        return Sense.WHOLE
    if last in _NEVER_LAST:
        return Sense.BROKEN_OFF
    if last in _PRONOUNS and before in _DOING and asks:
        return Sense.BROKEN_OFF
    if last in _SUBJECTS:
        # "So do I."
        return Sense.WHOLE if before in _AUXILIARIES and len(words) > _PAIR else Sense.BROKEN_OFF
    if last in _AUXILIARIES:
        return _by_auxiliary(words, before, asks=asks)
    if last == "not" and before in _AUXILIARIES:
        return Sense.BROKEN_OFF
    if last in _OBJECT_WANTED and before not in ("not", "to") and not asks:
        # "I need", but "do what you want", and "what did I ask?".
        return Sense.DOUBTFUL if before in _PRONOUNS and len(words) > 3 else Sense.BROKEN_OFF
    if last in _WHOM and before in _FOR_WHOM:
        return Sense.BROKEN_OFF
    if last in _SELDOM_LAST and len(words) > 1:
        return Sense.DOUBTFUL
    return Sense.WHOLE


def _by_auxiliary(words: Sequence[str], before: str, *, asks: bool) -> Sense:
    """A sentence may end with an auxiliary behind a subject ("yes, it is"), but no question does."""
    if not before or before in _ASKING:
        return Sense.BROKEN_OFF
    if before in _PRONOUNS:
        return Sense.DOUBTFUL if len(words) == _PAIR else Sense.WHOLE
    if words[-1] in ("do", "have") and not _AUXILIARIES.isdisjoint(words[:-1]):
        # Here it is a verb: "how many legs does a spider have?".
        return Sense.WHOLE
    if not asks and not _ASKING.isdisjoint(words):
        # "Do you know where it is?"
        return Sense.WHOLE
    return Sense.BROKEN_OFF if asks and _AUXILIARIES.isdisjoint(words[:-1]) else Sense.DOUBTFUL


# --- by a number that may have more digits, or a unit -----------------------------------------------------------------

_NUMBER_ASKED: Final = re.compile(r"\b(?:phone|call|dial|code|pin|zip|card|account)\b|\bnumber(?:'s| is)\b")
_LAST_DIGITS: Final = re.compile(r"(?:\d[\s,.-]*)+$")
_ENOUGH_DIGITS: Final = 7
"""A number that somebody reads out has as many at least."""

_NUMBERS: Final = _set(
    """
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand half
    """
)
_UNIT_WANTED: Final = re.compile(
    r"^(?:please )?convert\b|\btimer (?:for|of)\b|^(?:what is|what's|how much is|calculate)\b"
)
"""A bare number behind these is no duration, no quantity and no sum yet."""


def _by_number(words: Sequence[str], said: str) -> Sense:
    digits = _LAST_DIGITS.search(said)
    if digits is not None and _NUMBER_ASKED.search(said) is not None:
        return Sense.BROKEN_OFF if sum(map(str.isdecimal, digits[0])) < _ENOUGH_DIGITS else Sense.WHOLE
    if words[-1] == "times" and any(map(_is_number, words[-2:-1])):
        return Sense.BROKEN_OFF
    if _is_number(words[-1]) and _UNIT_WANTED.search(said) is not None:
        numbers = sum(map(_is_number, words))
        # "What is two plus two" is a sum.
        return Sense.DOUBTFUL if numbers == 1 else Sense.WHOLE
    return Sense.WHOLE


def _is_number(word: str) -> bool:
    return word.isdecimal() or word in _NUMBERS


# --- by how the sentence began ----------------------------------------------------------------------------------------

_SUBORDINATE: Final = _set("if when before after while although unless once until whenever as")
"""With these a clause begins before the one that says something."""
_ASKED_WITH: Final = _AUXILIARIES | _set("about far long")
"""Behind one of those they make a question ("when is it?"), or no clause."""
_MAIN_CLAUSE_WORDS: Final = 3
_LONGEST_CLAUSE: Final = 8
"""A recognizer may leave the comma out behind it: what is longer may hold both."""
_POLITE: Final = _set("please okay well and then now hey hi hello yes no")
_OPENINGS: Final = _set("a an the my your our their his its these those")
_LONGEST_OPENING: Final = 3
_LONG_QUESTION: Final = 6
_BEGINS: Final = (
    _ASKING
    | _AUXILIARIES
    | _set(
        """
    the a an i if set it my please so let good that this these those think thank go don't can't didn't doesn't won't
    tell
    """
    )
)
"""Words that alone are more often the beginning of something."""
_SUFFIX_OF_VERBS: Final = ("'s", "'re", "'ve", "'ll", "'d", "n't")


def _by_beginning(words: Sequence[str], said: str) -> Sense:
    while len(words) > 1 and words[0] in _POLITE:
        words = words[1:]
    first, second = [*words, ""][:2]
    if len(words) == 1:
        return Sense.DOUBTFUL if first in _BEGINS else Sense.WHOLE
    if first in _SUBORDINATE and second not in _ASKED_WITH:
        main = _WORD.findall(said.partition(",")[2])
        if len(main) >= _MAIN_CLAUSE_WORDS:
            return Sense.WHOLE
        return Sense.BROKEN_OFF if len(words) <= _LONGEST_CLAUSE else Sense.DOUBTFUL
    if first in _AUXILIARIES and second in _PRONOUNS and len(words) == _PAIR:
        return Sense.BROKEN_OFF
    if first in _ASKING and not any(word in _AUXILIARIES or word.endswith(_SUFFIX_OF_VERBS) for word in words):
        # "What time?" may be all, and so may "what about tomorrow?"; "which of these two restaurants" is not. A long
        # one has its verb, of which there are too many to know: "how many people live in the city of London?".
        if second == "of":
            return Sense.BROKEN_OFF
        return Sense.DOUBTFUL if len(words) < _LONG_QUESTION else Sense.WHOLE
    if first in _OPENINGS and len(words) <= _LONGEST_OPENING:
        return Sense.DOUBTFUL
    return Sense.WHOLE


# --- by heart ---------------------------------------------------------------------------------------------------------

_FORMULA: Final = re.compile(
    r"""
    (?:(?:oh|ok|okay|well|yes|yeah|no|nope|great|all\ right|alright|and)\ )*
    (?:
        (?:thank\ you|thanks)\ (?:very\ much|so\ much|a\ lot|again)
      | (?:no\ thanks|no\ thank\ you|yes\ please|please\ do)
      | (?:good\ (?:morning|afternoon|evening|night)|goodbye|good\ bye|bye(?:\ bye)?)
      | see\ you\ (?:later|soon|tomorrow)
      | (?:exactly|correct|that's\ (?:right|correct|it|all|enough|fine|good))
      | (?:stop|cancel|pause|resume|continue|go\ on|never\ mind|forget\ it|stop\ it|be\ quiet|shut\ up)
      | (?:stop|pause|cancel|skip)\ (?:it|that|this|the\ music|the\ timer|this\ song|that\ song)
      | (?:i\ don't\ know|i\ have\ no\ idea|say\ that\ again|repeat\ that|can\ you\ repeat\ that)
      | (?:what\ time\ is\ it|what's\ the\ time|what\ is\ the\ time|what\ day\ is\ it)(?:\ (?:now|today))?
      | (?:who\ are\ you|how\ are\ you|what\ can\ you\ do|what's\ your\ name|what\ is\ your\ name)
    )
    (?:\ (?:please|then|now|thanks|thank\ you))?
    """,
    re.VERBOSE,
)
"""What people say as a whole, words and all. A bare "thank you" or "see you" is none: what makes it one often follows,
"very much" or "tomorrow", even after most of a second."""

# --- by punctuation ---------------------------------------------------------------------------------------------------


def _by_punctuation(text: str) -> Sense:
    end = text.rstrip()[-1:]
    if end in (",", ":", ";", "-", "–", "—"):
        return Sense.BROKEN_OFF
    # Who writes no punctuation writes no capitals either.
    return Sense.DOUBTFUL if end.isalnum() and text.lstrip()[:1].isupper() else Sense.WHOLE
