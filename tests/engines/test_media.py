"""Uploads of every kind, right and wrong, in the process that decodes them."""

import io
import sys
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
import trio

from tests.engines.test_workers import spec as worker_spec
from tests.recordings import WRITERS, encoded, pointing_elsewhere, recorded, sine, spoiled, video
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode
from voice_trio.engines import media, media_child
from voice_trio.engines.base import EngineError
from voice_trio.engines.media import DECODERS, KINDS, MediaDecoder, open_media
from voice_trio.engines.media_child import Unreadable, decode
from voice_trio.workers.pool import WorkerPool
from voice_trio.workers.process import WorkerSpec

LONGEST_MS = 10_000
TRYING = WorkerSpec("trying", (sys.executable, "-P", str(Path(__file__).with_name("media_limits_child.py"))))
ONCE = WorkerSpec(TRYING.name, TRYING.argv, one_call=True)


def heard(data, kind, longest_ms=LONGEST_MS):
    return decode(data, kind, longest_ms)[0]


def tone_of(pcm):
    """Return the length of ``pcm`` in ms, and the pitch in Hz and the peak of what sounds in its middle."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    middle = samples[len(samples) // 4 : len(samples) * 3 // 4]
    loudest = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))).argmax()
    return len(samples) * 1000 // SAMPLE_RATE, loudest * SAMPLE_RATE / len(middle), np.abs(middle).max()


def is_the_tone(pcm):
    length, pitch, peak = tone_of(pcm)
    # Going to eight channels and back costs three quarters of the loudness.
    return abs(length - 2000) <= 60 and abs(pitch - 440) <= 2 and 1500 <= peak <= 9500


# --- what is a recording ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_heard(kind):
    assert is_the_tone(heard(recorded(kind, sine(2000)), kind))


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [
        ("wav", "pcm_s16le", {"rate": 44_100, "layout": "stereo"}),
        ("wav", "pcm_f32le", {"rate": 48_000}),
        ("wav", "pcm_s24le", {"rate": 96_000, "layout": "7.1"}),
        ("wav", "pcm_u8", {"rate": 8_000}),
        ("webm", "libopus", {"layout": "stereo"}),
        ("ogg", "flac", {"rate": 44_100}),
        ("mp4", "aac", {"rate": 44_100, "layout": "stereo"}),
        ("mp4", "alac", {"rate": 48_000}),
        ("mp4", "aac", {"options": {"movflags": "frag_keyframe+empty_moov"}}),
    ],
)
def test_rates_channels_and_codings(container, codec, options):
    assert is_the_tone(heard(encoded(container, codec, sine(2000), **options), container))


def test_what_already_has_the_right_form_is_not_changed():
    assert heard(wav_of(sine(500), SAMPLE_RATE), "wav") == sine(500)


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_one_is_cut(kind):
    data = recorded(kind, sine(3000))
    pcm, cut = decode(data, kind, 2000)
    assert (len(pcm), cut) == (2 * SAMPLE_RATE * 2, True)
    assert not decode(data, kind, 4000)[1]


@pytest.mark.parametrize("kind", ["webm", "ogg", "wav"])
def test_what_is_there_of_a_broken_off_one_is_heard(kind):
    data = recorded(kind, sine(4000))
    ms, pitch, _ = tone_of(heard(data[: len(data) * 3 // 4], kind))
    assert ms > 1000
    assert abs(pitch - 440) <= 2


# --- what is none -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_a_recording_is_read_as_what_it_is_said_to_be(kind, other):
    if kind != other:
        with pytest.raises(Unreadable, match=f"no {other} recording|another kind"):
            heard(recorded(kind, sine(1000)), other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        bytes(100_000),
        b"RIFF\xff\xff\xff\xffWAVE",
        b"OggS",
        b"\x1a\x45\xdf\xa3",
        bytes(range(256)) * 400,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hosts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hosts\n",
        b"v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    ],
    ids=["one byte", "zeros", "riff", "oggs", "ebml", "garbage", "hls", "concat", "sdp"],
)
def test_garbage_and_lists_of_files_are_refused(kind, data):
    with pytest.raises(Unreadable):
        heard(data, kind)


def test_a_recording_cannot_have_its_sound_in_another_file(tmp_path, monkeypatch):
    data = pointing_elsewhere(tmp_path / "private.mov", sine(2000))
    with av.open(io.BytesIO(data), options={"enable_drefs": "1", "use_absolute_path": "1"}) as container:
        assert isinstance(container, av.container.InputContainer)
        stolen = b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in container.decode(audio=0))
    assert is_the_tone(stolen), "it is one that FFmpeg by itself follows"
    with pytest.raises(Unreadable):
        heard(data, "mp4")
    # Even if it were told to follow, it could not open anything.
    monkeypatch.setitem(media_child._OPTIONS, "enable_drefs", "1")
    monkeypatch.setitem(media_child._OPTIONS, "use_absolute_path", "1")
    with pytest.raises(PermissionError):
        heard(data, "mp4")


def test_a_broken_off_mp4_has_lost_its_index():
    data = recorded("mp4", sine(2000))
    with pytest.raises(Unreadable):
        heard(data[: len(data) // 2], "mp4")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (lambda: video(64, 64), "no sound"),
        (lambda: wav_of(b"", SAMPLE_RATE), "no sound|no wav recording"),
        (lambda: encoded("mp4", "ac3", sine(1000)), "coded in a way"),
        (lambda: wav_with(channels=9), "9 channels"),
        (lambda: wav_with(rate=4_000), "4000 samples a second"),
        (lambda: wav_with(rate=2_000_000), "2000000 samples a second"),
    ],
    ids=["no sound", "empty", "ac3", "9 channels", "slow", "fast"],
)
def test_the_reason_is_said(data, why):
    made = data()
    kind = {b"RIFF": "wav", b"\x1a\x45\xdf\xa3": "webm"}.get(made[:4], "mp4")
    with pytest.raises(Unreadable, match=why):
        heard(made, kind)


def wav_with(channels=1, rate=SAMPLE_RATE):
    data = bytearray(wav_of(bytes(90_000), SAMPLE_RATE))
    data[22:24] = channels.to_bytes(2, "little")
    data[24:28] = rate.to_bytes(4, "little")
    data[28:32] = (rate * channels * 2).to_bytes(4, "little")
    data[32:34] = (channels * 2).to_bytes(2, "little")
    return bytes(data)


# --- what is much larger than it looks --------------------------------------------------------------------------------


def test_a_header_that_promises_hours_promises_nothing():
    data = bytearray(wav_of(sine(1000), SAMPLE_RATE))
    data[40:44] = (0xFFFFFFF0).to_bytes(4, "little")
    assert len(heard(bytes(data), "wav")) == len(sine(1000))


def test_ten_minutes_of_sound_in_a_small_file_are_cut():
    data = encoded("ogg", "flac", bytes(SAMPLE_RATE * 2 * 600), rate=8_000)
    assert len(data) < 200_000
    pcm, cut = decode(data, "ogg", LONGEST_MS)
    assert (len(pcm), cut) == (LONGEST_MS * 32, True)


@pytest.mark.parametrize(("ms", "why"), [(2000, "no sound"), (10_000, "damaged")])
def test_much_that_cannot_be_decoded_is_not_tried_to_the_end(ms, why):
    # A packet of AAC has 1,024 samples, here at 48 kHz.
    assert (ms * 48 / 1024 > media_child.MAX_BAD_PACKETS) is (why == "damaged")
    with pytest.raises(Unreadable, match=why):
        heard(spoiled(ms), "mp4")


def test_a_film_without_sound_is_refused_however_large_its_pictures():
    with pytest.raises(Unreadable, match="no sound"):
        heard(video(4096, 4096), "webm")
    with pytest.raises(Unreadable, match="no sound"):
        heard(video(64, 64, container="mp4", codec="libx264"), "mp4")


# --- the process ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def decoding(spec=TRYING):
    with trio.fail_after(60):
        async with open_media(spec) as decoder:
            yield decoder


@pytest.mark.real
async def test_an_upload_goes_to_a_process_and_comes_back_as_sound():
    async with decoding(None) as decoder:
        for kind in WRITERS:
            sound = await decoder.decode(recorded(kind, sine(2000)), kind, longest_ms=LONGEST_MS)
            assert is_the_tone(sound.pcm)
            assert not sound.cut
        with pytest.raises(Refused) as caught:
            await decoder.decode(b"garbage", "webm", longest_ms=LONGEST_MS)
        assert caught.value.code is ErrorCode.PROTOCOL_VIOLATION
        assert "no webm recording" in caught.value.message


@pytest.mark.real
async def test_the_process_has_no_way_out():
    async with decoding() as decoder:
        for attempt in (
            "read a file",
            "write a file",
            "open a socket",
            "start a process",
            "duplicate a pipe",
            "take much memory",
        ):
            with pytest.raises(Refused, match=r"PermissionError|MemoryError"):
                await decoder.decode(b"", attempt, longest_ms=1)


@pytest.mark.real
@pytest.mark.parametrize("attempt", ["compute for long", "sleep", "die"])
async def test_what_ends_the_process_ends_nothing_else(attempt, monkeypatch):
    monkeypatch.setattr(media, "DECODE_S", 10.0 if attempt == "compute for long" else 0.5)
    async with decoding(ONCE) as decoder:
        # More often than there are processes: each has a successor, and none of them comes late.
        for _ in range(DECODERS + 2):
            with pytest.raises(Refused, match="cannot be decoded") as caught:
                await decoder.decode(b"", attempt, longest_ms=1)
            assert caught.value.code is ErrorCode.PROTOCOL_VIOLATION
        sound = await decoder.decode(recorded("ogg", sine(2000)), "ogg", longest_ms=LONGEST_MS)
        assert is_the_tone(sound.pcm)


@pytest.mark.real
async def test_there_is_no_process_before_the_first_upload():
    with trio.fail_after(20):
        pool = WorkerPool(TRYING, 1)
        decoder = MediaDecoder(pool)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(decoder.run)
            await trio.testing.wait_all_tasks_blocked(0.3)
            assert not pool.ready
            await decoder.decode(recorded("wav", sine(100)), "wav", longest_ms=LONGEST_MS)
            assert pool.ready
            nursery.cancel_scope.cancel()


@pytest.mark.real
async def test_no_process_to_be_had_is_no_fault_of_the_upload():
    async with decoding(worker_spec("failing")) as decoder:
        with pytest.raises(EngineError) as caught:
            await decoder.decode(b"", "webm", longest_ms=1)
        assert caught.value.code is ErrorCode.ASR_FAIL


@pytest.mark.real
async def test_who_waits_too_long_for_a_process_is_told_to_come_back(monkeypatch):
    async with decoding() as decoder, trio.open_nursery() as nursery:
        await decoder.decode(recorded("wav", sine(100)), "wav", longest_ms=LONGEST_MS)
        monkeypatch.setattr(media, "QUEUE_S", 0.5)
        for _ in range(DECODERS):
            nursery.start_soon(partial(decoder.decode, b"", "sleep", longest_ms=1))
        await trio.testing.wait_all_tasks_blocked(0.1)
        with pytest.raises(Refused) as caught:
            await decoder.decode(b"", "sleep", longest_ms=1)
        assert caught.value.code is ErrorCode.SERVER_BUSY
        nursery.cancel_scope.cancel()


def test_the_kinds_are_those_that_have_a_reader():
    assert KINDS == tuple(media_child.DEMUXERS) == tuple(WRITERS)
