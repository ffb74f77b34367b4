"""Somebody speaks into a reply, or goes on before one: what the page then plays, shows and tells."""

import numpy as np
import pytest

from tests.page.browser import Heard, visiting, write_speech
from tests.page.script import RATE, Script, rising
from tests.page.server import ROOT
from tests.page.test_looks import check
from tests.page.test_talking import assert_same_sound
from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State

pytestmark = pytest.mark.real

QUESTION = ROOT / "examples" / "question.wav"
SECOND = ROOT / "tests" / "clips" / "travel.wav"
FAINT = 4
REPLY = "One two three four five six seven eight nine ten."

WATCH = """
addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    const { heard } = window;
    if (document.body.dataset.phase === "held") heard.heldAt ??= heard.context.currentTime;
  }).observe(document.body, { attributeFilter: ["data-phase"] });
});
"""

UNTIL_SILENT_S = """
() => {
  const { blocks, rate, heldAt } = window.heard;
  const last = blocks.findLast(({ samples }) => samples.some((one) => one));
  return (last.frame + last.samples.length) / rate - heldAt;
}
"""


@pytest.fixture
def talk(server):
    """A page that is hands-free, whose first turn has begun at a server that a script plays."""
    with visiting(server.url, record=True, script=WATCH) as visit:
        script = Script(visit.page)
        visit.phase("ready")
        visit.switch("hands-free")
        script.wait_said("start")
        script.say(m.StateChanged(turn=1, state=State.CAPTURING))
        visit.phase("listening")
        yield visit, script


def done(turn, outcome, heard):
    return (
        m.StateChanged(turn=turn, state=State.COMPLETE),
        m.Done(turn=turn, outcome=outcome, remembered=True, heard=heard),
    )


def held(talk):
    """Have a reply sound for a second and then stand still; return the page and the server."""
    visit, script = talk
    script.answer(1, "Count.", REPLY, rising(4))
    visit.phase("answering")
    visit.page.wait_for_timeout(1000)
    script.say(m.Hold(turn=1, sample=RATE))
    visit.phase("held")
    return visit, script


def parts(heard, least_s=0.2):
    """Return the sound before and after the longest silence, which lasts ``least_s`` at least."""
    silent = np.concatenate([[False], np.abs(heard.samples) == 0, [False]])
    edges = np.flatnonzero(np.diff(silent.astype(int)))
    begin, end = max(zip(edges[::2], edges[1::2], strict=True), key=lambda pair: pair[1] - pair[0])
    assert (end - begin) / heard.rate > least_s
    return heard.samples[:begin], heard.samples[end:]


def assert_same_around_silence(heard, sound):
    """``heard`` is ``sound`` with a silence in it, beside which a few samples are too faint to be told from it."""
    before, after = parts(heard)
    for faint in range(FAINT + 1):
        joined = np.concatenate([before, np.zeros(faint), after])
        try:
            assert_same_sound(Heard(heard.rate, joined, None), sound, RATE)
        except AssertionError:
            if faint == FAINT:
                raise
        else:
            return


def test_a_held_reply_stands_still_and_goes_on_without_a_click_by_the_person(talk):
    visit, script = talk
    page = visit.page
    sound = rising(4)
    script.answer(1, "Count.", REPLY, sound)
    visit.phase("answering")
    page.wait_for_timeout(1000)
    before = script.audio_bytes
    script.say(m.Hold(turn=1, sample=RATE))
    visit.phase("held")
    page.wait_for_timeout(800)
    assert page.inner_text("#phase") == "Paused, listening"
    assert page.get_attribute("#talk", "aria-label").startswith("Paused, listening")
    assert page.evaluate(UNTIL_SILENT_S) < 0.2
    played = script.said("played")[-1]["samples"]
    heard = visit.heard()
    assert np.count_nonzero(heard.samples) / heard.rate == pytest.approx(played / RATE, abs=0.03)
    check(page, "held")
    assert script.audio_bytes > before, "the microphone is heard while the reply sounds, and while it is held"

    script.say(m.Release(turn=1, sample=RATE))
    visit.phase("answering")
    script.say(*done(1, Outcome.COMPLETED, len(REPLY)))
    visit.over()
    assert page.inner_text(".assistant .words") == REPLY
    assert page.locator(".lost").count() == 0
    heard = visit.heard()
    assert_same_around_silence(heard, sound)
    assert len(script.said("start")) == 1
    assert script.said("cancel") == []
    assert visit.trouble == []


