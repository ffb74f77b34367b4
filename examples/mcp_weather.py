"""An MCP server with one tool: `python mcp_weather.py` speaks through its standard input and output."""

from mcp.server import MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("weather")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def weather(city: str) -> str:
    """Tell what the weather is like in a city."""
    return f"In {city} it is sunny, at 21 degrees."


if __name__ == "__main__":
    server.run()
