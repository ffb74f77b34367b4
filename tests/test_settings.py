"""Every default is what the documents say, and every value takes effect."""

from pathlib import Path

import pytest
import structlog
import trio

from voice_trio import config
from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, InfoCode
from voice_trio.engines import load
from voice_trio.engines.base import Alive, ToolCall
from voice_trio.engines.silero import SileroDetector
from voice_trio.engines.webrtc import WebRtcDetector
from voice_trio.entry_points import Kind
from voice_trio.testing import scripted
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken

DOCUMENTED = {
    "host": "127.0.0.1",
    "model_whisper": "small-int8",
    "asr_engine": "auto",
    "vad": "silero",
    "llm_engine": "auto",
    "tts_engine": "auto",
    "vad_silence_ms": 700,
    "endpointing": "adaptive",
    "end_of_turn": "auto",
    "partial_interval_ms": 0,
    "max_utterance_ms": 30_000,
    "asr_timeout_s": 15,
    "llm_first_token_s": 5,
    "llm_timeout_s": 30,
    "llm_reasoning_s": 60,
    "max_reply_chars": 20_000,
    "skills": "auto",
    "tools": "",
    "tool_timeout_s": 10,
    "tool_rounds": 6,
    "tts_workers": 2,
    "tts_timeout_s": 10,
    "max_pending_phrases": 5,
    "drafts": "auto",
    "barge_in": True,
    "playout_lead_ms": 400,
    "send_queue_high": 50,
    "send_timeout_s": 5,
    "shutdown_grace_s": 10,
    "log_latency": True,
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_defaults_are_the_documented_ones(name):
    assert Settings.model_fields[name].default == DOCUMENTED[name]


# --- effects, in virtual time: each takes a value and returns what it comes to ----------------------------------------


async def latency_of_the_final(**settings):
    async with conversation(**settings) as talk:
        await talk.ask(m.Start())
        await talk.say(1500, 5000)
        return (await talk.wait_for(m.Done)).latency.t_final_transcript_ms


async def vad_silence_ms(value):
    return round(await latency_of_the_final(vad_silence_ms=value) - 100, -2)


async def endpointing(value):
    """A cough of 60 ms in the middle of the silence."""
    async with conversation(endpointing=value, vad_silence_ms=900) as talk:
        await talk.ask(m.Start())
        await talk.say(1500)
        await talk.ask(m.Audio(scripted.silent(390) + scripted.voiced(60)))
        await talk.say(0, 3000)
        return (await talk.wait_for(m.Done)).latency.t_final_transcript_ms < 1000


async def partial_interval_ms(value):
    words = [f"word{n}" for n in range(99)]
    engines = scripted.scripted_engines(recognizer=scripted.ScriptedRecognizer(words=words, word_ms=100))
    async with conversation(engines=engines, partial_interval_ms=value) as talk:
        await talk.ask(m.Start())
        await talk.say(6000, 900)
        await talk.wait_for(m.Final)
    times = [talk.time_of(event) for event in talk.of_turn(1) if isinstance(event, m.Partial)]
    return round((times[-1] - times[1]) / (len(times) - 2) * 1000)


async def max_utterance_ms(value):
    async with conversation(max_utterance_ms=value) as talk:
        await talk.ask(m.Start())
        await talk.say(9000)
        error = await talk.wait_for(m.Error)
        return error.code is ErrorCode.MAX_DURATION_EXCEEDED, round(talk.time_of(error))


async def asr_timeout_s(value):
    async with conversation(
        engines=scripted.scripted_engines(recognizer=scripted.ScriptedRecognizer(settle_s=99)), asr_timeout_s=value
    ) as talk:
        await talk.ask(m.Start())
        await talk.say(900, 900)
        error = await talk.wait_for(m.Error)
        return error.code, round(talk.time_of(error) - 1.6)


async def time_of_a_model_failure(tokens, **settings):
    model = scripted.ScriptedLanguageModel(replies=[scripted.ScriptedReply(tokens=tokens, token_s=0.0)])
    async with conversation(engines=scripted.scripted_engines(language_model=model), **settings) as talk:
        await talk.ask(m.Text(text="hello"))
        error = await talk.wait_for(m.Error)
        return error.code, round(talk.time_of(error))


async def llm_first_token_s(value):
    return await time_of_a_model_failure([99.0], llm_first_token_s=value)


async def llm_timeout_s(value):
    return await time_of_a_model_failure(["so", 1.0] * 99, llm_timeout_s=value)


async def llm_reasoning_s(value):
    return await time_of_a_model_failure([Alive("thinking"), 1.0] * 99, llm_reasoning_s=value)


async def max_reply_chars(value):
    model = scripted.ScriptedLanguageModel(replies=[scripted.ScriptedReply(tokens=["word "] * 100)])
    async with conversation(engines=scripted.scripted_engines(language_model=model), max_reply_chars=value) as talk:
        await talk.ask(m.Text(text="hello"))
        await talk.wait_for(m.Done)
    return len(talk.reply(1))


async def prompts(turns, **settings):
    model = scripted.ScriptedLanguageModel()
    async with conversation(engines=scripted.scripted_engines(language_model=model), **settings) as talk:
        for _ in range(turns):
            await talk.ask(m.Text(text="x" * 400))
            await talk.wait_for(m.Done)
    return model.prompts


async def llm_system_prompt(value):
    return (await prompts(1, llm_system_prompt=value))[0][0].content


async def memory_tokens(value):
    return len((await prompts(5, llm_system_prompt="", memory_tokens=value))[-1])


async def used_tools(use_s, **settings):
    model = scripted.ScriptedLanguageModel(replies=[scripted.ScriptedReply(tokens=[ToolCall("a", "look_up", "{}")])])
    tool = scripted.ScriptedTool(use_s=use_s)
    engines = scripted.scripted_engines(language_model=model)
    async with conversation(engines=engines, tools=[tool.tool], **settings) as talk:
        await talk.ask(m.Text(text="hello"))
        await talk.wait_for(m.Done)
    return talk, tool


async def tool_timeout_s(value):
    talk, _ = await used_tools(100.0, tool_timeout_s=value, tool_rounds=1)
    return round(talk.time_of(talk.all(m.ToolCalled)[-1]))


async def tool_rounds(value):
    _, tool = await used_tools(0.0, tool_rounds=value)
    return len(tool.calls)


async def tts_timeout_s(value):
    engines = scripted.scripted_engines(synthesizer=scripted.ScriptedSynthesizer(hangs=frozenset({0})))
    async with conversation(engines=engines, tts_timeout_s=value) as talk:
        await talk.ask(m.Text(text="hello"))
        error = await talk.wait_for(m.Error)
        return error.code, round(talk.time_of(error))


async def max_pending_phrases(value):
    """How many phrases a model is ahead of a voice that says nothing: those waiting, one in each hand."""
    model = scripted.ScriptedLanguageModel(replies=[scripted.ScriptedReply(tokens=["One sentence. "] * 50)])
    voice = scripted.ScriptedSynthesizer(hangs=frozenset({0}))
    async with conversation(
        engines=scripted.scripted_engines(language_model=model, synthesizer=voice), max_pending_phrases=value
    ) as talk:
        await talk.ask(m.Text(text="hello"))
        await trio.sleep(5)
        return talk.reply(1).count(".") - 3


async def playout_lead_ms(value):
    model = scripted.ScriptedLanguageModel(
        replies=[scripted.ScriptedReply(tokens=["A sentence that takes its time to be heard."])]
    )
    async with conversation(engines=scripted.scripted_engines(language_model=model), playout_lead_ms=value) as talk:
        await talk.ask(m.Text(text="hello"))
        await talk.wait_for(m.TtsChunk)
        await trio.sleep(0.01)
        return len(talk.audio(1)) // 2 // 16


async def send_queue_high(value):
    words = [f"word{n}" for n in range(99)]
    engines = scripted.scripted_engines(recognizer=scripted.ScriptedRecognizer(words=words, word_ms=100))
    async with conversation(
        engines=engines, read_s=2.0, partial_interval_ms=300, send_queue_high=value, vad_silence_ms=5000
    ) as talk:
        await talk.ask(m.Start(mode="hold"))
        await talk.say(6000)
        talk.read_s = 0.0
        await talk.ask(m.Stop())
        await talk.wait_for(m.Done)
    return any(isinstance(event, m.Info) and event.code is InfoCode.THROTTLED for event in talk.heard)


async def language(value):
    async with conversation(language=value) as talk:
        await talk.ask(m.Start())
        await talk.say(900, 900)
        return (await talk.wait_for(m.Final)).language


async def log_latency(value):
    with structlog.testing.capture_logs() as lines:
        async with conversation(log_latency=value) as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.Done)
    return [line["event"] for line in lines if line["event"] == "latency"]


