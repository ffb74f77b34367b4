"""Engines of other packages: found, chosen, passed over or refused with a sentence, whatever is wrong with them."""

import pytest
import structlog
import trio
from click.testing import CliRunner

from tests.plugging import plugging
from voice_trio import config, entry_points, log
from voice_trio.cli import cli
from voice_trio.config import ConfigError, Settings
from voice_trio.engines import load, silero
from voice_trio.engines.base import CannotLoad
from voice_trio.engines.host import open_host
from voice_trio.engines.moonshine import model as moonshine
from voice_trio.engines.plug import Plug
from voice_trio.engines.plugged import plugged
from voice_trio.engines.silero import SileroDetector
from voice_trio.engines.webrtc import WebRtcDetector
from voice_trio.entry_points import Kind


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """Return what installs a package, as `plugging` says."""
    with plugging(tmp_path, monkeypatch) as plug_in:
        yield plug_in


async def opened(kind=Kind.LANGUAGE_MODEL, **settings):
    """Return the engine that is opened, what it stands in for, and why which others were left out."""
    with trio.fail_after(60), structlog.testing.capture_logs() as lines:
        async with load.open_engine(kind, config.load(**settings)) as one:
            found = one
    return found.engine, found.fallback, [line["reason"] for line in lines if line["log_level"] != "debug"]


async def test_the_best_is_taken_unless_another_is_named(plug_in):
    assert (await opened())[0].name == "skills"
    plug_in()
    assert (await opened())[0].name == "parrot"
    assert (await opened(llm_engine="synthetic"))[0].name == "synthetic"
    assert (await opened(llm_engine="parrot", openai_base_url="http://127.0.0.1:1/v1"))[0].name == "parrot"


async def test_it_is_given_its_own_settings_and_the_servers(plug_in, monkeypatch):
    plug_in()
    monkeypatch.setenv("STREAM_PARROT_PITCH", " 7 ")
    own = (await opened(llm_timeout_s=3))[0].settings
    assert (own.parrot_pitch, own.llm_timeout_s) == (7, 3.0)
    assert not hasattr(own, "auth_token")


BROKEN = [
    (
        "import no_such_module",
        "it cannot be imported from bird_\\d+:PLUG: ModuleNotFoundError: .*",
    ),
    ("sys.exit(3)", "it cannot be imported from .*: SystemExit: 3"),
    ("PLUG = open_parrot", "bird_.* is no Plug but a function"),
    ("pass", "it cannot be imported from .*: AttributeError: .*"),
    ("PLUG = parrot(name='crow')", "bird_.* is the language_model 'crow', and is declared as another"),
    ("PLUG = parrot(settings=dict)", "it cannot be imported from .*: TypeError: settings is to be a subclass of .*"),
    ("PLUG = parrot(open=None)", "it cannot be imported from .*: TypeError: open is to be a function of the settings"),
    ("PLUG = parrot(kind='bird')", "it cannot be imported from .*: TypeError: kind is 'bird'; it is to be one of .*"),
]


@pytest.mark.parametrize(("code", "why"), BROKEN)
async def test_one_that_is_none_keeps_nobody_from_starting_who_did_not_ask(plug_in, code, why):
    plug_in(code)
    engine, _, reasons = await opened()
    assert engine.name == "skills"
    assert len(reasons) == 1
    with pytest.raises(CannotLoad, match=f"^STREAM_LLM_ENGINE asks for parrot, and {why}\\.$"):
        await opened(llm_engine="parrot")
    (told,) = plugged(config.load())
    assert (told.well, told.about) == (False, f"language model parrot of bird 1.0: {reasons[0]}")


PASSED_OVER = [
    ("PLUG = parrot(missing=lambda settings: 'it has no cage: buy one')", "and it has no cage: buy one."),
    ("PLUG = parrot(settings=Needy)", "and STREAM_PARROT_ADDRESS is not set; it takes text, or nothing."),
    ("PLUG = parrot(missing=raises(KeyError(1)))", "and it fails to say whether it can be used: KeyError: 1."),
]


@pytest.mark.parametrize(("code", "why"), PASSED_OVER)
async def test_one_that_cannot_be_used_here_is_passed_over_in_silence(plug_in, code, why):
    plug_in(code)
    engine, _, reasons = await opened()
    assert (engine.name, reasons) == ("skills", [])
    with pytest.raises(CannotLoad) as caught:
        await opened(llm_engine="parrot")
    assert str(caught.value) == f"STREAM_LLM_ENGINE asks for parrot, {why}"
    (told,) = plugged(config.load())
    assert told.well


FAILING = [
    ("PLUG = parrot(open=raises(CannotLoad('It flew away.')))", "It flew away."),
    ("PLUG = parrot(open=raises(ValueError()))", "it cannot be opened: ValueError"),
    (
        """
        @asynccontextmanager
        async def open_nothing(settings):
            yield object()
        PLUG = parrot(open=open_nothing)
        """,
        "what it opens is no language model: it has no name, synthetic, stream",
    ),
]


