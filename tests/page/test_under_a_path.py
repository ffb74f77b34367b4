"""The page behind a proxy that serves it under a path: all of it is found there."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trio

from tests.page.browser import visiting
from tests.page.proxy import under_a_path
from tests.page.server import ROOT, serving
from voice_trio.client import connect
from voice_trio.core import messages as m

pytestmark = pytest.mark.real

EXAMPLE = Path(ROOT) / "examples" / "question.wav"


@pytest.fixture
def proxied(server):
    with under_a_path(urlsplit(server.url).port, "/of/the/house") as proxy:
        yield proxy


def test_the_page_talks_and_is_answered(proxied, model, question):
    model.reply = "It is noon."
    # Without the slash, as people write it.
    with visiting(proxied.url, question) as visit:
        visit.phase("ready")
        visit.page.click("#talk")
        visit.phase("listening")
        visit.over()
        assert "weather like in london" in visit.page.inner_text(".you .words").lower()
        assert visit.page.inner_text(".assistant .words").strip() == "It is noon."
        assert visit.page.evaluate("getComputedStyle(document.querySelector('.unseen')).position") == "absolute"
        # A browser that does not find a file says so on its console.
        assert visit.trouble == []
        path = urlsplit(proxied.url).path
        assert proxied.asked[:2] == [path, f"{path}/"]
        worklets = {f"{path}/static/js/{name}-worklet.js" for name in ("capture", "playback")}
        assert {f"{path}/static/base.css", f"{path}/static/icon.svg", f"{path}/ws", *worklets} <= {*proxied.asked}
        assert [one for one in proxied.asked[1:] if not one.startswith(f"{path}/")] == []


def test_a_recording_is_posted_there(proxied, model, question):
    model.reply = "It is noon."
    with visiting(f"{proxied.url}/?from=bookmark#there", question, worklets=False) as visit:
        visit.phase("ready")
        visit.page.click("#talk")
        visit.phase("listening")
        visit.page.wait_for_timeout(1000)
        with visit.page.expect_response("**/api/utterance*") as answered:
            visit.page.click("#talk")
        assert answered.value.status == 200
        assert answered.value.url.startswith(f"{proxied.url}/api/utterance")
        assert visit.trouble == []


def test_conversations_are_found_there_and_kept_apart_from_those_of_other_paths(proxied, model):
    model.reply = "It is noon."
    path = urlsplit(proxied.url).path
    with visiting(f"{proxied.url}/") as visit:
        page = visit.page
        visit.phase("ready")
        page.fill("#text", "What time is it?")
        page.keyboard.press("Enter")
        visit.over()
        page.reload()
        page.wait_for_selector(".you .words >> text=What time is it?")
        page.click("#open-conversations")
        page.wait_for_selector(".drawer .title >> text=What time is it?")
        page.click(".drawer .remove")
        with page.expect_response(lambda one: one.request.method == "DELETE") as deleted:
            # As when it is left, of which a test could not see the request.
            page.evaluate("dispatchEvent(new Event('pagehide')), null")
        assert deleted.value.url.startswith(f"{proxied.url}/api/conversations/")
        assert f"{path}/api/conversations/lookup" in proxied.asked
        assert [one for one in proxied.asked if not one.startswith(f"{path}/")] == []
        names = page.evaluate("Object.keys(localStorage)")
        assert f"voice_trio.conversations{path}/" in names
        assert visit.trouble == []


def test_a_token_is_for_the_server_at_its_path(tmp_path, server, model):
    """Two servers behind one host: what the page keeps for one of them is not shown to the other."""
    model.reply = "It is noon."
    locked = serving(tmp_path, STREAM_AUTH_TOKEN="sesame", OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none")
    with locked as other, under_a_path(urlsplit(other.url).port, "/locked") as proxy, visiting(proxy.url) as visit:
        page = visit.page
        page.fill("#token", "sesame")
        page.keyboard.press("Enter")
        visit.phase("ready")
        kept = page.evaluate("JSON.stringify(Object.entries(localStorage))")
        assert [name for name, _ in json.loads(kept)] == ["voice_trio.choices/locked/"]
        page.reload()
        visit.phase("ready")


async def test_other_clients_find_it_by_its_path(proxied):
    with trio.fail_after(60):
        async with connect(f"{proxied.url.replace('http', 'ws', 1)}/ws") as client:
            await client.wait_for(m.SessionOpened)
