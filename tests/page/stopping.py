"""How soon a browser is silent once somebody speaks into a reply: ``python -m tests.page.stopping [TIMES]``.

A real server with the recognizer and the voice that come along, hands-free in Chromium. From the first voiced moment of
what is said into the microphone to the last sound that the page gives to the loudspeaker, on the page's clock of sound.
"""

import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from tests.page.browser import keeping_browsers, visiting
from tests.page.server import ROOT, serving, thinking
from tools.figures import percentile
from voice_trio import sound_file
from voice_trio.core.audio import SAMPLE_RATE

LONG = "Let me tell you about the sea. " + "It is wide and deep, and nobody has ever seen its end. " * 12
CLIPS = sorted((ROOT / "tests" / "utterances" / "human").glob("*.*"))
VOICED = 0.02
BLOCK = SAMPLE_RATE // 100
NOW = "window.heard.context.currentTime"
SILENT_SINCE = """
from => {
  const { blocks, rate } = window.heard;
  const after = blocks.filter(({ frame }) => frame / rate >= from);
  const sounds = after.filter(({ samples }) => samples.some((one) => one)).map(({ frame }) => frame / rate);
  // Until the first silence that is longer than any inside a sentence.
  const end = sounds.findIndex((at, index) => index + 1 === sounds.length || sounds[index + 1] - at > 0.5);
  return sounds.length ? sounds[end] + 128 / rate : null;
}
"""


def onset_s(pcm: bytes) -> float:
    """Return when somebody is first heard in ``pcm``."""
    samples = np.frombuffer(pcm, "<i2") / 32768
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
    return float(np.argmax(np.sqrt((blocks**2).mean(axis=1)) > VOICED)) * BLOCK / SAMPLE_RATE


def main(times: int) -> None:
    """Measure and print."""
    draw, taken, missed = random.Random(1), [], 0
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(keeping_browsers())
        model = stack.enter_context(thinking())
        model.reply = LONG
        environment = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none", "STREAM_TTS_ENGINE": "auto"}
        server = stack.enter_context(serving(data, STREAM_ENDPOINTING="adaptive", **environment))
        for _ in range(times):
            with visiting(server.url, room=True, record=True) as visit:
                visit.listen()
                visit.say(sound_file.read(draw.choice(CLIPS)))
                visit.phase("answering")
                visit.page.wait_for_timeout(draw.uniform(1000, 3000))
                pcm = sound_file.read(draw.choice(CLIPS))
                spoken_at = visit.page.evaluate(NOW)
                visit.say(pcm)
                visit.page.wait_for_timeout(700)
                silent_at = visit.page.evaluate(SILENT_SINCE, spoken_at)
                stopped_s = (silent_at or spoken_at) - spoken_at - onset_s(pcm)
                if stopped_s > 2.5:
                    missed += 1
                else:
                    taken.append(stopped_s * 1000)
    middle, late = (percentile(taken, percent) for percent in (50, 95))
    print(f"{times} interruptions: silent after {middle:.0f} ms (p50), {late:.0f} ms (p95); {missed} not within 2.5 s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
