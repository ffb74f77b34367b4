import pytest

from voice_trio.core.languages import voice_in

VOICES = ("heart", "en-us", "de", "pt", "pt-br")


@pytest.mark.parametrize(
    ("language", "voice"),
    [(None, None), ("en", None), ("de", "de"), ("pt", "pt"), ("ja", None), ("", None), ("he", None)],
)
def test_the_voice_of_a_language_is_named_for_it(language, voice):
    assert voice_in(language, VOICES) == voice
