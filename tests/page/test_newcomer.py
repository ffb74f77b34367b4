"""Somebody's first minutes, without any language model: all of it spoken, with the real recognizer and the real voice.

Each line is said once the page listens and nothing sounds any more, so nothing depends on how fast the machine is.
"""

import re

import numpy as np
import pytest

from tests.page.browser import visiting
from tests.page.server import serving
from tools.utterances import speak
from voice_trio.core import messages as m
from voice_trio.core.messages import Origin, Outcome

pytestmark = pytest.mark.real

LATE_S = 120
"""What takes longer has gone wrong, however busy the machine is."""
PATIENCE = {f"STREAM_{stage}_TIMEOUT_S": "60" for stage in ("ASR", "TOOL", "TTS")}
FAINT = 1e-3

SOUNDED_S = """
(() => {
  const { blocks, rate } = window.heard;
  return blocks.reduce((sum, { samples }) => sum + samples.filter((one) => Math.abs(one) > FAINT).length, 0) / rate;
})()
""".replace("FAINT", str(FAINT))
HEARD_SHARE = 0.8
"""Of what is spoken: a browser on a busy machine loses some of it now and then."""


class Newcomer:
    """Somebody who talks to the page, and hears what it says."""

    def __init__(self, visit):
        self.visit = visit
        self._answers = 0

    def say(self, words):
        """Say ``words``; return when they are said."""
        self.visit.say(speak(words))

    def hear(self, outcome=Outcome.COMPLETED):
        """Wait until the next turn is over; return its number, the person's words and the answer, as shown."""
        self._answers += 1
        self.visit.over(self._answers, LATE_S)
        done = [done for done in self.visit.all(m.Done) if done.outcome is not Outcome.EMPTY][self._answers - 1]
        assert done.outcome is outcome
        shown = self.visit.page.locator(".turn").nth(self._answers - 1)
        texts = [shown.locator(f".{one} .words").text_content().strip() for one in ("you", "assistant")]
        return done.turn, *texts

    def ask(self, words):
        """Say ``words``; return the answer, once it has sounded and the page listens again."""
        before_s = self.sounded_s()
        self.say(words)
        turn, _, answer = self.hear()
        self.wait_sounded(turn, before_s)
        self.visit.phase("waiting", LATE_S)
        return answer

    def sounded_s(self):
        """Return how long there was sound by now, in all."""
        return self.visit.page.evaluate(SOUNDED_S)

    def wait_sounded(self, turn, before_s):
        """Wait until what was spoken in ``turn`` was heard, since there had been ``before_s`` of sound."""
        pcm = b"".join(chunk.pcm for chunk in self.visit.all(m.TtsChunk) if chunk.turn == turn)
        rate = self.visit.all(m.TtsPhrase)[0].sample_rate
        spoken_s = np.count_nonzero(np.abs(np.frombuffer(pcm, "<i2") / 32768) > FAINT) / rate
        assert spoken_s > 0.2
        enough_s = before_s + HEARD_SHARE * spoken_s
        self.visit.page.wait_for_function(f"enough => {SOUNDED_S} >= enough", arg=enough_s, timeout=LATE_S * 1000)


@pytest.fixture
def newcomer(tmp_path):
    """Somebody who has just opened the page of a server without a language model, hands-free."""
    with (
        serving(tmp_path, STREAM_LLM_ENGINE="none", STREAM_TTS_ENGINE="auto", **PATIENCE) as server,
        visiting(server.url, room=True, record=True) as visit,
    ):
        visit.listen()
        yield Newcomer(visit)
        assert visit.trouble == []
        assert visit.all(m.Error) == []


def test_a_newcomer_is_served_without_any_language_model(newcomer):
    visit, page = newcomer.visit, newcomer.visit.page
    assert re.fullmatch(r"It is \d+:\d\d [AP]M (on \w+ )?in Tokyo\.", newcomer.ask("What time is it in Tokyo?"))

    assert newcomer.ask("Set a timer for ten seconds.") == "I set a timer for ten seconds."
    before_s = newcomer.sounded_s()
    told, _, words = newcomer.hear()
    assert words == "Your ten-second timer is up."
    assert next(one for one in visit.all(m.StateChanged) if one.turn == told).origin is Origin.TIMER
    newcomer.wait_sounded(told, before_s)
    visit.phase("waiting", LATE_S)
    assert page.is_hidden("#timers")

    assert newcomer.ask("Add milk and bread to my shopping list.") == "I added milk and bread to your shopping list."
    assert newcomer.ask("What is on my shopping list?") == "On your shopping list are milk and bread."
    assert newcomer.ask("How many kilometers are five miles?") == "5 miles are about 8.047 kilometers."
    assert newcomer.ask("What is fifteen percent of eighty?").endswith("of eighty is 12.")

    newcomer.say("Tell me a story.")
    page.wait_for_selector(".turn:last-child .said:not(:empty)", timeout=LATE_S * 1000)
    newcomer.say("Stop talking.")
    story, _, words = newcomer.hear(Outcome.INTERRUPTED)
    done = next(done for done in visit.all(m.Done) if done.turn == story)
    assert words.startswith("The lighthouse")
    assert 0 < done.heard < len(words)
    _, said, words = newcomer.hear()
    assert (said, words) == ("Stop talking.", "Okay.")
    visit.phase("waiting", LATE_S)

    assert newcomer.ask("What did I say before?") == "You said: Stop talking."