def test_a_reply_that_stands_still_can_be_silenced_for_good(talk):
    visit, script = held(talk)
    page = visit.page
    before = np.count_nonzero(visit.heard().samples)
    page.keyboard.press("Escape")
    script.wait_said("cancel")
    script.say(*done(1, Outcome.CANCELLED, 8))
    # Hands-free goes on behind it.
    script.wait_said("start", 2)
    page.wait_for_timeout(500)
    heard = visit.heard()
    assert np.count_nonzero(heard.samples) - before < 0.1 * heard.rate
    assert page.text_content(".said") == REPLY[:8]
    assert visit.trouble == []


def test_an_interrupted_reply_is_cut_and_what_was_not_heard_is_folded_away(talk):
    visit, script = held(talk)
    page = visit.page
    script.say(*done(1, Outcome.INTERRUPTED, 8), m.StateChanged(turn=2, state=State.CAPTURING))
    visit.phase("listening")
    script.say(m.Partial(turn=2, keep=0, text="no the", stable=0))
    page.wait_for_selector(".turn:nth-child(2) .you >> text=no the")
    assert page.text_content(".said") == REPLY[:8]
    assert page.locator(".lost").text_content() == REPLY[8:]
    assert page.inner_text(".caption:not([hidden])") == "Interrupted."
    assert not page.locator(".lost").is_visible()
    answer = rising(1, 1500)
    script.answer(2, "No, the other one.", "Well.", answer)
    script.say(*done(2, Outcome.COMPLETED, 5))
    visit.over(2)
    heard = visit.heard()
    first, second = parts(heard, 0.0)
    assert len(first) / heard.rate < 2.5, "the rest of the first reply is not heard"
    assert_same_sound(Heard(heard.rate, second, None), answer, RATE)
    assert visit.trouble == []


def test_the_reply_to_what_was_typed_in_between_can_be_spoken_into_too(talk):
    visit, script = talk
    page = visit.page
    script.answer(1, "Count.", REPLY, rising(4))
    visit.phase("answering")
    page.fill("#text", "And in words?")
    page.keyboard.press("Enter")
    script.wait_said("text")
    assert (len(script.said("cancel")), script.said("text")[0]["hands_free"]) == (1, True)
    script.say(*done(1, Outcome.CANCELLED, 4), m.StateChanged(turn=2, state=State.THINKING))
    script.answer(2, "And in words?", REPLY, rising(4))
    visit.phase("answering")
    assert page.inner_text("#phase") == "Press or speak to interrupt"
    script.say(m.Hold(turn=2, sample=RATE))
    visit.phase("held")
    script.say(*done(2, Outcome.INTERRUPTED, 8), m.StateChanged(turn=3, state=State.CAPTURING))
    visit.phase("listening")
    script.answer(3, "Never mind.", "Well.", rising(1, 1500))
    script.say(*done(3, Outcome.COMPLETED, 5))
    visit.over(3)
    # The server listens by itself, as it was asked to at first.
    assert len(script.said("start")) == 1
    assert visit.trouble == []


def test_where_the_server_was_not_told_that_it_may_be_nobody_is_asked_to_speak_into_a_reply(server):
    with visiting(server.url) as visit:
        page = visit.page
        script = Script(page)
        visit.phase("ready")
        page.fill("#text", "Count.")
        page.keyboard.press("Enter")
        script.wait_said("text")
        assert script.said("text")[0]["hands_free"] is False
        script.say(m.StateChanged(turn=1, state=State.THINKING))
        script.answer(1, "Count.", REPLY, rising(4))
        visit.phase("answering")
        visit.switch("hands-free")
        assert page.inner_text("#phase") == "Press to interrupt"
        script.say(*done(1, Outcome.COMPLETED, len(REPLY)))
        script.wait_said("start")
        assert script.said("start")[0]["mode"] == "hands_free"
        assert visit.trouble == []


