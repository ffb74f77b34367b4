"""A person talks to the page, in a real browser: what is shown, and what is heard, sample by sample."""

from pathlib import Path

import numpy as np
import pytest
import soxr

from tests.page.browser import visiting, write_speech
from voice_trio.core import messages as m

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "question.wav"
SHORT = "It is noon. The sun is high, and nobody is in the street."
LONG = "Let me tell you about the sea. " + "It is wide and deep, and nobody has ever seen its end. " * 4


@pytest.fixture(scope="module")
def three_questions(tmp_path_factory):
    parts: list[Path | float] = [0.6, EXAMPLE, 2.7, EXAMPLE, 2.7, EXAMPLE, 30.0]
    return write_speech(tmp_path_factory.mktemp("speech") / "three.wav", *parts)


SPOILT_BLOCKS = 4
"""How long a place that the browser spoils may be, in blocks of 10 ms."""


def assert_same_sound(heard, spoken, spoken_rate):
    """``heard`` is ``spoken``, begun once and never interrupted: a gap would shift all that follows it.

    A browser on a busy machine spoils a few ms now and then, and what follows is in its place again. How many blocks
    that is depends on where they begin, so places are counted. A gap or a repeat of ours would move all that follows.
    """
    wanted = soxr.resample(spoken, spoken_rate, heard.rate)
    sounding = np.flatnonzero(abs(wanted) > 1e-3)
    wanted = wanted[sounding[0] : sounding[-1]]
    begin = np.flatnonzero(abs(heard.samples) > 1e-3)[0]
    got = heard.samples[begin : begin + len(wanted)]
    assert len(got) == len(wanted), "it ended too early"
    # Where exactly a sound begins depends on the filter.
    window = slice(heard.rate // 10, heard.rate // 10 + heard.rate // 2)
    shifts = range(-48, 49)
    shift = min(shifts, key=lambda by: np.abs(np.roll(got, by)[window] - wanted[window]).sum())
    # The page's filter begins to close at 9.6 kHz, in the middle of a voice's s.
    off = np.abs(low_passed(np.roll(got, shift) - wanted, heard.rate, 9000))[100:-100]
    blocks = off[: len(off) // 480 * 480].reshape(-1, 480).max(axis=1)
    missed = np.flatnonzero(blocks >= 0.02)
    places = np.split(missed, np.flatnonzero(np.diff(missed) > 1) + 1)
    differ = f"blocks {missed} of {len(blocks)} differ by up to {blocks.max():.3f}"
    assert len(places) <= 2 + len(blocks) // 200, differ
    assert max(map(len, places)) <= SPOILT_BLOCKS, differ


def low_passed(samples, rate, hz):
    spectrum = np.fft.rfft(samples)
    spectrum[int(len(samples) * hz / rate) :] = 0
    return np.fft.irfft(spectrum, len(samples))


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_a_spoken_question_is_shown_and_its_answer_heard(server, model, question, rate):
    model.reply = SHORT
    # Where the machine is so busy that sound comes later than it is due, the page knows, and nothing can be compared.
    for _ in range(3):
        if not ask_and_listen(server, model, question, rate):
            return
    pytest.fail("the sound ran dry each time: this machine is too busy")


def ask_and_listen(server, model, question, rate):
    """Talk to the page, and compare what is heard with what the server sent; return whether the sound ran dry."""
    with visiting(server.url, question, rate=rate, record=True) as visit:
        page = visit.page
        visit.phase("ready")
        page.click("#talk")
        visit.phase("listening")
        visit.phase("answering")
        page.wait_for_selector(".now")
        visit.over()
        words = page.inner_text(".you .words")
        assert "weather like in london" in words.lower()
        assert page.inner_text(".assistant .words").strip() == SHORT
        assert model.asked[-1][-1]["content"] == words

        marks = next(message["marks"] for message in visit.sent if message["type"] == "mark")
        order = ["speech_start", "speech_end", "final", "first_token", "first_audio", "done"]
        assert [name for name in sorted(marks, key=marks.__getitem__) if name in order] == order
        assert page.evaluate("performance.getEntriesByType('mark').length") >= len(order)
        assert visit.trouble == []

        heard = visit.heard()
        assert heard.rate == rate
        assert abs(heard.samples).max() > 0.1
        if visit.ran_dry():
            return True
        assert_same_sound(heard, *visit.spoken())
        return False


def test_escape_silences_at_once_and_what_is_shown_as_heard_is_what_was(server, model, question):
    model.reply = LONG
    with visiting(server.url, question, record=True) as visit:
        page = visit.page
        visit.phase("ready")
        page.keyboard.press(" ")
        visit.phase("answering")
        page.wait_for_timeout(3500)
        page.keyboard.press("Escape")
        page.wait_for_selector(".caption:not([hidden])")
        page.wait_for_timeout(400)
        heard = visit.heard()
        assert heard.after_escape_s is not None
        assert heard.after_escape_s < 0.1

        (done,) = visit.all(m.Done)
        assert done.outcome is m.Outcome.CANCELLED
        reply = "".join(token.text for token in visit.all(m.Token))
        said = "".join(page.locator(".said").all_text_contents())
        assert said == reply[: done.heard]
        assert said + "".join(page.locator(".lost").all_text_contents()) == reply.rstrip()
        assert 10 < done.heard < len(reply)

        # The server was told how much was played before it was told to stop, and that is what was recorded.
        kinds = [message["type"] for message in visit.sent]
        played = visit.sent[kinds.index("cancel") - 1]
        assert played["type"] == "played"
        spoken, rate = visit.spoken()
        sounding = np.flatnonzero(spoken[: played["samples"]])
        assert (sounding[-1] - sounding[0]) / rate == pytest.approx(len(heard.samples) / heard.rate, abs=0.03)
        # At the voice's pace, the words end where the sound did.
        pace = len(LONG) / total_seconds(visit, LONG)
        assert done.heard / pace == pytest.approx(played["samples"] / rate, abs=0.8)
        assert visit.trouble == []


def total_seconds(visit, reply):
    """How long the whole reply would have lasted, by the phrases that were spoken to their end."""
    phrases = {phrase.phrase: phrase for phrase in visit.all(m.TtsPhrase)}
    ended = [done for done in visit.all(m.TtsPhraseDone) if done.samples]
    chars = sum(phrases[done.phrase].end - phrases[done.phrase].start for done in ended)
    return sum(done.samples for done in ended) / phrases[0].sample_rate / chars * len(reply)


def test_hands_free_goes_on_by_itself_for_three_turns(server, model, three_questions):
    model.reply = "It is noon."
    with visiting(server.url, three_questions) as visit:
        visit.phase("ready")
        visit.switch("hands-free")
        visit.over(3, seconds=40)
        assert visit.page.locator(".turn").count() == 3
        for words in visit.page.locator(".you .words").all_text_contents():
            assert "weather" in words
        visit.phase("waiting")
        visit.page.keyboard.press("Escape")
        visit.phase("ready")
        assert not visit.page.is_checked("#hands-free")
        assert visit.trouble == []


def test_what_is_held_ends_when_it_is_let_go(server, model, question):
    model.reply = "It is noon."
    with visiting(server.url, question) as visit:
        page = visit.page
        visit.phase("ready")
        page.hover("#talk")
        page.mouse.down()
        # However late the microphone opens: so long it is held.
        page.wait_for_function("() => /what is the/i.test(document.querySelector('.you .words')?.textContent)")
        page.mouse.up()
        visit.over()
        assert [message["mode"] for message in visit.sent if message["type"] == "start"] == ["hold"]
        assert "stop" in [message["type"] for message in visit.sent]
        assert "what is the" in page.inner_text(".you .words").lower()


def test_a_typed_turn_and_a_press_that_talks_over_its_answer(server, model, question):
    model.reply = LONG
    with visiting(server.url, question) as visit:
        page = visit.page
        visit.phase("ready")
        page.fill("#text", "Tell me about the sea")
        page.keyboard.press("Enter")
        visit.phase("answering")
        page.wait_for_timeout(600)
        model.reply = "It is noon."
        page.click("#talk")
        visit.over(2)
        outcomes = [done.outcome for done in visit.all(m.Done)]
        assert outcomes == [m.Outcome.CANCELLED, m.Outcome.COMPLETED]
        first, second = page.locator(".you .words").all_text_contents()
        assert first == "Tell me about the sea"
        assert "weather" in second
        assert visit.trouble == []


def test_what_tools_did_is_a_folded_line_each(server, model, question):
    model.reply = "At ten past."
    model.calls = [("train_times", '{"station": "Ghent"}'), ("train_times", '{"station": "Atlantis"}')]
    try:
        with visiting(server.url, question) as visit:
            page = visit.page
            visit.phase("ready")
            page.fill("#text", "When does the train leave?")
            page.keyboard.press("Enter")
            visit.over(1)
            lines = page.locator(".tool summary").all_text_contents()
            assert lines == ["Used: train times", "Could not use: train times"]
            assert not page.locator(".tool .result").first.is_visible()
            page.locator(".tool summary").first.click()
            assert page.locator(".tool .result").first.is_visible()
            assert page.locator(".tool pre").all_text_contents()[:2] == ['{"station": "Ghent"}', "At ten past."]
            assert visit.trouble == []
    finally:
        model.calls = []
