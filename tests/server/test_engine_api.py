"""What a page asks about the engines: which there are, another one please, and how does that voice sound."""

import io
import json
import sys
from contextlib import asynccontextmanager

import pytest
import soundfile
import trio

from tests.plugging import plugging
from tests.server.serving import dial, eventually, read_to_end, scripted, serving
from voice_trio import config
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome
from voice_trio.engines.host import open_host
from voice_trio.server.engine_list import EngineList, without_paths
from voice_trio.server.run import open_server
from voice_trio.server.voice_samples import VoiceSamples, sentence_for
from voice_trio.testing.scripted import ScriptedSynthesizer, scripted_engines

pytestmark = pytest.mark.real

PARROT = """
    import trio

    hatching, gate = trio.Event(), trio.Event()
    gate.set()

    @asynccontextmanager
    async def hatch(settings):
        hatching.set()
        await gate.wait()
        yield Parrot()

    PLUG = parrot(open=hatch, quality=1, title="Parrot")
"""
LAME = """
    PLUG = parrot(
        name="lame", quality=1,
        missing=lambda settings: "its wing /home/someone/.cache/wing.bin is gone",
        command=lambda settings: "voice-trio models download wing",
    )
"""
LLM = "/api/engines/language_model"


@pytest.fixture
def parrot(tmp_path, monkeypatch):
    """Install a language model that can be used, and one that cannot; the module of the first."""
    with plugging(tmp_path, monkeypatch) as plug_in:
        module = plug_in(PARROT)
        plug_in(LAME, "language_model.lame", package="lame")
        sys.path_importer_cache.clear()
        __import__(module)
        yield sys.modules[module]


async def ask(running, method, path, body=b"", **headers):
    """Return the status, the headers and the body of an answer."""
    stream = await dial(running)
    try:
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
        if "Transfer_Encoding" not in headers:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await stream.send_all("\r\n".join([*lines, "", ""]).encode() + body)
        head, _, said = (await read_to_end(stream)).partition(b"\r\n\r\n")
    finally:
        await stream.aclose()
    status, *rest = head.decode().split("\r\n")
    return int(status.split(" ")[1]), {line.partition(":")[0].lower(): line.partition(": ")[2] for line in rest}, said


async def wish(running, name, path=LLM, **headers):
    """Ask for the engine ``name``; return the status and the JSON that is answered."""
    status, _, said = await ask(running, "PUT", path, json.dumps({"name": name}).encode(), **headers)
    return status, json.loads(said)


async def test_the_list_says_what_is_at_work_and_what_else_there_is(parrot):
    with trio.fail_after(30):
        async with serving() as running:
            status, headers, said = await ask(running, "GET", "/api/engines")
    told = json.loads(said)
    assert (status, headers["content-type"], told["may_swap"]) == (200, "application/json", True)
    assert {kind: told[kind]["at_work"] for kind in ("recognizer", "language_model", "synthesizer")} == {
        "recognizer": "scripted",
        "language_model": "scripted",
        "synthesizer": "scripted",
    }
    assert told["synthesizer"]["voices"] == ["scripted"]
    assert (told["language_model"]["synthetic"], told["language_model"]["advice"]) == (False, None)
    engines = {one["name"]: one for one in told["language_model"]["engines"]}
    assert engines["parrot"] == {
        "name": "parrot",
        "title": "Parrot",
        "package": "bird 1.0",
        "usable": True,
        "why_not": None,
        "command": None,
        "fetches": None,
        "in_use": False,
        "fetching": False,
    }
    lame = engines["lame"]
    assert (lame["usable"], lame["command"]) == (False, "voice-trio models download wing")
    assert lame["why_not"] == "its wing wing.bin is gone"
    assert "pocketsphinx" in [one["name"] for one in told["recognizer"]["engines"]]
    assert [one["name"] for one in told["end_of_turn"]["engines"]] == ["smart-turn", "words"]
    assert (told["end_of_turn"]["at_work"], told["end_of_turn"]["endpointing"]) == ("", "adaptive")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("the folder /home/me/a model/x is no model", "the folder a model/x is no model"),
        ("~/models/small is gone: voice-trio models download small", "small is gone: voice-trio models download small"),
        ("fetch it from https://example.org/a/b, and/or w/o", "fetch it from https://example.org/a/b, and/or w/o"),
        ("'/etc/x.pem'", "'x.pem'"),
    ],
)
def test_where_things_are_on_the_machine_is_told_to_nobody(text, told):
    assert without_paths(text) == told


