"""Tools of the server that the page is tested against."""

from voice_trio.toolbox.base import ToolError
from voice_trio.toolbox.function import tool


@tool(has_effects=False)
def train_times(station: str) -> str:
    """Tell when trains leave."""
    if station != "Ghent":
        raise ToolError("There is no such station.")
    return "At ten past."
