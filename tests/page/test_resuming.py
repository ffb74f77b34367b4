"""The connection breaks, and the page goes on where it was."""

from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from tests.page.browser import visiting, write_speech
from tests.page.proxy import under_a_path
from tests.page.server import ROOT
from tests.page.test_talking import assert_same_sound
from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome

pytestmark = pytest.mark.real

LONG = "One two three four five six seven eight nine ten. And that is all there is to say about it, for now."


@contextmanager
def breakable(server, *microphone, **options):
    """Visit the page by a proxy that can cut its socket."""
    with (
        under_a_path(urlsplit(server.url).port, "/far") as proxy,
        visiting(f"{proxy.url}/", *microphone, **options) as visit,
    ):
        visit.phase("ready")
        yield proxy, visit


def assert_answered(visit, said):
    """There was one turn, over two connections, and its answer was heard to its end."""
    assert [opened.resumed for opened in visit.all(m.SessionOpened)] == [None, True]
    (done,) = visit.all(m.Done)
    assert (done.turn, done.outcome, done.remembered) == (1, Outcome.COMPLETED, True)
    reply = "".join(token.text for token in visit.all(m.Token))
    assert (reply.strip(), done.heard) == (LONG, len(reply))
    page = visit.page
    assert page.locator(".turn").count() == 1
    assert said in page.inner_text(".you .words").lower()
    assert page.inner_text(".assistant .words").strip() == LONG
    assert page.locator(".caption:not([hidden])").count() == 0
    assert page.locator("#troubles .notice").count() == 0


def test_an_answer_goes_on_and_is_heard_to_its_end_once(server, model):
    model.reply = LONG
    # Where the machine is so busy that sound comes later than it is due, the page knows, and nothing can be compared.
    for _ in range(3):
        if not cut_and_listen(server):
            return
    pytest.fail("the sound ran dry each time: this machine is too busy")


def cut_and_listen(server):
    """Cut the socket under a spoken answer; return whether the sound ran dry."""
    with breakable(server, record=True) as (proxy, visit):
        page = visit.page
        page.fill("#text", "Count to ten.")
        page.keyboard.press("Enter")
        visit.phase("answering")
        page.wait_for_selector(".now")
        page.wait_for_timeout(500)
        proxy.cut()
        visit.over()
        assert_answered(visit, "count to ten")
        assert len(visit.all(m.TtsChunk)) == len({chunk.seq for chunk in visit.all(m.TtsChunk)})
        heard = visit.heard()
        if visit.ran_dry():
            return True
        assert_same_sound(heard, *visit.spoken())
        return False


def test_who_speaks_on_while_the_connection_is_gone_is_heard(server, model, tmp_path):
    model.reply = LONG
    question = write_speech(tmp_path / "question.wav", 1.5, ROOT / "examples" / "question.wav", 30.0)
    with breakable(server, question) as (proxy, visit):
        visit.page.click("#talk")
        visit.phase("listening")
        visit.page.wait_for_selector(".you .words >> text=/[a-z]/i")
        proxy.cut()
        visit.over()
        assert_answered(visit, "what is the weather like in london")


def test_a_network_that_comes_back_after_seconds_finds_the_answer_where_it_was(server, model):
    model.reply = LONG
    with breakable(server) as (proxy, visit):
        page = visit.page
        page.fill("#text", "Count to ten.")
        page.keyboard.press("Enter")
        visit.phase("answering")
        proxy.is_down = True
        proxy.cut()
        page.wait_for_selector("#phase >> text=Reconnecting automatically")
        assert page.locator(".caption:not([hidden])").count() == 0, "it may still go on"
        proxy.is_down = False
        visit.over()
        assert_answered(visit, "count to ten")
