"""A recognizer that decodes when it is asked, whatever its model: a name, and decodes in the scheduler's threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError
from voice_trio.engines.decoding.scheduler import Batch, Job, Rank, Scheduler, Ticket

D = TypeVar("D")

DECODE_ERRORS = (RuntimeError, ValueError, MemoryError)
"""What the libraries raise; nothing of Trio runs in a decode's thread."""


class DecodingRecognizer(Generic[D]):
    """One loaded model behind one scheduler. A decode gives a ``D``."""

    ready = True

    def __init__(self, name: str, languages: Sequence[str], scheduler: Scheduler) -> None:
        self.name = name
        self.languages = languages
        self._scheduler = scheduler

    def check_language(self, language: str | None) -> None:
        """Raise `EngineError` (ASR_FAIL) for a language that the model does not know."""
        if language is not None and language not in self.languages:
            raise EngineError(ErrorCode.ASR_FAIL, f"{self.name} does not understand the language {language!r}.")

    @property
    def is_awaited(self) -> bool:
        """Whether somebody has finished speaking and waits for a decode to begin."""
        return self._scheduler.is_awaited

    def submit_final(self, begin: Callable[[], Job[D]], rank: Rank) -> Ticket[D]:
        """Queue a decode, which `answer` waits for."""
        return self._scheduler.submit(begin, rank)

    def submit_partial(self, batch: Batch[Any, D], begin: Callable[[], Any], *, ready: Callable[[], bool]) -> Ticket[D]:
        """Queue a decode that may be done together with those of others, which `answer` waits for."""
        return self._scheduler.submit_to(batch, begin, Rank.PARTIAL, ready=ready)

    async def answer(self, ticket: Ticket[D]) -> D:
        """Return what a decode gave. Raises `EngineError` (ASR_FAIL)."""
        try:
            return await ticket.wait()
        except DECODE_ERRORS as error:
            raise EngineError(
                ErrorCode.ASR_FAIL, f"{self.name} could not decode what was said ({type(error).__name__})."
            ) from error
