"""Languages by their codes, as a sentence names them."""

from __future__ import annotations

from collections.abc import Sequence

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


def voice_in(language: str | None, voices: Sequence[str]) -> str | None:
    """Return the first of ``voices`` that is named for ``language`` (ISO 639-1): ``pt`` or ``pt-br`` for ``pt``.

    None where no voice is, and for English: then the voice speaks that does so unless another is asked for.
    """
    if language is None or language == "en":
        return None
    return next((voice for voice in voices if voice.partition("-")[0] == language), None)
