"""The turn's mind: a prompt in, tokens and phrases out, under limits of time and length."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from math import inf

import trio

from voice_trio.config import PHRASE_GAP_MS
from voice_trio.core.empty_reply import why_empty
from voice_trio.core.groups import first_leaf
from voice_trio.core.history import Message
from voice_trio.core.messages import MAX_PHRASES, Event, Info, InfoCode, Outcome
from voice_trio.core.phrases import Phrase, PhraseAggregator
from voice_trio.core.surrogates import Mender
from voice_trio.engines.base import EngineError, Finish, LanguageModel, Prompt, TextDelta
from voice_trio.session.patience import Patience
from voice_trio.session.settings import SessionSettings

_PHRASE_GAP_S = PHRASE_GAP_MS / 1000

_SLICE_CHARS = 500
"""A longer token goes on in such pieces, so that nobody waits for the whole of it to be cut into phrases."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a reply."""

    reason: str
    """Why it ended, as the model calls it; empty where it did not come to its end."""
    signs: Set[str]
    """What the model was seen to do besides: see `Alive`."""
    has_text: bool
    """There was something other than white space in it."""
    broken_off: Outcome | None
    """What it means for the turn, where it broke off."""

    @property
    def why_empty(self) -> str:
        """Why there was nothing to say, in words."""
        return why_empty(self.reason, self.signs, wrote=self.has_text)


async def write(
    prompt: Sequence[Message],
    model: LanguageModel,
    phrases: trio.MemorySendChannel[Phrase],
    settings: SessionSettings,
    *,
    turn: int,
    emit: Callable[[Event], Awaitable[None]],
    emit_token: Callable[[str], Awaitable[None]],
    break_off: Callable[[EngineError], Awaitable[Outcome]],
) -> Written:
    """Write the reply to ``prompt``: every token to ``emit_token``, its phrases to ``phrases``, which is then closed.

    One longer than ``settings`` let it be, or than can be numbered, is cut, and an info says so. One that breaks
    off, if only because time is up, is told to ``break_off`` at once; then what is whole of it goes to ``phrases``.
    """
    patience = Patience(settings.llm_first_token_s, settings.llm_timeout_s, settings.llm_reasoning_s)
    reply = _Reply(phrases, settings.max_reply_chars, emit_token, break_off)
    reason = ""
    async with phrases:
        try:
            reason = await _follow(prompt, model, reply, patience)
        except* EngineError as group:
            error = first_leaf(group)
            assert isinstance(error, EngineError)
            await reply.break_off(error)
        if reply.is_cut:
            await emit(Info(code=InfoCode.REPLY_CUT, message="The reply is too long, and is cut here.", turn=turn))
        await reply.finish()
    return Written(reason, patience.signs, reply.has_text, reply.broken_off)


async def _follow(prompt: Sequence[Message], model: LanguageModel, reply: _Reply, patience: Patience) -> str:
    """Take the model's tokens until it says why it is done, which is returned, or until the reply is cut or broken."""
    gap_s = inf
    async with model.stream(Prompt(prompt)) as stream:
        while not reply.is_cut:
            match await patience.receive(stream, gap_s):
                case TextDelta(text):
                    await reply.add(text)
                    gap_s = _PHRASE_GAP_S
                case Finish(reason):
                    return reason
                case None:
                    await reply.flush()
                    gap_s = inf
    return ""


class _Reply:
    """What the model has written, cut into tokens for the page and phrases for the voice."""

    def __init__(
        self,
        phrases: trio.MemorySendChannel[Phrase],
        max_chars: int,
        emit_token: Callable[[str], Awaitable[None]],
        break_off: Callable[[EngineError], Awaitable[Outcome]],
    ) -> None:
        self.broken_off: Outcome | None = None
        """What it means for the turn, where it broke off."""
        self.is_cut = False
        """It is as long as it may be, and more came."""
        self.has_text = False
        """There is something other than white space in it."""
        self._phrases = phrases
        self._left = max_chars
        self._emit_token = emit_token
        self._break_off = break_off
        self._aggregator = PhraseAggregator()
        self._mender = Mender()

    async def add(self, token: str) -> None:
        """Append ``token``."""
        for at in range(0, len(token), _SLICE_CHARS):
            text = self._mender.push(token[at : at + _SLICE_CHARS])
            if text:
                await self._append(text)
            if self.is_cut:
                return

    async def _append(self, text: str) -> None:
        self.is_cut = len(text) > self._left
        text = text[: self._left]
        self._left -= len(text)
        self.has_text = self.has_text or not text.isspace()
        if text:
            await self._emit_token(text)
        await self._send(self._aggregator.push(text))

    async def flush(self) -> None:
        """End the phrase: nothing comes for so long that the voice would fall silent."""
        await self._send(self._aggregator.flush())

    async def break_off(self, error: EngineError) -> None:
        """Say that the reply breaks off, unless that was said."""
        if self.broken_off is None:
            self.broken_off = await self._break_off(error)

    async def finish(self) -> None:
        """End the reply; of one that broke off, what is whole."""
        await self._send(self._aggregator.finish() if self.broken_off is None else self._aggregator.break_off())

    async def _send(self, phrases: Sequence[Phrase]) -> None:
        for phrase in phrases:
            self.is_cut = self.is_cut or phrase.index >= MAX_PHRASES
            await self._phrases.send(phrase)
