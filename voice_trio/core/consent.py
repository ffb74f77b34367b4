"""Whether what a person says is a plain yes, and nothing else, to what they were asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_MOST_CHARS: Final = 80
"""Who says more says more than yes."""

_YES: Final[Mapping[str, str]] = {
    "de": "ja jawohl klar gern gerne natürlich sicher genau einverstanden okay ok in_ordnung mach_das mach_es tu_das "
    "tu_es",
    "en": "yes yeah yep yup sure okay ok certainly absolutely definitely confirm confirmed correct of_course go_ahead "
    "do_it do_that do_so please_do please_do_it please_do_that you_may you_can by_all_means sounds_good all_right "
    "alright",
    "es": "sí si claro vale adelante hazlo de_acuerdo por_supuesto ok",
    "fr": "oui ouais volontiers daccord bien_sûr vas_y allez_y ok",
    "it": "sì si certo certamente daccordo va_bene fallo ok",
    "nl": "ja zeker graag prima oké ok doe_maar doe_het",
    "pl": "tak jasne oczywiście pewnie dobrze zrób_to ok",
    "pt": "sim claro pode pode_ser faça_isso de_acordo ok",
}
"""What says it, in each language; words of one phrase have an underscore between them."""

_BESIDE: Final[Mapping[str, str]] = {
    "de": "bitte danke ach oh ähm",
    "en": "please thanks thank_you oh well um uh then now that_is_right thats_right that_is_fine thats_fine i_do",
    "es": "por_favor gracias",
    "fr": "sil_te_plaît sil_vous_plaît merci",
    "it": "per_favore grazie prego",
    "nl": "alsjeblieft alstublieft dank_je bedankt",
    "pl": "proszę dziękuję",
    "pt": "por_favor obrigado obrigada",
}
"""What may stand beside it."""


def _phrases(listed: str) -> list[list[str]]:
    return sorted((phrase.split("_") for phrase in listed.split()), key=len, reverse=True)


_PHRASES: Final = {
    language: [(phrase, True) for phrase in _phrases(_YES[language])]
    + [(phrase, False) for phrase in _phrases(_BESIDE[language])]
    for language in _YES
}


def is_yes(said: str, language: str | None) -> bool:
    """Return whether ``said``, in ``language`` (ISO 639-1; None for English), is a yes and no more.

    In a language that is not known here, nothing is.
    """
    if len(said) > _MOST_CHARS:
        return False
    words = re.sub(r"[^\w\s]", "", said.casefold().replace("-", " ")).split()
    agreed, at = False, 0
    while at < len(words):
        for phrase, agrees in _PHRASES.get(language or "en", ()):
            if words[at : at + len(phrase)] == phrase:
                agreed = agreed or agrees
                at += len(phrase)
                break
        else:
            return False
    return agreed