@pytest.mark.parametrize(("code", "why"), FAILING)
async def test_one_that_fails_to_open_is_told_of_and_passed_over(plug_in, code, why):
    plug_in(code)
    engine, _, reasons = await opened()
    assert (engine.name, reasons) == ("skills", [why])
    with pytest.raises(CannotLoad) as caught:
        await opened(llm_engine="parrot")
    assert str(caught.value) == f"parrot of bird 1.0 fails: {why}"


async def test_a_wrong_setting_of_its_own_is_one_sentence(plug_in, monkeypatch):
    plug_in()
    monkeypatch.setenv("STREAM_PARROT_PITCH", "ten")
    for name in ("auto", "parrot"):
        with pytest.raises(ConfigError) as caught:
            await opened(llm_engine=name)
        assert str(caught.value) == "STREAM_PARROT_PITCH is 'ten'; it takes a whole number from 1 to 9."
    assert (await opened(llm_engine="synthetic"))[0].name == "synthetic"
    assert [one.well for one in plugged(config.load())] == [False]


NO_NAME = "is no name: use small letters, digits, dots and hyphens"


async def test_its_secrets_are_in_no_log_line(plug_in, monkeypatch, capfd):
    plug_in()
    monkeypatch.setenv("STREAM_PARROT_KEY", "polly-wants-a-cracker")
    log.configure("INFO")
    async with load.open_engine(Kind.LANGUAGE_MODEL, config.load()):
        structlog.get_logger().info("heard", words="polly-wants-a-cracker")
    assert '"words": "[secret]"' in capfd.readouterr().err


@pytest.mark.parametrize(
    ("points", "name", "why"),
    [
        ("parrot", "parrot", f"its name is to begin with {', '.join(f'{kind}.' for kind in Kind)[:-1]}."),
        ("language_model.auto", "language_model.auto", f"'auto' {NO_NAME}"),
        ("language_model.A", "language_model.A", f"'A' {NO_NAME}"),
        (
            "language_model.synthetic",
            "language_model.synthetic",
            "voice_trio itself has a language model of that name already",
        ),
    ],
)
def test_what_is_declared_wrongly_is_told(plug_in, points, name, why):
    plug_in(points=points)
    assert entry_points.others() == ((), (entry_points.Misdeclared(name, "bird 1.0", why),))
    assert [(one.about, one.well) for one in plugged(config.load())] == [(f"{name} of bird 1.0: {why}", False)]


@pytest.mark.real
async def test_what_is_declared_wrongly_is_one_line_of_the_log_at_the_start(plug_in):
    plug_in(points="parrot")
    with trio.fail_after(60), structlog.testing.capture_logs() as lines:
        async with open_host(config.load(asr_engine="pocketsphinx")) as host:
            assert host.engines.ready
    told = [(line["event"], line["package"]) for line in lines if line["log_level"] != "debug"]
    assert told == [("engine cannot be used", "bird 1.0")]


def test_entry_points_that_cannot_be_read_are_told(plug_in, tmp_path):
    plug_in()
    (tmp_path / "bird-1.0.dist-info" / "entry_points.txt").write_text("[voice_trio.engines]\nnonsense\n")
    entry_points.forget()
    found, (wrong,) = entry_points.others()
    assert not found
    assert wrong.why.startswith("its entry points cannot be read: ")


def test_of_two_of_a_name_the_first_package_has_it(plug_in):
    plug_in()
    plug_in(package="aviary")
    found, wrong = entry_points.others()
    assert [one.package for one in found] == ["aviary 1.0"]
    assert wrong[0].why == "aviary 1.0 has a language model of that name already"


RECOGNIZERS = """
    class Ear:
        name = "ear 2"
        languages = {languages}
        ready = True
        def open(self, language):
            raise NotImplementedError

    @asynccontextmanager
    async def open_ear(settings):
        yield Ear()

    PLUG = Plug(kind="recognizer", name="ear", settings=Own, open=open_ear, quality=90, about="A plain ear.")
"""
BETTER = """
    PLUG = Plug(
        kind="recognizer", name="better", title="the better ear", settings=Own, open=open_parrot, quality=95,
        missing=lambda settings: "it is not here", command=lambda settings: "fetch ear",
    )
"""


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        ('("de",)', "Speech is recognised by ear, in German only."),
        ('("de", "en", "xx")', "Speech is recognised by ear, in German, English and 'xx' only."),
        ('("de", "en", "fr", "it")', "Speech is recognised by ear."),
        ("()", "Speech is recognised by ear."),
    ],
)
async def test_any_fallback_says_what_it_is(plug_in, languages, said):
    plug_in(RECOGNIZERS.format(languages=languages), "recognizer.ear")
    assert (await opened(Kind.RECOGNIZER))[1] is None
    plug_in(BETTER, "recognizer.better", package="shop")
    fallback = (await opened(Kind.RECOGNIZER))[1]
    assert (fallback.message, fallback.command) == (said, "fetch ear")
    assert (fallback.about, fallback.better) == ("A plain ear.", "the better ear")
    assert (await opened(Kind.RECOGNIZER, asr_engine="ear"))[1] is None


