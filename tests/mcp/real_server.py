"""An MCP server made with the protocol's own package, to be run as a program, or served over HTTP by a test."""

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations


def make():
    """Return a server of its own."""
    server = MCPServer("real")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.tool()
    def fail() -> str:
        """Never do it."""
        raise ToolError("The shop is closed.")

    @server.tool()
    async def wait() -> str:
        """Take for ever."""
        await anyio.sleep_forever()
        return "never"

    @server.tool()
    async def learn(context: Context) -> str:
        """Have one tool more."""

        def learned() -> str:
            """Show it."""
            return "This is new."

        server.add_tool(learned)
        await context.session.send_tool_list_changed()
        return "Learned."

    return server


if __name__ == "__main__":
    anyio.run(make().run_stdio_async, backend="trio")
