"""Measures what Opus costs on /ws: words that recognizers get wrong, time until the answer, and what bad packets do.

    STREAM_MODEL_WHISPER=base-int8 python tools/bench_opus.py --words     Moonshine and Whisper, PCM against Opus
    python tools/bench_opus.py --gap 20                                   so many turns of each with a server of its own
    python tools/bench_opus.py --ends                                     when the end of each utterance is known
    python tools/bench_opus.py --packets 100000                           corrupt packets into the server's decoder

The words are those of tools/bench_words.py. The gap is that of somebody who hears it: from the last voiced moment that
the microphone took in until the first audible sample has arrived and is decoded, the two ways in turns. On a busy
machine it says more of the machine; what Opus adds to it by itself is what --ends shows, without a clock: how much
later the server's own detector and endpointer come to the end of an utterance in messages of 20 ms, delays of both
coders included. The first sound of a reply is in the first message either way, which takes 1 ms to encode.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import numpy as np
import trio

from tests.wire.hostile_packets import hostile
from tools import utterances
from tools.bench_words import WHISPER, engine, measure, ours
from tools.proc import machine
from tools.response_gap import loud, voiced_span_ms
from tools.utterances import Utterance
from voice_trio import config, log, sound_file
from voice_trio.client import Client, connect
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, Framer, ms_to_samples
from voice_trio.core.codes import SoundCodec
from voice_trio.core.endpointer import End, Endpointer, Resumed, SpeechDecision
from voice_trio.engines import silero
from voice_trio.engines.whisper.loading import load as load_whisper
from voice_trio.microphone import Microphone
from voice_trio.server.run import open_server
from voice_trio.session.link import Malformed
from voice_trio.wire.opus import library
from voice_trio.wire.opus.decoding import TALLY, Decoder
from voice_trio.wire.opus.encoding import Encoder
from voice_trio.wire.opus.hearing import Hearing

MOONSHINE = "moonshine"
CONTEXT_S = 10.0
"""What finals of Whisper are given at least."""

QUESTION = Path(__file__).parent.parent / "examples" / "time.wav"
MESSAGE_MS = 20
SILENCE_S = 4
SILENCE_MS = 700


def coded(pcm: bytes) -> bytes:
    """Return ``pcm``, 16 kHz s16le mono, as a recognizer has it when it came as Opus."""
    encoder, decoder = Encoder(SAMPLE_RATE), Decoder(SAMPLE_RATE)
    packets = [*encoder.push(pcm), *encoder.finish()]
    return b"".join(decoder.push(packet)[0] for packet in packets)[: len(pcm)]


def compare_words() -> None:
    """Print the word errors of each recognizer, and by how much Opus changes them."""
    clean = utterances.read()
    over_opus = [replace(one, pcm=coded(one.pcm)) for one in clean]
    decoder = load_whisper(config.load()).decoder
    for name, hear in ((MOONSHINE, engine(MOONSHINE)), (WHISPER, ours(decoder, CONTEXT_S))):
        pcm, opus = measure(f"{name}, pcm", clean, hear), measure(f"{name}, opus", over_opus, hear)
        print(f"  {name}: {100 * (opus.share - pcm.share):+.2f} points")


def end_ms(messages: Iterable[bytes], model: silero.SileroModel) -> tuple[float, int]:
    """Return when the end of an utterance is known that comes in ``messages``, and how often it seemed to be before."""
    detector, decision, endpointer = silero.SileroDetector(model), SpeechDecision(), Endpointer(silence_ms=SILENCE_MS)
    framer, resumed = Framer(), 0
    for number, message in enumerate(messages):
        for frame in framer.push(message):
            for event in endpointer.push(decision.push(detector.speech_probability(frame))):
                resumed += isinstance(event, Resumed)
                if isinstance(event, End):
                    return (number + 1) * MESSAGE_MS, resumed
    raise ValueError("it has no end")


def compare_ends() -> None:
    """Print by how much later the ends of utterances are known over Opus."""
    model, later, pauses = silero.load(), [], [0, 0]
    for one in utterances.read():
        pcm = one.pcm + bytes(SILENCE_S * SAMPLE_RATE * BYTES_PER_SAMPLE)
        step = ms_to_samples(MESSAGE_MS) * BYTES_PER_SAMPLE
        messages = [pcm[at : at + step] for at in range(0, len(pcm) - step + 1, step)]
        encoder, hearing = Encoder(SAMPLE_RATE), Hearing()
        packets = (packet for message in messages for packet in encoder.push(message))
        plain, over_opus = end_ms(messages, model), end_ms((hearing.take(packet).pcm for packet in packets), model)
        later.append(over_opus[0] - plain[0])
        pauses = [pauses[0] + plain[1], pauses[1] + over_opus[1]]
    later.sort()
    print(
        f"  the end of {len(later)} utterances is known {statistics.median(later):+.0f} ms later (median), "
        f"{statistics.mean(later):+.0f} ms in the mean, from {later[0]:+.0f} to {later[-1]:+.0f} ms, "
        f"and 19 of 20 by {later[len(later) * 19 // 20]:+.0f} ms at most"
    )
    print(f"  pauses that were taken for it at first: {pauses[0]} of pcm, {pauses[1]} of opus")


async def measure_gaps(turns: int) -> None:
    """Print the medians of both ways."""
    question = sound_file.read(QUESTION)
    found: dict[SoundCodec, list[float]] = {codec: [] for codec in get_args(SoundCodec)}
    settings = config.load(port=0, memory="off", llm_engine="none", endpointing="fixed", host="127.0.0.1")
    async with open_server(settings) as running, connect(running.ws_url) as client:
        await client.wait_for(m.SessionOpened)
        for turn in range(turns + 1):
            for codec, gaps in found.items():
                gap_ms = await one_gap(client, question, codec)
                # The first of each finds engines that have not worked yet.
                if turn:
                    gaps.append(gap_ms)
    for codec, gaps in found.items():
        all_of_them = " ".join(f"{gap:.0f}" for gap in sorted(gaps))
        print(f"  {codec:<5} gap: median {statistics.median(gaps):.0f} ms of {all_of_them}")
    # Each beside its neighbour: a busy machine is as busy for both.
    grown = [opus - pcm for opus, pcm in zip(found["opus"], found["pcm"], strict=True)]
    print(f"  opus {statistics.median(grown):+.0f} ms (median of {turns} pairs)")


async def one_gap(client: Client, question: bytes, codec: SoundCodec) -> float:
    """Return how long the answer to ``question`` was waited for, in ms."""
    await client.ask(m.Start(codec=codec))
    _, voice_ends_ms = voiced_span_ms(question, SAMPLE_RATE)
    began_at = trio.current_time()
    heard_at = 0.0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_say, client, question + bytes(SILENCE_S * SAMPLE_RATE * BYTES_PER_SAMPLE))
        rate = SAMPLE_RATE
        while True:
            match await client.hear():
                case m.TtsPhrase(sample_rate=rate):
                    pass
                case m.TtsChunk(pcm=pcm) if not heard_at:
                    audible = np.flatnonzero(loud(np.frombuffer(pcm, "<i2"), rate))
                    if len(audible):
                        heard_at = trio.current_time()
                case m.Done():
                    nursery.cancel_scope.cancel()
                    break
    return (heard_at - began_at) * 1000 - voice_ends_ms


async def _say(client: Client, pcm: bytes) -> None:
    async for message in Microphone(pcm, message_ms=MESSAGE_MS):
        await client.ask(m.Audio(message))


def send_corrupt(count: int, clips: Sequence[Utterance]) -> None:
    """Print what comes of ``count`` corrupt packets: how long one takes, what it costs in memory, and what is said."""
    encoder = Encoder(SAMPLE_RATE)
    real = [packet for one in clips for packet in encoder.push(one.pcm)]
    hearing, slowest, floods, samples = Hearing(), 0.0, 0, 0
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    for packet in hostile(real, count):
        at = time.perf_counter()
        try:
            audio = hearing.take(packet)
        except Malformed:
            # A session would be over.
            hearing, floods = Hearing(), floods + 1
            continue
        slowest = max(slowest, time.perf_counter() - at)
        samples += len(audio.pcm) // BYTES_PER_SAMPLE
    took = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        f"  {count} packets, {TALLY.damaged} of them refused: {samples / SAMPLE_RATE:.1f} s of sound, {floods} floods; "
        f"{1000 * took / count:.3f} ms each, at most {1000 * slowest:.1f} ms; {grown} kB more memory"
    )


@click.command()
@click.option("--words", "with_words", is_flag=True, help="Compare word errors; takes minutes.")
@click.option("--gap", "turns", type=int, default=0, help="Turns of each way.")
@click.option("--ends", "with_ends", is_flag=True, help="Compare when the end of an utterance is known.")
@click.option("--packets", type=int, default=0, help="Corrupt packets.")
def main(with_words: bool, turns: int, with_ends: bool, packets: int) -> None:
    """Measure and print."""
    if not (with_words or turns or with_ends or packets):
        raise click.UsageError("Say what to measure: --words, --gap, --ends or --packets.")
    log.configure("ERROR")
    print(machine())
    library.load()
    if packets:
        send_corrupt(packets, [*utterances.human()])
    if turns:
        trio.run(measure_gaps, turns)
    if with_ends:
        compare_ends()
    if with_words:
        compare_words()


if __name__ == "__main__":
    main()
