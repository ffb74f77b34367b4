"""The conversation: it has the room, words that come move nothing, and what is not needed now is out of the way."""

import pytest

from tests.page.browser import visiting
from tests.page.script import Script, rising
from tests.page.test_looks import check
from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State

pytestmark = pytest.mark.real

WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value, sources }) =>
  [value, sources.map(({ node }) => node?.nodeName + "." + (node?.className ?? node?.parentNode?.className)).join()])))
  .observe({ type: "layout-shift", buffered: true });
"""

SHIFTS = """
() => new Promise((resolve) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(window.shifts.splice(0)), 50))))
"""

SAID = "what is the weather like in london today and what will it be like in the evening when i go out"
ANSWER = (
    "It will be mild in London today, about fourteen degrees. Rain is likely after nine in the evening, "
    "so take an umbrella."
)


def end(turn, outcome, heard):
    return m.StateChanged(turn=turn, state=State.COMPLETE), m.Done(
        turn=turn, outcome=outcome, remembered=True, heard=heard
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_words_that_come_move_nothing(server, width):
    with visiting(server.url, viewport={"width": width, "height": 740}, script=WATCH_SHIFTS) as visit:
        page = visit.page
        script = Script(page)
        visit.phase("ready")
        visit.switch("hands-free")
        script.wait_said("start")
        script.say(m.StateChanged(turn=1, state=State.CAPTURING))
        visit.phase("listening")
        page.evaluate(SHIFTS)
        # More turns than the screen holds, so that words come at its end as well.
        for turn in range(1, 6):
            words = SAID.split(" ")
            for count in range(1, len(words) + 1):
                text = " ".join(words[:count])
                script.say(m.Partial(turn=turn, keep=0, text=text, stable=len(text) // 2))
                page.wait_for_timeout(5)
            script.say(m.Final(turn=turn, text=SAID), m.StateChanged(turn=turn, state=State.THINKING))
            page.wait_for_timeout(20)
            for word in ANSWER.split(" "):
                script.say(m.Token(turn=turn, text=f"{word} "))
                page.wait_for_timeout(5)
            page.wait_for_selector(f".turn:nth-child({turn}) .assistant >> text=umbrella")
            assert page.evaluate(SHIFTS) == []
            script.say(*end(turn, Outcome.COMPLETED, len(ANSWER) + 1))
            script.say(m.StateChanged(turn=turn + 1, state=State.CAPTURING))
            page.wait_for_selector(f".turn:nth-child({turn + 1})")
            assert page.evaluate(SHIFTS) == []
        assert page.is_hidden("#latest"), "the end is in sight all the while"
        assert visit.trouble == []


def test_what_a_person_said_stands_in_bubbles_and_the_text_is_large_enough(server, model):
    model.reply = ANSWER
    for width, size in [(390, "17px"), (1280, "18px")]:
        with visiting(server.url, viewport={"width": width, "height": 740}) as visit:
            page = visit.page
            visit.phase("ready")
            page.fill("#text", "hello")
            page.keyboard.press("Enter")
            visit.over()
            style = "(one, name) => getComputedStyle(one)[name]"
            assert page.eval_on_selector(".you .words", style, "fontSize") == size
            assert page.eval_on_selector(".assistant .words", style, "fontSize") == size
            assert page.eval_on_selector(".you .words", style, "backgroundColor") != "rgba(0, 0, 0, 0)"
            assert page.eval_on_selector(".assistant .words", style, "backgroundColor") == "rgba(0, 0, 0, 0)"


def test_what_was_not_heard_is_behind_a_word(server):
    with visiting(server.url) as visit:
        page = visit.page
        script = Script(page)
        visit.phase("ready")
        page.fill("#text", "count")
        page.keyboard.press("Enter")
        script.wait_said("text")
        script.answer(1, "count", "One two three.", rising(2))
        script.say(*end(1, Outcome.CANCELLED, 4))
        unheard = page.locator(".unheard")
        unheard.wait_for()
        assert page.locator(".assistant .words").inner_text().strip() == "One"
        assert unheard.get_attribute("aria-expanded") == "false"
        unheard.click()
        assert unheard.get_attribute("aria-expanded") == "true"
        assert page.locator(".assistant .words").inner_text() == "One two three."
        assert page.eval_on_selector(".lost", "one => getComputedStyle(one).textDecorationLine") == "none"
        check(page, "what was not heard")
        unheard.click()
        assert not page.locator(".lost").is_visible()
        assert visit.trouble == []


def test_how_long_it_took_is_shown_to_who_wants_it_and_that_is_remembered(server, model):
    model.reply = "It is noon."
    with visiting(server.url) as visit:
        page = visit.page
        visit.phase("ready")
        page.fill("#text", "hello")
        page.keyboard.press("Enter")
        visit.over()
        assert not page.locator(".latency").is_visible()
        page.click("#open-settings")
        visit.switch("choose-timing")
        page.keyboard.press("Escape")
        assert page.locator(".latency").is_visible()
        page.reload()
        visit.phase("ready")
        page.fill("#text", "hello")
        page.keyboard.press("Enter")
        visit.over()
        page.wait_for_selector(".latency summary")


def test_who_has_scrolled_up_is_left_there_and_comes_back_by_a_press(server, model):
    model.reply = "It is wide and deep. " * 60
    with visiting(server.url, viewport={"width": 390, "height": 500}) as visit:
        page = visit.page
        script = Script(page)
        visit.phase("ready")
        page.fill("#text", "Tell me about the sea")
        page.keyboard.press("Enter")
        script.wait_said("text")
        script.answer(1, "Tell me about the sea", model.reply, rising(8))
        page.wait_for_function("() => document.querySelector('#scroller').scrollTop > 0")
        assert page.is_hidden("#latest")
        page.evaluate("document.querySelector('#scroller').scrollTop = 0")
        page.wait_for_selector("#latest")
        check(page, "scrolled up")
        script.say(m.Token(turn=1, text="And full of fish. " * 10))
        page.wait_for_selector(".assistant >> text=full of fish")
        assert page.evaluate("document.querySelector('#scroller').scrollTop") == 0
        page.click("#latest")
        page.wait_for_selector("#latest", state="hidden")
        assert page.evaluate(
            "one => one.scrollHeight - one.scrollTop - one.clientHeight < 2", page.query_selector("#scroller")
        )
        assert visit.trouble == []


def test_that_nothing_was_heard_stands_beside_the_button(server):
    with visiting(server.url) as visit:
        page = visit.page
        script = Script(page)
        visit.phase("ready")
        page.click("#talk")
        script.wait_said("start")
        script.say(m.StateChanged(turn=1, state=State.CAPTURING), *end(1, Outcome.EMPTY, 0))
        page.wait_for_selector("#notes >> text=I heard no words")
        note, button = page.locator("#notes").bounding_box(), page.locator("#talk").bounding_box()
        assert 0 < button["y"] - note["y"] - note["height"] < 60
        assert page.locator("main .notice").count() == 0


def test_an_answer_that_failed_says_why_and_is_tried_again_by_a_press(server):
    with visiting(server.url) as visit:
        page = visit.page
        script = Script(page)
        visit.phase("ready")
        page.fill("#text", "What time is it?")
        page.keyboard.press("Enter")
        script.wait_said("text")
        failure = m.Error(turn=1, code=m.ErrorCode.LLM_FAIL, message="The model's server is gone.", recoverable=True)
        script.say(m.StateChanged(turn=1, state=State.THINKING), failure, *end(1, Outcome.FAILED, 0))
        shown = page.locator(".ending.failure")
        shown.wait_for()
        assert shown.locator(".caption").inner_text() == "The language model failed. The model's server is gone."
        check(page, "failed")
        shown.get_by_role("button", name="Try again").click()
        script.wait_said("text", 2)
        assert script.said("text")[1]["text"] == "What time is it?"
        script.say(
            m.StateChanged(turn=2, state=State.THINKING), m.Token(turn=2, text="Noon."), *end(2, Outcome.COMPLETED, 5)
        )
        page.wait_for_selector(".turn:nth-child(2) .assistant >> text=Noon.")
        assert page.locator(".ending.failure:not([hidden])").count() == 1
        assert visit.trouble == []
