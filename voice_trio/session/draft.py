"""A reply that is begun in a pause, before it is clear that the person has finished.

It is written and spoken behind a closed outlet, as far as there is room there, and nobody hears of it. Where the
utterance ends with that pause, and asks the very same, the draft is promoted: its outlet is opened, and what was made
meanwhile goes out at once. It is discarded where the person goes on, or asks something else. So a window of silence
costs nothing that is no longer than the first sound takes to be made. What has an effect waits until then.

No event tells of a draft. What is left of each is one entry in its turn's `Ledger`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import structlog
import trio

from voice_trio.engines.base import LanguageModel
from voice_trio.session.capture import Capture
from voice_trio.session.outlet import GatedOutlet
from voice_trio.session.question import Question
from voice_trio.session.reply import Reply
from voice_trio.session.report import report

log = structlog.get_logger()

MOST = 3
"""Drafts in a turn: who hesitates more often is answered when they have finished."""

PLACES = 64
"""Events that a draft makes ahead: the tokens of a sentence, and the sound that goes out before anybody plays it."""


class Fate(StrEnum):
    """What became of a draft."""

    PROMOTED = "promoted"
    DISCARDED = "discarded"
    FAILED = "failed"
    """An engine failed, or we did. Where that happens to the reply as well, the client is told."""


@dataclass(slots=True)
class Ledger:
    """What became of a turn's drafts, and what those cost that were for nothing."""

    session: str
    turn: int
    begun: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    wasted_tokens: int = 0
    """Pieces of text that the language model wrote for nobody."""
    wasted_speech_s: float = 0.0
    """Length of the speech that was made for nobody, as far as it waited at a closed outlet."""

    def figures(self) -> dict[str, float]:
        """Return what the log says of them: nothing where there were none."""
        if not self.begun:
            return {}
        return {
            "drafts_begun": self.begun,
            **{f"drafts_{fate}": self.fates[fate] for fate in Fate},
            "drafts_wasted_tokens": self.wasted_tokens,
            "drafts_wasted_speech_s": round(self.wasted_speech_s, 3),
        }

    def enter(self, fate: Fate, reply: Reply) -> None:
        """Note what became of the draft of ``reply``."""
        self.fates[fate] += 1
        if fate is not Fate.PROMOTED:
            self.wasted_tokens += reply.tokens
            self.wasted_speech_s += reply.queued_s
        log.debug("draft", session_id=self.session, turn=self.turn, fate=fate, tokens=reply.tokens)


class Draft:
    """A reply to ``question`` that nobody hears of until it is promoted."""

    def __init__(self, question: Question, reply: Reply, outlet: GatedOutlet, ledger: Ledger) -> None:
        self.question = question
        self.reply = reply
        self._outlet = outlet
        self._ledger = ledger
        self._fate: Fate | None = None
        self._scope = trio.CancelScope()
        self._over = trio.Event()

    async def run(self, model: LanguageModel, capture: Capture) -> None:
        """Have ``model`` answer, unless the pause of ``capture`` is over before the draft is promoted.

        Raises what is a defect of the reply that it has become; of a draft's the log alone hears.
        """
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._discard_at_resumption, capture)
                    await self.reply.run(self.question, model, self._outlet)
                    nursery.cancel_scope.cancel()
        except* Exception as group:
            if self._fate is Fate.PROMOTED:
                raise
            report(group, session=self._ledger.session, turn=self._ledger.turn)
            self._end(Fate.FAILED)
        finally:
            self._over.set()

    def promote(self) -> bool:
        """Have it become the reply, and return whether it does: what failed is asked for once more."""
        if self.reply.broken_off is not None:
            self._end(Fate.FAILED)
        return self._end(Fate.PROMOTED)

    async def deliver(self) -> None:
        """Let out what was made of it by now, and all that follows; it was promoted."""
        await self._outlet.open()
        await self._over.wait()

    def discard(self) -> None:
        """Nobody wants it, unless it was promoted."""
        self._end(Fate.DISCARDED)

    async def _discard_at_resumption(self, capture: Capture) -> None:
        await capture.wait_resumed()
        self.discard()

    def _end(self, fate: Fate) -> bool:
        """Enter ``fate`` into the ledger, if it is the first, and return whether it is.

        Only what is promoted lives on.
        """
        if self._fate is not None:
            return False
        self._fate = fate
        self._ledger.enter(fate, self.reply)
        if fate is not Fate.PROMOTED:
            self._scope.cancel()
        return True


class Drafts:
    """The drafts of one utterance, of which at most one is alive. None of it waits; `close` discards what is left."""

    def __init__(
        self,
        nursery: trio.Nursery,
        capture: Capture,
        model: LanguageModel,
        ledger: Ledger,
        new_draft: Callable[[Question], Draft],
    ) -> None:
        """The drafts live in ``nursery``, as long as the pause of ``capture`` in which they were begun."""
        self._nursery = nursery
        self._capture = capture
        self._model = model
        self._ledger = ledger
        self._new_draft = new_draft
        self._draft: Draft | None = None

    def begin(self, question: Question) -> None:
        """Begin to answer ``question``, if there were not too many before."""
        self.close()
        if self._ledger.begun < MOST:
            self._ledger.begun += 1
            self._draft = self._new_draft(question)
            self._nursery.start_soon(self._draft.run, self._model, self._capture)

    def promoted(self, question: Question) -> Draft | None:
        """Return the draft that answers ``question``, promoted. Any other is discarded, and None returned."""
        draft = self._draft
        if draft is None or draft.question != question or not draft.promote():
            self.close()
            return None
        return draft

    def close(self) -> None:
        """Discard what was not promoted."""
        if self._draft is not None:
            self._draft.discard()
