"""A browser without AudioWorklet: what is said is recorded, posted, and answered in one piece."""

import base64
import io
import json
import wave
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, Request, Route

from tests.page.browser import visiting
from tests.page.server import serving
from voice_trio.core import messages as m

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "question.wav"
RATE = 22_050
WEBM = b"\x1aE\xdf\xa3"
"""How such a file begins."""


def tone(seconds):
    """Return a WAV of a tone, as the server would send it."""
    samples = (8000 * np.sin(2 * np.pi * 300 * np.arange(int(RATE * seconds)) / RATE)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(samples.tobytes())
    return base64.b64encode(file.getvalue()).decode()


class StandIn:
    """Answers what the page posts, until the server's own answer is wanted."""

    def __init__(self, page: Page) -> None:
        self.asked: list[Request] = []
        self.refusals: list[tuple[int, dict[str, object]]] = []
        self.hangs = False
        self.seconds = 1.0
        page.route("**/api/utterance*", self._answer)

    def query(self, at: int = -1) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.asked[at].url).query).items()}

    def _answer(self, route: Route, request: Request) -> None:
        self.asked.append(request)
        if self.hangs:
            return
        if self.refusals:
            status, error = self.refusals.pop(0)
            route.fulfill(status=status, json={"error": {"message": "No.", "recoverable": True, **error}})
            return
        latency = {"t_first_partial_ms": None, "t_final_transcript_ms": 300, "t_first_token_ms": 320}
        answer: dict[str, Any] = {
            "conversation": self.query().get("conversation", "issued by the stand-in"),
            "outcome": "completed" if self.seconds else "empty",
            "transcript": "what time is it" if self.seconds else "",
            "language": "en",
            "reply": "It is noon." if self.seconds else "",
            "heard": 11 if self.seconds else 0,
            "remembered": bool(self.seconds),
            "latency": {**latency, "t_first_audio_ms": 400, "total_reply_ms": 410},
            "audio": {"sample_rate": RATE, "wav": tone(self.seconds)} if self.seconds else None,
            "errors": [],
            "infos": [],
        }
        route.fulfill(json=answer)


def record(visit, seconds=0.8):
    """Press, talk, press."""
    visit.page.click("#talk")
    visit.phase("listening")
    visit.page.wait_for_timeout(seconds * 1000)
    visit.page.click("#talk")


def test_a_recording_is_posted_and_its_answer_heard_in_the_same_conversation_as_what_is_typed(server, model, question):
    model.reply = "It is noon."
    with visiting(server.url, question, worklets=False) as visit:
        page, stand_in = visit.page, StandIn(visit.page)
        visit.phase("ready")
        assert page.is_disabled("#hands-free")
        record(visit, 1.5)
        visit.phase("answering")
        assert page.inner_text(".you .words") == "what time is it"
        assert page.inner_text(".assistant .words") == "It is noon."
        visit.over()
        (asked,) = stand_in.asked
        assert asked.method == "POST"
        assert asked.headers["content-type"].startswith("audio/webm")
        assert asked.post_data_buffer is not None
        assert asked.post_data_buffer.startswith(WEBM)
        assert len(asked.post_data_buffer) > 5000

        page.fill("#text", "And now?")
        page.keyboard.press("Enter")
        visit.over(2)
        assert page.locator(".assistant .words").nth(1).inner_text().strip() == "It is noon."
        typed = next(message for message in visit.sent if message["type"] == "text")
        assert typed["conversation"] == stand_in.query()["conversation"] == visit.all(m.SessionOpened)[0].conversation
        # The socket was closed for the recording, and another opened.
        assert len(visit.all(m.SessionOpened)) == 2
        assert page.evaluate("performance.getEntriesByType('mark').some((mark) => mark.name.endsWith('first_audio'))")
        assert visit.trouble == []


def test_the_choices_and_the_token_go_with_it(tmp_path, question):
    locked = serving(tmp_path, STREAM_AUTH_TOKEN="sésame")
    choices = json.dumps({"token": "sésame", "speed": 1.5, "voice": "en-gb"})
    with locked as server, visiting(server.url, question, worklets=False) as visit:
        visit.page.evaluate("choices => localStorage.setItem('voice_trio.choices', choices)", choices)
        visit.page.reload()
        visit.phase("ready")
        with visit.page.expect_response("**/api/utterance?*") as answered:
            record(visit)
        assert answered.value.status == 200, "the server itself takes the token"
        query = parse_qs(urlsplit(answered.value.url).query)
        assert (query["speed"], query["voice"]) == (["1.5"], ["en-gb"])


