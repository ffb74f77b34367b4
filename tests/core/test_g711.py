import warnings
from array import array

import pytest

from voice_trio.core.g711 import a_law, u_law

BYTES = bytes(range(256))
SAMPLES = array("h", range(-0x8000, 0x8000)).tobytes()
LAWS = pytest.mark.parametrize("law", [u_law(), a_law()], ids=["u", "a"])


@LAWS
def test_what_was_decoded_is_encoded_as_it_was(law):
    # The two zeros of u-law are one sample.
    assert law.encode(law.decode(BYTES)) == (BYTES.replace(b"\x7f", b"\xff") if law is u_law() else BYTES)


@LAWS
def test_each_sample_comes_back_within_half_a_step(law):
    back = array("h", law.decode(law.encode(SAMPLES)))
    for sample, heard in zip(range(-0x8000, 0x8000), back, strict=True):
        # A step is a sixteenth of a segment, which is as wide as all below it; the last ends a little below full scale.
        assert abs(heard - sample) <= 16 + abs(sample) / 30, sample


@LAWS
def test_louder_never_sounds_softer(law):
    back = array("h", law.decode(law.encode(SAMPLES)))
    assert list(back) == sorted(back)


@LAWS
def test_nothing_is_nothing(law):
    assert (law.decode(b""), law.encode(b"")) == (b"", b"")


def test_silence_is_as_the_standard_has_it():
    assert u_law().encode(bytes(2)) == b"\xff"
    assert a_law().encode(bytes(2)) == b"\xd5"


def test_the_standard_library_says_the_same_where_it_still_does():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    assert u_law().decode(BYTES) == audioop.ulaw2lin(BYTES, 2)
    assert a_law().decode(BYTES) == audioop.alaw2lin(BYTES, 2)
    assert u_law().encode(SAMPLES) == audioop.lin2ulaw(SAMPLES, 2)
    assert a_law().encode(SAMPLES) == audioop.lin2alaw(SAMPLES, 2)
