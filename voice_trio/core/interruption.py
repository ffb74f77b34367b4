"""Whether what somebody says into a reply is meant to end it, judged by its words.

Length of voice alone cannot tell: 600 ms are reached by 88 % of interruptions, but also by 18 % of listeners' "uh-huh"
and 22 % of coughs (measured on recordings of both). Words can: what is more than a listener's sign is meant. A word
that asks for silence is meant at once. Of a short sound recognizers write words that nobody said: little ones, which
count for nothing, or any single one ("Hello." for a hum), which counts only where the voice was long enough for it.

The words are English. In another language every word is more than a listener's sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

ENOUGH_VOICE_MS: Final = 450
"""With words that are no listener's sign, so much voice is meant, though it goes on; of less, a single word is nothing.

Of 100 interruptions and 15 sentences, 600 ms are clear a quarter of a second later for half of them, and tell no sound
apart that 450 do not.
"""

_ENOUGH_FOR_LONG_MS: Final = 300
_LONG_CHARS: Final = 7
"""So much is enough for a word that is long: the voice counts later than a soft beginning does, and of 102 signs and
noises with that much of it not one was written with such a word."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SOUNDS: Final = _words("ah aha ahem ha haha hm hmhm hmm hmmhmm huh hum mhm mm mmm mmhmm o oh uh uhhuh uhuh um wow")
LISTENERS_SIGNS: Final = _SOUNDS | _words(
    "alright cool exactly good great indeed ok okay really right sure true yeah yep yes yup"
)
"""What a person says to show that they listen. Only an utterance of nothing else is a listener's."""

_TWO_WORDS: Final = re.compile(r"\b(?:i see|you know|got it|of course|uh oh|oh no|go on|carry on|go ahead)\b")
"""The same in two words."""

LITTLE_WORDS: Final = _words(
    """
    a an and are as at be by bye for from had has he her hers hes him his i if im in is it its ive me my of on
    or our she shes so that thats the their them they theyre this to us we with you your youre
    """
)
"""What recognizers write for a cough, a click or a breath, for "uh-huh", and for "ahem" ("If I'm,"). Nobody interrupts
with these alone."""

STOPS: Final = re.compile(
    r"\b(?:stop|wait|halt|pause|quiet|silence|enough|cancel|shush|hold on|hang on|shut up|never mind|excuse me)\b"
    r"|^(?:no|hey|but)\b"
)
"""Asks for silence, wherever it stands among the first words."""
_FIRST_CHARS: Final = 30

_BEFORE: Final = 4
_AFTER: Final = 2
"""Words before and behind the one that sounds which may have come back: the player is late, and stops late."""

_ALONE: Final = _words("pardon sorry what when where why")
"""What a person asks with in one short word. "Who?" and "How?" are what a recognizer writes for a hum."""


def is_meant(
    words: str,
    voiced_ms: int,
    *,
    over: bool,
    in_part: bool = False,
    goes_on: bool = False,
    doubtful: bool = False,
) -> bool | None:
    """Return whether ``words``, said with so much voice, are meant to end the reply; None while that is open.

    ``over`` says that nothing more comes of them, ``in_part`` that they may be only a part of what the person said,
    ``goes_on`` that they follow on what was answered, and ``doubtful`` that a little of the reply may be heard as them.
    """
    said = _bare(words)
    if STOPS.search(said[:_FIRST_CHARS]):
        return True
    if doubtful and voiced_ms < ENOUGH_VOICE_MS:
        return False if over else None
    left = _TWO_WORDS.sub(" ", said).split()
    meant = {*left} - LISTENERS_SIGNS - LITTLE_WORDS
    if meant and (voiced_ms >= _enough_ms(meant) or (over and (in_part or _can_be_short(left)))):
        return True
    # "For me" ends a sentence whose beginning was answered too soon.
    if over and goes_on and len({*left} - LISTENERS_SIGNS) > 1:
        return True
    return False if over else None


def is_part(words: str) -> bool:
    """Return whether ``words``, which are not meant by themselves, may be some of a sentence.

    Listener's signs are none, and neither is what was heard without a word.
    """
    return not {*_TWO_WORDS.sub(" ", _bare(words)).split()} <= LISTENERS_SIGNS


def is_echo(words: str, reply: str, heard: int) -> bool:
    """Return whether ``words`` sounded just before in ``reply``, of which the first ``heard`` code points were heard.

    So they are the loudspeaker's, come back through the microphone. A word that asks for silence never counts as such.
    """
    said = _bare(words)
    if STOPS.search(said[:_FIRST_CHARS]):
        return False
    wanted = said.split()
    before, after = _bare(reply[:heard]).split(), _bare(reply[heard:]).split()
    lately = before[-len(wanted) - _BEFORE :] + after[:_AFTER]
    return bool(wanted) and any(lately[at : at + len(wanted)] == wanted for at in range(len(lately)))


def _bare(words: str) -> str:
    """Return ``words`` without case and signs."""
    return re.sub(r"[^\w\s]", "", words.casefold().replace("-", ""))


def _enough_ms(meant: Iterable[str]) -> int:
    """Return how much voice makes it sure that one of these words was said."""
    return _ENOUGH_FOR_LONG_MS if max(map(len, meant)) >= _LONG_CHARS else ENOUGH_VOICE_MS


def _can_be_short(said: Sequence[str]) -> bool:
    """Return whether it may be what was said, however short: no recognizer of English makes up what is not ASCII."""
    words = [word for word in said if word not in _SOUNDS]
    return len(words) > 1 or any(word in _ALONE or not word.isascii() for word in words)
