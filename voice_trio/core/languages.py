"""Languages by their codes: as a sentence names them, and as a person's devices are set up for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_NAMES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}

_FEW = 3


def only_in(codes: Sequence[str]) -> str:
    """Return ``, in English only`` for ISO 639-1 ``codes``; nothing where they are unknown or more than three."""
    names = [_NAMES.get(code, repr(code)) for code in codes]
    if not 0 < len(names) <= _FEW:
        return ""
    *rest, last = names
    return f", in {', '.join(rest)} and {last} only" if rest else f", in {last} only"


def name_of(code: str) -> str:
    """Return the name of the language ``code`` (ISO 639-1): ``English``; for one that has none here, the code."""
    return _NAMES.get(code, code)


def voice_in(language: str | None, voices: Sequence[str]) -> str | None:
    """Return the first of ``voices`` that is named for ``language`` (ISO 639-1): ``pt`` or ``pt-br`` for ``pt``.

    None where no voice is, and for English: then the voice speaks that does so unless another is asked for.
    """
    if language is None or language == "en":
        return None
    return next((voice for voice in voices if voice.partition("-")[0] == language), None)


_OTHER_CODES = {"fil": "tl", "in": "id", "iw": "he", "ji": "yi", "jv": "jw", "nb": "no"}
"""What devices call a language -> what recognizers do: older codes, and Norwegian and Filipino by a name of theirs."""


def language_of(locale: str | None) -> str | None:
    """Return the language of a ``locale`` (BCP 47 or POSIX: ``de-CH``, ``de_CH.UTF-8``) as an ISO 639 code.

    None for none, for POSIX's C, and for what is no locale.
    """
    if locale is None:
        return None
    tag = re.split("[-_.@]", locale.strip().lower(), maxsplit=1)[0]
    return _OTHER_CODES.get(tag, tag) if re.fullmatch("[a-z]{2,3}", tag) else None


def locale_of(environment: Mapping[str, str]) -> str | None:
    """Return the locale that a process with ``environment`` is to write its messages in, in BCP 47; None for POSIX's C.

    By the rules of POSIX: the first of LC_ALL, LC_MESSAGES and LANG that is not empty.
    """
    named = next(filter(None, map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return re.split("[.@]", named)[0].replace("_", "-") if language_of(named) else None
