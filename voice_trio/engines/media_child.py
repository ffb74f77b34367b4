"""The child that decodes an upload: FFmpeg by way of PyAV, reading bytes that anybody may have sent.

A request ``{"kind", "longest_ms"}`` with the upload in the body is answered with ``{"cut"}`` and 16 kHz s16le mono
in the body, or with ``{"refused": sentence}``. With the kind `ANY` it is a file of this machine's own user, of whatever
form FFmpeg sees in it.

**What an upload can reach.** FFmpeg can do far more than an upload needs, so it is held on three sides. Its
options name one demuxer, the decoders of usual recordings, and no protocol; whatever it would open beside the bytes
in memory is refused. `confine` leaves the process nothing but its pipes, a bounded memory and a few seconds of
computing: no file, socket or other process can be named (`confinement`). And the process decodes one upload: nothing
that one of them did to it can reach the next.
"""

from __future__ import annotations

import io
import resource
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final, NoReturn

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples, wav_of
from voice_trio.engines.media_pieces import MOST_PIECES, pieces_of
from voice_trio.workers import confinement
from voice_trio.workers.main import LONG_WORK_NICENESS, Fields, Handler, serve

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

DEMUXERS: Final = {
    "webm": "matroska",
    "ogg": "ogg",
    "mp4": "mov",
    "wav": "wav",
    "mp3": "mp3",
    "flac": "flac",
    "aac": "aac",
}
"""Kind of upload -> FFmpeg's reader of it."""

ANY: Final = "any"
"""The kind of a file that is not said to be any."""

DECODERS: Final = (
    *("opus", "vorbis", "aac", "flac", "alac", "mp3float"),
    *("pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw"),
)

FILE_DECODERS: Final = (
    *DECODERS,
    *("wmav1", "wmav2", "wmapro", "wmalossless", "wmavoice", "mp1float", "mp2float", "mp1", "mp2", "mp3", "ac3"),
    *(
        "eac3",
        "dca",
        "ape",
        "wavpack",
        "tta",
        "amrnb",
        "amrwb",
        "speex",
        "gsm",
        "gsm_ms",
        "adpcm_ms",
        "adpcm_ima_wav",
        "adpcm_ima_qt",
    ),
    *("pcm_s8", "pcm_s24be", "pcm_s32be", "pcm_f32be", "pcm_f64be"),
)
"""What is decoded of a file of `ANY` kind."""

MAX_CHANNELS: Final = 8
RATES: Final = range(8_000, 192_001)
MAX_STREAMS: Final = 8

MAX_BAD_PACKETS: Final = 200
"""A small file can hold millions, and each takes longer to fail than a good one to be decoded."""

CPU_S = 5
MEMORY_BYTES: Final = 512 << 20
"""Of address space, of which a quarter is taken from the start."""

_FORMATS: Final = ("matroska,webm", "ogg", "mov,mp4,m4a,3gp,3g2,mj2", "wav", "mp3", "flac", "aac")
_FILE_FORMATS: Final = (
    *_FORMATS,
    *("asf", "avi", "mpegts", "mpeg", "flv", "aiff", "au", "caf", "w64", "wv", "ac3", "eac3", "dts", "amr", "ape"),
    *("tta", "voc", "gsm"),
)

_OPTIONS: Final = {
    "format_whitelist": ",".join(_FORMATS),
    "codec_whitelist": ",".join(DECODERS),
    # An option that is empty counts as not given, and this is no protocol's name.
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "max_streams": str(MAX_STREAMS),
    "threads": "1",
}
_FILE_OPTIONS: Final = {
    **_OPTIONS,
    "format_whitelist": ",".join(_FILE_FORMATS),
    "codec_whitelist": ",".join(FILE_DECODERS),
}


class Unreadable(Exception):
    """The bytes are no recording that is taken here; the message says why."""


def confine() -> list[str]:
    """Give up, for good, what decoding does not need; return the belts that hold."""
    return confinement.confine(
        {resource.RLIMIT_CPU: CPU_S, resource.RLIMIT_AS: MEMORY_BYTES, **confinement.NOTHING},
    )


