"""What goes wrong, and what the page says then."""

import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

from tests.page.browser import visiting, write_speech
from tests.page.server import ROOT, serving
from tests.server.serving import UPGRADE
from voice_trio.core import messages as m

pytestmark = pytest.mark.real


def test_without_permission_the_page_says_so_and_still_takes_typing(server, model):
    model.reply = "It is noon."
    with visiting(server.url, allowed=False) as visit:
        page = visit.page
        visit.phase("ready")
        page.click("#talk")
        page.wait_for_selector("#troubles >> text=The microphone is not allowed.")
        visit.phase("ready")
        page.fill("#text", "hello")
        page.keyboard.press("Enter")
        visit.over()
        assert page.inner_text(".assistant .words").strip() == "It is noon."


def test_a_microphone_that_sends_only_zeros_is_named(server, tmp_path):
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "zeros.wav", np.zeros(16_000 * 10), 16_000, "PCM_16")
    with visiting(server.url, tmp_path / "zeros.wav") as visit:
        visit.phase("ready")
        visit.page.click("#talk")
        visit.page.wait_for_selector("#troubles >> text=nothing but silence")
        visit.page.keyboard.press("Escape")
        visit.phase("ready")


def test_that_nothing_is_heard_of_who_has_pressed_to_talk_is_said(server, tmp_path):
    with visiting(server.url, write_speech(tmp_path / "quiet.wav", 30.0)) as visit:
        visit.phase("ready")
        visit.page.click("#talk")
        visit.page.wait_for_selector("#notes >> text=I hear nothing yet.")
        visit.phase("listening")
        visit.page.keyboard.press("Escape")
        visit.page.wait_for_selector("#notes .notice", state="detached")


