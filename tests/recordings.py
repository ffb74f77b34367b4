"""Recordings as browsers and others make them, made here with the encoders that come with PyAV."""

import io
import struct

import av
import numpy as np

from voice_trio.core.audio import SAMPLE_RATE, wav_of

BROWSERS = {"webm": ("webm", "libopus"), "ogg": ("ogg", "libopus"), "mp4": ("mp4", "aac"), "wav": ("wav", "pcm_s16le")}
"""Kind of recording -> FFmpeg's writer and encoder of it."""

WRITERS = {**BROWSERS, "mp3": ("mp3", "libmp3lame"), "flac": ("flac", "flac"), "aac": ("adts", "aac")}
"""The same of all kinds that are read."""


def sine(ms, hertz=440, peak=8000):
    """Return a tone as 16 kHz s16le mono."""
    at = np.arange(SAMPLE_RATE * ms // 1000) / SAMPLE_RATE
    return (np.sin(2 * np.pi * hertz * at) * peak).astype("<i2").tobytes()


def recorded(kind, pcm, **options):
    """Return 16 kHz s16le mono ``pcm`` as one would send it, for a kind of `WRITERS`."""
    return encoded(*WRITERS[kind], pcm, **options)


def encoded(container, codec, pcm, *, rate=48_000, layout="mono", options=None):
    """Return 16 kHz s16le mono ``pcm`` as a file of FFmpeg's format ``container``."""
    file = io.BytesIO()
    with av.open(io.BytesIO(wav_of(pcm, SAMPLE_RATE))) as source, av.open(file, "w", format=container) as target:
        assert isinstance(source, av.container.InputContainer)
        stream = target.add_stream(codec, rate=rate, layout=layout, options=options or {})
        stream.codec_context.open()
        resampler = av.AudioResampler(
            format=stream.format, layout=layout, rate=rate, frame_size=stream.codec_context.frame_size or None
        )
        for frame in [*source.decode(audio=0), None]:
            for part in resampler.resample(frame):
                target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    return file.getvalue()


def decoded(data):
    """Return the samples of ``data`` as s16 mono, their rate, and what FFmpeg calls what it reads it as."""
    with av.open(io.BytesIO(data)) as container:
        assert isinstance(container, av.container.InputContainer)
        [stream] = container.streams.audio
        resampler = av.AudioResampler(format="s16", layout="mono", rate=stream.rate)
        frames = [one for frame in container.decode(stream) for one in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), stream.rate, container.format.name


def video(width, height, *, container="webm", codec="libvpx"):
    """Return a film of one picture, without sound."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as target:
        stream = target.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        target.mux(stream.encode(av.VideoFrame(width, height, "yuv420p")))
        target.mux(stream.encode(None))
    return file.getvalue()


# --- recordings that no browser makes ---------------------------------------------------------------------------------


def pointing_elsewhere(path, pcm):
    """Return an mp4 whose sound lies in the file at ``path``, and write that file."""
    whole = encoded("mov", "pcm_s16le", pcm, rate=SAMPLE_RATE)
    path.write_bytes(whole)
    boxes = [_box(whole, b"moov", 0, len(whole))]
    for name in (b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        at, size = boxes[-1]
        boxes.append(_box(whole, name, at + 8, at + size))
    # The alias record of a Macintosh: fixed fields, of which names and levels matter, then the path, in an even number
    # of bytes, then the end.
    name = str(path).encode()
    alias = bytes(10) + b"\4disk".ljust(28, b"\0") + bytes(12) + b"\5sound".ljust(64, b"\0") + bytes(36)
    alias += struct.pack(">HH", 2, len(name)) + name + bytes(len(name) % 2) + b"\xff\xff\0\0"
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    reference = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    made = bytearray(whole)
    at, size = boxes.pop()
    made[at : at + size] = reference
    for at, outer in boxes:
        made[at : at + 4] = struct.pack(">I", outer + len(reference) - size)
    sound, index = whole.find(b"mdat") + 4, boxes[0][0]
    made[sound:index] = bytes(index - sound)
    return bytes(made)


def _box(data, name, at, end):
    while data[at + 4 : at + 8] != name:
        at += int.from_bytes(data[at : at + 4], "big")
        assert at < end
    return at, int.from_bytes(data[at : at + 4], "big")


def spoiled(ms):
    """Return an mp4 of so long, of which not one packet can be decoded."""
    data = bytearray(recorded("mp4", sine(ms)))
    begin, end = data.find(b"mdat") + 4, data.find(b"moov") - 4
    data[begin:end] = b"\xff" * (end - begin)
    return bytes(data)
