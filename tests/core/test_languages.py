import pytest

from voice_trio.core.languages import language_of, locale_of, voice_in

VOICES = ("heart", "en-us", "de", "pt", "pt-br")


@pytest.mark.parametrize(
    ("language", "voice"),
    [(None, None), ("en", None), ("de", "de"), ("pt", "pt"), ("ja", None), ("", None), ("he", None)],
)
def test_the_voice_of_a_language_is_named_for_it(language, voice):
    assert voice_in(language, VOICES) == voice


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de-CH", "de"),
        ("de_CH.UTF-8", "de"),
        ("ca@valencia", "ca"),
        (" EN ", "en"),
        ("zh-Hant-TW", "zh"),
        ("yue-HK", "yue"),
        ("nb-NO", "no"),
        ("iw", "he"),
        ("fil-PH", "tl"),
        (None, None),
        ("", None),
        ("C.UTF-8", None),
        ("POSIX", None),
        ("x-klingon", None),
        ("../etc", None),
        ("д", None),
    ],
)
def test_the_language_of_a_locale(locale, language):
    assert language_of(locale) == language


@pytest.mark.parametrize(
    ("environment", "locale"),
    [
        ({}, None),
        ({"LANG": "C.UTF-8"}, None),
        ({"LANG": "de_CH.UTF-8"}, "de-CH"),
        ({"LANG": "de_DE@euro", "LC_ALL": "fr_FR.UTF-8"}, "fr-FR"),
        ({"LANG": "de_DE@euro", "LC_ALL": ""}, "de-DE"),
        ({"LC_MESSAGES": "POSIX", "LANG": "de_DE"}, None),
    ],
)
def test_what_a_machine_is_set_up_for(environment, locale):
    assert locale_of(environment) == locale
