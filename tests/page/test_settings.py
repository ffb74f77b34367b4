"""The settings as a person reads them: what each of them does, and that it is remembered."""

import numpy as np
import pytest

from tests.page.browser import visiting, write_speech
from tests.page.server import ROOT, serving
from tests.page.test_looks import SCHEMES, check
from voice_trio import sound_file

pytestmark = pytest.mark.real

KEEP_STREAMS = """
const ask = navigator.mediaDevices.getUserMedia;
navigator.mediaDevices.getUserMedia = async function (wanted) {
  return (window.stream = await ask.call(this, wanted));
};
"""

LOUDEST = "() => Math.max(0, ...window.heard.blocks.map(({ samples }) => Math.max(...samples.map(Math.abs))))"


def open_settings(visit):
    visit.page.click("#open-settings")
    visit.page.wait_for_selector("#engine-recognizer option", state="attached")


def heard_in_a_test(visit):
    """Have the microphone tested in a room in which somebody speaks once it is open."""
    visit.page.click("#test-microphone")
    visit.page.wait_for_selector("#microphone-level >> text=/Say something|next to nothing/")
    visit.say(sound_file.read(ROOT / "examples" / "question.wav"))
    visit.page.wait_for_selector("#microphone-level >> text=It hears you.")


def chosen_silence(page):
    return page.eval_on_selector("#choose-silenceMs", "one => one.selectedOptions[0].text")


def close_settings(page):
    page.click("#settings .end button")
    page.wait_for_selector("#settings", state="hidden")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_groups_with_headings_from_end_to_end_and_done_in_reach(server, scheme, width):
    look = {"viewport": {"width": width, "height": 640}, "color_scheme": scheme, "reduced_motion": "reduce"}
    with visiting(server.url, room=True, **look) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(visit)
        headings = page.locator("#settings h3").all_inner_texts()
        assert headings == ["Voice", "Microphone and sound", "Conversation", "Model", "Appearance"]
        heard_in_a_test(visit)
        check(page, "settings, with a test under way")
        for place in (0, 1e6):
            page.evaluate("place => { document.querySelector('#settings').scrollTop = place; }", place)
            done = page.locator("#settings .end button").bounding_box()
            assert done["y"] + done["height"] <= 640
        assert page.eval_on_selector("#settings", "one => one.scrollWidth <= one.clientWidth")
        close_settings(page)
        page.wait_for_function("() => document.activeElement.id === 'talk'")
        assert visit.trouble == []


def test_a_theme_is_used_at_once_and_remembered(server):
    def looks(page):
        return page.evaluate(
            "[getComputedStyle(document.documentElement).colorScheme, getComputedStyle(document.body).backgroundColor]"
        )

    with visiting(server.url, color_scheme="light") as visit:
        page = visit.page
        visit.phase("ready")
        as_the_system = looks(page)
        assert as_the_system[0] == "light dark"
        open_settings(visit)
        page.select_option("#choose-theme", "dark")
        dark = looks(page)
        assert dark[0] == "dark"
        assert dark[1] != as_the_system[1]
        page.reload()
        visit.phase("ready")
        assert looks(page) == dark
        open_settings(visit)
        assert page.input_value("#choose-theme") == "dark"
        page.select_option("#choose-theme", "")
        assert looks(page) == as_the_system


def test_the_volume_is_that_of_the_answers(server, model):
    model.reply = "It is noon."
    with visiting(server.url, record=True) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(visit)
        page.fill("#choose-volume", "0.5")
        assert page.inner_text("#volume-value") == "50 %"
        close_settings(page)
        page.fill("#text", "What time is it?")
        page.keyboard.press("Enter")
        visit.over()
        spoken, _ = visit.spoken()
        assert page.evaluate(LOUDEST) == pytest.approx(abs(spoken).max() / 2, rel=0.1)


