import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from voice_trio.config import Settings
from voice_trio.environment import ConfigError
from voice_trio.mcp.config import MOST_FILE_BYTES, Address, Command, ServerConfig, read_servers
from voice_trio.mcp.open import open_mcp

PROGRAM = {"command": "uvx", "args": ["some-server"]}


@pytest.fixture
def read(tmp_path):
    """Return what reads a file with that text, or those servers, in an environment with those variables."""

    def read(content, **environ):
        file = tmp_path / "mcp.json"
        file.write_text(content if isinstance(content, str) else json.dumps({"mcpServers": content}))
        return read_servers(str(file), environ)

    return read


def test_a_file_as_others_write_it_is_read(read):
    servers = {
        "files": PROGRAM | {"env": {"ROOT": "/tmp"}, "cwd": "/tmp", "alwaysAllow": ["x"], "timeout": 5},
        "far": {"type": "http", "url": "https://example.com/mcp", "headers": {"Authorization": "Bearer ${TOKEN}"}},
        "off": {"command": "x", "disabled": True, "env": {"A": "${NOT_SET}"}},
    }
    files, far = read(json.dumps({"mcpServers": servers, "theme": "dark"}), TOKEN="abcdefgh")
    assert files.at == Command(argv=("uvx", "some-server"), env={"ROOT": "/tmp"}, cwd="/tmp")
    assert far.at == Address(url="https://example.com/mcp", headers={"Authorization": "Bearer abcdefgh"})
    assert far.secrets == ("Bearer abcdefgh",)
    assert not files.secrets


def test_a_variable_of_ours_is_taken_by_its_name_alone(read):
    env = {"A": "${ONE}", "B": "x${ONE}y${TWO}", "C": "$ONE", "D": "${}", "API_KEY": "written-there"}
    (server,) = read({"s": PROGRAM | {"env": env}}, ONE="1", TWO="a secret", THREE="3")
    assert server.at.env == {
        "A": "1",
        "B": "x1ya secret",
        "C": "$ONE",
        "D": "${}",
        "API_KEY": "written-there",
    }
    assert server.secrets == ("x1ya secret", "written-there")


@pytest.mark.parametrize(
    ("confirm", "asked", "not_asked"),
    [(True, ["a", "b"], []), (False, [], ["a", "b"]), (["a"], ["a"], ["b"]), ([], [], ["a"])],
)
def test_tools_that_wait_for_a_yes_are_marked(read, confirm, asked, not_asked):
    (server,) = read({"s": PROGRAM | {"confirm": confirm}})
    assert all(map(server.confirms, asked))
    assert not any(map(server.confirms, not_asked))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is no JSON: see line 1, column 2."),
        ("[" * 100_000, "is no JSON in UTF-8."),
        ("[]", "it is no object."),
        ({"s": "uvx some-server"}, "mcpServers.s: it is no object."),
        ("{}", "mcpServers: Field required."),
        ('{"mcpServers": 5}', "mcpServers: Input should be a valid dictionary."),
        (" " * (MOST_FILE_BYTES + 1), "has more than 1000000 bytes, and is no list of MCP servers."),
        ({"s": {}}, "mcpServers.s: give it a command or a url."),
        ({"s": PROGRAM | {"url": "http://a/mcp"}}, "mcpServers.s: it has both a command and a url: give one of them."),
        ({"s": PROGRAM | {"type": "http"}}, "mcpServers.s: its type is http, but it has a command."),
        ({"s": {"type": "stdio", "url": "http://a/"}}, "mcpServers.s: its type is stdio, but it has a url."),
        ({"s": {"type": "sse", "url": "http://a/"}}, "mcpServers.s.type: Input should be 'stdio', 'http', "),
        ({"s": PROGRAM | {"args": ["a", 5]}}, "mcpServers.s.args.1: Input should be a valid string."),
        ({"s": PROGRAM | {"args": ["a\0"]}}, "mcpServers.s.args.0: it holds a NUL character."),
        ({"s": PROGRAM | {"env": {"A": 5}}}, "mcpServers.s.env.A: Input should be a valid string."),
        ({"s": PROGRAM | {"env": {"A=": "5"}}}, "mcpServers.s.env.A=: it is no name of a variable."),
        ({"s": PROGRAM | {"env": {"A": "${KEY}"}}}, "mcpServers.s.env.A takes ${KEY}, which is not set."),
        ({"s": PROGRAM | {"confirm": "all"}}, "mcpServers.s.confirm: give true, or a list of the server's tools."),
        ({"s": PROGRAM | {"confirm": [1]}}, "mcpServers.s.confirm: give true, or a list of the server's tools."),
        ({"s": {"command": ""}}, "mcpServers.s.command: String should have at least 1 character."),
        ({"s": {"url": "a"}}, "mcpServers.s.url: 'a' does not begin with http:// or https:// and a host; give an "),
        ({"s": {"url": "http://a", "headers": {"a b": "c"}}}, "mcpServers.s.headers.a b: it is no name of a header."),
        (
            {"s": {"url": "http://a", "headers": {"X": "sécret"}}},
            "mcpServers.s.headers.X holds characters that no header has; it is not shown here.",
        ),
        ({"a b": PROGRAM, "a.b": PROGRAM}, "tools of 'a b' and 'a.b' could not be told apart: rename one."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(read, content, says):
    with pytest.raises(ConfigError) as raised:
        read(content)
    sentence = str(raised.value)
    assert sentence.startswith("STREAM_MCP: ")
    assert sentence.partition("/mcp.json")[2].lstrip(": ").startswith(says)
    assert "sécret" not in sentence


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"^STREAM_MCP: .*/none\.json cannot be read: No such file or directory\.$"):
        read_servers(str(tmp_path / "none.json"), {})


def test_bytes_that_are_no_text_are_said(tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"mcpServers": {"\xff": {}}}')
    with pytest.raises(ConfigError, match=r"is no JSON in UTF-8\.$"):
        read_servers(str(tmp_path / "a.json"), {})


def test_a_name_that_no_model_can_write_has_a_prefix_that_it_can():
    at = Command(argv=("x",), env={}, cwd=None)
    assert ServerConfig(name="My files (2)", at=at).prefix == "My_files__2_"


@pytest.mark.real
def test_a_server_without_the_setting_never_imports_the_package():
    program = """
import sys
import trio
from voice_trio.config import Settings
from voice_trio.mcp.open import open_mcp

async def main():
    async with open_mcp(Settings()) as toolbox:
        assert toolbox.tools() == []

trio.run(main)
assert "mcp" not in sys.modules and "mcp_types" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize("installed", [None, "1.27.0"])
async def test_without_the_package_it_is_said(tmp_path, monkeypatch, installed):
    def version(name):
        if installed is None:
            raise PackageNotFoundError(name)
        return installed

    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": {"s": PROGRAM}}))
    monkeypatch.setattr("voice_trio.mcp.open.version", version)
    with pytest.raises(ConfigError, match=r"^STREAM_MCP needs version 2 of the package mcp: `pip install "):
        async with open_mcp(Settings(mcp=str(tmp_path / "mcp.json"))):
            pass
