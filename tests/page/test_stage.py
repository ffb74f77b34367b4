"""The stage: what goes on is seen from across the room, and the controls leave the room to the conversation."""

import pytest

from tests.page.browser import visiting, write_speech
from tests.page.script import RATE, Script, rising
from tests.page.server import ROOT, serving
from tests.page.test_looks import SCHEMES, check
from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State

pytestmark = pytest.mark.real

ASKED = "Tell me about the sea and about the ships that lie on its ground"
SEA = "It is wide and deep, and nobody has seen its end.\n\n- It has fish.\n- It has ships.\n\n" * 3
REPLY = "One two three four five six seven eight nine ten."
LOOKS = {"wide": (1280, 800), "narrow": (390, 844), "landscape": (844, 390)}
ICONS = {"ready": "mic", "listening": "mic", "thinking": "dots", "answering": "stop", "held": "pause"}


REACHES = r"""
([least, most]) => {
  const points = ["orb-body", "orb-halo"].flatMap((id) =>
    [...document.getElementById(id).getAttribute("d").matchAll(/(-?[\d.]+),(-?[\d.]+)/g)]);
  const far = Math.max(...points.map(([, x, y]) => Math.hypot(x, y)));
  return far >= least && far <= most;
}
"""


def icon(page):
    """The signs that are seen on the large button."""
    return page.eval_on_selector_all(
        "#talk .icon", "all => all.filter(one => one.checkVisibility()).map(one => one.classList[1])"
    )


def outline(page):
    """The orb as it is drawn, its colour included."""
    return page.evaluate(
        "['orb-body', 'orb-halo'].map(id => document.getElementById(id)).map(one => "
        "[one.getAttribute('d'), getComputedStyle(one).fill, getComputedStyle(one).strokeWidth].join()).join()"
    )


def walk(visit):
    """Go through the phases of one turn at a server that a script plays; yield each when the page is in it."""
    script = Script(visit.page)
    visit.phase("ready")
    yield "ready", script
    visit.switch("hands-free")
    script.wait_said("start")
    script.say(m.StateChanged(turn=1, state=State.CAPTURING))
    visit.phase("listening")
    yield "listening", script
    script.say(m.Partial(turn=1, keep=0, text="count", stable=0), m.StateChanged(turn=1, state=State.THINKING))
    visit.phase("thinking")
    yield "thinking", script
    script.answer(1, "Count.", REPLY, rising(8))
    visit.phase("answering")
    yield "answering", script
    script.say(m.Hold(turn=1, sample=RATE))
    visit.phase("held")
    yield "held", script
    script.say(m.StateChanged(turn=1, state=State.COMPLETE))
    script.say(m.Done(turn=1, outcome=Outcome.INTERRUPTED, remembered=True, heard=8))
    visit.phase("waiting")
    yield "waiting", script


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", LOOKS)
def test_each_phase_has_a_shape_a_sign_and_words_of_its_own_and_leaves_room(server, name, scheme):
    width, height = LOOKS[name]
    look = {"viewport": {"width": width, "height": height}, "color_scheme": scheme, "reduced_motion": "reduce"}
    seen, words = {}, {}
    with visiting(server.url, **look) as visit:
        page = visit.page
        for phase, _ in walk(visit):
            page.wait_for_timeout(100)
            seen[phase], words[phase] = outline(page), page.inner_text("#phase")
            assert icon(page) == [ICONS.get(phase, "mic")]
            check(page, phase)
            taken = page.locator("footer").bounding_box()
            assert taken["y"] + taken["height"] == pytest.approx(height, abs=1)
            assert taken["height"] <= height * (0.25 if name == "landscape" else 0.2), phase
            # In one row: whatever is pressed or typed lies beside the large button.
            middle = page.locator("#talk").bounding_box()
            for one in ["#text", "#stage .switch"]:
                box = page.locator(one).bounding_box()
                assert box["y"] >= middle["y"] - 1
                assert box["y"] + box["height"] <= middle["y"] + middle["height"] + 1
            page.wait_for_timeout(200)
            assert outline(page) == seen[phase], "who wants no motion sees none"
        assert len(set(seen.values())) == len(seen)
        assert words.pop("listening") == words["waiting"] == "Listening for you"
        assert len(set(words.values())) == len(words)
        assert words["answering"] == "Press or speak to interrupt"
        assert visit.trouble == []


def test_the_orb_follows_the_microphone_and_then_the_answer(server, tmp_path):
    """By how far it reaches, in units of which the button's edge is 50: noise alone leaves it small."""
    # Long enough that a busy machine is not too late for it.
    speech = write_speech(tmp_path / "thrice.wav", 1.0, *[ROOT / "examples" / "question.wav"] * 3, 30.0)
    with visiting(server.url, speech) as visit:
        page = visit.page
        for phase, _ in walk(visit):
            if phase == "listening":
                page.wait_for_function(REACHES, arg=[51, 99])
                page.wait_for_function(REACHES, arg=[0, 47])
            elif phase == "answering":
                page.wait_for_function(REACHES, arg=[50, 99])
            elif phase == "held":
                page.wait_for_function(REACHES, arg=[0, 46.5])
                break
        assert visit.trouble == []


SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value, sources }) =>
  [value, sources.map(({ node }) => node?.parentElement?.outerHTML.slice(0, 200))])))
  .observe({ type: "layout-shift", buffered: true });
"""
PICTURE = "() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))"


@pytest.mark.parametrize("name", LOOKS)
def test_words_that_come_move_nothing_that_is_there(server, name):
    """As browsers reckon layout shifts, with nothing forgiven for having been asked for."""
    width, height = LOOKS[name]
    with visiting(server.url, viewport={"width": width, "height": height}) as visit:
        page = visit.page
        said = ASKED.split()
        script = next(script for phase, script in walk(visit) if phase == "listening")
        script.say(m.Partial(turn=1, keep=0, text=said[0], stable=0))
        page.wait_for_selector(f".you .words >> text={said[0]}")
        page.evaluate(SHIFTS)
        for count in range(1, len(said) + 1):
            words = " ".join(said[:count])
            script.say(m.Partial(turn=1, keep=0, text=words, stable=len(words) // 2))
            page.wait_for_selector(f".you .words >> text={words}")
            page.evaluate(PICTURE)
        script.answer(1, ASKED, SEA, rising(8))
        page.wait_for_selector(".now")
        for _ in range(20):
            page.evaluate(PICTURE)
        assert page.evaluate("window.shifts") == []
        assert visit.trouble == []


def test_what_cannot_be_used_looks_so(tmp_path):
    with serving(tmp_path, STREAM_AUTH_TOKEN="sesame") as server, visiting(server.url) as visit:
        page = visit.page
        page.wait_for_selector("#token-form:not([hidden])")
        for one in ["#talk", "#text", "#hands-free", "#send", "#chips button >> nth=0"]:
            assert page.is_disabled(one), one
        assert icon(page) == ["off"]
        page.fill("#token", "sesame")
        page.keyboard.press("Enter")
        visit.phase("ready")
        assert icon(page) == ["mic"]
        assert page.is_disabled("#send"), "there is nothing to send"
        page.fill("#text", "hello")
        assert page.is_enabled("#send")
        page.fill("#text", "  ")
        assert page.is_disabled("#send")
        server.kill()
        visit.phase("offline")
        assert icon(page) == ["off"]
        assert page.get_attribute("#talk", "aria-disabled") == "true"
        assert "Reconnecting automatically" in page.inner_text("#phase")
        check(page, "offline")
