"""Sessions that speak in real time over one recognizer: how long finals take, and how partials thin out."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import trio

from tools.asr_bench import models
from tools.asr_bench.speaking import speaking
from voice_trio import sound_file
from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.engines.base import Engines, partial_interval_ms
from voice_trio.engines.load import open_engine
from voice_trio.engines.whisper.decode import Asked, Decoded
from voice_trio.engines.whisper.plug import open_whisper
from voice_trio.engines.whisper.recognizer import WhisperRecognizer
from voice_trio.entry_points import Kind
from voice_trio.memory.in_process import InProcessStore
from voice_trio.microphone import Microphone
from voice_trio.session.link import LinkClosed, MemoryLink
from voice_trio.session.session import Session
from voice_trio.session.settings import SessionSettings
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

CLIPS = Path(__file__).parents[2] / "tests" / "clips"
SILENCE_S = 1.5


@dataclass(slots=True)
class Seen:
    """What some speakers met with."""

    final_ms: list[int] = field(default_factory=list)
    """From the end of speech to the final transcript."""
    gaps: list[float] = field(default_factory=list)
    """Seconds that passed without a partial, again and again, while somebody spoke."""
    audio_s: float = 0.0
    compute_s: float = 0.0

    def p(self, percent: int) -> float:
        """Return that percentile of the finals' times, in seconds."""
        ordered = sorted(self.final_ms)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] / 1000


def clips() -> list[bytes]:
    """Return the recorded questions, 3 to 8 s each."""
    return [sound_file.read(file) for file in sorted(CLIPS.glob("*.wav"))]


@asynccontextmanager
async def open_engines(settings: Settings) -> AsyncIterator[Engines]:
    """Open the recognizer that ``settings`` mean, beside a language model and a voice that take no time."""
    quick = ScriptedLanguageModel(replies=[ScriptedReply(tokens=["Yes."])])
    async with open_whisper(settings) as recognizer, open_engine(Kind.DETECTOR, settings) as detector:
        scripted = scripted_engines(language_model=quick)
        yield replace(scripted, recognizer=recognizer, new_detector=detector.engine)


async def listen_to(speakers: int, seconds: float, settings: Settings) -> Seen:
    """Let ``speakers`` talk for ``seconds``, each a clip after another; return what they met with."""
    seen = Seen()
    async with open_engines(settings) as engines:
        assert isinstance(engines.recognizer, WhisperRecognizer)
        speaking(engines.recognizer.decoder)
        _count(engines.recognizer, seen)
        async with trio.open_nursery() as nursery:
            for speaker in range(speakers):
                nursery.start_soon(_speak, engines, settings, seen, speaker, speakers, seconds)
    return seen


def _count(recognizer: WhisperRecognizer, seen: Seen) -> None:
    decode = recognizer.decoder.decode_batch

    def counted(asked: Sequence[Asked]) -> list[Decoded]:
        decoded = decode(asked)
        seen.compute_s += sum(one.compute_s for one in decoded)
        return decoded

    recognizer.decoder.decode_batch = counted  # type: ignore[method-assign]


