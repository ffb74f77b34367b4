"""What the text of each setting may be: a table of what people and files put there, and a walk over all of them."""

import os
import re
from pathlib import Path

import pytest
import trio
import trustme

from voice_trio import config
from voice_trio.cli.output import sentence
from voice_trio.config import ConfigError, Settings
from voice_trio.engines import load
from voice_trio.engines.openai_chat.client import is_configured, open_upstream
from voice_trio.entry_points import Kind
from voice_trio.faults import Faults
from voice_trio.journal.journal import SessionLogs, record_folder
from voice_trio.memory.database import Database
from voice_trio.memory.open import database_path
from voice_trio.server.access import Access
from voice_trio.server.listening import listen, open_connections
from voice_trio.server.tls import open_tls

TINY = Path(__file__).parent / "tiny_whisper" / "model"
"""A model of Whisper's that is here."""


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(config.variable(name), raising=False)
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith(("OPENAI_", "SSL_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


TAKEN = [
    ("host", "[::1]", "::1"),
    ("host", " localhost\r\n", "localhost"),
    ("host", "fe80::1%eth0", "fe80::1%eth0"),
    ("host", "my_container", "my_container"),
    ("host", "bücher.example", "bücher.example"),
    ("port", "8765\r", 8765),
    ("vad", "webrtc\r", "webrtc"),
    ("log_latency", "TRUE", True),
    ("vad_silence_ms", " 700 ", 700),
    ("language", "de\r", "de"),
    ("openai_base_url", "http://127.0.0.1:11434/v1\r", "http://127.0.0.1:11434/v1"),
    ("openai_base_url", "http://127.0.0.1:11434/v1\x0b\t\n", "http://127.0.0.1:11434/v1"),
    ("openai_base_url", "HTTPS://Example.COM/v1/", "HTTPS://Example.COM/v1/"),
    ("openai_base_url", "http://[::1]:11434/v1", "http://[::1]:11434/v1"),
    ("openai_base_url", "http://my_model:8000/v1", "http://my_model:8000/v1"),
    ("openai_base_url", "https://me:secret@bücher.example/v1", "https://me:secret@bücher.example/v1"),
    ("openai_base_url", " ", ""),
    ("llm_system_prompt", "Be kind.\nGrüße 😀\r\n", "Be kind.\nGrüße 😀"),
    ("data_dir", "/srv/caf\udce9 \U0001f468\u200d\U0001f469", "/srv/caf\udce9 \U0001f468\u200d\U0001f469"),
    ("allowed_origins", "https://Bücher.example:443/ ,http://x:80, *,", "https://xn--bcher-kva.example,http://x,*"),
    (
        "allowed_origins",
        "chrome-extension://abcdef, http://[::1]:3000",
        "chrome-extension://abcdef,http://[::1]:3000",
    ),
    ("trusted_proxies", "10.0.0.1/8, ::1,", "10.0.0.1/8, ::1,"),
    ("model_whisper", f"{TINY}\r\n", str(TINY)),
]


@pytest.mark.parametrize(("name", "value", "taken"), TAKEN)
@pytest.mark.parametrize("way", ["variable", "option"])
def test_what_is_meant_is_taken(monkeypatch, way, name, value, taken):
    assert getattr(loaded(monkeypatch, way, name, value), name) == taken


@pytest.mark.parametrize("way", ["variable", "option"])
def test_secrets_lose_the_white_space_around_them(monkeypatch, way):
    for name in ("auth_token", "openai_api_key"):
        assert getattr(loaded(monkeypatch, way, name, "\tsome secret\r\n"), name).get_secret_value() == "some secret"


REFUSED = [
    ("host", "http://127.0.0.1", "is more than a host"),
    ("host", "localhost:8765", "is more than a host"),
    ("host", "127.0.0.1/24", "is more than a host"),
    ("host", "a..b", "names no host: a part between its dots"),
    ("host", ".", "names no host: a part between its dots"),
    ("host", "a" * 64 + ".example", "names no host: a part between its dots"),
    ("host", "a." * 127 + "example", "names no host: it is too long"),
    ("host", "local host", "names no host"),
    ("host", "*", "names no host"),
    ("host", "local\0host", "U+0000"),
    ("host", "localhost\u200b", "U+200B"),
    ("port", "８７６５", "takes a whole number"),
    ("port", "9" * 5000, "takes a whole number"),
    ("port", "8765 # mine", "takes a whole number"),
    ("vad_silence_ms", "7e2", "takes a whole number"),
    ("vad_silence_ms", "700ms", "takes a whole number"),
    ("tts_timeout_s", "inf", "takes a number"),
    ("tts_timeout_s", "1e400", "takes a number"),
    ("tts_timeout_s", "10s", "takes a number"),
    ("tts_timeout_s", "1\x002", "U+0000"),
    ("language", "d\udce9", "bytes that are no UTF-8"),
    ("llm_model", "gpt\x1b[2J", "U+001B"),
    ("llm_model", "gpt\udce9", "bytes that are no UTF-8"),
    ("llm_system_prompt", "Sei h\udcf6flich.", "bytes that are no UTF-8"),
    ("data_dir", "/srv/\0", "U+0000"),
    ("openai_base_url", "htp://127.0.0.1/v1", "does not begin with http:// or https:// and a host"),
    ("openai_base_url", "localhost:11434", "does not begin with http:// or https:// and a host"),
    ("openai_base_url", "api.example/v1", "does not begin with http:// or https:// and a host"),
    ("openai_base_url", "http:///v1", "does not begin with http:// or https:// and a host"),
    ("openai_base_url", '"http://127.0.0.1/v1"', "does not begin with http:// or https:// and a host"),
    ("openai_base_url", "http://::1:80/v1", "an IPv6 address stands in brackets"),
    ("openai_base_url", "http://[::1/v1", "an IPv6 address stands in brackets"),
    ("openai_base_url", "http://256.1.1.1/v1", "cannot be read"),
    ("openai_base_url", "http://a..b/v1", "names no host"),
    ("openai_base_url", "http://" + "a" * 64 + "/v1", "names no host"),
    ("openai_base_url", "http://a%20b/v1", "names no host"),
    ("openai_base_url", "http://xn--\u2024/v1", "cannot be read"),
    ("openai_base_url", "http://a b/v1", "has a space in it"),
    ("openai_base_url", "http://x/v\r1", "U+000D"),
    ("openai_base_url", "http://x/v1\ufeff", "U+FEFF"),
    ("openai_base_url", "http://x:99999/v1", "has a port"),
    ("openai_base_url", "http://x:0/v1", "has a port"),
    ("openai_base_url", "http://x:-5/v1", "has a port"),
    ("openai_base_url", "http://x:port/v1", "cannot be read"),
    ("openai_base_url", "http://x/v1?version=3", "(hidden) goes on behind its path"),
    ("openai_base_url", "http://x/v1#top", "goes on behind its path"),
    ("allowed_origins", "https://friend.example, null", "is everybody's origin"),
    ("allowed_origins", "friend.example", "does not begin with a scheme"),
    ("allowed_origins", "https://friend.example, https://*.example", "names no host"),
    ("allowed_origins", "https://friend.example/page", "is more than an origin"),
    ("allowed_origins", "https://a..b", "names no host"),
    ("allowed_origins", "https://x https://y", "has a space in it"),
    ("trusted_proxies", "10.0.0.0/33", "is no address and no network"),
    ("trusted_proxies", "localhost", "is no address and no network"),
    ("trusted_proxies", "10.0.0.1 10.0.0.2", "is no address and no network"),
]


@pytest.mark.parametrize(("name", "value", "says"), REFUSED)
@pytest.mark.parametrize("way", ["variable", "option"])
def test_what_cannot_work_is_refused_in_a_sentence(monkeypatch, way, name, value, says):
    with pytest.raises(ConfigError) as caught:
        loaded(monkeypatch, way, name, value)
    assert says in str(caught.value)
    assert is_sentence_about(name, str(caught.value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("openai_base_url", "http://me:s3cret@a..b/v1"),
        ("openai_base_url", "http://me:s3c/ret@x/v1"),
        ("openai_base_url", "http://x:99999/v1?key=s3cret"),
        ("allowed_origins", "http://me:s3cret@x"),
        ("openai_api_key", "s3cret\nkey"),
        ("openai_api_key", "s3cret\udce9"),
        ("openai_api_key", "s3cretключ"),
        ("auth_token", "s3cret\r\ntoken"),
        ("auth_token", "s3cret\udce9"),
        ("auth_token", "s3cret\u200b"),
        ("auth_token", " \r\n"),
    ],
)
def test_a_secret_that_cannot_work_is_refused_without_being_shown(monkeypatch, name, value):
    with pytest.raises(ConfigError) as caught:
        loaded(monkeypatch, "option", name, value)
    assert is_sentence_about(name, str(caught.value))
    assert "s3c" not in str(caught.value)


# --- every setting, every value: taken and started with, or refused in a sentence ------------------------------------

HOSTILE = [
    *(
        "",
        " ",
        "\0",
        "\r\n",
        "x\r\ny",
        "\x1b]0;x\x07",
        "\x7f",
        "\x9b2J",
        "\u202e",
        "\u2028x",
        "\ufffe",
        "\udc80",
        "\ud83d",
    ),
    *("nan", "-inf", "0x10", "7_00", "+700", "-1", "1e3", "٧٠٠", "1,5", "None", "null", "true", "on", "off", "auto"),
    *(
        "~nobody-of-that-name/x",
        "~",
        "/dev/null",
        "/dev/null/x",
        "/proc/none/x",
        "..",
        "x" * 300,
        "/" + "x" * 300,
        "y/" * 3000,
    ),
    *(
        "%s%n",
        "${HOME}",
        "{0}",
        "'; --",
        "<a>",
        "llm:hang#3",
        "1" * 400,
        "é" * 70 + ".example",
        "[",
        "[]",
        "://",
        "@",
        "?",
    ),
]


def start_with(name: str, settings: Settings) -> None:
    """Open what ``name`` is for, as a server does as it starts."""
    match name:
        case "host" if settings.host in ("::1", "127.0.0.1", "localhost"):
            for one in listen(settings.model_copy(update={"port": 0})):
                one.close()
        case "trusted_proxies":
            open_connections(settings)
        case "auth_token" | "allowed_origins":
            Access.of(settings).allows_token("Bearer x", [])
        case "certfile" | "keyfile" if getattr(settings, name):
            good = {"certfile": "good.pem", "keyfile": "good.pem"}
            open_tls(settings.model_copy(update={**good, name: getattr(settings, name)}))
        case "data_dir":
            Database(database_path(settings), busy_s=1).close()
        case "record_dir":
            folder = record_folder(settings)
            assert folder is None or SessionLogs(folder)
        case "model_whisper":
            trio.run(open_whisper, settings.model_copy(update={"asr_engine": "faster-whisper"}))
        case "faults":
            Faults.of(settings)
        case "openai_base_url" if is_configured(settings):
            assert open_upstream(settings).address


async def open_whisper(settings: Settings) -> None:
    async with load.open_engine(Kind.RECOGNIZER, settings):
        pass


@pytest.mark.real
@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_value_is_taken_or_refused_in_a_sentence(monkeypatch, name):
    # What is looked for at home is found in a folder of the test's.
    monkeypatch.setenv("HOME", os.getcwd())
    monkeypatch.setenv("HF_HOME", os.getcwd())
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path("good.pem")
    taken, wrong = 0, []
    others = [value for _, value, _ in REFUSED + TAKEN] if Settings.model_fields[name].annotation is not int else []
    for value in [*HOSTILE, *others]:
        try:
            start_with(name, config.load(**{name: value}))
            taken += 1
        except Exception as error:
            wrong.append((value, sentence(ExceptionGroup("", [error])) or error))
    assert [one for one in wrong if not (isinstance(one[1], str) and is_sentence_about(name, one[1]))] == []
    assert wrong
    assert taken or Settings.model_fields[name].annotation is not str


def loaded(monkeypatch, way: str, name: str, value: str) -> Settings:
    if way == "option":
        return config.load(**{name: value})
    if "\0" in value:
        pytest.skip("no environment can hold it")
    monkeypatch.setenv(config.variable(name), value)
    return config.load()


def is_sentence_about(name: str, said: str) -> bool:
    """Whether ``said`` is one line that names the variable of ``name`` and of no other setting that was not asked."""
    others = re.findall(r"(?:STREAM|OPENAI)_[A-Z_]+", said.split(": ", 1)[0])
    assert "\n" not in said
    assert "Traceback" not in said
    return config.variable(name) in said and (not others or config.variable(name) in others) and said.endswith(".")
