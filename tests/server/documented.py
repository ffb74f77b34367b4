"""The snippets of a document, which tests run against a server with its real recognizer."""

import re
from pathlib import Path

import pytest

from voice_trio.engines.moonshine import model as moonshine

DOCS = Path(__file__).parents[2] / "docs"

HEARD_FOR_REAL = [
    pytest.mark.real,
    pytest.mark.skipif(
        moonshine.assets() is None, reason="there is no wheel with Moonshine's weights for this machine"
    ),
]
"""The marks of such tests."""


def snippets(document, language):
    """Return those in ``language`` of the document of that name, in their order."""
    text = (DOCS / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