def test_what_is_muted_says_so_and_stays_silent(server, model):
    model.reply = "It is noon."
    with visiting(server.url, record=True) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(visit)
        visit.switch("choose-muted")
        close_settings(page)
        page.reload()
        visit.phase("ready")
        assert "The voice is muted." in page.inner_text("#notes")
        page.fill("#text", "What time is it?")
        page.keyboard.press("Enter")
        visit.over()
        assert page.inner_text(".assistant .words").strip() == "It is noon."
        assert page.evaluate("window.heard.blocks.length") > 0
        assert page.evaluate(LOUDEST) == 0
        open_settings(visit)
        page.click("#test-output")
        page.wait_for_selector("#output-said >> text=It is muted")
        visit.switch("choose-muted", on=False)
        assert page.inner_text("#notes") == ""


def test_a_loudspeaker_is_chosen_and_tried(server):
    with visiting(server.url, record=True, permissions=["microphone"]) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(visit)
        page.wait_for_function("() => document.querySelector('#choose-output').options.length > 1")
        page.select_option("#choose-output", index=1)
        chosen = page.input_value("#choose-output")
        page.click("#test-output")
        page.wait_for_selector("#output-said >> text=Two notes sound now.")
        page.wait_for_function("() => document.querySelector('#output-said').textContent === ''")
        assert page.evaluate("window.heard.context.sinkId") == chosen
        heard = visit.heard()
        assert 0.5 < len(heard.samples) / heard.rate < 1.0
        # Both notes.
        pieces = np.array_split(heard.samples, 2)
        peaks = [np.argmax(abs(np.fft.rfft(piece))) * heard.rate / len(piece) for piece in pieces]
        assert peaks == pytest.approx([587, 880], abs=15)


def test_the_microphone_is_tried_and_let_go(server):
    with visiting(server.url, room=True, script=KEEP_STREAMS) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(visit)
        assert not page.is_visible("#microphone-level")
        heard_in_a_test(visit)
        assert page.evaluate("window.stream.getTracks()[0].readyState") == "live"
        page.click("#test-microphone")
        assert not page.is_visible("#microphone-level")
        assert page.evaluate("window.stream.getTracks()[0].readyState") == "ended"
        page.click("#test-microphone")
        page.wait_for_function("() => window.stream.getTracks()[0].readyState === 'live'")
        page.keyboard.press("Escape")
        page.wait_for_function("() => window.stream.getTracks()[0].readyState === 'ended'")
        assert visit.sent == [], "and the server heard nothing of it"
        assert visit.trouble == []


def test_a_microphone_that_hears_nothing_is_told(server, tmp_path):
    with visiting(server.url, write_speech(tmp_path / "quiet.wav", 30.0)) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(visit)
        page.click("#test-microphone")
        page.wait_for_selector("#microphone-level >> text=/Nothing comes from it|It hears next to nothing/")


def test_why_a_microphone_cannot_be_tried_is_told_beside_it(server):
    with visiting(server.url, allowed=False) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(visit)
        page.click("#test-microphone")
        page.wait_for_selector("#microphone-level >> text=The microphone is not allowed.")
        assert page.inner_text("#test-microphone") == "Test"
        close_settings(page)
        open_settings(visit)
        assert not page.is_visible("#microphone-level")


def test_a_silence_has_its_default(server):
    with visiting(server.url) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(visit)
        assert chosen_silence(page) == "0.7 s, default"
        assert not page.is_visible("#silence-hint")
        page.select_option("#choose-silenceMs", "1200")
        page.reload()
        visit.phase("ready")
        assert chosen_silence(page) == "1.2 s"


def test_a_silence_is_explained_where_pauses_are_weighed(tmp_path):
    with serving(tmp_path, STREAM_ENDPOINTING="adaptive", STREAM_LLM="none") as server, visiting(server.url) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(visit)
        assert chosen_silence(page) == "Automatic, default"
        assert "every pause is measured by that alone" in page.inner_text("#silence-hint")
