"""What is said for what is written, kind by kind: each row is a text and what a listener should hear."""

from __future__ import annotations

import pytest

from tests.core.test_speakable import check_map, say
from voice_trio.core.speakable.text import Speakable

TAGS = [
    ("the tag <br> and <a> and <script> for scripts", "the tag br and a and script for scripts"),
    ("<script>\nlet x = 1\n</script>\nafter", "after"),
    ("&lt;div&gt; and 5 &lt; 6, caf&eacute;", "div and 5 less than 6, café"),
    ('the <a href="https://x.org/a b" target="_blank" rel="noopener">guide</a> first', "the guide first"),
    ('<say-as interpret-as="telephone" format="1">555</say-as> now', "555 now"),
    ('Hello <break time="500ms"/> <prosody rate="slow">there</prosody>', "Hello, there"),
    ('a <!-- note, with <b> and "quotes" --> b', "a b"),
    ("<!DOCTYPE html><html><body>Hi</body></html>", "Hi"),
    ('<?xml version="1.0"?>Hi', "Hi"),
    ('<script>alert("x < y")</script>after', "after"),
    ("<style>p { color: red }</style>after", "after"),
    ('<P>One</P><P CLASS="a">Two</P>', "One. Two"),
    ('<input type="checkbox" checked disabled> ready', "ready"),
    ("<img src='a.png' alt='a > b'> seen", "seen"),
    ("one<br>two<br />three<hr/>four", "one. two. three. four"),
    ("<ul><li>one</li><li>two</li></ul>", "one. two"),
    ("H<sub>2</sub>O and x<sup>2</sup> and 10<sup>-3</sup>", "H2O and x squared and 10 to the power minus 3"),
    ("the 5<sup>th</sup> of May", "the 5th of May"),
    ("<time>10:00</time> sharp", "10 o'clock sharp"),
    ("Press <Enter> to go on", "Press Enter to go on"),
    ("Write <your name> here", "Write your name here"),
    ("Replace <API_KEY> and <your-id>", "Replace API KEY and your-id"),
    ("leaves at <time> from <address>", "leaves at time from address"),
    ("a List<String> of Map<String, Integer>", "a List String of Map String, Integer"),
    ("Vec<u8>, List<List<int>>", "Vec u8, List List int"),
    ("Use the `<div>` tag", "Use the div tag"),
    ("Use the <div> tag, not a <span> element", "Use the div tag, not a span element"),
    ('`<a href="x">` is a link', "a href equals x is a link"),
    ("If a<b and c>d then stop", "If a less than b and c greater than d then stop"),
    ("if x<y and y>z", "if x less than y and y greater than z"),
    ("is a < b or a<2 or b> 3", "is a less than b or a less than 2 or b greater than 3"),
    ("I have <3 left, a->b=>c", "I have less than 3 left, a to b to c"),
    ("mail <bob@example.com>", "mail bob at example.com"),
    ("see <https://example.com/x>", "see link to example.com"),
    ("<name>Bob</name>", "name Bob"),
    ("</unknown>text", "text"),
    ("a <b and c", "a less than b and c"),
    ("The <b>bold</b>, the <Strong>", "The bold, the Strong"),
    ('<amazon:effect name="whispered">hush</amazon:effect>', "hush"),
    ("5 <= 6 >= 4", "5 at most 6 at least 4"),
]
LINKS = [
    ('[guide](https://x.org "Bob\'s page") now', "guide now"),
    ("[guide](https://x.org 'a title') now", "guide now"),
    ("[guide](https://x.org (a title)) now", "guide now"),
    ("[guide](<https://x.org/a b>) now", "guide now"),
    ("[sic](see below) and [sic", "sic, see below, and sic"),
    ("![alt text](data:image/png;base64,AAAA) end", "alt text end"),
    ('[a]: https://x.org "A title"', ""),
    ("[^1]: Taxes not included.", "Taxes not included."),
    ("[Note]: this is prose", "Note: this is prose"),
    ("arr[0] and `arr[0]`", "arr and arr 0"),
]
POWERS = [
    ("¹⁴C", "14 C"),
    ("2**10 is 1024", "2 to the power 10 is 1024"),
    ("10**6 and 2*10**3", "10 to the power 6 and 2 times 10 cubed"),
    ("x**2 + y**3", "x squared plus y cubed"),
    ("2**n, e**x, 2**-1", "2 to the power n, e to the power x, 2 to the power minus 1"),
    ("(a+b)**2", "a plus b, squared"),
    ("2**3**2", "2 to the power 3 squared"),
    ("radius**2", "radius squared"),
    ("x ** 2", "x squared"),
    ("**bold** and 2**bold** and un**believ**able", "bold and 2bold and unbelievable"),
    ("**2** and **x**", "2 and x"),
    ("*5* and *x*", "5 and x"),
    ("a note* and 5* hotels", "a note and 5 hotels"),
    ("3*4, 5 * 3, 2*x, x*y, (a+b)*c", "3 times 4, 5 times 3, 2 times x, x times y, a plus b, times c"),
    ("10^6, x^2, 2^n, e^x, m^2", "10 to the power 6, x squared, 2 to the power n, e to the power x, m squared"),
    ("x^{n+1} and e^{-x}", "x to the power n plus 1 and e to the power minus x"),
    ("x^-1, 2^(10), x^(n+1)", "x to the power minus 1, 2 to the power 10, x to the power n plus 1"),
    ("x^2y + (x+1)^2", "x squared y plus, x plus 1, squared"),
    ("x², 10⁻³, 2ⁿ, 10⁶", "x squared, 10 to the power minus 3, 2 to the power n, 10 to the power 6"),
    ("5 m^2, 9.8 m/s²", "5 square metres, 9.8 metres per second squared"),
    ("9.11 × 10⁻³¹ kg", "9.11 times 10 to the power minus 31 kilograms"),
    ("Ca²⁺ and Na⁺ and SO₄²⁻", "Ca 2 plus and Na plus and SO4 2 minus"),
]
ALGEBRA = [
    ("y = 2^(x+1) - 3", "y equals 2 to the power x plus 1 minus 3"),
    ("x-y = 2, ½x, 7//2, 1/1000", "x minus y equals 2, 1 half x, 7 over 2, 1 over 1000"),
    ("2x + 1 = 5", "2x plus 1 equals 5"),
    ("Solve 3x = 9.", "Solve 3x equals 9."),
    ("3x - 4y = 12", "3x minus 4y equals 12"),
    ("(2x+1)", "2x plus 1"),
    ("2(x+1)", "2, x plus 1"),
    ("5ab - 3a + 2b", "5ab minus 3a plus 2b"),
    ("x=-3, x = -y, -y = 2", "x equals minus 3, x equals minus y, minus y equals 2"),
    ("7x^2 - 2x", "7x squared minus 2x"),
    ("2x-3 = 5 and 2x−3", "2x minus 3 equals 5 and 2x minus 3"),
    ("n-1, t - 1, B-52, F-16", "n minus 1, t minus 1, B-52, F-16"),
    ("10x zoom, 2x faster, 2x as fast", "10 times zoom, 2 times faster, 2 times as fast"),
    ("4x4, 1920x1080, 3840×2160, 3 x 4", "4 by 4, 1920 by 1080, 3840 by 2160, 3 by 4"),
    ("3×4=12", "3 times 4 equals 12"),
    ("2k + 1 and 5k users", "2k plus 1 and 5 thousand users"),
    ("f(x) = 2x, f'(x), P(A)", "f of x equals 2x, f prime of x, P of A"),
    ("O(n^2) and O(n log n)", "O of n squared and O of n log n"),
    ("sin(x), sqrt(16), ln(2)", "sine of x, square root of 16, natural log of 2"),
    ("n! = 120", "n factorial equals 120"),
    ("π ≈ 3.14, 2πr, Δt, σ = 1", "pi about 3.14, 2 pi r, delta t, sigma equals 1"),
    ("√2, ∛8, ∞, 5‰, 90°", "square root of 2, cube root of 8, infinity, 5 per mille, 90 degrees"),
    ("a ≤ b ≥ c ≠ d", "a at most b at least c is not equal to d"),
    ("x ∈ A ∪ B, ∀ x ∃ y", "x in A union B, for all x there exists y"),
    ("2·3 and a · b", "2 times 3 and a times b"),
    ("Paris · Rome", "Paris, Rome"),
    ("b² - 4ac, x²/2, x / 2", "b squared minus 4ac, x squared over 2, x over 2"),
    ("30-6+6=30, 5-3 = 2", "30 minus 6 plus 6 equals 30, 5 minus 3 equals 2"),
    ("7 % 2 = 1, 50% off", "7 mod 2 equals 1, 50 percent off"),
    ("0.1 + 0.2 == 0.3", "0.1 plus 0.2 equals 0.3"),
]
LATEX = [
    (r"$\iint_D f$", "double integral over D of f"),
    ("$\\frac{a+b}{c}$", "a plus b over c"),
    ("\\frac{a+b}{c} and \\dfrac12", "a plus b over c and 1 over 2"),
    ("$\\frac{\\frac{1}{2}}{x}$", "1 over 2 over x"),
    ("$\\sqrt[3]{8}$, $\\sqrt{x+1}$, $\\sqrt[n]{x}$", "cube root of 8, square root of x plus 1, n-th root of x"),
    ("A rate of $10\\%$ holds", "A rate of 10 percent holds"),
    ("$x \\in \\mathbb{R}$", "x in R"),
    ("$\\mathrm{d}x$, $\\mathbf{A}\\vec{x}$", "d x, A vector x"),
    ("$\\text{if } x > 0$", "if x greater than 0"),
    ("$\\left( \\frac{a}{b} \\right)^2$", "a over b, squared"),
    ("$2 \\cdot 3 \\times 4 \\div 5$", "2 times 3 times 4 divided by 5"),
    ("$a \\leq b \\geq c \\neq d$", "a at most b at least c is not equal to d"),
    ("$\\sum_{i=1}^{n} i$", "sum from i equals 1 to n of i"),
    ("\\[ \\int_0^1 x^2 \\, dx \\]", "integral from 0 to 1 of x squared dx"),
    ("$$\\lim_{x \\to 0} f(x) = 1$$", "limit as x approaches 0 of f of x equals 1"),
    ("$e^{i\\pi} + 1 = 0$", "e to the power i pi plus 1 equals 0"),
    ("$x^{10}$, $x_1$, $x_{n+1}$", "x to the power 10, x 1, x sub n plus 1"),
    ("$\\log_2 8$, $\\sin^2 x$, $\\sin^{-1} x$", "log base 2 8, sine squared x, sine inverse x"),
    ("$\\alpha + \\Omega$", "alpha plus omega"),
    ("$90^\\circ$, $A^T$, $f'(x)$", "90 degrees, A transpose, f prime of x"),
    ("$n!$, $\\binom{n}{k}$", "n factorial, n choose k"),
    ("$\\hat{x}$ and $\\bar{y}$", "x hat and y bar"),
    ("\\(a+b\\) and \\[c\\]", "a plus b and c"),
    ("\\$5, \\%, \\&", "5 dollars, percent, and"),
    ("It costs $10 and $20", "It costs 10 dollars and 20 dollars"),
    ("$5-$10 and $5-10", "5 dollars to 10 dollars and 5 to 10 dollars"),
    ("$5 for a pen and 10$ more", "5 dollars for a pen and 10 dollars more"),
    ("\\begin{equation} a = b \\end{equation}", "a equals b"),
    ("\\begin{align*} a &= b \\\\ c &= d \\end{align*}", "a equals b. c equals d"),
    ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "1, 2. 3, 4"),
    (
        "$\\begin{cases} x & \\text{if } x > 0 \\\\ -x & \\text{otherwise} \\end{cases}$",
        "x, if x greater than 0. minus x, otherwise",
    ),
    ("\\begin{itemize} \\item One \\item Two \\end{itemize}", "One. Two"),
    ("\\foo{bar} and \\baz", "bar and baz"),
    ("\\textbf{Bold} \\emph{words}", "Bold words"),
    ("\\section{Intro}\\label{sec:intro} Hi", "Intro Hi"),
    ("\\href{https://x.org}{the site}", "the site"),
    ("\\begin{verbatim} x = 1 \\end{verbatim} after", "code block. after"),
    ("$10{,}000$ and $1,000$", "10000 and 1000"),
    ("$\\underbrace{a+b}_{c}$", "a plus b c"),
    ("C:\\Users\\me", "C: Users me"),
    ("$x$ and $y$, $n-1$", "x and y, n minus 1"),
    ("$HOME/bin", "HOME bin"),
]
FIGURES = [
    ("10 000 €, 100 000 people, 50_000", "10000 euros, 100000 people, 50000"),
    ("₹5,00,000 and 12,34,567", "500000 rupees and 1234567"),
    ("1.234,56 € or 1.234.567 people", "1234 euros and 56 cents or 1234567 people"),
    ("1 234,56 € and 1 234 567 people", "1234 euros and 56 cents and 1234567 people"),
    ("CHF 1'234.50 and 1’234.50 CHF", "1234 Swiss francs and 50 centimes and 1234 Swiss francs and 50 centimes"),
    ("3,5 km and 12,50 €", "3.5 kilometres and 12 euros and 50 cents"),
    ("1,234,567.89", "1234567.89"),
    ("192.168.1.1 and 10.0.0.0/8", "192 dot 168 dot 1 dot 1 and 10 dot 0 dot 0 dot 0 slash 8"),
    ("0x1F and 1.5e-3 and 6.02e23", "hex 1F and 1.5 times 10 to the power minus 3 and 6.02 times 10 to the power 23"),
    ("25.11.2026", "November 25th, 2026"),
    ("2026-11-25T14:30:00Z", "November 25th, 2026, 14 30 and 0 seconds UTC"),
    ("١٢٣ and ५ and １２３ and ৫ and ๕", "123 and 5 and 123 and 5 and 5"),
    ("٥٠٪", "50 percent"),
    ("50-50, 3-2, 1990-2000", "50 50, 3 to 2, 1990 to 2000"),
    ("1/2 tsp, 1½ tbsp, 50/50", "1 half teaspoon, 1 and 1 half tablespoons, 50 50"),
    ('15.6" screen, 6" wide', "15.6 inches screen, 6 inches wide"),
    ("00:1A:2B:3C:4D:5E", "00 1A 2B 3C 4D 5E"),
    ("10 ft. long", "10 feet long"),
]
MONEY = [
    ("$5-10k, $.50 and 12.500,- €", "5 to 10 thousand dollars, 50 cents and 12500 euros"),
    ("USD $5, US $5, $5 CAD", "5 US dollars, 5 US dollars, 5 Canadian dollars"),
    ("₩1,000 and ₩ 1,000", "1000 won and 1000 won"),
    (
        "A$5, US$5, C$5, HK$5, NZ$5",
        "5 Australian dollars, 5 US dollars, 5 Canadian dollars, 5 Hong Kong dollars, 5 New Zealand dollars",
    ),
    ("R$ 10 and R$ 1.234,56", "10 reais and 1234 reais and 56 centavos"),
    ("100 kr, 100 zł, 100 Kč, 100 Ft", "100 kroner, 100 zlotys, 100 crowns, 100 forints"),
    ("100 ₽, ₺50, ฿100, 50.000 ₫, ₴20, ₪20", "100 rubles, 50 lira, 100 baht, 50000 dong, 20 hryvnias, 20 shekels"),
    ("¥500, 500円, 100元", "500 yen, 500 yen, 100 yuan"),
    ("EUR 5, 5 EUR, USD 20, 20 CHF", "5 euros, 5 euros, 20 US dollars, 20 Swiss francs"),
    ("-$5, $-5, −$5, ($5)", "minus 5 dollars, minus 5 dollars, minus 5 dollars, 5 dollars"),
    (
        "$5M, €3k, $2.5bn, $1.5 billion, €5 Mio.",
        "5 million dollars, 3 thousand euros, 2.5 billion dollars, 1.5 billion dollars, 5 million euros",
    ),
    ("5¢ and $0.05", "5 cents and 5 cents"),
    ("£3.50 and 3,50 €", "3 pounds and 50 pence and 3 euros and 50 cents"),
    ("Rs. 500, Rs 5 lakh, ₹2 crore", "500 rupees, 5 lakh rupees, 2 crore rupees"),
    ("5 $ and 5$", "5 dollars and 5 dollars"),
    ("$5-10, $5–$10, $10-20 million", "5 to 10 dollars, 5 dollars to 10 dollars, 10 to 20 million dollars"),
    ("€1.234 and 1.234 €/kg", "1234 euros and 1234 euros per kilogram"),
    ("EUR/USD 1.08", "EUR USD 1.08"),
    ("1 €, €1, 1 EUR", "1 euro, 1 euro, 1 euro"),
    ("CHF 5.– a day", "5 Swiss francs a day"),
    ("¥1,500 and 5,50€", "1500 yen and 5 euros and 50 cents"),
]
PHONES = [
    ("(020) 7946 0958", "0 2 0, 7 9 4 6, 0 9 5 8"),
    ("+33 1 23 45 67 89", "plus 3 3, 1, 2 3, 4 5, 6 7, 8 9"),
    ("555 1234 times, call 555 0199", "555 1234 times, call 5 5 5, 0 1 9 9"),
    ("555-0199", "5 5 5, 0 1 9 9"),
    ("call 234-5670", "call 2 3 4, 5 6 7 0"),
    ("500-1500 words", "500 to 1500 words"),
    ("+1 (555) 010-0199", "plus 1, 5 5 5, 0 1 0, 0 1 9 9"),
    ("+44 20 7946 0958", "plus 4 4, 2 0, 7 9 4 6, 0 9 5 8"),
    ("+14155550100", "plus 1 4 1 5 5 5 5 0 1 0 0"),
    ("020 7946 0958", "0 2 0, 7 9 4 6, 0 9 5 8"),
    ("06 12 34 56 78", "0 6, 1 2, 3 4, 5 6, 7 8"),
    ("0800 123 4567", "0 8 0 0, 1 2 3, 4 5 6 7"),
    ("1-800-555-0100", "1, 8 0 0, 5 5 5, 0 1 0 0"),
    ("1-800-FLOWERS", "1, 8 0 0, FLOWERS"),
    ("call 911 or dial 112", "call 9 1 1 or dial 1 1 2"),
    ("03-1234-5678", "0 3, 1 2 3 4, 5 6 7 8"),
    ("ISBN 978-3-16-148410-0", "ISBN 978 3 16 148410 0"),
]
PROSE = [
    ("7:30am-9pm", "7 30 AM to 9 PM"),
    ("MAC or Mac", "MAC or Mac"),
    ("it's a 2-in-1, non-stop, well-known", "it's a 2-in-1, non-stop, well-known"),
    ("η γάτα", "η γάτα"),
    ("Привет, 5 кошек", "Привет, 5 кошек"),
    ("今日は3月5日です", "今日は3月5日です"),
    ("合計で1,200円", "合計で1200円"),
    ("a 5* hotel, a *5* one", "a 5 hotel, a 5 one"),
    ("e.g. 3 of 5, i.e. 60%", "for example 3 of 5, that is 60 percent"),
    ("Open File > Settings > Privacy", "Open File, Settings, Privacy"),
    ("std::vector and ./run.sh", "std vector and run.sh"),
    ("H2O, CO₂, COVID-19", "H2O, CO2, COVID-19"),
    ("x => x * 2", "x to x times 2"),
    ("a&b, R&D", "a and b, R and D"),
    ("[1, 2, 3] and {a: 1}", "1, 2, 3 and a: 1"),
    ("5 > 3 > 1", "5 greater than 3 greater than 1"),
    ("1. one", "1, one"),
    ("I <b>am</b> 5'10\" & 20°C", "I am 5 foot 10 and 20 degrees Celsius"),
]