WEIGHTS = """
    class Cages:
        def listing(self, settings):
            return ["small  here"]
        def wanted(self, settings):
            return f"cage-{settings.parrot_pitch}"
        def knows(self, name):
            return name.startswith("cage-")
        def download(self, name, progress):
            progress(1, 2)
            return f"/cages/{name}"
        async def check(self, settings, name, tell):
            tell(f"{name or self.wanted(settings)} holds")
            return "The door does not shut."

    PLUG = parrot(weights=Cages())
"""


def models(*arguments):
    done = CliRunner().invoke(cli, ["models", *arguments])
    assert done.exit_code == 0, done
    return done.stdout, done.stderr


def test_what_it_needs_on_disk_is_listed_fetched_and_tried_with_ours(plug_in, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    plug_in(WEIGHTS)
    ours, _, theirs = models("list")[0].partition("\nparrot:\n")
    assert "The settings ask for small-int8: not here" in ours
    assert theirs.startswith("small  here\n")
    assert models("download", "cage-3")[0] == "cage-3 is in /cages/cage-3\n"
    assert models("check", "cage-3") == ("cage-3 holds\n", "The door does not shut.\n")
    monkeypatch.setenv("STREAM_LLM_ENGINE", "parrot")
    assert models("check")[0] == "cage-5 holds\n"
    monkeypatch.delenv("STREAM_LLM_ENGINE")
    done = CliRunner().invoke(cli, ["models", "download", "huge-int8"])
    assert str(done.exception).startswith("Whisper model 'huge-int8' is unknown")


# --- ours -------------------------------------------------------------------------------------------------------------


def test_ours_are_all_plugs_of_their_names():
    for entry in entry_points.ours():
        module, attribute = entry.place.split(":")
        plug = getattr(__import__(module, fromlist=[attribute]), attribute)
        assert isinstance(plug, Plug)
        assert (plug.kind, plug.name, plug.settings) == (entry.kind, entry.name, Settings)


def test_an_installation_without_a_checkout_has_what_its_metadata_declares(monkeypatch, plug_in):
    monkeypatch.setattr(entry_points, "_checkout", lambda: None)
    plug_in("PLUG = parrot()", "language_model.parrot recognizer.parrot", package="voice_trio")
    assert [entry.name for entry in entry_points.ours()] == ["parrot", "parrot"]
    assert entry_points.others()[0] == ()


@pytest.mark.real
async def test_the_fallback_of_ours_is_said_as_ever(monkeypatch, tmp_path, plug_in):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr(moonshine, "assets", lambda: None)
    fallback = (await opened(Kind.RECOGNIZER))[1]
    assert fallback.message == "Speech is recognised by the small built-in pocketsphinx, in English only."
    assert fallback.command.endswith("voice-trio models download small-int8")
    assert (fallback.about, fallback.better) == ("The small recognizer that comes with it.", "Whisper")


async def test_a_detector_that_lacks_its_model_is_refused_or_passed_over(monkeypatch, plug_in):
    assert isinstance((await opened(Kind.DETECTOR, vad="auto"))[0](), SileroDetector)

    def missing():
        raise RuntimeError("Silero's model is missing.")

    monkeypatch.setattr(silero, "model_path", missing)
    assert isinstance((await opened(Kind.DETECTOR, vad="auto"))[0](), WebRtcDetector)
    with pytest.raises(CannotLoad) as caught:
        await opened(Kind.DETECTOR)
    assert str(caught.value) == "Silero's model is missing. STREAM_VAD=webrtc does without it."


def test_each_choice_of_an_engine_is_of_all_there_are():
    assert config.allowed("vad") == "one of auto, silero, webrtc"
    assert config.allowed("asr_engine") == "one of auto, faster-whisper, moonshine, remote, pocketsphinx"
    assert config.allowed("llm_engine") == "one of auto, openai-chat, local, skills, synthetic"
    assert config.allowed("tts_engine") == "one of auto, remote, hibari, espeak"


def test_a_voice_of_before_its_pieces_is_told_what_to_do():
    class Older:
        name, sample_rate, ready, voices = "older", 16_000, True, ()

        async def speak(self, text, *, seconds, voice=None, speed=1.0):
            await trio.lowlevel.checkpoint()

    with pytest.raises(CannotLoad, match=r"its speak is async, and is to return a Speaking"):
        load._check(Kind.SYNTHESIZER, Older())
