import pytest

from voice_trio import config, environment
from voice_trio.config import ConfigError, Settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in Settings.model_fields:
        for variable in environment.variables(Settings, name):
            monkeypatch.delenv(variable, raising=False)


def test_every_variable_has_its_prefix():
    names = [config.variable(name) for name in Settings.model_fields]
    assert all(name.startswith(("STREAM_", "OPENAI_")) for name in names)


def test_the_environment_counts_and_an_option_counts_more(monkeypatch):
    monkeypatch.setenv("STREAM_PORT", "9000")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert config.load().port == 9000
    assert config.load(port="9001").port == 9001
    assert config.load().openai_base_url == "http://127.0.0.1:1/v1"


@pytest.mark.parametrize(
    ("variable", "value", "takes"),
    [
        ("STREAM_PORT", "70000", "a whole number from 0 to 65535"),
        ("STREAM_PORT", "abc", "a whole number from 0 to 65535"),
        ("STREAM_PORT", "", "a whole number from 0 to 65535"),
        ("STREAM_TTS_TIMEOUT_S", "0", "a number above 0 to 600"),
        ("STREAM_TTS_TIMEOUT_S", "nan", "a number above 0 to 600"),
        ("STREAM_ASR_ENGINE", "ears", "one of auto, faster-whisper, moonshine, remote, pocketsphinx"),
        ("STREAM_LOG_LATENCY", "perhaps", "1 or 0"),
        ("STREAM_HOST", "", "text"),
    ],
)
def test_a_bad_value_is_one_sentence(monkeypatch, variable, value, takes):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as caught:
        config.load()
    assert str(caught.value) == f"{variable} is {value!r}; it takes {takes}."


def test_a_key_is_in_no_error_and_no_repr(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    assert "sk-very-secret" not in repr(config.load())
    monkeypatch.setenv("STREAM_PORT", "x")
    with pytest.raises(ConfigError) as caught:
        config.load()
    assert "sk-very-secret" not in str(caught.value)


def test_every_setting_says_what_it_is_for_and_what_it_takes():
    for name, field in Settings.model_fields.items():
        assert field.description
        assert config.allowed(name)


def test_a_server_fails_on_purpose_only_where_it_may(monkeypatch):
    monkeypatch.setenv("STREAM_FAULTS", "llm:hang")
    with pytest.raises(ConfigError) as caught:
        config.load()
    assert str(caught.value) == (
        "STREAM_FAULTS: faults are injected only where STREAM_ALLOW_FAULTS=1 says that this server may fail."
    )
    monkeypatch.setenv("STREAM_ALLOW_FAULTS", "1")
    assert config.load().faults == "llm:hang"
    monkeypatch.setenv("STREAM_FAULTS", "llm:hung")
    with pytest.raises(ConfigError, match=r"^STREAM_FAULTS: 'llm:hung' is nothing that llm can suffer; it can .*\.$"):
        config.load()
    monkeypatch.setenv("STREAM_ALLOW_FAULTS", "yes, please")
    with pytest.raises(ConfigError, match=r"^STREAM_ALLOW_FAULTS is 'yes, please'; it takes 1 or 0"):
        config.load()


def test_no_faults_need_no_permission(monkeypatch):
    monkeypatch.setenv("STREAM_FAULTS", " ")
    assert config.load().faults == ""


def test_the_number_of_sessions_follows_the_processors():
    assert config.load(max_sessions=0).sessions == 16 * config.processors()
    assert config.load(max_sessions=3).sessions == 3


@pytest.mark.parametrize(
    ("word", "engine"),
    [
        ("auto", "auto"),
        ("openai", "openai-chat"),
        ("none", "skills"),
        ("local", "local"),
        (" openai-chat ", "openai-chat"),
    ],
)
def test_the_language_model_is_chosen_by_either_of_two_variables(monkeypatch, word, engine):
    monkeypatch.setenv("STREAM_LLM", word)
    assert config.load().llm_engine == engine
    assert config.load(llm_engine="auto").llm_engine == "auto"
    monkeypatch.setenv("STREAM_LLM", "auto")
    monkeypatch.setenv("STREAM_LLM_ENGINE", word)
    assert config.load().llm_engine == engine
    assert config.load(llm_engine=word).llm_engine == engine


@pytest.mark.parametrize(("word", "engine"), [("pyttsx3", "espeak"), ("espeak", "espeak"), ("hibari", "hibari")])
def test_the_voice_is_chosen_by_the_word_that_people_know(monkeypatch, word, engine):
    monkeypatch.setenv("STREAM_TTS_ENGINE", word)
    assert config.load().tts_engine == engine


@pytest.mark.parametrize("value", ["ollama", "NONE", "n\x1bone"])
def test_a_bad_word_for_it_is_one_sentence(monkeypatch, value):
    monkeypatch.setenv("STREAM_LLM", value)
    with pytest.raises(ConfigError, match=r"^STREAM_LLM\b"):
        config.load()
