"""Measures latencies through a real server: recorded questions in at the speed of speech, medians out.

    python tools/latency.py                     the five clips, with the engines that the environment asks for
    python tools/latency.py --scripted          the same with engines that take no time: the server's own share
    python tools/latency.py --model FOLDER      the same with a Whisper model
    python tools/latency.py --cancel --scripted --sessions 20      replies cut off, twenty at a time

--write makes a table and a picture of it, docs/latency/NAME.md and .svg; --recording FILE keeps the conversation as a
stereo WAV. Without --url the server runs in this process, on a free port (with --cancel in a process of its own).

The figures are the server's own, as they stand in each turn's `done`. Beside each stands its ratio to its limit: for
the first partial that is the goal, for all others the silence by which an utterance ends and the time that the engines
by themselves took for the same words, measured in the same run. The wait for the first audio is measured a second
time, by `tools/response_gap.py`, in the recording and nothing else, and must be the same within `TOLERANCE_MS`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import click
import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools import response_gap
from tools.cancel_latency import measure_cancels
from tools.latency_report import Turn, failures, markdown, notes, picture, table
from tools.own_server import Kind
from tools.proc import machine
from tools.raw_engines import measure_raw
from tools.scripted import open_zero_cost_engines
from tools.tape import Tape
from voice_trio import config, log, sound_file
from voice_trio.client import Client, connect
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from voice_trio.microphone import Microphone
from voice_trio.server.run import open_server

ROOT = Path(__file__).parent.parent
CLIPS = ROOT / "tests" / "clips"
REPORTS = ROOT / "docs" / "latency"
SILENCE = bytes(ms_to_samples(1500) * BYTES_PER_SAMPLE)

_HEARD_CHUNKS = 6
"""So much of a reply is heard before it is cut off."""

_PAUSE_S = 0.5


# --- the command ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured, and with which engines."""

    url: str | None
    scripted: bool
    model: Path | None
    recording: Path | None

    @property
    def name(self) -> str:
        """What the report is called."""
        return "scripted" if self.scripted else "whisper" if self.model else "served" if self.url else "embedded"

    def settings(self) -> config.Settings:
        """Return those of a server of our own."""
        chosen = {"asr_engine": "faster-whisper", "model_whisper": str(self.model)} if self.model else {}
        return config.load(port=0, memory="off", **chosen)


@click.command()
@click.option("--url", help="Server to measure (ws://host:port/ws); without it, one is started.")
@click.option("--scripted", is_flag=True, help="With engines that take no time, and webrtcvad.")
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="With this Whisper model.")
@click.option("--write", is_flag=True, help="Write docs/latency/NAME.md and .svg.")
@click.option("--name", help="That name; else the one of the engines.")
@click.option("--recording", type=click.Path(dir_okay=False, path_type=Path), help="Keep the conversation as a WAV.")
@click.option("--cancel", is_flag=True, help="Measure cancelling instead.")
@click.option("--sessions", default=1, show_default=True, type=click.IntRange(1), help="With --cancel: at once.")
@click.option("--times", default=20, show_default=True, type=click.IntRange(1), help="With --cancel: in each session.")
def main(
    url: str | None,
    scripted: bool,
    model: Path | None,
    write: bool,
    name: str | None,
    recording: Path | None,
    cancel: bool,
    sessions: int,
    times: int,
) -> None:
    """Measure latencies and print them."""
    log.configure("ERROR")
    if cancel:
        kind: Kind = "scripted" if scripted else "configured"
        well = trio.run(lambda: measure_cancels(url, kind, sessions=sessions, times=times))
        sys.exit(0 if well else 1)
    wanted = Wanted(url, scripted, model, recording)
    where = machine()
    measured = trio.run(measure, wanted)
    title = f"Latency: {measured.engines}"
    _print(f"{title}, on {where}", measured.turns)
    if write:
        name = name or wanted.name
        REPORTS.mkdir(exist_ok=True)
        (REPORTS / f"{name}.svg").write_text(picture(title, measured.turns), encoding="utf-8")
        command = "python tools/latency.py" + (" --scripted" if scripted else " --model FOLDER" if model else "")
        text = markdown(title, measured.turns, f"{name}.svg", command, f"on {where}")
        (REPORTS / f"{name}.md").write_text(text, encoding="utf-8")
    missed = failures(measured.turns)
    for failure in missed:
        click.echo(f"MISSED: {failure}")
    sys.exit(1 if missed else 0)


