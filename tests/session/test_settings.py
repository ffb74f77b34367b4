"""What a session knows of the settings."""

import re
from pathlib import Path

from voice_trio import config
from voice_trio.config import Settings
from voice_trio.environment import is_secret
from voice_trio.session import settings
from voice_trio.session.settings import SessionSettings


def test_it_is_what_the_server_was_told():
    known = SessionSettings.of(config.load(vad_silence_ms=900, llm_system_prompt="Hello."))
    assert (known.vad_silence_ms, known.llm_system_prompt) == (900, "Hello.")


def test_no_secret_is_among_it():
    assert [name for name in SessionSettings.names() if is_secret(Settings.model_fields[name])] == []
    assert [name for name in Settings.model_fields if is_secret(Settings.model_fields[name])] == [
        "asr_api_key",
        "tts_api_key",
        "remote_api_key",
        "openai_api_key",
        "database_url",
        "auth_token",
    ]


def test_nothing_of_a_session_sees_all_of_them():
    for path in Path(settings.__file__).parent.glob("*.py"):
        if path.name != "settings.py":
            assert not re.search(r"\bSettings\b", path.read_text()), path
