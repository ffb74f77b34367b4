import base64
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from voice_trio.core.g711 import a_law, u_law
from voice_trio.wire.realtime.audio import MAX_APPEND_BYTES, Incoming, Outgoing, packed, unpacked
from voice_trio.wire.realtime.errors import Wrong


def tone(hertz, rate, seconds=0.5):
    """Return PCM of a steady tone."""
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype("<i2").tobytes()


def cut(data, places):
    """Return ``data`` in pieces."""
    at = [0, *sorted(places), len(data)]
    return [data[begin:end] for begin, end in pairwise(at)]


def samples(pcm):
    return np.frombuffer(pcm, "<i2").astype(int)


PLACES = st.lists(st.integers(0, 24_000), max_size=40)


@given(PLACES)
@settings(deadline=None, max_examples=60)
def test_what_comes_in_sounds_the_same_however_it_is_cut(places):
    pcm = tone(440, 24_000)
    whole, pieces = Incoming("audio/pcm"), Incoming("audio/pcm")
    # Any place, in the middle of a sample too.
    made = b"".join(pieces.push(piece) for piece in cut(pcm, places)) + pieces.end()
    assert made == whole.push(pcm) + whole.end()


@given(PLACES)
@settings(deadline=None, max_examples=60)
def test_what_goes_out_has_no_seams_and_whole_samples(places):
    pcm = tone(440, 16_000)
    outgoing = Outgoing(16_000, "audio/pcm")
    pieces = [outgoing.push(piece) for piece in cut(pcm, [place // 2 * 2 for place in places])] + [outgoing.end()]
    assert all(len(piece) % 2 == 0 for piece in pieces)
    made, wanted = samples(b"".join(pieces)), samples(tone(440, 24_000))
    assert len(made) == len(wanted)
    # The very ends ring, as any filter does.
    assert np.abs(made - wanted)[600:-600].max() < 20


def test_a_tone_comes_in_as_the_same_tone():
    incoming = Incoming("audio/pcm")
    made, wanted = samples(incoming.push(tone(440, 24_000)) + incoming.end()), samples(tone(440, 16_000))
    assert len(made) == len(wanted)
    assert np.abs(made - wanted)[400:-400].max() < 20


@pytest.mark.parametrize(("form", "law"), [("audio/pcmu", u_law()), ("audio/pcma", a_law())])
def test_telephones_are_heard_and_spoken_to(form, law):
    incoming, outgoing = Incoming(form), Outgoing(16_000, form)
    heard = samples(incoming.push(law.encode(tone(440, 8000))) + incoming.end())
    wanted = samples(tone(440, 16_000))
    assert len(heard) == len(wanted)
    assert np.abs(heard - wanted)[400:-400].max() < 400
    said = samples(law.decode(outgoing.push(tone(440, 16_000)) + outgoing.end()))
    wanted = samples(tone(440, 8000))
    assert len(said) == len(wanted)
    assert np.abs(said - wanted)[200:-200].max() < 400


def test_what_comes_after_an_end_is_a_stream_of_its_own():
    incoming = Incoming("audio/pcm")
    first = incoming.push(tone(440, 24_000) + b"\1") + incoming.end()
    assert incoming.push(tone(440, 24_000)) + incoming.end() == first


def test_silence_stays_silence():
    incoming = Incoming("audio/pcm")
    heard = samples(incoming.push(tone(440, 24_000) + bytes(48_000)) + incoming.end())
    assert not heard[8200:].any()


def test_sound_at_the_rate_of_the_client_is_left_alone():
    assert Outgoing(24_000, "audio/pcm").push(b"\1\2") == b"\1\2"


@given(st.binary(max_size=2000))
def test_base64_survives(data):
    assert unpacked(packed(data), "audio") == data


@pytest.mark.parametrize("text", ["?", "A", "AA", "AAA=A", "AA==AAAA", "é", "QQ==\n", "A===", "=", "\x00"])
def test_what_is_no_base64_is_told_of(text):
    with pytest.raises(Wrong) as caught:
        unpacked(text, "audio")
    assert (caught.value.code, caught.value.param) == ("invalid_value", "audio")


def test_fifteen_mebibytes_are_taken_and_not_one_more():
    assert len(unpacked(base64.b64encode(bytes(MAX_APPEND_BYTES)).decode(), "audio")) == MAX_APPEND_BYTES
    with pytest.raises(Wrong, match="15 MiB"):
        unpacked(base64.b64encode(bytes(MAX_APPEND_BYTES + 3)).decode(), "audio")
