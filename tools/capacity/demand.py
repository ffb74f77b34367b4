"""What a person who talks asks of a machine, and what a machine gives."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """A person's turns. Times are in seconds; those that are drawn have a log-normal distribution around their mean."""

    speech_s: float = 4.0
    """How long somebody speaks."""
    reply_s: float = 6.0
    """How long the answer sounds, as far as it is listened to."""
    thinking_s: float = 4.0
    """Between the end of an answer and the next word."""
    window_s: float = 0.42
    """Silence by which the end is known."""
    model_s: float = 0.3
    """The language model's first phrase. It computes elsewhere."""
    final_cpu_s: float = 0.16
    """Computing between the end of the speech and its words that nobody can be spared."""
    voice_cpu_s: float = 0.12
    """The same for the first phrase's sound."""
    beside_cpu_s: float = 0.9
    """All else of a turn: partials, drafts, early finals, the rest of the voice. Partials give way when a machine is
    full."""
    turns: float = 8.0
    """Of a conversation, in the mean."""

    @property
    def cycle_s(self) -> float:
        """From one turn to the next where nobody waits for computing."""
        return self.speech_s + self.window_s + self.gap_cpu_s + self.model_s + self.reply_s + self.thinking_s

    @property
    def gap_cpu_s(self) -> float:
        """Computing on the way from the last word to the first sound."""
        return self.final_cpu_s + self.voice_cpu_s

    @property
    def turn_cpu_s(self) -> float:
        """All computing of a turn."""
        return self.gap_cpu_s + self.beside_cpu_s


def drawn(draw: random.Random, mean: float, spread: float = 0.6) -> float:
    """Return a duration of that mean; ``spread`` is the standard deviation of its logarithm."""
    return draw.lognormvariate(math.log(mean) - spread * spread / 2, spread)
