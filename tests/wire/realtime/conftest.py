"""What the tests of this wire share."""

import gc

import pytest


@pytest.fixture(scope="session", autouse=True)
def nothing_left_to_libsoxr():
    """Its binding complains of each resampler that is garbage, and not collected, when the interpreter ends."""
    yield
    gc.collect()
