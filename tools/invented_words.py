"""Counts the words that the whole product invents: a hundred sounds without speech, in the recognizer and out of it.

    python tools/invented_words.py                        all of them, hands free and with a tap
    python tools/invented_words.py --mode tap --kind music
    python tools/invented_words.py --save FOLDER          keeps what was not silence to the server, as WAV files

A server in a process of its own hears each sound (`tools/noises.py`) and a second of a quiet room behind it at the
speed of speech, several clients at once; then the client lets go. A word in a final transcript is an invented one, and
so is one that was shown on the way and taken back.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import trio

from tests import noise
from tools import noises
from tools.noises import Sound
from tools.own_server import own_server
from tools.proc import machine
from voice_trio import log
from voice_trio.client import Client, connect
from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.core.messages import Mode

MODES: tuple[Mode, ...] = ("hands_free", "tap")
AT_ONCE = 8
_AFTER = noise.to_pcm(noise.at_rms(noise.pink(SAMPLE_RATE * 3 // 2, 1), 3e-4))


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a sound."""

    sound: Sound
    mode: Mode
    speech: bool
    """Whether it was taken for somebody who speaks."""
    final: str
    shown: Sequence[str]
    """What was shown on the way."""


async def play(client: Client, sound: Sound, mode: Mode) -> Came:
    """Have the server hear ``sound``, and return what came of it."""
    shown: list[str] = []
    final, speech = "", False
    await client.ask(m.Start(mode=mode))
    async with trio.open_nursery() as nursery:

        async def talk() -> None:
            await client.speak(sound.pcm + _AFTER)
            await client.ask(m.Stop())

        nursery.start_soon(talk)
        while True:
            match await client.hear():
                case m.Partial(text=text) if text.strip():
                    shown.append(text)
                case m.Final(text=text):
                    final, speech = text, True
                    if text:
                        # Nobody has to hear the answer.
                        await client.ask(m.Cancel())
                case m.Done():
                    break
        nursery.cancel_scope.cancel()
    return Came(sound, mode, speech, final, shown)


async def measure(sounds: Sequence[Sound], modes: Sequence[Mode], recognizer: str) -> list[Came]:
    """Return what came of every sound in every mode."""
    came: list[Came] = []
    left = [(sound, mode) for mode in modes for sound in sounds]
    async with own_server(
        "configured", asr_engine=recognizer, llm_engine="none", sessions_per_address=AT_ONCE, max_sessions=2 * AT_ONCE
    ) as server:

        async def listen() -> None:
            async with connect(server.ws_url) as client:
                while left:
                    came.append(await play(client, *left.pop()))

        async with trio.open_nursery() as nursery:
            for _ in range(min(AT_ONCE, len(left))):
                nursery.start_soon(listen)
    return came


def report(came: Sequence[Came], save: Path | None) -> int:
    """Print what came; return how many sounds had words in their final."""
    for mode in MODES:
        of_mode = [one for one in came if one.mode == mode]
        if not of_mode:
            continue
        taken = Counter(one.sound.kind for one in of_mode if one.speech)
        print(f"{mode}: {len(of_mode)} sounds, {taken.total()} taken for speech {dict(taken) or ''}".rstrip())
        for one in of_mode:
            if one.final or one.shown:
                print(f"  {one.sound.kind} {one.sound.number}: final {one.final!r}, shown {list(one.shown)}")
            if save is not None and one.speech:
                (save / f"{mode}-{one.sound.kind}-{one.sound.number}.wav").write_bytes(
                    wav_of(one.sound.pcm, SAMPLE_RATE)
                )
    invented = sum(bool(one.final) for one in came)
    shown = sum(bool(one.shown) for one in came)
    print(f"invented words: in {invented} finals of {len(came)} sounds, on the way in {shown} (limit 0)")
    return invented


@click.command()
@click.option("--mode", "modes", multiple=True, type=click.Choice(MODES), default=MODES, help="How the turn begins.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(noises.KINDS)), help="Only sounds of this kind.")
@click.option("--recognizer", default="moonshine", show_default=True, help="STREAM_ASR_ENGINE.")
@click.option("--save", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Keep such sounds here.")
def main(modes: Sequence[Mode], kinds: Sequence[str], recognizer: str, save: Path | None) -> None:
    """Measure and print; the exit code is 1 if words were invented."""
    log.configure("ERROR")
    print(machine())
    chosen = [sound for sound in noises.sounds() if not kinds or sound.kind in kinds]
    sys.exit(1 if report(trio.run(measure, chosen, modes, recognizer), save) else 0)


if __name__ == "__main__":
    main()
