"""Files of this machine's own user, of whatever form, and several recordings in one of them or in one upload."""

import struct

import pytest

from tests.engines.test_media import LONGEST_MS, heard, is_the_tone, tone_of
from tests.recordings import encoded, recorded, sine, video
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.engines.media import ANY, KINDS
from voice_trio.engines.media_child import Unreadable, decode
from voice_trio.engines.media_pieces import MOST_PIECES, pieces_of


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_what_it_turns_out_to_be(kind):
    assert is_the_tone(heard(recorded(kind, sine(2000)), ANY))


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [
        ("asf", "wmav2", {"rate": 44_100, "layout": "stereo", "options": {"b": "128000"}}),
        ("aiff", "pcm_s16be", {}),
        ("au", "pcm_s16be", {}),
        ("caf", "pcm_s16le", {}),
        ("w64", "pcm_s16le", {}),
        ("wv", "wavpack", {}),
        ("tta", "tta", {}),
        ("ac3", "ac3", {"options": {"b": "128000"}}),
        ("mp2", "mp2", {}),
        ("avi", "libmp3lame", {}),
        ("flv", "aac", {}),
        ("mpegts", "aac", {}),
        ("matroska", "pcm_s24le", {}),
    ],
)
def test_what_no_browser_records_is_heard_from_a_file(container, codec, options):
    assert is_the_tone(heard(encoded(container, codec, sine(2000), **options), ANY))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no recording"),
        (b"not a recording", "no recording"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hosts\n#EXT-X-ENDLIST\n", "no recording"),
        (b"ffconcat version 1.0\nfile /etc/hosts\n", "no recording"),
        (b"v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n", "no recording"),
        (video(64, 64), "no sound"),
    ],
    ids=["empty", "text", "hls", "concat", "sdp", "video"],
)
def test_a_file_without_sound_in_it_is_refused(data, why):
    with pytest.raises(Unreadable, match=why):
        heard(data, ANY)


@pytest.mark.parametrize("any_kind", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_recordings_one_behind_the_other_are_all_heard(kind, any_kind):
    pcm = heard(recorded(kind, sine(2000)) + recorded(kind, sine(4000, 880)), ANY if any_kind else kind)
    length, pitch, _ = tone_of(pcm[len(pcm) // 4 * 2 :])
    assert abs(length - 3000) <= 100
    assert abs(pitch - 880) <= 2


def test_a_second_wav_is_found_whatever_the_first_says_of_its_length():
    first = bytearray(wav_of(sine(2000), SAMPLE_RATE))
    for at in (4, 40):
        first[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    both = bytes(first) + encoded("wav", "pcm_s24le", sine(2000, 880), rate=44_100, layout="stereo")
    assert abs(tone_of(heard(both, "wav"))[0] - 4000) <= 60


def test_what_stands_behind_an_empty_one_is_heard():
    assert is_the_tone(heard(wav_of(b"", SAMPLE_RATE) + wav_of(sine(2000), SAMPLE_RATE), "wav"))


def test_one_that_is_damaged_is_not_left_out():
    whole = wav_of(sine(1000), SAMPLE_RATE)
    with pytest.raises(Unreadable):
        heard(whole + b"RIFF\xff\xff\xff\xffWAVE", "wav")


@pytest.mark.parametrize("longest_ms", [1000, 1500])
def test_what_is_beyond_the_longest_is_told_of_also_between_two(longest_ms):
    one = wav_of(sine(1000), SAMPLE_RATE)
    pcm, cut = decode(one + one, "wav", longest_ms)
    assert cut
    assert len(pcm) == longest_ms * SAMPLE_RATE // 1000 * 2
    assert decode(one, "wav", 1000)[1] is False


def test_so_many_that_they_are_an_attack_are_refused():
    one = wav_of(bytes(2), SAMPLE_RATE)
    assert heard(one * MOST_PIECES, "wav") == bytes(2 * MOST_PIECES)
    with pytest.raises(Unreadable, match=f"more than {MOST_PIECES} recordings"):
        heard(one * 100_000, "wav", LONGEST_MS)
    assert len(pieces_of(b"\0\0\0\x08ftyp" * 100_000)) == MOST_PIECES + 1