async def test_another_engine_answers_from_the_next_turn_on_and_all_are_told(parrot):
    with trio.fail_after(30):
        async with serving() as running, connect(running.ws_url) as client, connect(running.ws_url) as other:
            await client.wait_for(m.SessionOpened)
            await other.wait_for(m.SessionOpened)
            await client.ask(m.Text(text="hello"))
            await client.wait_for(m.TtsChunk)
            status, told = await wish(running, "parrot")
            assert (status, told["language_model"]["at_work"]) == (200, "parrot")
            (now,) = (one for one in told["language_model"]["engines"] if one["in_use"])
            assert now["name"] == "parrot"
            for one in (client, other):
                info = await one.wait_for(m.Info, code=InfoCode.ENGINES_CHANGED)
                assert (info.asr, info.llm, info.synthetic, info.voices, info.languages) == (
                    *("scripted", "parrot", True),
                    *(("scripted",), ("en",)),
                )
            await client.ask(m.Cancel())
            assert (await client.wait_for(m.Done)).outcome is Outcome.CANCELLED
            await client.ask(m.Text(text="hello"))
            assert (await client.wait_for(m.Token)).text == "You", "and not the scripted sentence"


async def test_one_at_a_time_and_whoever_leaves_takes_it_along(parrot):
    parrot.gate = trio.Event()
    with trio.fail_after(30):
        async with serving() as running:
            stream = await dial(running)
            body = b'{"name": "parrot"}'
            head = f"PUT {LLM} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
            await stream.send_all(head.encode() + body)
            await parrot.hatching.wait()
            told = json.loads((await ask(running, "GET", "/api/engines"))[2])
            assert told["language_model"]["swapping_to"] == "parrot"
            status, headers, said = await ask(running, "PUT", LLM, b'{"name": "synthetic"}')
            assert (status, headers["retry-after"]) == (409, "5")
            assert json.loads(said)["error"]["code"] == ErrorCode.SERVER_BUSY
            await stream.aclose()
            await eventually(lambda: running.host.swapping is None)
            assert running.engines.language_model.name == "scripted"
            parrot.gate.set()
            assert (await wish(running, "parrot"))[0] == 200


@pytest.mark.parametrize("given_up", [False, True])
async def test_a_server_that_stops_waits_for_no_engine(parrot, given_up):
    parrot.gate = trio.Event()
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery, serving(shutdown_grace_s=0) as running:
            nursery.start_soon(ask, running, "PUT", LLM, b'{"name": "parrot"}')
            await parrot.hatching.wait()
            if given_up:
                nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {}, 200),
        ({}, {"X_Forwarded_For": "192.0.2.7"}, 403),
        ({}, {"Forwarded": "for=192.0.2.7"}, 403),
        ({"trusted_proxies": "127.0.0.0/8"}, {"X_Forwarded_For": "192.0.2.7"}, 403),
        ({}, {"Origin": "https://evil.example"}, 403),
        ({}, {"Sec_Fetch_Site": "cross-site"}, 403),
        ({}, {"Sec_Fetch_Site": "same-site"}, 403),
        ({}, {"Sec_Fetch_Site": "same-origin"}, 200),
        ({"allowed_origins": "*"}, {"Sec_Fetch_Site": "cross-site"}, 200),
        (
            {"allowed_origins": "https://ours.example"},
            {"Sec_Fetch_Site": "cross-site", "Origin": "https://ours.example"},
            200,
        ),
        ({"auth_token": "a token"}, {}, 401),
        ({"auth_token": "a token"}, {"Authorization": "Bearer a token"}, 200),
        ({"auth_token": "a token"}, {"Authorization": "Bearer a token", "X_Forwarded_For": "192.0.2.7"}, 200),
    ],
)
async def test_who_may_choose_for_everybody(parrot, settings, headers, status):
    with trio.fail_after(30):
        async with serving(**settings) as running:
            found, said = await wish(running, "parrot", **headers)
            assert found == status
            assert (status == 200) or said["error"]["code"] == ErrorCode.UNAUTHORIZED
            assert running.engines.language_model.name == ("parrot" if status == 200 else "scripted")
            told = await ask(running, "GET", "/api/engines", **headers)
            from_elsewhere = {"Origin", "Sec_Fetch_Site"} & headers.keys()
            assert told[0] == (status if from_elsewhere or status == 401 else 200)
            if told[0] == 200:
                assert json.loads(told[2])["may_swap"] == (status == 200)


