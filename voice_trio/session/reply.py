"""What the person is answered: written by the language model, spoken by the voice while it is being written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import trio

from voice_trio.core.heard import SpokenPhrase, heard_text
from voice_trio.core.messages import Event, Info, InfoCode, Token, TtsChunk
from voice_trio.core.phrases import Phrase
from voice_trio.core.playout import Playout
from voice_trio.engines.base import EngineError, LanguageModel, ToolCall
from voice_trio.session.llm import Written
from voice_trio.session.outlet import Outlet
from voice_trio.session.playback import Playback
from voice_trio.session.question import Question
from voice_trio.session.settings import SessionSettings
from voice_trio.session.tool_use import Deeds, Use
from voice_trio.session.tts import Spoken
from voice_trio.standing import queued


@dataclass(frozen=True, slots=True)
class Beginnings:
    """What makes the events that go before others of a reply, at the moment at which they get out."""

    text: Callable[[Reply], Event]
    """Before its first text."""
    audio: Callable[[], Event]
    """Before the first that is about audio."""
    tool_use: Callable[[int, ToolCall], Event]
    """Of a call of a tool of the client's, with its number, which counts from 0."""


class Reply:
    """One reply. It says all it does through the outlet that it is given, and knows nothing of the turn around it."""

    def __init__(
        self,
        settings: SessionSettings,
        playout: Playout,
        beginnings: Beginnings,
        deeds: Deeds,
        *,
        aloud: bool = True,
    ) -> None:
        """``deeds`` are those of its turn; ``aloud`` says whether anybody speaks it."""
        turn = deeds.turn
        self.aloud = aloud
        self._shown = 0
        self._turn = turn
        self._max_pending_phrases = settings.max_pending_phrases
        begin = partial(beginnings.text, self)
        self._written = Written(turn, settings, begin, beginnings.tool_use, deeds, self._sounds)
        self._spoken = Spoken(turn, playout, beginnings.audio)

    @property
    def text(self) -> str:
        """All that was said of it so far."""
        return self._written.text

    @property
    def tokens(self) -> int:
        """Pieces of text that the language model wrote, said or not."""
        return self._written.tokens

    @property
    def queued_s(self) -> float:
        """How long the sound is that was handed to the outlet."""
        return self._spoken.playback.queued_s

    @property
    def silent_at(self) -> float:
        """When all that was sent of it has sounded; long ago where nothing was."""
        return self._spoken.playback.dry_at

    @property
    def broken_off(self) -> EngineError | None:
        """Why it did, where it broke off before its end."""
        return self._written.broken_off

    @property
    def unspoken(self) -> bool:
        """Whether the voice failed it altogether."""
        return not self._spoken.playback.queued and any(not phrase.whole for phrase in self._spoken.phrases)

    @property
    def uses(self) -> Sequence[Use]:
        """The tools of the server that were used for it."""
        return self._written.using.uses

    @property
    def wanted(self) -> ToolCall | None:
        """What it would have done, but for a yes of the person's, whom it asks for that."""
        return self._written.using.wanted

    async def run(self, question: Question, model: LanguageModel, outlet: Outlet) -> None:
        """Have ``model`` answer, and the voice say it, if it is `aloud`, until all can have been heard."""
        send, phrases = trio.open_memory_channel[Phrase](self._max_pending_phrases)
        with queued("phrases", lambda: phrases.statistics().current_buffer_used):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._written.write, question.prompt, question.hands, model, send, outlet)
                if self.aloud:
                    nursery.start_soon(self._spoken.speak, phrases, question.voice, outlet)
                else:
                    nursery.start_soon(_let_pass, phrases)
        if self.broken_off is None and not self._says_something and not self.unspoken:
            message = self._written.why_empty
            await outlet.say(Info(code=InfoCode.EMPTY_REPLY, message=message, turn=self._turn))

    def shown(self, token: Token) -> None:
        """``token`` was handed to the socket."""
        self._shown += len(token.text)

    def sent(self, chunk: TtsChunk) -> None:
        """``chunk`` was handed to the socket."""
        self._spoken.playback.sent(len(chunk.pcm) // 2)

    @property
    def playback(self) -> Playback:
        """How its sound goes out."""
        return self._spoken.playback

    def hold(self) -> int:
        """Nothing more of it is to be heard for now. Return how many samples were."""
        self._spoken.playback.hold()
        return self._spoken.playback.heard()

    def release(self) -> int:
        """It goes on. Return how many samples were heard."""
        self._spoken.playback.release()
        return self._spoken.playback.heard()

    @property
    def audible(self) -> bool:
        """Whether the person can have heard anything of it."""
        return self._spoken.playback.heard() > 0

    @property
    def phrases(self) -> Sequence[SpokenPhrase]:
        """What of it has sound by now, and where."""
        return self._spoken.phrases

    def _sounds(self) -> bool:
        """Return whether somebody is still to hear what was written by now."""
        return self.heard(all_queued=False) < len(self.text.rstrip())

    @property
    def _says_something(self) -> bool:
        said = self._spoken.playback.queued > 0 if self.aloud else bool(self.text.strip())
        return said or self._written.tool_uses > 0

    def heard(self, *, all_queued: bool) -> int:
        """Return how many code points of the text can have been heard by now, or will be with ``all_queued``.

        What nobody speaks is read as it comes.
        """
        if not self.aloud:
            return len(self.text) if all_queued else self._shown
        playback = self._spoken.playback
        return heard_text(self._spoken.phrases, self.text, playback.queued if all_queued else playback.surely_heard())

    def sounding(self) -> int:
        """Return up to which code point of the text the player may have come by now."""
        return heard_text(self._spoken.phrases, self.text, self._spoken.playback.heard())


async def _let_pass(phrases: trio.MemoryReceiveChannel[Phrase]) -> None:
    async with phrases:
        async for _ in phrases:
            pass
