"""What docs/mcp.md shows, as it stands there, and what `voice-trio doctor` says of it."""

import json
import sys

import pytest

from tests.mcp.opening import call, named, opened
from tests.server.documented import snippets
from voice_trio.cli.doctor import mcp_servers
from voice_trio.config import Settings
from voice_trio.core.errors import CannotLoad
from voice_trio.mcp import connection

pytestmark = pytest.mark.real


@pytest.fixture
def servers(tmp_path, monkeypatch):
    """The servers of the document, whose programs are there."""
    monkeypatch.setattr(connection, "HANDSHAKE_S", 120.0)
    monkeypatch.chdir(tmp_path)
    [program] = snippets("mcp.md", "python")
    (tmp_path / "weather.py").write_text(program)
    [file] = snippets("mcp.md", "json")
    servers = json.loads(file)["mcpServers"]
    assert servers["home"]["command"] == "python"
    servers["home"]["command"] = sys.executable
    return servers


async def test_the_example_works(tmp_path, servers):
    async with opened(tmp_path, servers) as toolbox:
        assert await call(toolbox, "home__weather", city="Ulm") == "In Ulm it is sunny, at 21 degrees."
        assert not named(toolbox, "home__weather").has_effects


async def test_doctor_shows_it(tmp_path, servers):
    servers["home"]["confirm"] = True
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
    assert await mcp_servers(Settings(mcp="mcp.json")) == "home: home__weather (after a yes)"


async def test_doctor_says_why_one_is_not_there(tmp_path):
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": {"a": {"command": "/none"}}}))
    with pytest.raises(CannotLoad, match=r"^a is not there: it cannot be started: /none: No such file"):
        await mcp_servers(Settings(mcp=str(tmp_path / "mcp.json")))