def test_escape_ends_it_wherever_it_is(server, question):
    with visiting(server.url, question, worklets=False) as visit:
        page, stand_in = visit.page, StandIn(visit.page)
        visit.phase("ready")
        page.click("#talk")
        visit.phase("listening")
        page.keyboard.press("Escape")
        visit.phase("ready")
        assert stand_in.asked == [], "what was being recorded is dropped"

        stand_in.hangs = True
        with page.expect_event("requestfailed", lambda request: "utterance" in request.url):
            record(visit)
            visit.phase("thinking")
            page.keyboard.press("Escape")
        visit.phase("ready")
        assert page.locator(".turn").count() == 0

        stand_in.hangs, stand_in.seconds = False, 20.0
        record(visit)
        visit.phase("answering")
        page.wait_for_timeout(1000)
        page.keyboard.press("Escape")
        visit.phase("ready", seconds=2)


def test_what_the_server_cannot_take_yet_is_posted_again(server, question):
    with visiting(server.url, question, worklets=False) as visit:
        stand_in = StandIn(visit.page)
        stand_in.refusals = [
            (503, {"code": "SERVER_BUSY", "recoverable": False, "retry_after_s": 1}),
            (400, {"code": "PROTOCOL_VIOLATION", "retry_after_s": 1}),
            (400, {"code": "PROTOCOL_VIOLATION"}),
        ]
        visit.phase("ready")
        record(visit)
        visit.page.wait_for_selector("#troubles >> text=no room")
        visit.page.wait_for_selector("#phase >> text=/The server is busy/")
        visit.over()
        assert visit.page.locator("#troubles .notice").count() == 0
        bodies = {request.post_data_buffer for request in stand_in.asked}
        assert len(bodies) == 1
        conversations = [stand_in.query(at).get("conversation") for at in range(4)]
        assert conversations[0] == conversations[1] == conversations[2]
        assert conversations[3] is None
        visit.page.wait_for_selector("#notes >> text=no longer knows this conversation")


def test_what_the_server_will_never_take_is_said(server, question):
    with visiting(server.url, question, worklets=False) as visit:
        stand_in = StandIn(visit.page)
        visit.phase("ready")
        stand_in.refusals = [(413, {"code": "PROTOCOL_VIOLATION", "message": "A recording may have 9 bytes."})]
        record(visit)
        visit.page.wait_for_selector(".caption >> text=A recording may have 9 bytes.")
        visit.phase("ready")
        visit.page.route("**/api/utterance*", lambda route: route.abort())
        record(visit)
        visit.page.wait_for_selector(".caption >> text=The connection broke off.")
        visit.phase("ready")


def test_a_recording_without_words_leaves_a_note(server, question):
    with visiting(server.url, question, worklets=False) as visit:
        stand_in = StandIn(visit.page)
        stand_in.seconds = 0
        visit.phase("ready")
        record(visit)
        visit.page.wait_for_selector("#notes >> text=I heard no words")
        assert visit.page.locator(".turn").count() == 0


def test_what_is_held_ends_when_it_is_let_go(server, question):
    with visiting(server.url, question, worklets=False) as visit:
        stand_in = StandIn(visit.page)
        visit.phase("ready")
        visit.page.hover("#talk")
        visit.page.mouse.down()
        visit.page.wait_for_timeout(1200)
        visit.page.mouse.up()
        visit.over()
        assert len(stand_in.asked) == 1


def test_the_longest_recording_ends_by_itself(tmp_path, question):
    with (
        serving(tmp_path, STREAM_MAX_UTTERANCE_MS="1500") as server,
        visiting(server.url, question, worklets=False) as visit,
    ):
        stand_in = StandIn(visit.page)
        visit.phase("ready")
        visit.page.click("#talk")
        visit.over()
        assert len(stand_in.asked) == 1


def test_without_worklets_what_is_typed_is_answered_aloud(server, model):
    model.reply = "It is noon. The sun is high."
    with visiting(server.url, worklets=False) as visit:
        visit.phase("ready")
        visit.page.fill("#text", "What time is it?")
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector(".now")
        visit.over()
        played = [message["samples"] for message in visit.sent if message["type"] == "played"]
        assert played
        assert max(played) > RATE // 2


def test_without_any_microphone_the_page_says_so(server):
    with visiting(server.url, worklets=False, recorder=False) as visit:
        visit.page.wait_for_selector("#troubles >> text=no microphone for pages")
        visit.phase("ready")
        assert visit.page.is_disabled("#talk")


def test_end_to_end_a_recording_is_understood_by_the_server_itself(server, model, question):
    """Without a stand-in: a real recording, decoded, recognised, answered and spoken."""
    model.reply = "It will be mild."
    with visiting(server.url, question, worklets=False) as visit:
        visit.phase("ready")
        visit.page.click("#talk")
        visit.phase("listening")
        visit.page.wait_for_timeout(5500)
        visit.page.click("#talk")
        visit.phase("answering")
        assert "weather like in london" in visit.page.inner_text(".you .words").lower()
        assert visit.page.inner_text(".assistant .words").strip() == "It will be mild."
        visit.over()
        visit.page.fill("#text", "And tomorrow?")
        visit.page.keyboard.press("Enter")
        visit.over(2)
        said = [one["content"] for one in model.asked[-1] if one["role"] == "user"]
        assert "weather" in said[-2]
        assert said[-1] == "And tomorrow?"
        assert visit.trouble == []
