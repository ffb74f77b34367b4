"""Speakable: what is said for what is written, and the way back from the one to the other."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from voice_trio.core.phrases import PhraseAggregator
from voice_trio.core.speakable.text import Speakable, Spoken


def say(text: str) -> str:
    return Speakable().speak(text).text


TABLE = [
    # Markdown
    ("Hello **world**!", "Hello world!"),
    ("*One* _two_ ***three*** __four__", "One two three four"),
    ("a ~~wrong~~ right word", "a wrong right word"),
    ("# A title", "A title"),
    ("Use `x` and ``y``.", "Use x and y."),
    ("See [the docs](https://example.com/a_(b)?q=1 'Docs') now", "See the docs now"),
    ("See [the docs][1] and this[2].", "See the docs and this."),
    ("![a red cat](cat.png) sleeps", "a red cat sleeps"),
    ("half of a [link that", "half of a link that"),
    ("goes on](https://example.com) here", "goes on here"),
    ("Go to https://www.example.com/page?id=1.", "Go to link to example.com."),
    ("<https://user:secret@example.com:8000/>", "link to example.com"),
    ("www.example.com", "link to example.com"),
    ("http:// is a scheme", "http: is a scheme"),
    ("> quoted **words", "quoted words"),
    ("- milk\n- [x] eggs\n", "milk. eggs"),
    ("  * milk", "milk"),
    ("1. Open the door", "1, Open the door"),
    ("12) Close it", "12, Close it"),
    ("| Name | Age |\n|------|----:|\n| Ada | 36 |\n", "Name, Age. Ada, 36"),
    ("above\n\n---\n\nbelow", "above. below"),
    ("Title\n=====\ntext", "Title. text"),
    ("two lines\nof prose", "two lines of prose"),
    ("Run:\n```sh\nrm -rf /\n```\nDone.", "Run: code block. Done."),
    ("~~~\na\n~~~\nafter", "code block. after"),
    ("```one line``` of code", "one line of code"),
    ("[1]: https://example.com\nHi", "Hi"),
    ("a<br/>b <b>bold</b> <!-- not said -->c", "a. b bold c"),
    ("fish &amp; chips&nbsp;&lt; 5", "fish and chips less than 5"),
    (r"a \*star\*", "a star"),
    # Emoji, symbols, control characters
    ("Hi 😀, you 👍🏽!", "Hi, you!"),
    ("🎉🎉 ❤️ 👩‍👩‍👧 🇩🇪", ""),
    ("1️⃣ First", "1 First"),
    ("Fine :-) thanks :tada:", "Fine thanks"),
    ("A → B -> C", "A to B to C"),
    ("salt & pepper, R&D", "salt and pepper, R and D"),
    ("2 + 2 = 4", "2 plus 2 equals 4"),
    ("a <= b != c", "a at most b is not c"),
    ("5 > 3 and x < 2", "5 greater than 3 and x less than 2"),
    ("5 × 3 ÷ 2 ± 1", "5 times 3 divided by 2 plus or minus 1"),
    ("/ 2 and 1/x", "2 and 1 over x"),
    ("2 * 3, 6 / 2", "2 times 3, 6 divided by 2"),
    ("C++ and C#", "C plus plus and C sharp"),
    ("a\x00b\x1b[\u200bc\ufeff", "abc"),
    ("\ud800", ""),
    ("𝐁𝐨𝐥𝐝 ﬁne", "Bold fine"),
    ("© 2024 Acme™", "2024 Acme"),
    # Numbers
    ("1,234,567 people", "1234567 people"),
    ("in 1, 2 or 3,5", "in 1, 2 or 3,5"),
    ("3.14 and .5", "3.14 and 0.5"),
    ("-5 or −5", "minus 5 or minus 5"),
    ("10 - 3", "10 minus 3"),
    ("1st, 22nd and 1,000th", "1st, 22nd and 1000th"),
    ("3-5 or 3–5 days", "3 to 5 or 3 to 5 days"),
    ("1990-2000", "1990 to 2000"),
    ("call 800-555-0100", "call 8 0 0, 5 5 5, 0 1 0 0"),
    ("(800) 555-0100", "8 0 0, 5 5 5, 0 1 0 0"),
    ("part 12-34-56", "part 12 34 56"),
    ("COVID-19 and B2B in the 1990s", "COVID-19 and B2B in the 1990s"),
    ("1/2, 3/4 and 22/7", "1 half, 3 quarters and 22 over 7"),
    ("2 1/2, 2½ and ⅔", "2 and 1 half, 2 and 1 half and 2 thirds"),
    ("9/10, on 24/7", "9 out of 10, on 24 7"),
    ("1/x of 5'10\"", "1 over x of 5 foot 10"),
    ("x^2 + y^3 = z^{10}", "x squared plus y cubed equals z to the power 10"),
    ("10⁶ and H₂O", "10 to the power 6 and H2O"),
    (r"\frac{1}{2} \times \alpha", "1 over 2 times alpha"),
    ("20% of 3.5 %", "20 percent of 3.5 percent"),
    ("3x faster at 1920x1080", "3 times faster at 1920 by 1080"),
    ("#1 and No. 5", "number 1 and number 5"),
    ("v1.2.3", "version 1.2.3"),
    # Money
    ("$3.50", "3 dollars and 50 cents"),
    ("$1, $0.99 and $2.01", "1 dollar, 99 cents and 2 dollars and 1 cent"),
    ("$5M or $1.5 billion", "5 million dollars or 1.5 billion dollars"),
    ("$1,234.00", "1234 dollars"),
    ("€20, 20€ and £2.05", "20 euros, 20 euros and 2 pounds and 5 pence"),
    ("-$5 a day, $5/month", "minus 5 dollars a day, 5 dollars per month"),
    # Units
    ("5 km, 1 km and 5km", "5 kilometres, 1 kilometre and 5 kilometres"),
    ("10 kg at 60 km/h", "10 kilograms at 60 kilometres per hour"),
    ("20°C, 1 °F and 90°", "20 degrees Celsius, 1 degree Fahrenheit and 90 degrees"),
    ("5 GB in 3 ms", "5 gigabytes in 3 milliseconds"),
    ("3-5 km, a 10-kg bag", "3 to 5 kilometres, a 10 kilogram bag"),
    ("5 m² and 5 mg/kg", "5 square metres and 5 milligrams per kilogram"),
    ("10k users, 7B weights", "10 thousand users, 7 billion weights"),
    ("~5 min, 10+ s", "about 5 minutes, 10 plus s"),
    # Times and dates
    ("at 7:30 pm", "at 7 30 PM"),
    ("at 7:00 p.m. sharp, 7pm", "at 7 PM sharp, 7 PM"),
    ("14:05, 9:00", "14 oh 5, 9 o'clock"),
    ("9:00-17:30", "9 o'clock to 17 30"),
    ("a 16:9 screen", "a 16 to 9 screen"),
    ("2024-05-01", "May 1st, 2024"),
    ("05/01/2024", "05 slash 01 slash 2024"),
    ("Jan. 5 and Sept 12", "January 5 and September 12"),
    # Words
    ("fruit, e.g. apples, i.e. food", "fruit, for example apples, that is food"),
    ("cats, etc. and dogs, etc.", "cats, et cetera and dogs, et cetera."),
    ("Dr. Who vs. Mr. X and Mrs. Y", "Doctor Who versus Mister X and Missus Y"),
    ("St. John, p. 5, Fig. 2", "Saint John, page 5, figure 2"),
    ("and/or, w/o it", "and or, without it"),
    ("foo_bar, __init__ and foo()", "foo bar, init and foo"),
    ("ada.b@example.com", "ada dot b at example.com"),
    ("#python by @ada", "hashtag python by at ada"),
    ("NASA said so", "NASA said so"),
    ("main.py on .NET", "main.py on .NET"),
    ("don’t, ‘quoted’ “words”", "don't, quoted words"),
    ("word(s)", "words"),
    # Punctuation
    ("Wow!!! Really?! Yes..", "Wow! Really? Yes..."),
    ("Well... ok … fine. . .", "Well... ok... fine..."),
    ("this — that – other -- last", "this, that, other, last"),
    ("prose (an aside) goes on (😀).", "prose, an aside, goes on."),
    ("pre- and post-war --force", "pre and post-war force"),
    ("你好。再见！", "你好.再见!"),
    ("", ""),
    (" \n ", ""),
    ("...", ""),
]


@pytest.mark.parametrize(("written", "spoken"), TABLE)
def test_says(written: str, spoken: str) -> None:
    assert say(written) == spoken
    check_map(Speakable().speak(written), written)


def check_map(spoken: Spoken, written: str) -> None:
    assert len(spoken.source) == len(spoken.text)
    assert list(spoken.source) == sorted(spoken.source)
    assert all(0 <= at < len(written) for at in spoken.source)
    assert spoken.source_at(len(spoken.text)) == spoken.source_length == len(written)
    assert len(spoken.text) <= 16 * len(written) + 16
    assert spoken.text == spoken.text.strip()
    assert "  " not in spoken.text


def test_each_word_leads_back_to_where_it_was_written() -> None:
    written = "See **the** 5 km [walk](http://x.org/y) & rest"
    spoken = Speakable().speak(written)
    assert spoken.text == "See the 5 kilometres walk and rest"
    for word, place in [
        ("See", "See"),
        ("the", "the"),
        ("kilo", "km"),
        ("walk", "walk"),
        ("and", "&"),
        ("rest", "rest"),
    ]:
        assert spoken.source_at(spoken.text.index(word)) == written.index(place)
    assert spoken.source_at(-1) == 0
    assert spoken.source_at(1000) == len(written)


def test_a_block_of_code_is_named_once_over_many_phrases() -> None:
    speakable = Speakable()
    phrases = ["Like this:\n", "```python\n", "print(1)  # and ", "so on\n", "```js\n", "```\n", "Done."]
    assert [speakable.speak(phrase).text for phrase in phrases] == ["Like this:", "code block", "", "", "", "", "Done."]


def test_lines_begin_where_the_reply_says_so_not_where_a_phrase_begins() -> None:
    speakable = Speakable()
    assert speakable.speak("We have ").text == "We have"
    assert speakable.speak("- as you know - 1. ").text == "as you know, 1."
    assert speakable.speak("and\n  ").text == "and"
    assert speakable.speak("- one\n").text == "one"
    assert speakable.speak("2. two").text == "2, two"


def test_an_address_cut_in_two_is_said_once() -> None:
    speakable = Speakable()
    assert speakable.speak("See https://example.com/" + "a" * 50).text == "See link to example.com"
    assert speakable.speak("a" * 50 + ".html for more").text == "for more"
    assert speakable.speak("and [this](https://example.com/" + "a" * 50).text == "and this"
    assert speakable.speak("aaa) too").text == "too"


def test_a_whole_reply_through_phrases() -> None:
    reply = (
        "Sure! Here are **3 ways**:\n\n1. Use `pip`, e.g. so:\n```\npip install\n```\n2. Ask [us](http://x.org). 😀\n"
    )
    aggregator, speakable = PhraseAggregator(), Speakable()
    phrases = [*aggregator.push(reply), *aggregator.finish()]
    assert [speakable.speak(phrase.text).text for phrase in phrases] == [
        "Sure!",
        "Here are 3 ways:",
        "1, Use pip, for example so:",
        "code block",
        "",
        "",
        "2, Ask us.",
        "",
    ]


hostile = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="0123456789.,:/-$%°x^½ kmpMBs", max_size=40),
    st.lists(st.sampled_from([written for written, _ in TABLE] + list("*_`#[](){}<>|~&@^\\\n ")), max_size=6).map(
        "".join
    ),
)


@given(st.lists(hostile, max_size=4))
@settings(max_examples=200, deadline=None)
def test_never_fails_and_keeps_its_map(phrases: list[str]) -> None:
    speakable = Speakable()
    for phrase in phrases:
        spoken = speakable.speak(phrase)
        check_map(spoken, phrase)
        assert not any(char in "*`#[]{}<>|~^\\_=\n\t\x00" for char in spoken.text)
        assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in spoken.text)


plain = st.text(alphabet=st.characters(exclude_characters="<[&`~\\:;"), max_size=40)
pieces = st.lists(
    st.one_of(plain, st.sampled_from([written for written, _ in TABLE if not set("<[&`~\\:;") & set(written)])),
    max_size=5,
)


@given(pieces)
@settings(max_examples=300, deadline=None)
def test_nothing_with_a_letter_or_a_figure_is_silent(phrases: list[str]) -> None:
    """Where nothing can open a tag, a link, an entity, code, a command or an emoticon."""
    speakable = Speakable()
    for phrase in phrases:
        # The space ends an address, which would else go on in the next phrase.
        text = speakable.speak(phrase + " ").text
        assert any(map(str.isalnum, text)) or not any(map(str.isalnum, phrase))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCäéß", min_size=2, max_size=12))
def test_words_pass_unchanged(word: str) -> None:
    sentence = f"The {word}s were there, and {word}d it; so what? Yes."
    assert say(sentence) == sentence
    assert Speakable().speak(sentence).source == tuple(range(len(sentence)))


# Between them these begin every rule that looks ahead or repeats, and let it fail as late as it can.
UNITS = ["a", "a.", "a@", "a@b.", "1", "1,111", "1.", "1-", "1/", "1:", "$1", "10 ", "0x|", "½", "²", "^{", "±", "≠"]
UNITS += ["*", "_", "`", "```\n", "|\n", "> ", "[a]: ", "](", "](a", "](a(", '](a "', "[ ](", "<a ", "<!--", "&a"]
UNITS += ["http://", "http://!", "www.", "\\frac{", "etc. ", "x… ", ". ", "!", ":a", "a'", "-", " ", "\n", "😀"]


@pytest.mark.parametrize("unit", UNITS)
def test_time_and_length_grow_with_the_text_alone(unit: str) -> None:
    # Not timed, so as not to depend on the machine: a quadratic rule would take minutes here.
    written = (unit * 20_000)[:20_000]
    check_map(Speakable().speak(written), written)
