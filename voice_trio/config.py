"""Every setting there is: the one source of ``--help``, of README's table and of the defaults.

A setting's environment variable is ``STREAM_`` and its name in capitals, except the ``OPENAI_`` ones, which keep the
names that every OpenAI-compatible tool reads.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator

from voice_trio import (
    checks,
    environment,
    memory_settings as remembering,
    operating_settings as operating,
    remote_settings as remote,
)
from voice_trio.core.codes import Drafting, Endpointing
from voice_trio.core.faults import BadFault, parse
from voice_trio.entry_points import AUTO, EngineOf, Kind
from voice_trio.environment import ConfigError, FromEnvironment

__all__ = ["ConfigError", "Settings", "allowed", "load", "processors", "variable"]

DEFAULT_SYSTEM_PROMPT = (
    "You are a helpful voice assistant. Your words are spoken aloud: answer in short, plain sentences, "
    "without lists, headings, code or emoji, unless you are asked for them."
)

# Capacities that are part of the design rather than anybody's choice.
OUTBOX_ITEMS = 64
OUTBOX_RESERVE = 16
PARTIAL_GAP_MS = 300
PHRASE_GAP_MS = 700
CHUNK_MS = 100
RING_MS = 3_000
SESSIONS_PER_PROCESSOR = 16
"""Not what it carries if all of them speak: one speaker at a time for each processor is answered as fast as alone, and
three at once on two processors wait three times as long (`python tools/load_real.py`). But an open session costs next
to nothing, people listen and think most of the time, and a person is better answered late than turned away."""


class Settings(FromEnvironment):
    """What an operator can choose."""

    text_checks = checks.SETTINGS
    # A token that is read from an empty file is not to open the server to everybody, nor an address to mean a file.
    not_blank = frozenset({"auth_token", "database_url"})

    host: Annotated[str, Field(min_length=1, description="address or name to listen on; :: is IPv6 and IPv4")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65535, description="port to listen on; 0 takes a free one")] = 8765

    asr_engine: Annotated[
        str,
        EngineOf(Kind.RECOGNIZER),
        Field(description="recognizer; auto: that of STREAM_ASR_URL, else Whisper if here, else Moonshine for English"),
    ] = AUTO
    model_whisper: Annotated[
        str, Field(min_length=1, description="Whisper model: size-computetype, a folder, or folder:computetype")
    ] = "small-int8"
    language: Annotated[
        str,
        Field(max_length=10, description="language people speak (ISO 639-1); empty detects it where possible"),
    ] = ""
    vad: Annotated[
        str,
        EngineOf(Kind.DETECTOR),
        Field(description="speech detector; silero is gated by webrtcvad, webrtc is webrtcvad alone"),
    ] = "silero"
    vad_silence_ms: Annotated[
        int, Field(ge=200, le=5000, description="silence that ends an utterance, or where a pause is undecided, in ms")
    ] = 700
    endpointing: Annotated[
        Endpointing, Field(description="adaptive weighs each pause; fixed: 80 % of the window is silent; strict: all")
    ] = "adaptive"
    end_of_turn: Annotated[
        str, EngineOf(Kind.END_OF_TURN), Field(description="what weighs pauses; auto takes Smart Turn, words no model")
    ] = AUTO
    partial_interval_ms: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="time between partial transcripts, in ms, 300 at least; 0 is what suits the recognizer",
        ),
    ] = 0
    max_utterance_ms: Annotated[int, Field(ge=1000, le=300_000, description="longest utterance, in ms")] = 30_000
    asr_timeout_s: Annotated[float, Field(gt=0, le=600, description="limit for the final transcript, in s")] = 15.0
    asr_workers: Annotated[int, Field(ge=1, le=64, description="utterances recognised at the same time")] = 2
    asr_context: Annotated[
        Literal["auto", "short", "padded"],
        Field(description="audio for Whisper's finals: short takes what there is, padded 30 s, auto tries"),
    ] = "auto"
    asr_margin_ms: Annotated[
        int, Field(ge=0, le=10_000, description="silence that Whisper is given behind the audio, in ms")
    ] = 1000
    asr_window_s: Annotated[
        int, Field(ge=4, le=28, description="longest audio that a partial transcript of Whisper's decodes, in s")
    ] = 12

    asr_url: remote.AsrUrl = ""
    tts_url: remote.TtsUrl = ""
    asr_api_key: remote.AsrKey = None
    tts_api_key: remote.TtsKey = None
    remote_api_key: remote.Key = None
    remote_asr_model: remote.AsrModel = "whisper-1"
    remote_tts_model: remote.TtsModel = "tts-1"
    remote_voices: remote.Voices = "alloy"
    remote_rate: remote.Rate = 24_000
    remote_attempt_s: remote.AttemptS = 1.5
    remote_partials: remote.Partials = "on"
    remote_fallback: remote.StandsBy = "on"
    remote_proxies: remote.Proxies = "off"

    openai_api_key: Annotated[
        SecretStr | None, Field(validation_alias="OPENAI_API_KEY", description="key for the language model's API")
    ] = None
    openai_base_url: Annotated[
        str | None, Field(validation_alias="OPENAI_BASE_URL", description="address of any OpenAI-compatible API")
    ] = None
    llm_engine: Annotated[
        str,
        EngineOf(Kind.LANGUAGE_MODEL),
        Field(
            validation_alias=AliasChoices("STREAM_LLM_ENGINE", "STREAM_LLM"),
            description="language model; auto takes the API if one is configured, else what runs on this machine",
        ),
    ] = AUTO
    llm_model: Annotated[
        str,
        Field(description="name of the language model; empty: gpt-4o-mini, or the first that is found here"),
    ] = ""
    llm_system_prompt: Annotated[str, Field(description="what the language model is told before anything else")] = (
        DEFAULT_SYSTEM_PROMPT
    )
    llm_first_token_s: Annotated[
        float, Field(gt=0, le=600, description="limit for the first token, and between tokens, in s")
    ] = 5.0
    llm_timeout_s: Annotated[
        float, Field(gt=0, le=3600, description="limit for all waiting on the language model in a turn, in s")
    ] = 30.0
    llm_reasoning_s: Annotated[
        float, Field(gt=0, le=3600, description="limit for waiting while the model only shows that it works, in s")
    ] = 60.0
    max_reply_chars: Annotated[
        int, Field(ge=100, le=100_000, description="longest reply, in characters; a longer one is cut there")
    ] = 20_000
    tools: Annotated[
        str, Field(description="modules with tools for the language model (docs/tools.md), with commas between")
    ] = ""
    skills: Annotated[
        Literal["auto", "on", "off"],
        Field(description="tools that come along: auto and on have them, off leaves them out"),
    ] = "auto"
    tool_timeout_s: Annotated[float, Field(gt=0, le=600, description="limit for one call of a tool, in s")] = 10.0
    tool_rounds: Annotated[int, Field(ge=1, le=50, description="times that a reply may ask for tools")] = 6
    memory_tokens: remembering.Tokens = 4000
    memory: remembering.Memory = "on"
    memory_days: remembering.Days = 0
    data_dir: remembering.DataDir = ""
    database_url: remembering.DatabaseUrl = None
    database_connections: remembering.Connections = 4
    claim_ttl_s: remembering.ClaimTtlS = 10.0

    record_dir: Annotated[
        str,
        Field(description="folder for a session log of every session, voices and words, for `replay`; empty: no logs"),
    ] = ""

    mcp: Annotated[
        str, Field(description="JSON file of MCP servers, whose tools replies may use (docs/mcp.md); empty: none")
    ] = ""

    tts_engine: Annotated[
        str, EngineOf(Kind.SYNTHESIZER), Field(description="voice; auto takes the best that can be used here")
    ] = AUTO
    tts_workers: Annotated[int, Field(ge=1, le=16, description="warm voice processes")] = 2
    tts_timeout_s: Annotated[float, Field(gt=0, le=600, description="limit for one phrase's synthesis, in s")] = 10.0
    max_pending_phrases: Annotated[int, Field(ge=1, le=100, description="phrases that may wait for the voice")] = 5
    drafts: Annotated[
        Drafting, Field(description="on begins replies in pauses that may not be the end; auto: where that is free")
    ] = "auto"
    barge_in: Annotated[
        bool,
        Field(description="hands-free, speech may interrupt a reply (1 or 0), where the client says nothing of it"),
    ] = True
    playout_lead_ms: Annotated[
        int, Field(ge=100, le=10_000, description="audio sent ahead of what can have been heard, in ms")
    ] = 400

    send_queue_high: Annotated[
        int, Field(ge=1, le=OUTBOX_ITEMS, description="messages that wait for a slow client before partials thin out")
    ] = 50

    max_sessions: Annotated[
        int, Field(ge=0, le=10_000, description="sessions at the same time; 0 is 16 for each processor")
    ] = 0
    sessions_per_address: Annotated[
        int,
        Field(
            ge=1, le=10_000, description="sessions that an address keeps when the server is full; half of all at most"
        ),
    ] = 4
    max_connections: Annotated[
        int, Field(ge=1, le=100_000, description="connections at the same time, of any kind")
    ] = 256
    max_connections_per_address: Annotated[
        int, Field(ge=1, le=100_000, description="connections at the same time from one address")
    ] = 64
    trusted_proxies: operating.TrustedProxies = ""
    idle_timeout_s: Annotated[
        float, Field(gt=0, le=86_400, description="time after which a session without a turn ends, in s")
    ] = 600.0
    max_session_s: Annotated[float, Field(gt=0, le=604_800, description="longest session, in s")] = 14_400.0
    send_timeout_s: Annotated[
        float, Field(gt=0, le=600, description="time after which a client that does not read is cut off, in s")
    ] = 5.0
    resume_s: Annotated[float, Field(ge=0, le=600, description="time a session waits for a lost client, in s")] = 30.0
    max_upload_bytes: Annotated[
        int, Field(ge=1000, le=64_000_000, description="largest upload that is taken, in bytes")
    ] = 8_000_000
    upload_timeout_s: Annotated[
        float, Field(gt=0, le=600, description="time that an upload may take to arrive, in s")
    ] = 30.0
    auth_token: Annotated[
        SecretStr | None, Field(description="what a client must present; needed on any address but loopback")
    ] = None
    metrics_port: operating.MetricsPort = None
    agent_port: operating.AgentPort = None
    allowed_origins: Annotated[
        str, Field(description="origins of other pages that may use this server, with commas between; * is all")
    ] = ""
    insecure: Annotated[
        bool, Field(description="listen for everybody without a token (1 or 0): all who find it can use it")
    ] = False
    certfile: Annotated[str, Field(description="certificate chain for TLS, a PEM file")] = ""
    keyfile: Annotated[str, Field(description="its private key, a PEM file")] = ""
    tls_self_signed: Annotated[
        bool, Field(description="TLS with a certificate made up at each start (1 or 0); browsers warn each time")
    ] = False

    shutdown_delay_s: operating.DelayS = 0.0
    shutdown_grace_s: operating.GraceS = 10.0
    log_latency: Annotated[bool, Field(description="log one latency line a turn (1 or 0)")] = True
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(description="least severe log line to write; transcripts appear at DEBUG only"),
    ] = "INFO"

    allow_faults: Annotated[bool, Field(description="take STREAM_FAULTS (1 or 0)")] = False
    faults: Annotated[
        str, Field(description="what is to go wrong, on purpose (docs/testing.md): llm:hang#3, tts:delay=2s@10%")
    ] = ""
    faults_seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="by which faults with a share are drawn")] = 0

    @property
    def sessions(self) -> int:
        """How many sessions there may be at the same time."""
        return self.max_sessions or SESSIONS_PER_PROCESSOR * processors()

    @field_validator("faults")
    @classmethod
    def _may_fail(cls, faults: str, info: ValidationInfo) -> str:
        try:
            asked = parse(faults)
        except BadFault as error:
            raise ValueError(str(error)) from error
        if asked and not info.data.get("allow_faults"):
            raise ValueError("faults are injected only where STREAM_ALLOW_FAULTS=1 says that this server may fail")
        return faults


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def variable(name: str) -> str:
    """Return the environment variable of setting ``name``."""
    return environment.variable(Settings, name)


def allowed(name: str, *, here: bool = True) -> str:
    """Return, in words, which values setting ``name`` takes; without ``here``, those that it takes everywhere."""
    return environment.allowed(Settings, name, here=here)


def load(**overrides: Any) -> Settings:
    """Return the settings of this process's environment, with ``overrides`` above it.

    Raises `ConfigError` with one sentence about the first bad value.
    """
    return environment.load(Settings, **overrides)
