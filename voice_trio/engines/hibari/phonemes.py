"""A text as phonemes, each with its place in the text.

hibari's own reading returns the phonemes alone. This follows the same steps (normalise, tokens, tags, lexicon, network
for what is in none) and keeps where in the text each token came from, which normalising hides: "5 km" is read from "5
kilometers". The two texts are compared token by token, and what has no equal stands at the place of what it replaced.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final, NamedTuple

from voice_trio.engines.hibari.model import worker_options
from voice_trio.engines.hibari.tables import Table

_PART: Final = re.compile(r"\w+|[^\w\s]")
_LONG_NUMBER: Final = re.compile(r"\d{16,}")
"""More digits than any number has that is read as one; hibari knows none above 36."""
PAUSES: Final = frozenset(";:,.!?—…")
"""Signs that are heard as pauses."""


class Word(NamedTuple):
    """What of a sentence is read as one."""

    phonemes: str
    """With the space or the sign behind it; never empty."""
    place: int | None
    """Its first character in the text; None for signs, which are heard as pauses."""


class Reader:
    """English text in, phonemes out."""

    def __init__(self, assets: Path) -> None:
        """Load American English from ``assets``, hibari's folder of data."""
        self._g2p, self._normalize = _load(assets)
        self.vocabulary: dict[str, int] = json.loads((assets / "vocab.json").read_bytes())
        """Phoneme -> its number in the model."""

    def read(self, sentence: str, begin: int = 0) -> list[Word]:
        """Return ``sentence`` as it is said. Places count from its first character, which is at ``begin``."""
        spaced = _LONG_NUMBER.sub(lambda digits: " ".join(digits[0]), sentence)
        normal = self._normalize(spaced)
        source = places(sentence, normal)
        words: list[Word] = []
        at = 0
        for token in self._g2p.phonemize_tokens(self._g2p._tokens(normal)):
            # A token's text is the text's own, but for what the tokenizer leaves out.
            found = normal.find(token.text, at)
            begun = at if found < 0 else found
            at = begun + len(token.text)
            known = "".join(sign for sign in token.phonemes or "" if sign in self.vocabulary)
            said = known + (" " if token.whitespace else "")
            if not said:
                continue
            sounds = any(sign not in PAUSES and sign.isalpha() for sign in known)
            # A quotation mark before a word is no part of it; a sign that is read has nothing else.
            heard = begun + next((place for place, sign in enumerate(token.text) if sign.isalnum()), 0)
            words.append(Word(said, begin + source[heard] if sounds and heard < len(source) else None))
        return words


def places(text: str, normal: str) -> list[int]:
    """Return for every character of ``normal``, which was made of ``text``, its place in ``text``."""
    ours, theirs = list(_PART.finditer(text)), list(_PART.finditer(normal))
    matcher = SequenceMatcher(None, [part[0] for part in ours], [part[0] for part in theirs], autojunk=False)
    found = [0] * len(normal)
    for _, our_first, our_end, first, end in matcher.get_opcodes():
        for index in range(first, end):
            # What was put in stands where the next of ours begins, or the last one.
            nearest = min(our_first + (index - first if our_end - our_first == end - first else 0), len(ours) - 1)
            start = ours[nearest].start() if ours else 0
            part = theirs[index]
            equal = bool(ours) and ours[nearest][0] == part[0]
            for at in range(part.start(), part.end()):
                found[at] = start + (at - part.start() if equal else 0)
    return found


def _load(assets: Path) -> tuple[Any, Callable[[str], str]]:
    """Return hibari's reading with its tables made small, and its normalising."""
    import onnxruntime
    from hibari import g2p
    from hibari.g2p.lexicon import Lexicon
    from hibari.g2p.normalize import normalize
    from hibari.g2p.oov import OOV
    from hibari.g2p.tagger import Tagger
    from hibari.g2p.tokenize import Tokenizer

    class Reading(g2p.G2P):  # type: ignore[misc]
        def __init__(self) -> None:
            gold, silver = (Table(_unpacked(assets / f"lexicon_us_{name}.json.gz")) for name in ("gold", "silver"))
            self.lexicon = Lexicon(gold, silver)
            self.tokenizer = Tokenizer(json.loads((assets / "tokenizer_exceptions.json").read_bytes()))
            self.tagger = Tagger(_tagger(_unpacked(assets / "tagger.json.gz")))
            path = str(assets / "oov.onnx")
            session = onnxruntime.InferenceSession(path, worker_options(), providers=["CPUExecutionProvider"])
            self._oov = OOV(path, session)
            self.unk = ""
            self.british = False

    return Reading(), normalize


def _unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def _tagger(text: bytes) -> dict[str, Any]:
    """Return the tagger's model, ``{"tags": [...], "tagdict": {...}, "vocab": [...], "weights": {...}}``.

    Raises `ValueError` where its parts are not in this order.
    """
    names = (b"tagdict", b"vocab", b"weights")
    known, vocabulary, weights = (text.index(b'"%s":' % name) for name in names)
    lists = json.loads(text[:known].rstrip(b",") + b"," + text[vocabulary:weights].rstrip(b",") + b"}")
    return {
        **lists,
        "tagdict": Table(text, known + len(b'"tagdict":'), vocabulary),
        "weights": Table(text, weights + len(b'"weights":')),
    }
