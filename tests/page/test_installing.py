"""The page as an app: what it says of itself, and the worker that keeps it for when the server is away."""

import json
from urllib.parse import urljoin, urlsplit

import pytest

from tests.page.browser import visiting
from tests.page.proxy import under_a_path
from tests.page.server import serving

pytestmark = pytest.mark.real

AT_WORK = "navigator.serviceWorker.controller?.state === 'activated'"


@pytest.fixture
def own_server(tmp_path, model):
    with serving(tmp_path, OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none") as server:
        yield server


def kept(page):
    """Return what is in the browser's caches: each one's name, and the paths in it."""
    return page.evaluate(
        """async () => {
          const found = {};
          for (const name of await caches.keys()) {
            const requests = await (await caches.open(name)).keys();
            found[name] = requests.map(({ url }) => new URL(url).pathname);
          }
          return found;
        }"""
    )


def test_the_manifest_tells_what_an_installed_page_needs(server):
    with under_a_path(urlsplit(server.url).port, "/of/the/house") as proxy, visiting(f"{proxy.url}/") as visit:
        page = visit.page
        address = urljoin(page.url, page.get_attribute("link[rel=manifest]", "href"))
        answer = page.request.get(address)
        assert answer.headers["content-type"].startswith("application/manifest+json")
        manifest = json.loads(answer.body())
        assert urljoin(address, manifest["start_url"]) == urljoin(address, manifest["scope"]) == f"{proxy.url}/"
        sizes = set()
        for icon in manifest["icons"]:
            picture = page.request.get(urljoin(address, icon["src"]))
            assert picture.headers["content-type"].startswith(icon["type"])
            sizes.add((icon["sizes"], icon.get("purpose", "any")))
            if icon["type"] == "image/png":
                width = int.from_bytes(picture.body()[16:20], "big")
                assert icon["sizes"] == f"{width}x{width}"
        assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= sizes
        assert visit.trouble == []


def test_the_page_opens_while_the_server_is_away_and_comes_back_with_it(own_server, model):
    model.reply = "Yes."
    with (
        under_a_path(urlsplit(own_server.url).port, "/house") as proxy,
        visiting(f"{proxy.url}/", service_workers="allow") as visit,
    ):
        page = visit.page
        visit.phase("ready")
        page.wait_for_function(AT_WORK)
        ((name, paths),) = kept(page).items()
        assert name.startswith(f"voice_trio {proxy.url}/ ")
        assert {"/house/", "/house/static/style.css", "/house/static/js/playback-worklet.js"} <= set(paths)
        # What people say, and what is asked about it, is not kept.
        page.fill("#text", "Hello")
        page.keyboard.press("Enter")
        visit.over()
        page.click("#open-conversations")
        page.wait_for_selector(".drawer .title")
        assert kept(page) == {name: paths}
        assert all(path == "/house/" or path.startswith("/house/static/") for path in paths)
        own_server.kill()
        page.goto(f"{proxy.url}/?from=home#there")
        page.wait_for_selector("#connection[data-status=waiting]")
        assert page.evaluate("getComputedStyle(document.querySelector('.unseen')).position") == "absolute"
        own_server.start()
        visit.phase("ready")


def test_another_version_takes_the_place_of_the_one_that_was_kept(own_server):
    """A file that has changed makes another worker, which is taken at the next load, and the old files go."""
    with visiting(own_server.url, service_workers="allow") as visit:
        page = visit.page
        visit.phase("ready")
        page.wait_for_function(AT_WORK)
        (name,) = kept(page)
        # What an earlier version has left, and what another server at this host has.
        earlier, other = name.rpartition(" ")[0] + " earlier", "voice_trio http://127.0.0.1/elsewhere/ other"
        page.evaluate("names => Promise.all(names.map(name => caches.open(name)))", [earlier, other])
        page.evaluate("navigator.serviceWorker.getRegistration().then(one => one.unregister())")
        page.reload()
        visit.phase("ready")
        page.wait_for_function("earlier => caches.keys().then(names => !names.includes(earlier))", arg=earlier)
        assert set(kept(page)) == {name, other}
        assert visit.trouble == []
