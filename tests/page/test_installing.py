"""The page as an app: what it says of itself, and the worker that keeps it for when the server is away."""

import json
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urljoin, urlsplit

import pytest

from tests.page.browser import visiting
from tests.page.proxy import under_a_path
from tests.page.server import serving
from voice_trio.installation import static_dir
from voice_trio.server.shell import Shell

pytestmark = pytest.mark.real

AT_WORK = "() => navigator.serviceWorker.controller?.state === 'activated'"


@pytest.fixture
def own_server(tmp_path, model):
    with serving(tmp_path, OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none") as server:
        yield server


GONE = """
async (name) => {
  for (let tries = 0; tries < 400; tries += 1) {
    if (!(await caches.keys()).includes(name)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
"""


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
        assert {"/house/", "/house/static/base.css", "/house/static/js/playback-worklet.js"} <= set(paths)
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


@contextmanager
def site(folder):
    """Serve the page's files from ``folder``; yields its address, and what puts the worker of those files there."""
    shutil.copytree(static_dir(), folder / "static")
    shutil.copy(folder / "static" / "index.html", folder)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format, *args):  # noqa: A002 - the base class names it
            pass

    def publish():
        (folder / "worker.js").write_text(Shell(folder / "static").worker)

    publish()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", publish
        finally:
            server.shutdown()
            thread.join()


def test_another_version_takes_the_place_of_the_one_that_was_kept(tmp_path):
    """A file that has changed makes another worker, which is there after the next load, and the old files go."""
    with site(tmp_path) as (url, publish), visiting(url, service_workers="allow") as visit:
        page = visit.page
        page.wait_for_function(AT_WORK)
        (before,) = kept(page)
        # Another server at this host may have files under a path of its own.
        other = f"voice_trio {url}elsewhere/ 1"
        page.evaluate("name => caches.open(name)", other)
        (tmp_path / "static" / "base.css").write_text("/* another */")
        publish()
        page.reload()
        assert page.evaluate(GONE, before)
        (after,) = set(kept(page)) - {other}
        assert after != before
        text = f"caches.open({json.dumps(after)}).then(one => one.match('static/base.css')).then(one => one.text())"
        assert page.evaluate(text) == "/* another */"
