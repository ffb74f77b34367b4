"""Log lines are JSON objects, those of libraries too, and hold no secret."""

import json
import logging

import pytest
import structlog

from voice_trio import config, log


@pytest.fixture
def lines(capsys):
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_ours_and_theirs_are_the_same_objects(lines):
    log.configure("INFO")
    with structlog.contextvars.bound_contextvars(session_id="abc", turn=3):
        structlog.get_logger().info("hello", more=1)
        logging.getLogger("hypercorn.error").error("oh %s", "no")
        logging.getLogger("httpx").info("a request")
    structlog.get_logger().debug("not now")
    ours, theirs = lines()
    assert {"event": "hello", "more": 1, "level": "info", "session_id": "abc", "turn": 3}.items() <= ours.items()
    assert theirs["event"] == "oh no"
    assert (theirs["logger"], theirs["level"], theirs["session_id"]) == ("hypercorn.error", "error", "abc")


def test_no_secret_is_in_any_line(lines):
    settings = config.load(auth_token="ein längeres Wort", openai_api_key="key-0123")
    assert log.secrets_of(settings) == ["key-0123", "ein längeres Wort"]
    log.configure("INFO", log.secrets_of(settings))
    said = structlog.get_logger()
    said.info("settings", value="ein längeres Wort")
    said.info("header", value="Authorization: Bearer something-else")
    said.info("offer", value="voice-trio, bearer.ZWluIGzDpG5nZXJlcyBXb3J0")
    said.info("sk-proj-0123456789")
    try:
        raise ValueError("key-0123 was refused")
    except ValueError:
        logging.getLogger("openai").exception("failed")
    found = lines()
    assert len(found) == 5
    for line in found:
        assert "[secret]" in str(line)
    assert "Wort" not in str(found)
    assert "key-0123" not in str(found)
    assert "sk-proj" not in str(found)
    assert "something-else" not in str(found)


@pytest.mark.parametrize(("level", "written"), [("INFO", ["a line"]), ("ERROR", [])])
def test_the_level_is_the_one_that_the_settings_ask_for(lines, level, written):
    log.configure(config.load(log_level=level).log_level)
    structlog.get_logger().info("a line")
    assert [line["event"] for line in lines()] == written
