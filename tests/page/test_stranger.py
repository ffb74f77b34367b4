"""A stranger's first visit, from a fresh profile: what the page says, a talk, another voice, and the talk found again.

Everything is real but the room: the recognizer, the voice, the skills, the store.
"""

import pytest

from tests.page.test_conversations import open_drawer, said, titles
from tests.page.test_newcomer import LATE_S, newcomer as newcomer
from voice_trio.core.messages import Outcome

pytestmark = pytest.mark.real


def test_a_stranger_talks_changes_the_voice_and_finds_the_talk_again(newcomer):
    visit, page = newcomer.visit, newcomer.visit.page
    assert "A voice assistant on your own machine" in page.inner_text("#welcome")

    assert newcomer.ask("How many kilometers are five miles?") == "5 miles are about 8.047 kilometers."
    newcomer.say("Tell me a story.")
    page.wait_for_selector(".turn:last-child .said:not(:empty)", timeout=LATE_S * 1000)
    newcomer.say("Stop talking.")
    newcomer.hear(Outcome.INTERRUPTED)
    assert newcomer.hear()[2] == "Okay."
    visit.phase("waiting", LATE_S)

    page.click("#open-settings")
    voices = page.locator("#choose-voice option").evaluate_all("all => all.map(({ value }) => value)")
    another = next(voice for voice in voices if voice and voice not in ("heart", "auto"))
    page.select_option("#choose-voice", another)
    page.click("#settings .end .main")
    assert newcomer.ask("How many kilometers are ten miles?") == "10 miles are about 16.09 kilometers."
    assert [one.get("voice") for one in visit.sent if one["type"] == "start"][-1] == another

    before = said(page)
    page.reload()
    page.wait_for_function("n => document.querySelectorAll('.you').length === n", arg=len(before))
    assert said(page) == before
    assert open_drawer(page, 1)[0].startswith("How many kilometers")
    page.click(".drawer .open")
    page.wait_for_selector(".drawer", state="hidden")
    visit.listen(LATE_S)
    newcomer.say("What time is it in Tokyo?")
    page.wait_for_selector(".turn:last-child .assistant >> text=/in Tokyo\\.$/", timeout=LATE_S * 1000)
    visit.phase("waiting", LATE_S)
    assert said(page) == [*before, "What time is it in Tokyo?"]

    assert len(open_drawer(page, 1)) == 1
    page.click(".drawer .remove")
    titles(page, 0)
    page.keyboard.press("Escape")
    page.wait_for_selector("#welcome:not([hidden])")
    page.reload()
    visit.phase("ready", LATE_S)
    assert open_drawer(page, 0) == []
