"""What browsers have speaks the Opus of /ws: WebCodecs, in both directions, to the sample."""

import base64

import numpy as np
import pytest

from tests.page.browser import visiting
from tests.page.server import ROOT
from tests.wire.test_opus import packets_of, shift_s, sweep
from voice_trio import sound_file
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.wire.opus import library
from voice_trio.wire.opus.decoding import Decoder
from voice_trio.wire.opus.packet import only_frame

pytestmark = pytest.mark.real

SCRIPT = ROOT / "tests" / "page" / "webcodecs.js"


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