async def drafts(value):
    model = scripted.ScriptedLanguageModel()
    engines = scripted.scripted_engines(recognizer=LiteralRecognizer(settles_early=True), language_model=model)
    async with conversation(engines=engines, drafts=value) as talk:
        await talk.ask(m.Start())
        await talk.say(spoken("hello"), 360)
    return len(model.prompts)


async def barge_in(value):
    async with conversation(barge_in=value) as talk:
        await talk.ask(m.Start(mode="hands_free"))
        await talk.say(1500, 900)
        await talk.wait_for(m.StateChanged, state=m.State.RESPONDING)
        await talk.say(600, 900)
        await talk.wait_for(m.Done, turn=1)
    return any(isinstance(event, m.Hold) for event in talk.heard)


async def vad(value):
    async with load.open_engine(Kind.DETECTOR, config.load(vad=value)) as detector:
        return type(detector.engine())


EFFECTS = [
    (vad_silence_ms, 500, 500),
    (vad_silence_ms, 1500, 1500),
    (endpointing, "share", True),
    (endpointing, "strict", False),
    (endpointing, "fixed", True),
    (endpointing, "adaptive", True),
    (partial_interval_ms, 500, 500),
    (partial_interval_ms, 0, 1000),
    (partial_interval_ms, 1200, 1200),
    (max_utterance_ms, 2000, (True, 2)),
    (max_utterance_ms, 5000, (True, 5)),
    (asr_timeout_s, 3, (ErrorCode.ASR_TIMEOUT, 3)),
    (asr_timeout_s, 20, (ErrorCode.ASR_TIMEOUT, 20)),
    (llm_first_token_s, 2, (ErrorCode.LLM_TIMEOUT, 2)),
    (llm_first_token_s, 9, (ErrorCode.LLM_TIMEOUT, 9)),
    (llm_timeout_s, 4, (ErrorCode.LLM_TIMEOUT, 4)),
    (llm_timeout_s, 11, (ErrorCode.LLM_TIMEOUT, 11)),
    (llm_reasoning_s, 8, (ErrorCode.LLM_TIMEOUT, 8)),
    (llm_reasoning_s, 20, (ErrorCode.LLM_TIMEOUT, 20)),
    (max_reply_chars, 100, 100),
    (max_reply_chars, 333, 333),
    (llm_system_prompt, "Speak like a pirate.", "Speak like a pirate."),
    (memory_tokens, 0, 1),
    (memory_tokens, 400, 5),
    (tool_timeout_s, 3, 3),
    (tool_timeout_s, 30, 30),
    (tool_rounds, 1, 1),
    (tool_rounds, 9, 9),
    (tts_timeout_s, 2, (ErrorCode.TTS_FAIL, 2)),
    (tts_timeout_s, 12, (ErrorCode.TTS_FAIL, 12)),
    (max_pending_phrases, 2, 2),
    (max_pending_phrases, 7, 7),
    (playout_lead_ms, 200, 200),
    (playout_lead_ms, 1000, 1000),
    (drafts, "on", 1),
    (drafts, "auto", 1),
    (drafts, "off", 0),
    (barge_in, True, True),
    (barge_in, False, False),
    (send_queue_high, 2, True),
    (send_queue_high, 60, False),
    (language, "de", "de"),
    (language, "", "en"),
    (log_latency, True, ["latency"]),
    (log_latency, False, []),
]


