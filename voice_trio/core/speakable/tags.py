"""What is a tag of HTML or SSML, and what only stands in angle brackets.

A tag has a known name, in small letters or in capitals, and attributes that have values or are known to have none. So
`<Enter>`, `<your name>`, `List<String>` and `a<b and c>d` are none, and are said. A name that is also a plain word
(`<time>`) is a placeholder where it stands alone: bare, and never closed.
"""

from __future__ import annotations

import re

from voice_trio.core.speakable.draft import Draft
from voice_trio.core.speakable.latex_words import CODE
from voice_trio.core.speakable.math import sup
from voice_trio.core.speakable.words import names

_LAYOUT = names(
    "address article aside blockquote body br caption center dd details div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 head header hr html li main nav ol p pre section summary table tbody td tfoot"
    " th thead tr ul speak break par seq"
)
"""These part what stands before them from what stands behind."""
_INLINE = names(
    "a abbr acronym audio b bdi bdo big button canvas cite code col colgroup del dfn dialog em embed font i"
    " iframe img input ins kbd label legend link map mark meta meter noscript object optgroup option output param"
    " picture progress q rp rt ruby s samp script select small source span strike strong style sub sup svg"
    " template textarea time title tt u var video wbr w emphasis prosody phoneme say-as voice lang lexicon lookup"
    " token desc path g rect circle line math mi mn mo mrow msup msub mfrac msqrt mtext"
)
_PLAIN_WORDS = names(
    "address article aside audio body button caption center code data desc details dialog emphasis figure font"
    " a img iframe footer form head header input label legend line link main map mark menu meta meter object"
    " option output"
    " param path picture progress section select source style summary table template time title token var"
    " video voice circle section"
)
_BARE_ATTRIBUTES = names(
    "async autofocus autoplay checked controls default defer disabled download hidden ismap loop multiple muted"
    " novalidate open readonly required reversed selected"
)
_SILENT = {"script": re.compile(r"</script\s*>", re.IGNORECASE), "style": re.compile(r"</style\s*>", re.IGNORECASE)}
SILENT_ENDS = {"-->": re.compile("-->"), **_SILENT, ">": re.compile(">"), "line": re.compile("\n")}
SILENT_ENDS |= {name: re.compile(rf"\\end\{{{name}\*?\}}") for name in CODE}
"""What ends a stretch of silence, by its name."""
LONGEST_NAME = 24

_NAME = r"[a-zA-Z](?:[\w-]{0,23}:)?[\w-]{0,23}"
_TAG = re.compile(
    rf"<(?P<close>/?)(?P<name>{_NAME})(?P<attributes>(?:\s++[\w:@.-]++\s*+=\s*+"
    r"(?:\"[^\"]{0,2000}+\"|'[^']{0,2000}+'|[^\s\"'<>]++)"
    rf"|\s++(?:{'|'.join(sorted(_BARE_ATTRIBUTES))})(?![\w=-]))*)\s*+/?>"
)
_TORN = re.compile(rf"<(?P<name>{_NAME})\s[^<>]{{0,200}}?=\s*+[\"'][^\"']*+\Z")
_PROSE = re.compile(r"[.,;:!?)]|[ ]")
"""Stands behind a tag that is named, and not behind one that opens a script."""
_NAMED_BEFORE = re.compile(r"\b(?:tags?|elements?)\s+\Z", re.IGNORECASE)
_NAMED = re.compile(r"\s+(?:tags?|elements?)(?!\w)", re.IGNORECASE)

COMMENT = r"<!--"
DECLARATION = r"<!(?:DOCTYPE|ENTITY|ELEMENT|\[CDATA\[)[^<>\n]{0,500}>|<\?(?:xml|php)[^<>\n]{0,500}\?>"
TAG = r"<(?=/?[a-zA-Z])"
ENCLOSED = (
    r"(?<!\w)<(?=[^\W\d][^<>\n]{0,80}(?P<enclosed>>))"
    r"|(?<=\w)<(?=[A-Za-z_]\w{0,40}(?:\[\])?(?:[,<] ?\w{1,40}){0,4}(?P<generic>>))"
)


def is_tag_name(name: str) -> bool:
    """Return whether tags are called ``name``: of a known list, or with a colon, as in "amazon:effect"."""
    if name != name.lower() and name != name.upper():
        return False
    known = name.lower()
    return known in _LAYOUT or known in _INLINE or (":" in known and not known.endswith(":"))


def is_bare_attribute(name: str) -> bool:
    """Return whether ``name`` may stand in a tag without a value."""
    return name.lower() in _BARE_ATTRIBUTES


def comment(m: re.Match[str], draft: Draft) -> int:
    """<!-- a comment -->: nothing, up to its end, in whatever phrase that comes."""
    return silence(m.string, m.end(), "-->", draft)


def silence(text: str, at: int, end: str, draft: Draft) -> int:
    """Return where in ``text`` the silence is over that ``end``, one of `SILENT_ENDS`, ends."""
    draft.space(at)
    found = SILENT_ENDS[end].search(text, at)
    if found is None:
        draft.silent_until, draft.silent_from = end, at
        return len(text)
    return found.end()


def tag(m: re.Match[str], draft: Draft) -> int:
    """<b>: nothing; <p>: a pause; declines what is no tag, or is named: "the <div> tag"."""
    text, at = m.string, m.start()
    found = _TAG.match(text, at)
    if found is None:
        torn = _TORN.match(text, at)
        return silence(text, len(text), ">", draft) if torn and is_tag_name(torn["name"]) else at
    name = found["name"]
    if not is_tag_name(name):
        return found.end() if found["close"] else at
    name = name.lower()
    bare = not found["attributes"] and not found["close"] and not found[0].endswith("/>")
    if bare and (_NAMED.match(text, found.end()) or _NAMED_BEFORE.search(text, max(0, at - 12), at)):
        return at
    if bare and name in _PLAIN_WORDS and re.compile(rf"[^<>]{{0,200}}</{name}>", re.I).match(text, found.end()) is None:
        following = text[found.end() : found.end() + 1]
        if name not in _LAYOUT or following not in ("\n", "<"):
            return at
    if name == "sup" and bare:
        return sup(text, at, found.end(), draft)
    if name == "s" and found["close"]:
        draft.space(at)  # a sentence of SSML, or what HTML strikes out
    if name in _LAYOUT:
        draft.pause("," if name == "break" else ".", at)
    if name in _SILENT and bare and _PROSE.match(text, found.end()):
        return at
    if name in _SILENT and not found["close"] and not found[0].endswith("/>"):
        return silence(text, found.end(), name, draft)
    return found.end()


def declaration(m: re.Match[str], draft: Draft) -> None:
    """<!DOCTYPE html>: nothing."""
    draft.space(m.start())


def enclosed(m: re.Match[str], draft: Draft) -> None:
    """<Enter>, List<String>: the brackets part words, and are no comparison."""
    draft.space(m.start())
    draft.bracket_end = m.start("enclosed") if m["enclosed"] else m.start("generic")
