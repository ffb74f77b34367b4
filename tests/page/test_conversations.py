"""Conversations that last, in a real browser: listed, found, opened, renamed, deleted, and there after a reload."""

import pytest

from tests.page.browser import visiting
from tests.page.server import serving
from tests.page.test_looks import SCHEMES, check

pytestmark = pytest.mark.real


def say(visit, text, turns=1):
    """Type ``text``, and wait until so many turns of this page have been answered and heard."""
    visit.phase("ready")
    visit.page.fill("#text", text)
    visit.page.keyboard.press("Enter")
    visit.over(turns)


def said(page):
    return page.locator(".you .words").all_inner_texts()


def asked(model):
    """Return what the model was last told that the person has said."""
    return [one["content"] for one in model.asked[-1] if one["role"] == "user"]


def open_drawer(page, count):
    """Open the drawer, and wait until it shows so many conversations; return their titles."""
    page.click("#open-conversations")
    return titles(page, count)


def titles(page, count):
    # What was there before is shown until the server has answered.
    page.wait_for_selector(".drawer ul[aria-busy=false]", state="attached")
    page.wait_for_function("n => document.querySelectorAll('.drawer .title').length === n", arg=count)
    return page.locator(".drawer .title").all_inner_texts()


def start_anew(visit):
    visit.page.click("#new")
    visit.phase("ready")


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id")


@pytest.fixture
def two(server, model):
    """A visit in which two conversations were had, of which the second is open."""
    model.reply = "Yes."
    with visiting(server.url) as visit:
        say(visit, "Tell me about green tea")
        start_anew(visit)
        say(visit, "And about coffee")
        yield visit


def test_after_a_reload_the_conversation_is_shown_and_goes_on(two, model):
    page = two.page
    page.reload()
    page.wait_for_selector(".turn")
    assert said(page) == ["And about coffee"]
    say(two, "Anything else?")
    assert said(page) == ["And about coffee", "Anything else?"]
    assert [one["content"] for one in model.asked[-1] if one["role"] == "user"] == [
        "And about coffee",
        "Anything else?",
    ]
    assert open_drawer(page, 2) == ["And about coffee", "Tell me about green tea"]
    assert "2 turns" in page.inner_text(".drawer li:first-child .when")
    assert two.trouble == []


def test_one_is_opened_and_goes_on(two, model):
    page = two.page
    assert open_drawer(page, 2) == ["And about coffee", "Tell me about green tea"]
    assert page.get_attribute(".drawer li:first-child .open", "aria-current") == "true"
    page.click("text=Tell me about green tea")
    page.wait_for_selector(".you .words >> text=green tea")
    assert said(page) == ["Tell me about green tea"]
    assert page.inner_text("#announcer") == "Opened: Tell me about green tea"
    say(two, "With milk?")
    assert asked(model) == ["Tell me about green tea", "With milk?"]
    assert open_drawer(page, 2) == ["Tell me about green tea", "And about coffee"]
    assert two.trouble == []


def test_after_new_a_reload_shows_nothing_and_new_can_be_undone(two):
    page = two.page
    start_anew(two)
    assert said(page) == []
    page.reload()
    two.phase("ready")
    assert said(page) == []
    open_drawer(page, 2)
    page.click("text=And about coffee")
    page.wait_for_selector(".turn")
    start_anew(two)
    page.click("text=Undo")
    assert said(page) == ["And about coffee"]
    say(two, "Still there?")
    assert said(page) == ["And about coffee", "Still there?"]
    assert open_drawer(page, 2)[0] == "And about coffee"
    assert two.trouble == []


@pytest.mark.parametrize(("width", "height"), [(360, 740), (844, 390), (1280, 800)])
def test_the_line_that_takes_something_back_covers_nothing(server, model, width, height):
    model.reply = "Yes."
    with visiting(server.url, viewport={"width": width, "height": height}, reduced_motion="reduce") as visit:
        page = visit.page
        say(visit, "Tell me about green tea")
        start_anew(visit)
        line = page.locator(".undo").bounding_box()
        last = page.locator("#limits:visible, #chips").last.bounding_box()
        for above, below in (
            (page.locator("header").bounding_box(), line),
            (line, page.locator("footer").bounding_box()),
        ):
            assert above["y"] + above["height"] <= below["y"]
        if height < 500:
            assert last["y"] + last["height"] <= line["y"]
        # Also not the end of a long conversation that goes on meanwhile.
        model.reply = "It is green. " * 30
        page.fill("#text", "And what does it look like?")
        page.keyboard.press("Enter")
        page.wait_for_selector(".now")
        page.evaluate("document.querySelector('#scroller').scrollTop = 1e6")
        last = page.locator(".assistant .words").last.bounding_box()
        assert page.is_visible(".undo")
        assert last["y"] + last["height"] <= page.locator(".undo").bounding_box()["y"]


def test_words_are_found(two):
    page = two.page
    open_drawer(page, 2)
    page.fill(".drawer [type=search]", "GREEN")
    assert titles(page, 1) == ["Tell me about green tea"]
    page.wait_for_selector(".drawer .hint >> text=1 found")
    page.fill(".drawer [type=search]", "chocolate")
    page.wait_for_selector(".drawer .hint >> text=No conversation has these words.")
    page.fill(".drawer [type=search]", "")
    titles(page, 2)
    assert two.trouble == []


