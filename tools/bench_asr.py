"""Measures Whisper's path: what partials and finals cost, how long finals take, what it all holds, whether words are
right.

    python tools/bench_asr.py                       everything; takes about a quarter of an hour
    python tools/bench_asr.py cost speakers words   some of it

Each figure is a ratio, or stands beside its limit, and names its context: short (the audio and a margin) or padded (30
s). Cost and memory are those of Whisper's small shape in int8, with random weights; words are the tiny trained model's.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import trio

from tests.tiny_whisper.training import held_out
from tools.asr_bench import decode_cost, memory, speakers, words
from tools.proc import machine
from voice_trio import log
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE

_LONG = 30 * SAMPLE_RATE * BYTES_PER_SAMPLE
PARTS = ("cost", "speakers", "memory", "words")


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--seconds", default=60.0, show_default=True, help="How long speakers talk, for each number of them.")
@click.option("--counts", default="1,2,4,8,12,16", show_default=True, help="Numbers of speakers.")
@click.option("--utterances", default=1000, show_default=True, help="Utterances for the memory to stay level over.")
@click.option("--plot", type=click.Path(path_type=Path), help="SVG to write of the speakers.")
def main(parts: tuple[str, ...], seconds: float, counts: str, utterances: int, plot: Path | None) -> None:
    """Measure and print."""
    log.configure("ERROR")
    print(machine())
    chosen = parts or PARTS
    if "cost" in chosen:
        speech = b"".join(clip.pcm for clip in held_out.read() if clip.kind == "held-out")
        decode_cost.report([speech[at : at + _LONG] for at in range(0, len(speech) - _LONG + 1, _LONG)])
    if "speakers" in chosen:
        speakers.report([int(count) for count in counts.split(",")], seconds, plot)
    if "memory" in chosen:
        trio.run(memory.measure, utterances)
    if "words" in chosen:
        words.report()


if __name__ == "__main__":
    main()
