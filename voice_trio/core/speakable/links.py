"""How a person says links and addresses: by what they are called, not by what they are made of."""

from __future__ import annotations

import re
from html import unescape

from voice_trio.core.speakable.draft import Draft

_ENTITIES = {"amp": "and", "lt": "less than", "gt": "greater than", "euro": "euros", "pound": "pounds"}
_ENTITIES |= {"deg": "degrees", "times": "times", "divide": "divided by", "plusmn": "plus or minus", "frac12": "1 half"}
_HOST = re.compile(r"[^\W_](?:[^\W_]|[.-]){0,79}")

ENTITY = r"&(?P<entity>[a-zA-Z]{2,8}|#\d{1,6});"
_DESTINATION = r"(?:<[^<>\n]{0,2000}+>|(?:[^()\s]|\([^()\s]{0,500}+\)){0,2000})"
_TITLE = r"(?:\s++(?:\"[^\"\n]{0,2000}+\"|'[^'\n]{0,2000}+'|\([^()\n]{0,2000}+\)))?"
LINK_END = rf"\](?:\(\s*+{_DESTINATION}{_TITLE}(?:\s*+\)|\Z)|\[[^\[\]\n]{{0,80}}\])"
FOOTNOTE = r"\[\^?\d{1,3}\](?!\()|\[\^[\w-]{1,20}\](?!\()"
URL = r"(?:(?:https?|ftp)://|(?<![\w.])www\.)[^\s<>\"\]。，、！？）」]*[^\s<>\"\]。，、！？）」.,;:!?'*_~)}`]"
EMAIL = r"(?<![\w.+-])(?P<mailbox>[\w.+-]{1,64})@(?P<mailhost>[\w-]++(?:\.[\w-]++)+)"


def entity(m: re.Match[str], draft: Draft) -> None:
    """&amp; and its like; &lt; and &gt; are brackets where they stand at words."""
    text, after = m.string, m.string[m.end() : m.end() + 1]
    if m["entity"] == "lt" and (after.isalpha() or after == "/"):
        draft.space(m.start())
        draft.bracket_end = text.find("&gt;", m.end(), m.end() + 80)
    elif m.start() == draft.bracket_end:
        draft.space(m.start())
    elif len(letter := unescape(m[0])) == 1 and letter.isalpha():
        draft.say(letter, m.start())
    elif m["entity"] in _ENTITIES:
        draft.word(_ENTITIES[m["entity"]], m.start())
    elif m["entity"] not in ("#39", "apos", "quot"):
        draft.space(m.start())
    elif m["entity"] != "quot":
        draft.say("'", m.start())


def link_end(m: re.Match[str], draft: Draft) -> None:
    """](https://example.com): the words of the link were said, its address is not."""
    if not m[0].endswith((")", "]")):
        draft.open_link_end = m.end()


def url(m: re.Match[str], draft: Draft) -> None:
    """https://www.example.com/page?id=1: "link to example.com"."""
    address = m[0]
    begin = address.find("://") + 3 if "://" in address else 0
    end = next((at for at in range(begin, len(address)) if address[at] in "/?#"), len(address))
    begin = max(begin, address.rfind("@", begin, end) + 1)  # a name or a password stays unsaid
    if address.startswith("www.", begin):
        begin += 4
    host = _HOST.match(address, begin, end)
    draft.say("link", m.start())
    if host:
        draft.say(" to ", m.start())
        draft.copy(host[0].rstrip(".-"), m.start() + begin)
    draft.open_link_end = m.end()


def email(m: re.Match[str], draft: Draft) -> None:
    """ada.b@example.com: "ada dot b at example.com"."""
    for offset, char in enumerate(m["mailbox"]):
        if char in "._+-":
            draft.word({".": "dot", "_": "underscore", "+": "plus", "-": "dash"}[char], m.start() + offset)
        else:
            draft.copy(char, m.start() + offset)
    draft.word("at", m.start("mailhost") - 1)
    draft.copy(m["mailhost"].replace("_", "-"), m.start("mailhost"))