def test_a_turn_that_is_opened_again_shows_and_says_only_what_is_new(talk):
    visit, script = talk
    page = visit.page
    script.answer(1, "Call my.", "Whom?", rising(3))
    visit.phase("answering")
    script.wait_said("played")
    script.say(m.Reopened(turn=1, revision=1), m.StateChanged(turn=1, state=State.CAPTURING))
    visit.phase("listening")
    assert page.text_content(".you .words") == ""
    assert page.text_content(".assistant .words") == ""
    # What was said of the reply that is void came before this.
    told = len(script.said("played"))
    page.wait_for_timeout(600)
    assert len(script.said("played")) == told
    script.say(m.Partial(turn=1, keep=0, text="call my mother", stable=7))
    page.wait_for_selector(".you >> text=call my mother")
    answer = rising(1.5, 1500)
    script.answer(1, "Call my mother.", "I do.", answer)
    script.say(*done(1, Outcome.COMPLETED, 5))
    visit.over()
    assert page.locator(".turn").count() == 1
    assert page.inner_text(".you .words") == "Call my mother."
    assert page.inner_text(".assistant .words") == "I do."
    assert all(message["samples"] <= len(answer) for message in script.said("played")[told:])
    heard = visit.heard()
    assert_same_sound(Heard(heard.rate, parts(heard)[1], None), answer, RATE)
    assert visit.trouble == []


def test_a_person_who_does_not_want_to_interrupt_says_so_to_the_server(server):
    with visiting(server.url) as visit:
        page = visit.page
        script = Script(page)
        visit.phase("ready")
        page.click("#open-settings")
        assert page.is_checked("#choose-bargeIn")
        visit.switch("choose-bargeIn", on=False)
        page.keyboard.press("Escape")
        page.reload()
        visit.phase("ready")
        assert not page.is_checked("#choose-bargeIn")
        visit.switch("hands-free")
        script.wait_said("start")
        assert script.said("start")[-1]["barge_in"] is False


def test_a_second_question_into_the_answer_stops_it_and_is_answered(server, model, tmp_path):
    """With the real server, recognizer and voice: nothing is scripted but the language model's words."""
    model.reply = "Let me tell you about the sea. " + "It is wide and deep, and nobody has ever seen its end. " * 8
    # So late that the reply sounds, however busy the machine is, and so early that it does so still.
    speech = write_speech(tmp_path / "two.wav", 0.6, QUESTION, 12.0, SECOND, 60.0)
    with visiting(server.url, speech, record=True) as visit:
        page = visit.page
        visit.phase("ready")
        visit.switch("hands-free")
        visit.phase("answering", seconds=60)
        model_reply, model.reply = model.reply, "It is noon."
        visit.phase("held", seconds=60)
        visit.over(2, seconds=90)
        first, second = visit.all(m.Done)[:2]
        assert (first.outcome, second.outcome) == (Outcome.INTERRUPTED, Outcome.COMPLETED)
        assert 0 < first.heard < len(model_reply)
        shown = page.locator(".turn").first
        assert "".join(shown.locator(".said").all_text_contents()) == model_reply[: first.heard]
        asked = page.locator(".you .words").all_text_contents()
        assert "weather" in asked[0].lower()
        assert "chicago" in asked[1].lower()
        assert "how long" in asked[1].lower(), "the first words, which were spoken into the reply"
        assert page.locator(".turn").nth(1).locator(".assistant .words").inner_text().strip() == "It is noon."
        heard = visit.heard()
        before, after = parts(heard, 1.0)
        assert len(before) / heard.rate > 2
        assert len(after) / heard.rate < 6, "of the first reply nothing is left to hear"
        assert visit.trouble == []