async def _speak(engines: Engines, settings: Settings, seen: Seen, speaker: int, speakers: int, seconds: float) -> None:
    link = MemoryLink()
    session = Session(link, settings=SessionSettings.of(settings), engines=lambda: engines, store=InProcessStore())
    spoken = clips()
    interval_ms = settings.partial_interval_ms or partial_interval_ms(engines.recognizer)
    # Not all in step.
    await trio.sleep(speaker / speakers * 5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(session.run)
        until, turn = trio.current_time() + seconds, speaker
        while trio.current_time() < until:
            await link.ask(m.Start())
            async with trio.open_nursery() as asking:
                asking.start_soon(_send, link, spoken[turn % len(spoken)])
                await _hear_turn(link, seen, interval_ms / 1000)
                asking.cancel_scope.cancel()
            seen.audio_s += len(spoken[turn % len(spoken)]) / BYTES_PER_SAMPLE / SAMPLE_RATE
            turn += 1
        link.vanish()


async def _send(link: MemoryLink, pcm: bytes) -> None:
    pcm += bytes(round(SILENCE_S * SAMPLE_RATE) * BYTES_PER_SAMPLE)
    async for message in Microphone(pcm):
        await link.ask(m.Audio(message))


async def _hear_turn(link: MemoryLink, seen: Seen, interval_s: float) -> None:
    last: float | None = None
    while True:
        try:
            event = await link.hear()
        except LinkClosed:
            return
        match event:
            case m.StateChanged(state=m.State.CAPTURING):
                last = trio.current_time()
            case m.Partial() | m.Final() if last is not None:
                now = trio.current_time()
                seen.gaps.append(now - last)
                last = now
            case m.Done():
                if event.latency.t_final_transcript_ms is not None:
                    seen.final_ms.append(event.latency.t_final_transcript_ms)
                return


_LINES = ((1, "#2a9d57", "final, median"), (2, "#c0392b", "final, 95 %"), (3, "#2b6cb0", "between partials"))


def report(counts: Sequence[int], seconds: float, plot: Path | None) -> None:
    """Measure and print."""
    shape = models.shape("small")
    alone = None
    for context in ("short", "padded"):
        settings = models.settings(shape, asr_workers=2, asr_context=context)
        one = trio.run(listen_to, 1, seconds, settings)
        alone = alone or one
        limits = " (limits 0.75, 1.2)" if context == "short" else ""
        print(
            f"3. end of speech to final, {context}, {len(one.final_ms)} utterances: "
            f"p50 {one.p(50):.2f} s, p95 {one.p(95):.2f} s{limits}"
        )
        factor = one.compute_s / one.audio_s
        print(f"4. real-time factor, partials included, {context}: {factor:.2f} (limit 0.8, aim 0.4)")
    assert alone is not None
    print("6. speakers at once, two workers, short:")
    rows = []
    for count in counts:
        seen = trio.run(listen_to, count, seconds, models.settings(shape, asr_workers=2, asr_context="short"))
        within = sum(gap <= 3 for gap in seen.gaps) / len(seen.gaps)
        apart = statistics.mean(seen.gaps)
        rows.append((count, seen.p(50), seen.p(95), apart))
        print(
            f"   {count:>2}: finals p50 {seen.p(50):.2f}, p95 {seen.p(95):.2f} s, {seen.p(95) / alone.p(95):.1f} times "
            f"one speaker's; {within:.1%} within three intervals; a partial each {apart:.1f} s"
        )
    if plot is not None:
        plot.write_text(_svg(rows))


def _svg(rows: Sequence[tuple[int, float, float, float]]) -> str:
    """Return a plot of the finals' times and the partials' distance over the number of speakers."""
    width, height, left, top, right = 640, 320, 50, 20, 130
    most_x, most_y = max(row[0] for row in rows), max(max(row[1:]) for row in rows) * 1.1

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x / most_x * (width - left - right), top + (1 - y / most_y) * (height - top - 40)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">']
    parts.append(f'<rect width="{width}" height="{height}" fill="#fff"/><g font-size="12">')
    for step in range(int(most_y) + 1):
        _, y = place(0, step)
        parts.append(f'<path d="M{left} {y:.1f}H{width - right}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{step} s</text>')
    for count, *_ in rows:
        x, y = place(count, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{count}</text>')
    for column, colour, name in _LINES:
        places = [place(row[0], row[column]) for row in rows]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{places[-1][0] + 6:.1f}" y="{places[-1][1] + 4:.1f}" fill="{colour}">{name}</text>')
    parts.append(f'<text x="{left}" y="{height - 4}">speakers at once</text></g></svg>')
    return "\n".join(parts) + "\n"