LONG = "a" * 3000
NAMES = ["", "%00", "%ff", "..", "%2e%2e%2f", "%F0%9F%98%80", LONG, "detector", "LANGUAGE_MODEL", "language_model%20"]
BODIES = [
    (b"", 400),
    (b"parrot", 400),
    (b"[]", 400),
    (b'{"name": 5}', 400),
    (b'{"name": null}', 400),
    (b"\xff\xfe", 400),
    (b"[" * 999, 400),
    (b'{"name": "' + b"a" * 900 + b'"}', 404),
    (b'{"name": "\\ud800"}', 404),
    (b'{"name": "../../etc/passwd"}', 404),
    (b'{"name": "auto"}', 404),
    (b'{"name": "lame"}', 422),
    (b" " * 1001, 413),
    (b" " * 100_000, 413),
]


async def test_whatever_is_wrong_is_one_error_in_json(parrot):
    with trio.fail_after(60):
        async with serving() as running:
            good = b'{"name": "parrot"}'
            asked = [("PUT", f"/api/engines/{name}", good, 404) for name in NAMES]
            asked += [("PUT", LLM, body, status) for body, status in BODIES]
            asked += [(method, LLM, b"", 405) for method in ("GET", "POST", "DELETE", "PATCH")]
            asked += [(method, "/api/engines", b"", 405) for method in ("PUT", "POST", "DELETE")]
            asked += [("GET", f"/api/voices/{name}/sample", b"", 404) for name in (*NAMES, "a/b", "a%2fb", "scripted/")]
            asked += [("POST", "/api/voices/scripted/sample", b"", 405)]
            for method, path, body, status in asked:
                found, headers, said = await ask(running, method, path, body)
                about = method, path[:60], body[:60], said[:200]
                assert (found, headers["content-type"]) == (status, "application/json"), about
                error = json.loads(said)["error"]
                assert error["message"].endswith((".", '"}')), about
                assert len(error["message"]) < 300 or len(path) > 300, about
            chunked = b"".join(b"%x\r\n%s\r\n" % (600, b" " * 600) for _ in range(4)) + b"0\r\n\r\n"
            assert (await ask(running, "PUT", LLM, chunked, Transfer_Encoding="chunked"))[0] == 413
            assert running.engines.language_model.name == "scripted"


async def test_an_engine_that_cannot_be_opened_leaves_the_old_one_and_says_why(tmp_path, monkeypatch):
    with plugging(tmp_path, monkeypatch) as plug_in, trio.fail_after(30):
        plug_in("PLUG = parrot(open=raises(CannotLoad('The file /a/b/wing is torn.')), quality=1)")
        async with serving() as running:
            status, said = await wish(running, "parrot")
            assert (status, said["error"]["code"]) == (503, ErrorCode.LLM_FAIL)
            assert said["error"]["message"] == "The old one stays. parrot of bird 1.0 fails: The file wing is torn."
            assert running.engines.language_model.name == "scripted"


