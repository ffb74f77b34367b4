"""The first view and its three things to try; what is at work, another one please, and how a voice sounds."""

from typing import Any

import pytest

from tests.page.browser import visiting
from tests.page.server import serving
from tests.page.test_looks import SCHEMES, check
from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A server without a language model, and with no better recognizer."""
    with serving(tmp_path_factory.mktemp("bare"), STREAM_ASR_ENGINE="auto", STREAM_LLM_ENGINE="synthetic") as server:
        yield server


def open_settings(page):
    page.click("#open-settings")
    page.wait_for_selector("#engine-language_model option", state="attached")


def test_the_first_view_says_what_this_is_and_a_press_tries_it(server, model):
    model.reply = "One, two, three."
    with visiting(server.url, viewport={"width": 320, "height": 640}) as visit:
        page = visit.page
        visit.phase("ready")
        assert "A voice assistant on your own machine" in page.inner_text("#welcome")
        chips = page.locator("#chips button")
        assert chips.count() == 3
        assert page.locator(".notice").count() == 0
        chips.get_by_text("Count to ten").click()
        page.wait_for_selector(".turn")
        assert not page.is_visible("#welcome")
        visit.over()
        assert page.inner_text(".you .words") == "Count to ten"
        assert model.asked[-1][-1]["content"] == "Count to ten"
        page.click("#new")
        page.wait_for_selector("#chips")
        assert visit.trouble == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_limited_is_one_quiet_line_that_leads_to_what_to_do(bare, scheme):
    look = {"viewport": {"width": 320, "height": 640}, "color_scheme": scheme, "reduced_motion": "reduce"}
    with visiting(bare.url, **look) as visit:
        page = visit.page
        page.wait_for_selector("#limits:not([hidden])")
        assert page.inner_text("#limits").startswith("No language model yet")
        assert page.locator(".notice").count() == 0
        assert page.locator("#limits").evaluate("chip => chip.getClientRects().length") == 1
        check(page, "at rest, with limits")
        page.click("#limits")
        page.wait_for_selector("#setup .better:not([hidden])")
        check(page, "what would make it better")
        page.keyboard.press("Escape")
        page.wait_for_selector("#setup", state="hidden")
        assert page.evaluate("document.activeElement.id") == "limits"
        open_settings(page)
        row = page.locator(".engine", has=page.locator("#engine-language_model"))
        assert page.eval_on_selector("#engine-language_model", "one => one.selectedOptions[0].text") == "None"
        # What is so, and what to do about it.
        assert "Replies only repeat what was heard. That was chosen; STREAM_LLM_ENGINE=auto" in row.inner_text()
        row.locator("summary").click()
        assert "OPENAI_API_KEY" in row.inner_text()
        check(page, "what is at work")
        assert visit.trouble == []


def test_the_setup_sheet_has_commands_to_copy(tmp_path):
    look: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"}
    serving_alone = serving(tmp_path, STREAM_ASR_ENGINE="auto", STREAM_LLM_ENGINE="local", PATH="/nowhere")
    with (
        serving_alone as server,
        visiting(server.url, permissions=["clipboard-read", "clipboard-write"], **look) as visit,
    ):
        page = visit.page
        page.click("#limits")
        page.wait_for_selector("#setup .better:not([hidden])")
        if "A language model" not in page.inner_text("#setup-rows"):
            pytest.skip("there is a language model on this machine, so nothing is limited")
        check(page, "what would make it better")
        line = page.locator("#setup .command", has_text="ollama pull")
        button = line.get_by_role("button")
        button.click()
        page.wait_for_function("button => button.textContent === 'Copied'", arg=button.element_handle())
        assert page.evaluate("navigator.clipboard.readText()") == line.locator("code").inner_text()
        page.click("#setup .end button")
        page.wait_for_selector("#setup", state="hidden")
        assert visit.trouble == []


def test_a_command_is_copied(bare):
    with visiting(bare.url, permissions=["clipboard-read", "clipboard-write"]) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(page)
        if not page.locator("#engine-recognizer option:disabled").count():
            pytest.skip("every recognizer is here, so there is none to get")
        row = page.locator(".engine", has=page.locator("#engine-recognizer"))
        row.locator("summary").click()
        # By what it is, since its name changes.
        button = row.locator(".command button").first
        button.click()
        page.wait_for_function("button => button.textContent === 'Copied'", arg=button.element_handle())
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == row.locator("code").first.inner_text()
        assert "models download" in copied


def test_another_engine_takes_over_from_the_next_turn_on(server, model):
    model.reply = "It is noon."
    with visiting(server.url) as visit:
        page = visit.page
        # Somebody else at the same server.
        other = page.context.browser.new_page()
        other.goto(server.url)
        other.wait_for_selector("body[data-phase=ready]")
        visit.phase("ready")
        for one in (page, other):
            open_settings(one)
        try:
            page.select_option("#engine-language_model", "synthetic")
            for one in (page, other):
                one.wait_for_selector(".engine >> text=Replies only repeat what was heard.")
                assert one.input_value("#engine-language_model") == "synthetic"
            page.wait_for_selector("#engines[aria-busy=false]")
            page.keyboard.press("Escape")
            page.fill("#text", "hello there")
            page.keyboard.press("Enter")
            visit.over()
            assert "hello there" in page.inner_text(".assistant .words")
        finally:
            # From the other page, since the server is that of other tests as well.
            other.select_option("#engine-language_model", "openai-chat")
            other.wait_for_selector("#engines[aria-busy=false]")
        page.fill("#text", "and now?")
        page.keyboard.press("Enter")
        visit.over(2)
        assert page.locator(".assistant .words").last.inner_text().strip() == "It is noon."
        assert len([info for info in visit.all(m.Info) if info.code is InfoCode.ENGINES_CHANGED]) == 2
        assert visit.trouble == []


def test_why_an_engine_does_not_take_over_is_one_sentence(server):
    fail = """
    const fetched = window.fetch;
    window.fetch = (url, options) => options?.method === "PUT"
      ? Promise.resolve(new Response('{"error":{"code":"LLM_FAIL","message":"It is torn."}}', { status: 503 }))
      : fetched(url, options);
    """
    with visiting(server.url, script=fail) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(page)
        before = page.input_value("#engine-language_model")
        page.select_option("#engine-language_model", "synthetic")
        page.wait_for_selector("#engines-trouble:not([hidden])")
        assert page.inner_text("#engines-trouble") == "It is torn."
        assert page.input_value("#engine-language_model") == before


def test_a_voice_is_heard_before_it_is_chosen(server):
    with visiting(server.url, record=True) as visit:
        page = visit.page
        visit.phase("ready")
        open_settings(page)
        page.select_option("#choose-voice", "de")
        page.click("#hear")
        page.wait_for_selector("#hear >> text=Stop")
        page.wait_for_selector("#hear >> text=Hear it")
        heard = visit.heard()
        assert 1.0 < len(heard.samples) / heard.rate < 8.0
        assert abs(heard.samples).max() > 0.05
        page.click("#hear")
        page.wait_for_selector("#hear >> text=Stop")
        page.click("#hear")
        page.wait_for_selector("#hear >> text=Hear it")
        assert page.inner_text("#engines-trouble") == ""
        assert visit.trouble == []


def test_a_language_model_is_named_by_its_address_and_key_and_given_up_again(tmp_path, model):
    model.reply = "It is noon."
    with (
        serving(tmp_path, STREAM_LLM_ENGINE="synthetic") as server,
        visiting(server.url, viewport={"width": 390, "height": 800}) as visit,
    ):
        page = visit.page
        visit.phase("ready")
        open_settings(page)
        page.click("#own-model summary")
        page.fill("#own-url", "http://127.0.0.1:9/v1")
        page.fill("#own-name", "mind")
        page.press("#own-name", "Enter")
        page.wait_for_selector("#engines-trouble:not([hidden])")
        assert "Could not reach the language model" in page.inner_text("#engines-trouble")
        assert page.is_visible("#own-url")
        page.fill("#own-url", model.url)
        page.fill("#own-key", "sk-of-a-person-0123456789")
        visit.switch("own-keep")
        page.click("#own-use")
        page.wait_for_selector("#own-forget:not([hidden])")
        check(page, "a language model of one's own")
        assert page.input_value("#own-key") == ""
        assert page.get_attribute("#own-key", "placeholder") == "not shown"
        (kept,) = tmp_path.glob("*language_model*")
        page.click("#settings .end .main")
        page.fill("#text", "What time is it?")
        page.press("#text", "Enter")
        visit.over()
        assert page.inner_text(".assistant .words").strip() == "It is noon."
        page.click("#open-settings")
        page.click("#own-forget")
        page.wait_for_selector("#own-forget", state="hidden")
        assert not kept.exists()
        assert page.input_value("#own-url") == ""
    # The browser says so of each answer that is an error; the first address answered with none.
    assert [line for line in visit.trouble if "422" not in line] == []