def _print(title: str, turns: Sequence[Turn]) -> None:
    click.echo(f"{title}; ms, in brackets the ratio to the limit\n")
    rows = table(turns)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    click.echo()
    for line in notes(turns):
        click.echo(line)


# --- the measuring --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found, and with what."""

    engines: str
    turns: Sequence[Turn]


async def measure(wanted: Wanted, names: Sequence[str] | None = None) -> Measured:
    """Ask each clip, or those of ``names``, once, and compare with the engines by themselves and with the recording."""
    clips = json.loads((CLIPS / "clips.json").read_text())
    clips = {name: clips[name] for name in names or clips}
    pcm = {name: sound_file.read(CLIPS / f"{name}.wav") for name in clips}
    async with AsyncExitStack() as stack:
        url, raws = wanted.url, dict.fromkeys(clips)
        if url is None:
            settings = wanted.settings()
            open_engines = open_zero_cost_engines if wanted.scripted else None
            running = await stack.enter_async_context(open_server(settings, open_engines))
            url = running.ws_url
            raws = {name: await measure_raw(running.engines, settings, pcm[name]) for name in clips}
        client = await stack.enter_async_context(connect(url))
        opened = await client.hear()
        assert isinstance(opened, m.SessionOpened)
        tape = Tape(trio.current_time())
        turns = []
        for name, clip in clips.items():
            final, done = await ask(client, pcm[name] + SILENCE, tape)
            begins_ms, ends_ms = response_gap.voiced_span_ms(pcm[name], SAMPLE_RATE)
            expected = words_of(clip["words"])
            turn = Turn(
                name=name,
                words_wrong=None if wanted.scripted else word_errors(expected, words_of(final.text)) / len(expected),
                speech_ms=ends_ms - begins_ms,
                silence_ms=opened.silence_ms,
                latency=done.latency,
                raw=raws[name],
            )
            turns.append(turn)
    return Measured(f"{opened.asr}, {opened.llm}", with_gaps(turns, tape, wanted.recording))


def with_gaps(turns: Sequence[Turn], tape: Tape, recording: Path | None) -> list[Turn]:
    """Return ``turns`` with what another program finds in the recording of them; none where it does not fit."""
    with tempfile.TemporaryDirectory() as folder:
        path = recording or Path(folder) / "conversation.wav"
        tape.write(path)
        gaps = response_gap.gaps(*response_gap.read(path))
    if len(gaps) != len(turns):
        return list(turns)
    return [replace(turn, gap_ms=gap.ms) for turn, gap in zip(turns, gaps, strict=True)]


async def ask(client: Client, pcm: bytes, tape: Tape | None = None) -> tuple[m.Final, m.Done]:
    """Ask by voice and return what was understood, and the end; the reply is cut off once a little of it was heard."""
    final = m.Final(turn=0, text="")
    tape = tape or Tape(trio.current_time())
    rate = SAMPLE_RATE
    # The figures are told beside the window, so it is the same for all.
    await client.ask(m.Start(endpointing="fixed"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(speak, client, pcm, tape)
        while True:
            match await client.hear():
                case m.Final() as final:
                    pass
                case m.TtsPhrase(sample_rate=rate):
                    pass
                case m.TtsChunk(seq=seq, pcm=chunk):
                    tape.played(chunk, rate, trio.current_time())
                    if seq == _HEARD_CHUNKS:
                        await client.ask(m.Cancel())
                case m.Done() as done:
                    # The rest of the silence must not reach into the next turn.
                    break
    # What the player still had is heard out, or the next question would fall into it.
    await trio.sleep(_PAUSE_S)
    return final, done


async def speak(client: Client, pcm: bytes, tape: Tape) -> None:
    """Speak ``pcm`` at the speed of speech, and note it on ``tape`` as it goes."""
    async for message in Microphone(pcm):
        tape.spoke(message, SAMPLE_RATE, trio.current_time())
        await client.ask(m.Audio(message))


def words_of(text: str) -> list[str]:
    """Return the words of ``text``, without case and punctuation."""
    return "".join(char for char in text.lower() if char.isalnum() or char in " '").split()


def word_errors(expected: Sequence[str], got: Sequence[str]) -> int:
    """Return how many words must be put in, taken out or replaced to make ``got`` from ``expected`` (Levenshtein)."""
    row = list(range(len(got) + 1))
    for i, word in enumerate(expected, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


if __name__ == "__main__":
    main()
