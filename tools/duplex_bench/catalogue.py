"""The scripts there are, by group. The same group, number of lines and seed give the same scripts, to the sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from tools.duplex_bench import sounds
from tools.duplex_bench.material import ASIDES, BACKCHANNELS, INTERRUPTIONS, one_of, sentence, wordless
from tools.duplex_bench.pauses import quietest, with_pause
from tools.duplex_bench.script import Background, Clip, Cue, Echo, Kind, Line, Script
from tools.utterances import PACES

SHORT = "Good question. I will look it up."
LONG = (
    "There was once a miller who lived beside a wide and slow river. Every morning he opened the gate, and the "
    "wheel began to turn. Farmers came from both sides of the valley with their carts and their horses. They "
    "brought him wheat in the summer, and rye in the autumn, and news in every season. One day a stranger came "
    "along the road, and he carried nothing but a small wooden box. He asked whether he might stay until the rain "
    "was over. The miller gave him bread and a place beside the stove. In the evening the stranger opened his box, "
    "and it was full of seeds. Nobody in the valley had ever seen such seeds before. They planted them together "
    "along the bank, and in the next spring the whole river was blue with flowers. People say that they grow there "
    "to this day."
)
"""What the language model answers to everything: two seconds to be heard to the end, or most of a minute."""

SNRS_DB = (20, 10)
ECHOES = tuple(Echo(gain_db, delay_s) for gain_db in (-10, -20) for delay_s in (0.02, 0.12, 0.4))

JITTER_S = 0.15

_TURNS = 5
"""In a session, and of what is said over replies fewer."""
_OVERLAYS = 3
_PAUSE_S = (0.3, 1.0)
_SECOND_PAUSE = 0.3
"""The share of sentences with pauses that have two."""
_INTO_S = (2.0, 4.5)
_ASIDE_DB = -6.0

Make = Callable[[int, int], Iterator[Script]]
"""Takes a number of lines and a seed."""


def hesitant(clip: Clip, draw: np.random.Generator) -> Clip:
    """Return ``clip`` with a pause of 0.3 to 1.0 s at a word's end, sometimes two: where it is quietest, or nearly.

    A clip of one word stays as it is.
    """
    inner = len(clip.words) - 1
    power = [
        float(np.square(clip.samples[(at := quietest(clip, place)) - 80 : at + 80]).mean()) for place in range(inner)
    ]
    quiet_half = sorted(np.argsort(power)[: (inner + 1) // 2])
    pauses = min(len(quiet_half), 2 if draw.random() < _SECOND_PAUSE else 1)
    for place in draw.choice(quiet_half, pauses, replace=False) if quiet_half else ():
        clip = with_pause(clip, int(place), float(draw.uniform(*_PAUSE_S)))
    return clip


# --- the groups -------------------------------------------------------------------------------------------------------


def turns(
    count: int, seed: int, *, pauses: float, group: str, background: Background | None = None, jitter_s: float = 0.0
) -> Iterator[Script]:
    """Yield sessions of questions and short answers; the share ``pauses`` of the questions are hesitant."""
    for number, draw, lines in _sessions(count, _TURNS, seed):
        said = []
        for _ in range(lines):
            clip = sentence(draw)
            said.append(Line(Kind.TURN, hesitant(clip, draw) if draw.random() < pauses else clip))
        yield Script(f"{group}-{number}", group, said, SHORT, background=background, jitter_s=jitter_s, seed=number)


def over_replies(
    count: int, seed: int, *, group: str, kind: Kind, make: Callable[[np.random.Generator], Clip]
) -> Iterator[Script]:
    """Yield sessions with a long reply, into which sounds that ``make`` makes come."""
    for number, draw, lines in _sessions(count, _OVERLAYS, seed):
        into = [Line(kind, make(draw), Cue.INTO, float(draw.uniform(*_INTO_S))) for _ in range(lines)]
        yield Script(f"{group}-{number}", group, [_opening(draw), *into], LONG, linger_s=7.0, seed=number)


def asides(count: int, seed: int) -> Iterator[Script]:
    """Yield sessions in which the person says something to somebody else, a little further off."""
    for number, draw, lines in _sessions(count, _OVERLAYS, seed):
        said = []
        for _ in range(lines):
            clip = one_of(ASIDES, draw)
            quiet = replace(clip, samples=clip.samples * 10 ** (_ASIDE_DB / 20))
            said += [Line(Kind.TURN, sentence(draw)), Line(Kind.ASIDE, quiet, after_s=1.0)]
        yield Script(f"asides-{number}", "asides", said, SHORT, seed=number)


def echoes(count: int, seed: int, *, echo: Echo, group: str) -> Iterator[Script]:
    """Yield ``count`` sessions in which the microphone hears the loudspeaker: a long reply, and its interruption."""
    for number, draw, _ in _sessions(count, 1, seed):
        late = Line(Kind.INTERRUPTION, one_of(INTERRUPTIONS, draw), Cue.INTO, float(draw.uniform(12, 18)))
        yield Script(f"{group}-{number}", group, [_opening(draw), late], LONG, linger_s=30.0, echo=echo, seed=number)


def _opening(draw: np.random.Generator) -> Line:
    return Line(Kind.TURN, sentence(draw))


def _sessions(count: int, most: int, seed: int) -> Iterator[tuple[int, np.random.Generator, int]]:
    """Yield the number, a source of chance and the number of lines of each session, ``count`` lines in all."""
    for number, begin in enumerate(range(0, count, most)):
        yield number, np.random.default_rng([seed, number]), min(most, count - begin)


def _interruption(draw: np.random.Generator) -> Clip:
    return one_of(INTERRUPTIONS, draw)


def _backchannel(draw: np.random.Generator) -> Clip:
    return one_of(BACKCHANNELS, draw)


def _noise(draw: np.random.Generator) -> Clip:
    makers = (sounds.cough, sounds.knock, sounds.sniff)
    which, seed = int(draw.integers(len(makers) + 1)), int(draw.integers(1000))
    if which < len(makers):
        return makers[which](seed)
    return wordless("Ahem.", PACES[seed % len(PACES)])


def _groups() -> dict[str, Make]:
    groups: dict[str, Make] = {
        "turns": partial(turns, pauses=0.0, group="turns"),
        "pauses": partial(turns, pauses=1.0, group="pauses"),
        "mixed": partial(turns, pauses=0.5, group="mixed"),
        "interruptions": partial(over_replies, group="interruptions", kind=Kind.INTERRUPTION, make=_interruption),
        "backchannels": partial(over_replies, group="backchannels", kind=Kind.BACKCHANNEL, make=_backchannel),
        "noises": partial(over_replies, group="noises", kind=Kind.NOISE, make=_noise),
        "asides": asides,
        "jitter": partial(turns, pauses=0.5, group="jitter", jitter_s=JITTER_S),
    }
    for kind in sounds.BACKGROUNDS:
        for snr_db in SNRS_DB:
            group = f"{kind}-{snr_db}"
            groups[group] = partial(turns, pauses=0.5, group=group, background=Background(kind, snr_db))
    for echo in ECHOES:
        group = f"echo{echo.gain_db:.0f}-{echo.delay_s * 1000:.0f}"
        groups[group] = partial(echoes, echo=echo, group=group)
    return groups


GROUPS: Mapping[str, Make] = _groups()
"""Those with a name like ``fan-20`` have that noise 20 dB below the voice; ``echo-10-120`` is the loudspeaker in the
microphone, 10 dB weaker and 120 ms late."""
