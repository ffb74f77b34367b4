"""An answer in Markdown: it has its form, the spoken word is highlighted in it, and nothing in it is more than text."""

import hashlib

import pytest

from tests.page.browser import visiting
from tests.page.script import RATE, Script, chunks, rising
from tests.page.server import ROOT
from tests.page.test_looks import SCHEMES, check
from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State
from voice_trio.installation import static_dir

pytestmark = pytest.mark.real

REPLY = """Take **two eggs** and [this pan](https://example.org/pan).

1. Break them.
2. Stir `fast`:

```sh
stir --fast eggs
```

Then eat."""

HOSTILE = """<script>window.broken = 1</script>

<img src=x onerror="window.broken = 1"> and <b onclick="window.broken = 1">bold</b>

[here](javascript:window.broken=1) ![there](https://example.org/x.png) [now](data:text/html,<script>1</script>)

`</code><script>window.broken = 1</script>`
"""


def say(script, reply, words, sound):
    """Answer with ``reply``, whose ``words`` are spoken one after another in equal parts of ``sound``."""
    at, places = 0, []
    for i, word in enumerate(words):
        at = reply.index(word, at)
        places.append((i * len(sound) // len(words), at))
    phrase = m.TtsPhrase(turn=1, phrase=0, start=0, end=len(reply), sample_rate=RATE, words=tuple(places))
    script.say(m.StateChanged(turn=1, state=State.THINKING))
    for piece in [reply[at : at + 7] for at in range(0, len(reply), 7)]:
        script.say(m.Token(turn=1, text=piece))
    script.say(phrase, m.StateChanged(turn=1, state=State.RESPONDING), *chunks(1, sound))
    script.say(m.TtsPhraseDone(turn=1, phrase=0, samples=len(sound)))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_answer_has_its_form_and_the_spoken_word_is_highlighted_in_it(server, scheme):
    look = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme, "reduced_motion": "reduce"}
    with visiting(server.url, permissions=["clipboard-read", "clipboard-write"], **look) as visit:
        page = visit.page
        script = Script(page)
        visit.phase("ready")
        page.fill("#text", "How?")
        page.keyboard.press("Enter")
        script.wait_said("text")
        spoken = ["Take", "eggs", "this", "Stir", "stir", "Then"]
        say(script, REPLY, spoken, rising(7.2))
        for word, around in [("eggs", "strong"), ("this", "a"), ("Stir", "li"), ("stir", "pre"), ("Then", "p")]:
            page.wait_for_selector(f".assistant .words {around} .now >> text=/^{word}/")
            assert "*" not in page.inner_text(".assistant .words")
        check(page, "an answer in Markdown")
        link = page.locator(".assistant a")
        assert link.get_attribute("href") == "https://example.org/pan"
        assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
        assert page.locator(".assistant ol li").count() == 2
        page.locator(".listing button").click()
        page.wait_for_selector(".listing button >> text=Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "stir --fast eggs"
        # Cut off in the list: what stands below it is out of sight, its frame included.
        heard = REPLY.index("2. Stir")
        script.say(m.StateChanged(turn=1, state=State.COMPLETE))
        script.say(m.Done(turn=1, outcome=Outcome.CANCELLED, remembered=True, heard=heard))
        page.wait_for_selector(".unheard")
        assert " ".join(page.inner_text(".assistant .words").split()) == "Take two eggs and this pan. Break them."
        assert not page.locator(".listing").is_visible()
        assert not page.locator(".assistant li").nth(1).is_visible()
        page.click(".unheard")
        assert page.locator(".listing").is_visible()
        check(page, "an answer in Markdown that was cut off")
        assert visit.trouble == []


def test_nothing_in_an_answer_is_more_than_text(server):
    with visiting(server.url) as visit:
        page = visit.page
        script = Script(page)
        visit.phase("ready")
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.fill("#text", "Break out")
        page.keyboard.press("Enter")
        script.wait_said("text")
        script.say(m.StateChanged(turn=1, state=State.THINKING), m.Token(turn=1, text=HOSTILE))
        script.say(m.StateChanged(turn=1, state=State.COMPLETE))
        script.say(m.Done(turn=1, outcome=Outcome.COMPLETED, remembered=True, heard=len(HOSTILE)))
        page.wait_for_selector(".assistant >> text=window.broken")
        shown = page.inner_text(".assistant .words")
        assert "<script>window.broken = 1</script>" in shown
        assert '<b onclick="window.broken = 1">bold</b>' in shown
        tags = page.eval_on_selector_all(".assistant .words *", "all => all.map(one => one.tagName)")
        assert set(tags) <= {"P", "SPAN", "CODE", "A"}
        assert page.eval_on_selector_all(".assistant a", "all => all.map(one => one.href)") == []
        assert page.evaluate("window.broken") is None
        assert asked == []
        # The page's policy would complain of what it stopped.
        assert visit.trouble == []


def test_the_reader_is_the_one_that_notice_names():
    file = static_dir() / "vendor" / "from-markdown.js"
    notice = (ROOT / "NOTICE").read_text()
    assert hashlib.sha256(file.read_bytes()).hexdigest() in notice
