"""How what somebody said becomes a question to the language model, with the tools that it may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from voice_trio.core import messages as m
from voice_trio.core.history import prompt
from voice_trio.core.items import Item
from voice_trio.core.languages import voice_in
from voice_trio.engines.base import Engines, Prompt
from voice_trio.session.asked import Asked
from voice_trio.session.control import TurnControl
from voice_trio.session.question import Hands, Question
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.voice import Voice
from voice_trio.toolbox.base import Circumstances, ServerTool

_COVERS = {
    "de": "Einen Moment.",
    "en": "One moment.",
    "es": "Un momento.",
    "fr": "Un instant.",
    "it": "Un momento.",
    "nl": "Een ogenblik.",
    "pl": "Chwileczkę.",
    "pt": "Um momento.",
}
"""What is said where a tool takes long; in other languages nothing is."""


def question(around: Surroundings, asked: Asked, engines: Engines, said: str, language: str | None) -> Question:
    """Return what is asked by who ``said`` that, in ``language``; where nobody did, by what stands there."""
    settings, request, manner = around.settings, asked.request, asked.manner
    assert not isinstance(request, m.Commit), "nobody answers it"
    if manner.items is None:
        items = asked.conversation.asked(asked.number, said)
    else:
        items = asked.conversation.resolved(manner.items)
    messages = prompt(items, system=settings.llm_system_prompt, budget_tokens=settings.memory_tokens)
    voice = Voice(
        engines.synthesizer,
        request.voice or voice_in(language, engines.synthesizer.voices),
        around.wishes.speed(request.speed),
        settings.tts_timeout_s,
        phonemes=bool(request.phonemes),
    )
    own = _offered(around, asked, alone=engines.language_model.synthetic)
    tools = (*manner.tools, *(tool.tool for tool in own))
    seen = isinstance(request, m.Start | m.Text) and bool(request.visible)
    hands = Hands(
        {tool.tool.name: tool for tool in own},
        _Circumstances(around, asked, language, items),
        None if seen or not manner.aloud else _COVERS.get(language or "en"),
        around.wishes.agreed(asked, said, language),
    )
    return Question(Prompt(messages, tools, manner.tool_choice, manner.max_tokens), voice, hands)


def _offered(around: Surroundings, asked: Asked, *, alone: bool) -> Sequence[ServerTool]:
    """Return the server's tools that a reply may ask for; ``alone`` says that there is no real language model.

    One that the client has under the same name is the client's. A reply out of band is to leave no trace, so it does
    nothing.
    """
    if asked.is_out_of_band:
        return ()
    theirs = {tool.name for tool in asked.manner.tools}
    return [tool for tool in around.tools() if (alone or not tool.only_alone) and tool.tool.name not in theirs]


@dataclass(frozen=True, slots=True)
class _Circumstances:
    """Makes those of a call."""

    around: Surroundings
    asked: Asked
    language: str | None
    items: Sequence[Item]

    def __call__(self) -> Circumstances:
        asked, request = self.asked, self.asked.request
        assert not isinstance(request, m.Commit), "nobody answers it"
        return Circumstances(
            conversation=asked.conversation.name,
            turn=asked.number,
            now=datetime.fromtimestamp(self.around.wall_clock()).astimezone(),
            language=self.language,
            items=self.items,
            control=TurnControl(self.around.wishes, self.around.outbox, asked.conversation, request.speed),
        )
