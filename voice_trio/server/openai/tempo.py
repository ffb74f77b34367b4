"""Sound at the one rate of what goes out, and faster or slower than the voice can speak: a stream, without seams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from voice_trio.core.audio import BYTES_PER_SAMPLE

if TYPE_CHECKING:
    import numpy as np

RATE: Final = 24_000
"""Samples a second of all that goes out: what OpenAI's ``pcm`` has, and every encoder takes."""

_LEAST, _MOST = 0.5, 100.0
"""What FFmpeg's `atempo` takes."""


class Tempo:
    """Turns one stream of s16le mono into another, at `RATE` and ``factor`` times as fast, of the same pitch.

    FFmpeg's filter `atempo` does the second, by overlapping what sounds alike (WSOLA).
    """

    def __init__(self, sample_rate: int, factor: float) -> None:
        """``factor`` is 0.5 to 100."""
        import soxr

        if not _LEAST <= factor <= _MOST:
            raise ValueError(f"a factor of {factor}")
        self._resampler = None if sample_rate == RATE else soxr.ResampleStream(sample_rate, RATE, 1, dtype="int16")
        self._stretcher = None if factor == 1.0 else _Stretcher(factor)

    def push(self, pcm: bytes, *, last: bool = False) -> bytes:
        """Return what is ready, now that ``pcm`` has come; with ``last``, all that is left."""
        import numpy as np

        samples: np.ndarray = np.frombuffer(pcm, "<i2")
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples, last=last)
        if self._stretcher is not None:
            samples = self._stretcher.push(samples, last=last)
        return samples.astype("<i2", copy=False).tobytes()


class _Stretcher:
    """`atempo` in a graph of its own."""

    def __init__(self, factor: float) -> None:
        from av.filter import Graph

        self._graph = graph = Graph()
        source = graph.add_abuffer(sample_rate=RATE, format="s16", layout="mono", name="in")
        tempo = graph.add("atempo", f"{factor:.6f}")
        sink = graph.add("abuffersink")
        source.link_to(tempo)
        tempo.link_to(sink)
        graph.configure()
        self._pushed = 0

    def push(self, samples: np.ndarray, *, last: bool) -> np.ndarray:
        import av
        import numpy as np

        if len(samples):
            frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, self._pushed
            self._pushed += len(samples)
            self._graph.push(frame)
        if last:
            self._graph.push(None)
        made: list[np.ndarray] = []
        while True:
            try:
                out = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return np.concatenate(made) if made else np.empty(0, "<i2")
            assert isinstance(out, av.AudioFrame)
            made.append(np.frombuffer(bytes(out.planes[0])[: out.samples * BYTES_PER_SAMPLE], "<i2"))