def test_one_is_renamed_by_the_keyboard_and_escape_leaves_it_as_it_is(two):
    page = two.page
    open_drawer(page, 2)
    page.focus("[aria-label='Rename: Tell me about green tea']")
    page.keyboard.press("Enter")
    page.keyboard.type("Of tea")
    page.keyboard.press("Escape")
    assert page.evaluate("document.querySelector('#conversations').open")
    assert focused(page) == "Rename: Tell me about green tea"
    page.keyboard.press("Enter")
    page.keyboard.type("Of tea")
    page.keyboard.press("Enter")
    page.wait_for_selector(".drawer .title >> text=Of tea")
    page.wait_for_function("() => document.activeElement.getAttribute('aria-label') === 'Rename: Of tea'")
    page.keyboard.press("Escape")
    page.wait_for_selector("#conversations", state="hidden")
    assert focused(page) == "open-conversations"
    assert open_drawer(page, 2) == ["And about coffee", "Of tea"]
    assert two.trouble == []


def test_the_focus_stays_in_the_drawer(two):
    page = two.page
    open_drawer(page, 2)
    for _ in range(12):
        page.keyboard.press("Tab")
        where = "document.activeElement === document.body || !!document.activeElement.closest('#conversations')"
        assert page.evaluate(where)
    # Outside of it.
    page.mouse.click(800, 400)
    page.wait_for_selector("#conversations", state="hidden")


def test_what_is_deleted_can_be_taken_back_and_is_gone_when_the_notice_is(two):
    page = two.page
    open_drawer(page, 2)
    page.click("[aria-label='Delete: Tell me about green tea']")
    assert titles(page, 1) == ["And about coffee"]
    assert focused(page) == "Delete: And about coffee"
    page.click("text=Undo")
    assert titles(page, 2) == ["And about coffee", "Tell me about green tea"]
    page.click("[aria-label='Delete: Tell me about green tea']")
    # The next one settles the one before.
    with page.expect_response(lambda one: one.request.method == "DELETE") as first:
        page.click("[aria-label='Delete: And about coffee']")
    assert first.value.status == 200
    assert said(page) == []
    page.wait_for_selector(".drawer .hint >> text=Nothing yet")
    page.keyboard.press("Escape")
    page.wait_for_selector("#conversations", state="hidden")
    # It was open, and is so again.
    page.click("text=Undo")
    assert said(page) == ["And about coffee"]
    say(two, "Still there?")
    assert open_drawer(page, 1) == ["And about coffee"]
    assert two.trouble == []


def test_what_was_open_is_deleted_at_last_and_whoever_leaves_the_page_does_not_take_it_back(two):
    page = two.page
    open_drawer(page, 2)
    page.click("[aria-label='Delete: And about coffee']")
    titles(page, 1)
    page.reload()
    two.phase("ready")
    assert said(page) == []
    for _ in range(50):
        page.reload()
        two.phase("ready")
        page.click("#open-conversations")
        page.wait_for_selector(".drawer .title")
        if page.locator(".drawer .title").count() == 1:
            break
    assert titles(page, 1) == ["Tell me about green tea"]


def test_each_tab_goes_on_with_its_own(two):
    first = two.page
    with first.context.expect_page() as opened:
        first.evaluate("open(location.href, '_blank', 'noopener'), null")
    second = opened.value
    second.wait_for_selector("body[data-phase=ready]")
    assert said(second) == []
    open_drawer(second, 2)
    second.click("text=Tell me about green tea")
    second.wait_for_selector(".turn")
    for page, words in ((first, "And about coffee"), (second, "Tell me about green tea")):
        page.reload()
        page.wait_for_selector(".turn")
        assert said(page) == [words]
    second.close()
    first.reload()
    first.wait_for_selector(".turn")
    assert said(first) == ["And about coffee"]
    assert two.trouble == []


def test_another_browser_sees_nothing_of_it(two, server):
    pages = two.page.context.browser
    other = pages.new_context().new_page()
    other.goto(server.url)
    other.wait_for_selector("body[data-phase=ready]")
    other.click("#open-conversations")
    other.wait_for_selector(".drawer .hint >> text=Nothing yet")
    assert other.locator(".drawer li").count() == 0


def test_with_a_token_every_browser_sees_all_of_them(tmp_path, model):
    model.reply = "Yes."
    settings = {"STREAM_AUTH_TOKEN": "sesame", "OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none"}
    with serving(tmp_path, **settings) as locked:
        with visiting(locked.url) as visit:
            unlock(visit)
            say(visit, "Tell me about green tea")
        with visiting(locked.url) as visit:
            unlock(visit)
            assert said(visit.page) == []
            assert open_drawer(visit.page, 1) == ["Tell me about green tea"]
            visit.page.click("text=Tell me about green tea")
            visit.page.wait_for_selector(".turn")
            assert said(visit.page) == ["Tell me about green tea"]
            assert visit.trouble == []


def unlock(visit):
    visit.page.fill("#token", "sesame")
    visit.page.keyboard.press("Enter")
    visit.phase("ready")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_the_drawer_keeps_nobody_out(server, model, width, scheme):
    model.reply = "Yes."
    look = {"viewport": {"width": width, "height": 740}, "color_scheme": scheme, "reduced_motion": "reduce"}
    with visiting(server.url, **look) as visit:
        page = visit.page
        say(visit, "Tell me about green tea, and whether it is any better than black tea, or than coffee")
        start_anew(visit)
        check(page, "a new one")
        say(visit, "And about coffee")
        open_drawer(page, 2)
        assert page.evaluate("(one => one.scrollWidth <= one.clientWidth)(document.querySelector('#conversations'))")
        check(page, "drawer")
        page.click(".drawer li:last-child .rename")
        check(page, "naming")
        page.keyboard.press("Escape")
        page.click(".drawer li:last-child .remove")
        check(page, "deleted")