def decode(data: bytes, kind: str, longest_ms: int) -> tuple[bytes, bool]:
    """Return the sound of ``data`` as 16 kHz s16le mono, and whether it was cut off after ``longest_ms``.

    Bytes that cannot be read are passed over, as a player does. Raises `Unreadable`.
    """
    import av

    pieces = pieces_of(data)
    if len(pieces) > MOST_PIECES:
        raise Unreadable(f"The file holds more than {MOST_PIECES} recordings.")
    pcm, longest = bytearray(), ms_to_samples(longest_ms) * BYTES_PER_SAMPLE
    try:
        for piece in pieces:
            for sound in _read(piece, kind):
                pcm += sound
                if len(pcm) > longest:
                    return bytes(pcm[:longest]), True
    except av.FFmpegError:
        what = "no recording that is read here" if kind == ANY else f"no {kind} recording"
        raise Unreadable(f"This is {what}, or a damaged one.") from None
    if not pcm:
        raise Unreadable("The recording holds no sound.")
    return bytes(pcm), False


def _read(data: bytes, kind: str) -> Iterator[bytes]:
    """Return the sound of ``data``, one recording, as 16 kHz s16le mono."""
    import av

    with av.open(
        io.BytesIO(data),
        mode="r",
        format=None if kind == ANY else DEMUXERS[kind],
        options=_FILE_OPTIONS if kind == ANY else _OPTIONS,
        metadata_errors="replace",
        io_open=_open_nothing,
    ) as container:
        if not container.streams.audio:
            raise Unreadable("The recording holds no sound.")
        stream = container.streams.audio[0]
        _check(stream, FILE_DECODERS if kind == ANY else DECODERS)
        yield from _resampled(container, stream)


def _open_nothing(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError("a recording is all in one piece")


def _resampled(container: InputContainer, stream: AudioStream) -> Iterator[bytes]:
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    bad = 0
    for packet in container.demux(stream):
        try:
            frames: list[AudioFrame | None] = [*packet.decode()]
        except av.FFmpegError:
            bad += 1
            if bad > MAX_BAD_PACKETS:
                raise Unreadable("The recording is damaged.") from None
            continue
        # The last packet is an empty one, at which the resampler too gives what it has kept.
        for frame in [*frames, *([] if packet.size else [None])]:
            try:
                resampled = resampler.resample(frame)
            except ValueError:
                raise Unreadable("The recording's sound changes its form on the way.") from None
            for out in resampled:
                yield bytes(out.planes[0])[: out.samples * BYTES_PER_SAMPLE]


def _check(stream: AudioStream, decoders: Collection[str]) -> None:
    context = stream.codec_context
    if context is None or context.codec.name not in decoders:
        raise Unreadable("The recording's sound is coded in a way that is not read here.")
    if not (context.channels and context.sample_rate):
        # A reader without a container found nothing of what it looks for.
        raise Unreadable("The recording is damaged, or another kind of recording.")
    if context.channels > MAX_CHANNELS:
        raise Unreadable(f"The recording has {context.channels} channels; at most {MAX_CHANNELS} are read.")
    if context.sample_rate not in RATES:
        raise Unreadable(
            f"The recording has {context.sample_rate} samples a second; {RATES[0]} to {RATES[-1]} are read."
        )


def load() -> tuple[Fields, Handler]:
    """Load FFmpeg, then give up the means to load anything else."""
    import av

    av.logging.set_level(None)
    # Whatever is imported or opened at the first use is so now.
    decode(wav_of(bytes(4800), 48_000), "wav", 1000)
    belts = confine()

    def handle(fields: Fields, body: bytes) -> tuple[Fields, bytes]:
        try:
            pcm, cut = decode(body, fields["kind"], fields["longest_ms"])
        except Unreadable as error:
            return {"refused": str(error)}, b""
        return {"cut": cut}, pcm

    return {"belts": belts}, handle


if __name__ == "__main__":
    serve(load, LONG_WORK_NICENESS)