async def test_faults_strike_the_new_engine_as_they_did_the_old_one(parrot):
    with trio.fail_after(30):
        async with serving(allow_faults=True, faults="llm:error", memory="off") as running:
            assert (await wish(running, "parrot"))[0] == 200
            async with connect(running.ws_url) as client:
                assert (await client.wait_for(m.SessionOpened)).llm == "parrot"
                await client.ask(m.Text(text="hello"))
                assert (await client.wait_for(m.Error)).code is ErrorCode.LLM_FAIL


# --- samples ----------------------------------------------------------------------------------------------------------


async def test_a_sample_is_a_sound_and_made_once():
    with trio.fail_after(30):
        async with serving() as running:
            for _ in range(2):
                status, headers, said = await ask(running, "GET", "/api/voices/scripted/sample?language=de")
                assert (status, headers["content-type"]) == (200, "audio/wav")
                sound, rate = soundfile.read(io.BytesIO(said))
                assert (rate, len(sound) > rate) == (16_000, True)
            assert running.engines.synthesizer.spoken == [sentence_for("scripted", "de")]


async def test_a_voice_that_fails_says_so():
    @asynccontextmanager
    async def failing(settings):
        yield scripted_engines(synthesizer=ScriptedSynthesizer(hangs=frozenset({0})))

    with trio.fail_after(30):
        async with open_server(config.load(port=0, tts_timeout_s=0.1), failing) as running:
            status, _, said = await ask(running, "GET", "/api/voices/scripted/sample")
            assert (status, json.loads(said)["error"]["code"]) == (503, ErrorCode.TTS_FAIL)
            assert (await ask(running, "GET", "/api/voices/scripted/sample"))[0] == 200


@asynccontextmanager
async def sampling(**synthesizer):
    synth = ScriptedSynthesizer(**synthesizer)

    @asynccontextmanager
    async def opened(settings):
        yield scripted_engines(synthesizer=synth)

    async with open_host(config.load(), opened) as host:
        yield VoiceSamples(config.load(), host), synth


async def test_one_sample_at_a_time_is_made_and_one_that_is_given_up_holds_up_nobody(autojump_clock):
    voices = [f"voice-{number}" for number in range(60)]
    async with sampling(voices=voices, speak_s=1.0) as (samples, synth):
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for voice in voices[:4]:
                nursery.start_soon(samples.wav, voice)
        assert trio.current_time() - began == pytest.approx(4.0)
        with trio.move_on_after(0.5):
            await samples.wav(voices[5])
        await samples.wav(voices[5])
        assert trio.current_time() - began == pytest.approx(5.5)
        for voice in voices:
            await samples.wav(voice)
        assert len(synth.spoken) == 4 + 2 + 54 + 1
        await samples.wav(voices[-1])
        await samples.wav(voices[0])
        assert len(synth.spoken) == 4 + 2 + 54 + 1 + 1, "the latest are kept, and not all"


@pytest.mark.parametrize(
    ("voice", "language", "begins"),
    [
        ("de", "en", "Hallo"),
        ("fr-fr", None, "Bonjour"),
        ("pt_br", None, "Olá"),
        ("heart", None, "Hello"),
        ("heart", "sv", "Hej"),
        ("heart", "xx", "Hello"),
        ("", None, "Hello"),
    ],
)
def test_a_voice_speaks_its_own_language(voice, language, begins):
    assert sentence_for(voice, language).startswith(begins)


async def test_who_asks_for_the_list_at_the_same_time_has_one_look_made(monkeypatch):
    looks = []

    def look(kind, settings):
        looks.append(kind)
        return []

    monkeypatch.setattr("voice_trio.server.engine_list.survey", look)
    async with open_host(config.load(), scripted) as host:
        listed = EngineList(host, lambda kind, name: False)
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(lambda: listed.tell(may_swap=False))
        assert looks == ["recognizer", "language_model", "synthesizer", "end_of_turn"]
