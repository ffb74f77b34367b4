"""The life of one MCP server: it is connected to, asked for its tools, and connected to again when it is gone.

Whatever it does costs its own tools and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import structlog
import trio

from voice_trio.core.errors import leaves
from voice_trio.mcp.answer import cut, text_of
from voice_trio.mcp.base import Connect, Connection, Declined, Lost
from voice_trio.mcp.config import ServerConfig
from voice_trio.mcp.offered import Offered, Offers
from voice_trio.toolbox.base import Circumstances, ServerTool, ToolError

log = structlog.get_logger("voice_trio")

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
HEALTHY_S: Final = 60.0
"""Who was there for so long is waited for as at first."""
LIST_S: Final = 10.0
LIST_EVERY_S: Final = 1.0
"""A server that says all the time that its tools changed is asked for them no oftener."""
MOST_PAGES: Final = 32


class Server:
    """One MCP server, there or not."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.tools: tuple[ServerTool, ...] = ()
        """Those that it has by now: none while it is not there."""
        self.trouble: str | None = None
        """Why it is not there, in words that follow "it"; None while it is, and before it was tried."""
        self.tried = trio.Event()
        """Is set once it is known whether it can be had."""
        self._connection: Connection | None = None

    @property
    def is_there(self) -> bool:
        """Whether it can be asked now."""
        return self._connection is not None

    async def run(self, connect: Connect) -> None:
        """Hold a connection to it, and open another when one is lost, after waits that grow. Never returns."""
        wait_s = FIRST_WAIT_S
        while True:
            began = trio.current_time()
            reason = ""
            try:
                async with connect(self.config) as connection:
                    await self._hold(connection)
            # Whatever the package, and what it stands on, makes of a server out of order. A cancellation of ours may
            # have come in the same moment, and goes on.
            except* Exception as group:
                reason = _reason(group)
            was_there = self.tried.is_set() and self.trouble is None
            if was_there and trio.current_time() - began >= HEALTHY_S:
                wait_s = FIRST_WAIT_S
            say = log.warning if was_there or not self.tried.is_set() else log.debug
            say("an MCP server is not there", server=self.config.name, reason=reason, again_in_s=wait_s)
            self.trouble = reason
            self.tried.set()
            await trio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _hold(self, connection: Connection) -> None:
        """Have its tools, anew whenever they change, until the connection ends."""
        try:
            while True:
                with trio.fail_after(LIST_S):
                    offers = await self._offers(connection)
                self._connection = connection
                self._take(offers)
                self.trouble = None
                self.tried.set()
                await connection.wait_changed()
                await trio.sleep(LIST_EVERY_S)
        finally:
            # Before its process is cleared away, which may take seconds.
            self._connection, self.tools = None, ()

    async def _offers(self, connection: Connection) -> Offers:
        """Ask for its tools, page by page."""
        offers = Offers(self.config)
        params: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            try:
                page = await connection.ask("tools/list", params)
            except Declined as error:
                log.warning("an MCP server does not list tools", server=self.config.name, reason=cut(str(error)))
                break
            tools = page.get("tools")
            offers.add(tools if isinstance(tools, list) else [])
            if not isinstance(cursor := page.get("nextCursor"), str):
                break
            params = {"cursor": cursor}
        return offers

    def _take(self, offers: Offers) -> None:
        self.tools = tuple(self._tool(one) for one in offers.offered)
        log.info("an MCP server has tools", server=self.config.name, tools=len(self.tools))
        if offers.left_out:
            log.warning("tools of an MCP server are left out", server=self.config.name, tools=offers.left_out)
        if not isinstance(self.config.confirm, bool) and (missing := self.config.confirm - offers.waiting):
            log.warning(
                "STREAM_MCP has tools wait for a yes that there are not", server=self.config.name, tools=sorted(missing)
            )

    def _tool(self, one: Offered) -> ServerTool:
        return ServerTool(
            tool=one.tool,
            use=partial(self._use, one),
            has_effects=one.has_effects,
            confirm=one.confirm,
            crash=self._crash,
        )

    def _crash(self) -> None:
        if self._connection is not None:
            self._connection.kill()

    async def _use(self, one: Offered, arguments: Mapping[str, Any], circumstances: Circumstances) -> str:
        """Have the server do it: the `base.Use` of a tool."""
        name = self.config.name
        if self._connection is None:
            raise ToolError(f"The MCP server {name} is not running.")
        try:
            result = await self._connection.ask("tools/call", {"name": one.named, "arguments": dict(arguments)})
        except Declined as error:
            raise ToolError(cut(str(error)) or "The tool declined.") from None
        except Lost:
            gone = f"The MCP server {name} ended during the call"
            if one.has_effects:
                # It is no error, since what had an error was not done, and may be asked for again.
                return f"{gone}. It may be done all the same."
            raise ToolError(f"{gone}, and is not running.") from None
        if result.get("isError") is True:
            raise ToolError(text_of(result))
        return text_of(result)


def _reason(error: BaseException) -> str:
    """Return why a connection ended, in words that follow "it"; the first cause counts."""
    cause = min(leaves(error), key=lambda leaf: not isinstance(leaf, Lost))
    if isinstance(cause, Lost):
        return str(cause)
    if isinstance(cause, trio.TooSlowError):
        return f"it did not list its tools within {LIST_S:g} s"
    words = " ".join(str(cause).split())[:200]
    return f"{type(cause).__name__}{': ' if words else ''}{words}"
