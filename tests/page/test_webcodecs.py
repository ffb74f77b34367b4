"""What browsers have speaks the Opus of /ws, WebCodecs, in both directions, to the sample; and so does the page."""

import base64
from contextlib import contextmanager

import numpy as np
import pytest

from tests.page.browser import visiting
from tests.page.server import ROOT, serving
from tests.page.test_talking import assert_same_sound
from tests.wire.test_opus import packets_of, shift_s, sweep
from voice_trio import sound_file
from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.wire.opus import library
from voice_trio.wire.opus.decoding import Decoder
from voice_trio.wire.opus.packet import only_frame

pytestmark = pytest.mark.real

SCRIPT = ROOT / "tests" / "page" / "webcodecs.js"
REPLY = "It is noon. The sun is high, and nobody is in the street."


def text_of(data):
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def page(server, question):
    library.load()
    with visiting(server.url, question) as visited:
        visited.page.evaluate(SCRIPT.read_text())
        yield visited.page


def test_what_a_browser_encodes_is_let_through_and_is_in_its_place(page):
    said = sweep(SAMPLE_RATE, 2 * SAMPLE_RATE)
    packets = [base64.b64decode(one) for one in page.evaluate("text => coding.encoded(text)", text_of(said.tobytes()))]
    assert len(packets) in (100, 101)
    assert all(only_frame(packet) is not None for packet in packets)
    decoder = Decoder(SAMPLE_RATE)
    heard = np.frombuffer(b"".join(decoder.push(packet)[0] for packet in packets), "<i2")
    assert abs(shift_s(heard, said, SAMPLE_RATE)) < 0.001


def test_what_the_server_encodes_a_browser_decodes_in_its_place(page):
    rate = 24_000
    said = sweep(rate, 2 * rate)
    packets = packets_of(said.tobytes(), rate)
    sound = page.evaluate("texts => coding.decoded(texts)", [text_of(packet) for packet in packets])
    heard = np.frombuffer(base64.b64decode(sound), "<i2")
    assert len(heard) >= 2 * len(said)
    assert abs(shift_s(heard[::2], said, rate)) < 0.001


def test_a_question_is_heard_and_answered_over_it(page, server):
    pcm = sound_file.read(ROOT / "examples" / "question.wav")
    whole = len(pcm) // 640 * 640
    url = f"ws{server.url.removeprefix('http').rstrip('/')}/ws"
    told = page.evaluate("asked => coding.ask(asked)", {"url": url, "text": text_of(pcm[:whole])})
    assert told["outcome"] == "completed"
    assert "?" in told["final"]
    assert told["phrases"]
    for phrase in told["phrases"]:
        assert phrase["kinds"] == [2]
        assert 0 <= phrase["samples"] - phrase["brought"] < 0.03 * phrase["rate"]
        assert 0 <= phrase["decoded"] * phrase["rate"] / 48_000 - phrase["samples"] < 0.04 * phrase["rate"]
        assert phrase["loudest"] > 0.05


@pytest.fixture(scope="module")
def far_server(tmp_path_factory, model):
    """A server whose page is at no address of its own machine's."""
    environment = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none"}
    data = tmp_path_factory.mktemp("far")
    with serving(
        data, STREAM_AUTH_TOKEN="sesame", STREAM_TLS_SELF_SIGNED="1", STREAM_TTS_ENGINE="auto", **environment
    ) as server:
        yield server.url.replace("127.0.0.1", "voice.test")


@contextmanager
def visiting_far(url, question, **options):
    with visiting(url, question, record=True, ignore_https_errors=True, **options) as visit:
        visit.page.wait_for_selector("#token")
        visit.page.fill("#token", "sesame")
        visit.page.keyboard.press("Enter")
        visit.phase("ready")
        yield visit


def test_the_page_itself_speaks_it_where_a_network_lies_between(far_server, model, question):
    model.reply = REPLY
    with visiting_far(far_server, question) as visit:
        page = visit.page
        page.click("#talk")
        visit.phase("answering")
        visit.over()
        assert "weather like in london" in page.inner_text(".you .words").lower()
        assert page.inner_text(".assistant .words").strip() == REPLY
        assert [one["codec"] for one in visit.sent if one["type"] == "start"] == ["opus"]
        assert max(visit.audio) < 200, "packets, and nothing else"
        spoken, rate = visit.spoken()
        heard = visit.heard()
        if not visit.ran_dry():
            assert_same_sound(heard, spoken, rate)
        played = [one["samples"] for one in visit.sent if one["type"] == "played"]
        assert played[-1] <= len(spoken)
        assert visit.all(m.Done)[-1].heard == len(REPLY) + 1

        # A typed one, in the same session.
        page.fill("#text", "What time is it?")
        page.keyboard.press("Enter")
        visit.over(2)
        assert [one["codec"] for one in visit.sent if one["type"] == "text"] == ["opus"]
        assert visit.trouble == []


def test_what_is_held_is_heard_to_its_last_word_over_it(far_server, model, question):
    model.reply = "It is noon."
    with visiting_far(far_server, question) as visit:
        page = visit.page
        page.hover("#talk")
        page.mouse.down()
        page.wait_for_timeout(2200)
        page.mouse.up()
        visit.over()
        assert "what is the" in page.inner_text(".you .words").lower()
        order = [message["type"] for message in visit.sent]
        assert order.index("start") < order.index("stop")
        assert sum(visit.audio) < 16_000, "about 2.3 s at 30 kbit/s"
        assert visit.trouble == []


def test_a_browser_without_webcodecs_sends_and_gets_the_sound_as_it_is(far_server, model, question):
    model.reply = "It is noon."
    with visiting_far(far_server, question, script="delete window.AudioEncoder;") as visit:
        visit.page.click("#talk")
        visit.over()
        assert ["codec" in one for one in visit.sent if one["type"] == "start"] == [False]
        assert set(visit.audio) == {960}
        assert visit.trouble == []