def test_a_server_that_comes_back_finds_the_conversation_going_on(tmp_path, model):
    model.reply = "Nice to meet you."
    with serving(tmp_path, OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none") as server, visiting(server.url) as visit:
        page = visit.page
        visit.phase("ready")
        page.fill("#text", "My name is Ada.")
        page.keyboard.press("Enter")
        visit.phase("answering")
        server.kill()
        page.wait_for_selector("#phase >> text=Reconnecting automatically")
        page.fill("#text", "Are you there?")
        page.keyboard.press("Enter")
        page.wait_for_selector("#troubles >> text=no connection")
        assert page.input_value("#text") == "Are you there?", "what could not be sent is given back"
        server.start()
        visit.phase("ready", seconds=20)
        assert page.locator("#troubles .notice").count() == 0
        for text in ["My name is Ada.", "What is my name?"]:
            page.fill("#text", text)
            page.keyboard.press("Enter")
            visit.over(1 if "Ada" in text else 2)
        assert [one["content"] for one in model.asked[-1] if one["role"] == "user"][-2:] == [
            "My name is Ada.",
            "What is my name?",
        ]
        requests = [message for message in visit.sent if message["type"] == "text"]
        assert len({message["conversation"] for message in requests}) == 1
        assert len(visit.all(m.SessionOpened)) == 2


KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...rest) {
    super(...rest);
    window.sockets.push(this);
  }
};
window.dropSilently = (socket) => {
  socket.onclose();
  socket.onclose = socket.onmessage = null;
};
"""


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory, model):
    """A server whose sessions end with their connections."""
    environment = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none", "STREAM_RESUME_S": "0"}
    with serving(tmp_path_factory.mktemp("forgetful"), **environment) as server:
        yield server


@pytest.fixture(scope="module")
def late_question(tmp_path_factory):
    """The microphone runs before a busy browser listens to it."""
    speech = tmp_path_factory.mktemp("speech") / "question.wav"
    return write_speech(speech, 2.0, ROOT / "examples" / "question.wav", 30.0)


@pytest.mark.parametrize("kind", ["typed", "spoken"])
def test_after_a_silent_drop_a_turn_waits_until_the_server_lets_go_of_the_conversation(
    forgetful, model, late_question, kind
):
    model.reply = "Nice to meet you."
    with visiting(forgetful.url, late_question, script=KEEP_SOCKETS) as visit:
        page = visit.page
        visit.phase("ready")
        page.fill("#text", "My name is Ada.")
        page.keyboard.press("Enter")
        visit.over()
        # To the page the socket is gone; to the server it is not.
        page.evaluate("dropSilently(sockets[0])")
        visit.phase("offline")
        visit.phase("ready")
        if kind == "typed":
            page.fill("#text", "What is my name?")
            page.keyboard.press("Enter")
            page.wait_for_selector("#phase >> text=Waiting for the conversation")
        else:
            page.click("#talk")
            page.wait_for_selector("#notes >> text=still open elsewhere")
            visit.phase("listening")
        page.wait_for_timeout(3000)
        assert page.locator(".turn").count() == 2
        assert page.locator(".caption:not([hidden])").count() == 0
        page.evaluate("sockets[0].close()")
        visit.over(2)
        assert page.locator("#notes >> text=still open elsewhere").count() == 0
        words = page.locator(".you .words").nth(1).inner_text()
        assert ("my name" if kind == "typed" else "what is the weather like in london") in words.lower()
        said = [one["content"] for one in model.asked[-1] if one["role"] == "user"]
        assert said == ["My name is Ada.", words]
        assert visit.trouble == []


def test_escape_ends_the_wait_for_a_conversation(forgetful, model):
    model.reply = "Nice to meet you."
    with visiting(forgetful.url, script=KEEP_SOCKETS) as visit:
        page = visit.page
        visit.phase("ready")
        for text in ["My name is Ada.", "What is my name?"]:
            page.fill("#text", text)
            page.keyboard.press("Enter")
            if "Ada" in text:
                visit.over()
                page.evaluate("dropSilently(sockets[0])")
                visit.phase("offline")
                visit.phase("ready")
        page.wait_for_selector("#phase >> text=Waiting for the conversation")
        page.keyboard.press("Escape")
        visit.phase("ready")
        asked = len(visit.sent)
        page.wait_for_timeout(2500)
        assert len(visit.sent) == asked, "it is not asked for again"
        assert "Stopped" in page.locator(".caption").nth(1).inner_text()


def test_a_locked_server_over_plain_http(tmp_path, model):
    model.reply = "It is noon."
    locked = serving(tmp_path, STREAM_AUTH_TOKEN="sesame", OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none")
    with locked as server, visiting(server.url.replace("127.0.0.1", "voice.test")) as visit:
        page = visit.page
        page.wait_for_selector("#troubles >> text=STREAM_TLS_SELF_SIGNED")
        assert page.is_disabled("#talk")
        page.wait_for_selector("#token")
        page.fill("#token", "open")
        page.keyboard.press("Enter")
        page.wait_for_selector("#troubles >> text=does not take this token")
        page.fill("#token", "sesame")
        page.keyboard.press("Enter")
        page.wait_for_selector("#token-form", state="hidden")
        assert page.locator("#troubles .notice").count() == 1, "only that there is no microphone"
        visit.phase("ready")
        page.fill("#text", "What time is it?")
        page.keyboard.press("Enter")
        visit.over()
        assert page.inner_text(".assistant .words").strip() == "It is noon."


def test_a_full_server_is_tried_again_after_the_time_that_it_says(tmp_path):
    with serving(tmp_path, STREAM_MAX_SESSIONS="1") as server, visiting(server.url) as first:
        first.phase("ready")
        assert first.page.context.browser
        second = first.page.context.browser.new_page()
        second.goto(server.url)
        second.wait_for_selector("#troubles >> text=no room")
        second.wait_for_selector("#phase >> text=/automatically in 1\\d s/")


def test_a_page_whose_place_is_needed_says_so_and_comes_back_when_it_is_asked_to(tmp_path):
    with serving(tmp_path, STREAM_MAX_SESSIONS="2") as server, visiting(server.url) as visit:
        visit.phase("ready")
        assert visit.page.context.browser
        second = visit.page.context.browser.new_page()
        second.goto(server.url)
        second.wait_for_selector("body[data-phase=ready]")
        where = urlsplit(server.url)
        with socket.create_connection((where.hostname, where.port), source_address=("127.0.0.9", 0)) as stranger:
            stranger.sendall(f"{UPGRADE}\r\n".encode())
            visit.page.wait_for_selector("#troubles >> text=needed this place for somebody else")
        visit.page.wait_for_selector("#connection[data-status=closed]")
        assert visit.all(m.Info)[-1].code is m.InfoCode.PLACE_NEEDED
        visit.page.fill("#text", "hello")
        visit.page.keyboard.press("Enter")
        visit.over()


def test_what_a_file_is_sent_with(server):
    page = urllib.request.urlopen(server.url)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "microphone=(self)" in page.headers["Permissions-Policy"]
    script = urllib.request.urlopen(f"{server.url}/static/js/main.js")
    assert script.headers.get_content_type() == "text/javascript"
    again = urllib.request.Request(script.url, headers={"If-None-Match": script.headers["ETag"]})
    with pytest.raises(urllib.error.HTTPError) as unchanged:
        urllib.request.urlopen(again)
    assert unchanged.value.code == 304
    unchanged.value.close()
    for answer in [page, script]:
        answer.close()