@pytest.mark.parametrize(("effect", "value", "seen"), EFFECTS, ids=lambda part: getattr(part, "__name__", None))
async def test_a_value_takes_effect(autojump_clock, effect, value, seen):
    with trio.fail_after(500):
        assert await effect(value) == seen


@pytest.mark.parametrize(("value", "kind"), [("silero", SileroDetector), ("webrtc", WebRtcDetector)])
async def test_the_detector_is_the_one_asked_for(value, kind):
    with trio.fail_after(20):
        assert await vad(value) is kind


ELSEWHERE = {
    "tests/test_log.py": ["log_level"],
    "tests/test_cli.py": ["asr_engine", "openai_base_url"],
    "tests/test_cli_errors.py": ["host", "port"],
    "tests/engines/test_whisper.py": ["model_whisper", "asr_context", "asr_window_s"],
    "tests/engines/test_whisper_decode.py": ["asr_margin_ms"],
    "tests/engines/test_pocketsphinx.py": ["asr_workers"],
    "tests/engines/test_smart_turn.py": ["end_of_turn"],
    "tests/engines/test_voice.py": ["tts_workers"],
    "tests/engines/test_openai_chat.py": ["openai_api_key", "llm_model"],
    "tests/engines/test_remote_recognizer.py": [
        "asr_api_key",
        "remote_api_key",
        "remote_asr_model",
        "remote_attempt_s",
    ],
    "tests/engines/test_remote_utterance.py": ["remote_partials"],
    "tests/engines/test_remote_voice.py": ["tts_url", "tts_api_key", "remote_tts_model"],
    "tests/server/test_remote_engines.py": [
        "asr_url",
        "remote_voices",
        "remote_rate",
        "remote_fallback",
        "remote_proxies",
    ],
    "tests/mcp/test_documented.py": ["mcp"],
    "tests/memory/postgres/test_open.py": ["database_url", "database_connections", "claim_ttl_s"],
    "tests/server/test_resume.py": ["resume_s"],
    "tests/memory/test_sqlite.py": ["memory", "memory_days", "data_dir"],
    "tests/journal/test_server.py": ["record_dir"],
    "tests/server/test_limits.py": [
        "max_sessions",
        "sessions_per_address",
        "max_connections",
        "max_connections_per_address",
        "trusted_proxies",
        "idle_timeout_s",
        "max_session_s",
    ],
    "tests/server/test_utterance.py": ["max_upload_bytes", "upload_timeout_s"],
    "tests/server/test_metrics.py": ["metrics_port"],
    "tests/server/test_agent.py": ["agent_port"],
    "tests/server/test_stopping.py": ["shutdown_delay_s"],
    "tests/server/test_access.py": ["auth_token", "allowed_origins", "insecure"],
    "tests/server/test_endings.py": ["send_timeout_s", "shutdown_grace_s"],
    "tests/test_plugged.py": ["llm_engine", "tts_engine"],
    "tests/test_faults.py": ["allow_faults", "faults", "faults_seed"],
    "tests/toolbox/test_load.py": ["skills", "tools"],
    "tests/server/test_tls.py": ["certfile", "keyfile", "tls_self_signed"],
}
"""Settings whose effect takes a process, a socket or a file: where it is shown."""


@pytest.mark.parametrize("file", ELSEWHERE)
def test_the_rest_is_shown_where_it_is_said_to_be(file):
    text = (Path(__file__).parent.parent / file).read_text().lower()
    assert [name for name in ELSEWHERE[file] if name not in text] == []


def test_no_setting_is_forgotten():
    shown = {effect.__name__ for effect, *_ in EFFECTS} | {"vad"}
    assert shown.union(*ELSEWHERE.values()) == set(Settings.model_fields)