ROWS = [*TAGS, *LINKS, *POWERS, *ALGEBRA, *LATEX, *FIGURES, *MONEY, *PHONES, *PROSE]


@pytest.mark.parametrize(("written", "spoken"), ROWS)
def test_says(written: str, spoken: str) -> None:
    assert say(written) == spoken
    check_map(Speakable().speak(written), written)


def test_there_are_two_hundred_of_them() -> None:
    assert len({written for written, _ in ROWS}) >= 200


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (
            r"so $\frac{a+b}{c}$ it",
            [("so", "so"), ("a", "a+b"), ("plus", "+"), ("over", "}{"), ("c", "c}"), ("it", "it")],
        ),
        ("pay 1.234,56 € now", [("pay", "pay"), ("1234", "1.2"), ("euros", "4,56"), ("56", "56"), ("now", "now")]),
        ("so 2**10 is", [("so", "so"), ("to", "**"), ("10", "10"), ("is", "is")]),
        ("on ٢٥ <b>May</b> at", [("on", "on"), ("25", "٢"), ("May", "May"), ("at", "at")]),
        ("a <!-- not --> b", [("a", "a"), ("b", "b")]),
    ],
)
def test_each_word_leads_back(written: str, words: list[tuple[str, str]]) -> None:
    spoken = Speakable().speak(written)
    at = 0
    for word, place in words:
        at = spoken.text.index(word, at)
        assert spoken.source_at(at) == written.index(place), word
        at += len(word)


def test_what_is_silent_stays_so_over_phrases() -> None:
    speakable = Speakable()
    said = [
        speakable.speak(part).text for part in ("a <!-- one -", "-not", " two --", "> b <SCRIPT>x ", "y</script> c")
    ]
    assert said == ["a", "", "", "b", "c"]
    said = [
        speakable.speak(part).text for part in ('<img src="data:', "AAAA", 'BBBB"> d ', "\n[a]: http://x.org ", '"e')
    ]
    assert said == ["", "", "d", "", ""]
