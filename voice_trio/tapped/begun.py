"""What has a beginning and an end, behind a tap."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Generic, TypeVar

from voice_trio.tap import Call, Tap

T = TypeVar("T")
S = TypeVar("S")


class Begun(Generic[S, T]):
    """A context whose beginning and end are calls."""

    def __init__(
        self,
        tap: Tap,
        call: Call,
        begin: Callable[[], AbstractAsyncContextManager[S]],
        wrap: Callable[[S, Tap, Call], T],
    ) -> None:
        self._tap = tap
        self._call = call
        self._begin = begin
        self._wrap = wrap
        self._inner: AbstractAsyncContextManager[S] | None = None

    async def __aenter__(self) -> T:
        try:
            return self._wrap(await self._tap.call(self._call, self._enter), self._tap, self._call)
        except BaseException:
            self._tap.left(self._call)
            raise

    def _enter(self) -> Awaitable[S]:
        self._inner = self._begin()
        return self._inner.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            if error is None:
                return await self._tap.call(Call("leave", within=self._call), self._leave)
            # It is the error's way out that counts now, and nobody is asked for anything.
            return None if self._inner is None else await self._inner.__aexit__(kind, error, trace)
        finally:
            self._tap.left(self._call)

    async def _leave(self) -> bool | None:
        assert self._inner is not None
        return await self._inner.__aexit__(None, None, None)
