"""A reply as it is written: a prompt in, tokens and phrases out, under limits of time and length.

Where the model asks for tools of the server, what it has said goes on being spoken while they are used; then it is
asked again, with what they answered. All that it says is one reply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from functools import partial
from math import inf

import trio

from voice_trio.config import PHRASE_GAP_MS
from voice_trio.core.chat_events import cut_short, why_empty
from voice_trio.core.errors import first_leaf
from voice_trio.core.messages import MAX_PHRASES, Event, Info, Token
from voice_trio.core.phrases import Phrase, PhraseAggregator
from voice_trio.core.strange_text import Mender, mend
from voice_trio.core.timeline import Moment, Stage
from voice_trio.engines.base import EngineError, Finish, LanguageModel, Prompt, TextDelta, ToolCall
from voice_trio.session.outlet import Outlet
from voice_trio.session.patience import Patience
from voice_trio.session.question import Hands
from voice_trio.session.report import failure
from voice_trio.session.settings import SessionSettings
from voice_trio.session.tool_use import Deeds, Use, Using, following
from voice_trio.standing import awaited

Phrases = trio.MemorySendChannel[Phrase]

_PHRASE_GAP_S = PHRASE_GAP_MS / 1000

_SLICE_CHARS = 500
"""A longer token goes on in such pieces, so that nobody waits for the whole of it to be cut into phrases."""

COVER_S = 1.5
"""So long nobody minds that nothing is said while a tool is used."""


class Written:
    """What a language model writes in answer to one prompt, and to what its tools answered."""

    def __init__(
        self,
        turn: int,
        settings: SessionSettings,
        begin: Callable[[], Event],
        use_tool: Callable[[int, ToolCall], Event],
        deeds: Deeds,
        sounds: Callable[[], bool],
    ) -> None:
        """``begin`` makes the event before the first text, ``use_tool`` that of each call, with its number.

        ``sounds`` tells whether what was said of it is still to be heard.
        """
        self.broken_off: EngineError | None = None
        """Why it did, where it broke off."""
        self.reason = ""
        """Why it ended, as the model calls it; empty where it did not come to its end."""
        self.tokens = 0
        """Pieces of text that the model wrote, said or not."""
        self.tool_uses = 0
        """Calls of the client's tools that it wants to be used, and that were said."""
        self.using = Using(deeds, settings.tool_timeout_s)
        """Calls of the server's."""
        self._rounds = settings.tool_rounds
        self._deeds = deeds
        self._sounds = sounds
        self._turn = turn
        self._begin = begin
        self._use_tool = use_tool
        self._said: list[str] = []
        self._left = settings.max_reply_chars
        self._is_cut = False
        self._has_text = False
        self._has_begun = False
        self._begins_sentence = False
        """What comes next is no part of the sentence before it."""
        self._aggregator = PhraseAggregator()
        self._mender = Mender()
        self._patience = Patience(settings.llm_first_token_s, settings.llm_timeout_s, settings.llm_reasoning_s)

    @property
    def text(self) -> str:
        """All that was said of it so far."""
        return "".join(self._said)

    @property
    def signs(self) -> Set[str]:
        """What the model was seen to do besides: see `Alive`."""
        return self._patience.signs

    @property
    def why_empty(self) -> str:
        """Why there was nothing to say, in words."""
        return why_empty(self.reason, self.signs, wrote=self._has_text)

    async def write(self, prompt: Prompt, hands: Hands, model: LanguageModel, phrases: Phrases, outlet: Outlet) -> None:
        """Have ``model`` write it: every token to ``outlet``, its phrases to ``phrases``, which is then closed.

        One that is longer than the settings, the model or the prompt let it be, or than can be numbered, is cut, and an
        info says so. One that breaks off, if only because time is up, is told at once; then what is whole of it goes to
        ``phrases``.
        """
        async with phrases:
            try:
                await self._answer(prompt, hands, model, phrases, outlet)
            except* EngineError as group:
                await self._break_off(first_leaf(group), outlet)
            cut = cut_short("length" if self._is_cut else self.reason)
            # Where nothing was said, that is told instead; but who set a limit is told that it was reached.
            if cut is not None and (self._has_text or prompt.max_tokens is not None):
                code, message = cut
                await outlet.say(Info(code=code, message=message, turn=self._turn))
            rest = self._aggregator.finish() if self.broken_off is None else self._aggregator.break_off()
            await self._send(rest, phrases)

    async def _answer(
        self, prompt: Prompt, hands: Hands, model: LanguageModel, phrases: Phrases, outlet: Outlet
    ) -> None:
        """Have the model write, and tools be used, until it asks for none of the server's, or the reply is cut."""
        if hands.agreed is not None and hands.agreed.name in hands.tools:
            uses = await self._use([hands.agreed], hands, phrases, outlet, agreed=True)
            prompt = following(prompt, "", uses, more=self._rounds > 0)
        for left in range(self._rounds, -1, -1):
            said = len(self.text)
            with outlet.during(Stage.CHAT):
                calls = await self._follow(prompt, hands, model, phrases, outlet)
            if not calls or self._is_cut:
                return
            text = self.text[said:].strip()
            await self._send(self._aggregator.flush(), phrases)
            self._begins_sentence = True
            uses = await self._use(calls, hands, phrases, outlet)
            if self.tool_uses or self._is_cut:
                # The client uses its own, and asks for what comes of it.
                return
            prompt = following(prompt, text, uses, more=left > 1)
            self._patience.begin_anew()

    async def _follow(
        self, prompt: Prompt, hands: Hands, model: LanguageModel, phrases: Phrases, outlet: Outlet
    ) -> list[ToolCall]:
        """Take the model's tokens until it says why it is done, or the reply is cut.

        Return for which of the server's tools it asks.
        """
        calls: list[ToolCall] = []
        of_client = {tool.name for tool in prompt.tools} - hands.tools.keys()
        gap_s = inf
        async with model.stream(prompt) as stream:
            while not self._is_cut:
                match await self._patience.receive(stream, gap_s):
                    case TextDelta(text):
                        self.tokens += 1
                        await self._add(text, phrases, outlet)
                        gap_s = _PHRASE_GAP_S
                    case ToolCall(name=name) as call if prompt.tools and (name in of_client or not hands.tools):
                        await outlet.say(partial(self._say_use, call))
                    case ToolCall() as call if prompt.tools:
                        calls.append(call)
                    case ToolCall():
                        # No tool was offered, so there is none to use.
                        self._patience.signs.add("tool_call")
                    case Finish(reason):
                        self.reason = reason
                        break
                    case None:
                        # Nothing comes for so long that the voice would fall silent.
                        await self._send(self._aggregator.flush(), phrases)
                        gap_s = inf
        return calls

    async def _use(
        self,
        calls: Sequence[ToolCall],
        hands: Hands,
        phrases: Phrases,
        outlet: Outlet,
        *,
        agreed: bool = False,
    ) -> list[Use]:
        """Have ``calls`` be made, and bridge the time that it takes."""
        async with trio.open_nursery() as nursery:
            waiting = trio.CancelScope()
            if hands.cover is not None and not self._deeds.covered:
                nursery.start_soon(self._cover, hands.cover, waiting, phrases, outlet)
            with awaited(Stage.TOOL):
                uses = await self.using.use(calls, hands, outlet, agreed=agreed)
            # What is being said by then is said to its end.
            waiting.cancel()
        return uses

    async def _cover(self, sentence: str, waiting: trio.CancelScope, phrases: Phrases, outlet: Outlet) -> None:
        """Say ``sentence`` in a while, unless something sounds then, or ``waiting`` is over before."""
        with waiting:
            await outlet.wait_open()
            await trio.sleep(COVER_S)
        if waiting.cancelled_caught or self._sounds():
            return
        self._deeds.covered = True
        await self._append(sentence, phrases, outlet)
        await self._send(self._aggregator.flush(), phrases)
        self._begins_sentence = True

    async def _add(self, token: str, phrases: Phrases, outlet: Outlet) -> None:
        for at in range(0, len(token), _SLICE_CHARS):
            if text := self._mender.push(token[at : at + _SLICE_CHARS]):
                await self._append(text, phrases, outlet)
            if self._is_cut:
                return

    async def _append(self, text: str, phrases: Phrases, outlet: Outlet) -> None:
        if self._begins_sentence and not text.isspace():
            self._begins_sentence = False
            text = f"\n{text}" if self._said and not self._said[-1].endswith("\n") else text
        self._is_cut = len(text) > self._left
        text = text[: self._left]
        self._left -= len(text)
        self._has_text = self._has_text or not text.isspace()
        if text:
            if not self._has_begun:
                self._has_begun = True
                await outlet.say(self._begin)
            await outlet.say(partial(self._say, text), Moment.FIRST_TOKEN)
        await self._send(self._aggregator.push(text), phrases)

    def _say(self, text: str) -> Token:
        """Have ``text`` be said, and return what says so."""
        self._said.append(text)
        return Token(turn=self._turn, text=text)

    def _say_use(self, call: ToolCall) -> Event:
        """Have a tool be used, and return what says so."""
        self.tool_uses += 1
        return self._use_tool(self.tool_uses - 1, ToolCall(*map(mend, call)))

    async def _send(self, cut: Sequence[Phrase], phrases: Phrases) -> None:
        for phrase in cut:
            self._is_cut = self._is_cut or phrase.index >= MAX_PHRASES
            await phrases.send(phrase)

    async def _break_off(self, error: BaseException, outlet: Outlet) -> None:
        """Say that it breaks off."""
        assert isinstance(error, EngineError)
        self.broken_off = error
        await outlet.say(failure(error, self._turn))
