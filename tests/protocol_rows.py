"""The rows of tests/test_protocol.py: what is sent, in which state, and what is to come of it."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, Outcome, State
from voice_trio.engines.base import EngineError
from voice_trio.memory.base import StoreError
from voice_trio.memory.in_process import InProcessStore
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
    voiced,
)

# --- what is legal where --------------------------------------------------------------------------------------------

LEGALITY = """
          IDLE      CAPTURING  THINKING  RESPONDING  COMPLETE
audio     error     yes        yes       yes         yes
start     yes       error      error     error       yes
text      yes       error      error     error       yes
stop      error     yes        ignored   ignored     ignored
cancel    info      yes        yes       yes         info
played    error     yes        yes       yes         yes
sounding  error     yes        yes       yes         yes
mark      error     yes        yes       yes         yes
cancel_timer yes    yes        yes       yes         yes
resume    yes       yes        yes       yes         yes
"""
SENT: dict[str, Any] = {
    "audio": voiced(60),
    "start": '{"type":"start"}',
    "text": '{"type":"text","text":"hello"}',
    "stop": '{"type":"stop"}',
    "cancel": '{"type":"cancel"}',
    "played": '{"type":"played","turn":1,"samples":0}',
    "sounding": '{"type":"sounding","turn":1,"sample":0,"at":0}',
    "mark": '{"type":"mark","turn":1,"marks":{"shown":1.5}}',
    "cancel_timer": '{"type":"cancel_timer","id":"a"}',
    "resume": '{"type":"resume","conversation":"c"}',
}


def legality():
    """Return the rows of the table: name of the message, state, verdict."""
    found = []
    head, *rows = LEGALITY.strip("\n").splitlines()
    for row in rows:
        name, *verdicts = row.split()
        for state, verdict in zip(head.split(), verdicts, strict=True):
            found.append(pytest.param(name, State[state], verdict, id=f"{name}-{state}"))
    return found


# --- messages that are none, and unusual ones -------------------------------------------------------------------------

LARGEST = m.MAX_MESSAGE_BYTES


def padded(size):
    """A `stop` of ``size`` bytes."""
    return '{"type":"stop","pad":"' + "x" * (size - 24) + '"}'


def marking(count):
    """A `mark` of ``count`` marks."""
    return json.dumps({"type": "mark", "turn": 1, "marks": {str(number): 1 for number in range(count)}})


MALFORMED = [
    # name, what is sent, close code, what the error says
    ("empty text", "", 1007, "not JSON"),
    ("no JSON", "hello", 1007, "not JSON"),
    ("half an object", '{"type":"stop"', 1007, "not JSON"),
    ("two objects", '{"type":"stop"}{"type":"stop"}', 1007, "not JSON"),
    ("not a number", '{"type":"mark","turn":1,"marks":{"a":NaN}}', 1007, "not JSON"),
    ("endless", '{"type":"mark","turn":1,"marks":{"a":-Infinity}}', 1007, "not JSON"),
    ("too deep", '{"type":"stop","a":' + "[" * 30_000 + "]" * 30_000 + "}", 1007, "not JSON"),
    ("an array", '["stop"]', 1007, "not a JSON object"),
    ("a string", '"stop"', 1007, "not a JSON object"),
    ("a number", "1", 1007, "not a JSON object"),
    ("null", "null", 1007, "not a JSON object"),
    ("no type", "{}", 1007, "no 'type'"),
    ("a number for a type", '{"type":1}', 1007, "no 'type'"),
    ("null for a type", '{"type":null}', 1007, "no 'type'"),
    ("one byte", b"\0", 1007, "audio of 1 bytes"),
    ("odd bytes", b"\0" * 961, 1007, "audio of 961 bytes"),
    ("unknown type", '{"type":"sing"}', 1003, "'sing'"),
    ("a type of the server's", '{"type":"token","turn":1,"text":"x"}', 1003, "'token'"),
    ("a type in capitals", '{"type":"Stop"}', 1003, "'Stop'"),
    ("too large a text", padded(LARGEST + 1), 1009, "65537 bytes"),
    ("too large in bytes", padded(LARGEST).replace("x", "é", 1), 1009, "65537 bytes"),
    ("too large an audio", bytes(LARGEST + 2), 1009, "65538 bytes"),
    ("mode: unknown", '{"type":"start","mode":"sing"}', 1007, "start: field 'mode'"),
    ("mode: null", '{"type":"start","mode":null}', 1007, "start: field 'mode'"),
    ("mode: number", '{"type":"start","mode":1}', 1007, "start: field 'mode'"),
    ("conversation: empty", '{"type":"start","conversation":""}', 1007, "start: field 'conversation'"),
    ("conversation: long", '{"type":"start","conversation":"' + "x" * 101 + '"}', 1007, "start: field 'conversation'"),
    ("language: number", '{"type":"start","language":7}', 1007, "start: field 'language'"),
    ("voice: list", '{"type":"start","voice":["a"]}', 1007, "start: field 'voice'"),
    ("speed: slow", '{"type":"start","speed":0.49}', 1007, "start: field 'speed'"),
    ("speed: fast", '{"type":"start","speed":2.01}', 1007, "start: field 'speed'"),
    ("speed: text", '{"type":"start","speed":"1"}', 1007, "start: field 'speed'"),
    ("silence_ms: short", '{"type":"start","silence_ms":199}', 1007, "start: field 'silence_ms'"),
    ("silence_ms: long", '{"type":"start","silence_ms":5001}', 1007, "start: field 'silence_ms'"),
    ("silence_ms: fraction", '{"type":"start","silence_ms":700.5}', 1007, "start: field 'silence_ms'"),
    ("silence_ms: truth", '{"type":"start","silence_ms":true}', 1007, "start: field 'silence_ms'"),
    ("endpointing: unknown", '{"type":"start","endpointing":"soon"}', 1007, "start: field 'endpointing'"),
    ("text: none", '{"type":"text"}', 1007, "text: field 'text'"),
    ("text: empty", '{"type":"text","text":""}', 1007, "text: field 'text'"),
    ("text: long", '{"type":"text","text":"' + "x" * 10_001 + '"}', 1007, "text: field 'text'"),
    ("text: number", '{"type":"text","text":1}', 1007, "text: field 'text'"),
    ("text: voice", '{"type":"text","text":"hi","voice":1}', 1007, "text: field 'voice'"),
    ("text: speed", '{"type":"text","text":"hi","speed":3}', 1007, "text: field 'speed'"),
    ("text: language", '{"type":"text","text":"hi","language":""}', 1007, "text: field 'language'"),
    ("text: conversation", '{"type":"text","text":"hi","conversation":1}', 1007, "text: field 'conversation'"),
    ("cancel: zero", '{"type":"cancel","turn":0}', 1007, "cancel: field 'turn'"),
    ("cancel: large", '{"type":"cancel","turn":4294967296}', 1007, "cancel: field 'turn'"),
    ("cancel: text", '{"type":"cancel","turn":"1"}', 1007, "cancel: field 'turn'"),
    ("played: no turn", '{"type":"played","samples":1}', 1007, "played: field 'turn'"),
    ("played: no samples", '{"type":"played","turn":1}', 1007, "played: field 'samples'"),
    ("played: negative", '{"type":"played","turn":1,"samples":-1}', 1007, "played: field 'samples'"),
    ("sounding: no turn 0", '{"type":"sounding","turn":0}', 1007, "sounding: field 'turn'"),
    ("sounding: behind the message", '{"type":"sounding","turn":1,"at":32769}', 1007, "sounding: field 'at'"),
    ("played: large", '{"type":"played","turn":1,"samples":4294967296}', 1007, "played: field 'samples'"),
    ("mark: no turn", '{"type":"mark","marks":{}}', 1007, "mark: field 'turn'"),
    ("mark: no marks", '{"type":"mark","turn":1}', 1007, "mark: field 'marks'"),
    ("mark: list", '{"type":"mark","turn":1,"marks":[]}', 1007, "mark: field 'marks'"),
    ("mark: text", '{"type":"mark","turn":1,"marks":{"a":"1"}}', 1007, "mark: field 'marks.a'"),
    ("mark: negative", '{"type":"mark","turn":1,"marks":{"a":-1}}', 1007, "mark: field 'marks.a'"),
    ("mark: endless", '{"type":"mark","turn":1,"marks":{"a":1e999}}', 1007, "mark: field 'marks.a'"),
    ("mark: no name", '{"type":"mark","turn":1,"marks":{"":1}}', 1007, "mark: field 'marks"),
    ("cancel_timer: no id", '{"type":"cancel_timer"}', 1007, "cancel_timer: field 'id'"),
    ("cancel_timer: long", '{"type":"cancel_timer","id":"' + "x" * 41 + '"}', 1007, "cancel_timer: field 'id'"),
    ("resume: empty", '{"type":"resume","conversation":""}', 1007, "resume: field 'conversation'"),
    ("mark: many", marking(33), 1007, "mark: field 'marks'"),
    ("half a pair", '{"type":"text","text":"\\ud800"}', 1007, "text: "),
]

ACCEPTED = [
    # name, what is sent in CAPTURING
    ("empty audio", b""),
    ("one sample", b"\1\0"),
    ("half a frame", voiced(30)[:958]),
    ("the largest audio", voiced(5000)[:LARGEST]),
    ("the largest text", padded(LARGEST)),
    ("unknown field", '{"type":"stop","why":{"a":[1,2]}}'),
    ("unknown field that is no value", '{"type":"stop","mode":7}'),
    ("white space", ' {\n"type" :\t"stop" } '),
    ("escapes", '{"ty\\u0070e":"st\\u006fp"}'),
    ("null for nothing", '{"type":"cancel","turn":null}'),
    ("sounding: nothing sounds", '{"type":"sounding"}'),
    ("sounding: at the end", '{"type":"sounding","turn":1,"sample":7,"at":32768}'),
    ("largest numbers", '{"type":"played","turn":1,"samples":4294967295}'),
    ("no marks", marking(0)),
    ("many marks", marking(32)),
]

BEGINNINGS = [
    '{"type":"start","mode":"hold","conversation":null,"language":null,"voice":null,"speed":null,"silence_ms":null}',
    '{"type":"start","language":"en","voice":"scripted","speed":2,"silence_ms":200}',
    '{"type":"start","speed":0.5,"silence_ms":5000}',
    '{"type":"start","silence_ms":300,"endpointing":"adaptive"}',
    json.dumps({"type": "text", "text": "👋" * 10_000}, ensure_ascii=False),
    '{"type":"text","text":" ","conversation":null,"language":null,"voice":null,"speed":null}',
]


# --- engines ----------------------------------------------------------------------------------------------------------


def engines_that_take_their_time(think_s=1.0, char_ms=50):
    """Engines whose turns stay in each state long enough for a client to do something there."""
    reply = ScriptedReply(tokens=[think_s, *["Words go on and on. "] * 5])
    return scripted_engines(
        language_model=ScriptedLanguageModel(replies=[reply]), synthesizer=ScriptedSynthesizer(char_ms=char_ms)
    )


class Defect(Exception):
    """Something of ours that nobody thought of."""


class BrokenStore(InProcessStore):
    """Fails in ``where``, once."""

    def __init__(self, where, error):
        super().__init__()
        self.where = where
        self.error = error

    async def recall(self, conversation):
        self.fail("recall")
        return await super().recall(conversation)

    async def commit(self, record):
        self.fail("commit")
        await super().commit(record)

    def fail(self, where):
        if self.where == where:
            self.where = ""
            raise self.error


def failed(code):
    return EngineError(code, "it broke")


@dataclass(frozen=True)
class Failure:
    """What goes wrong in a spoken turn, and what a client is told of it."""

    name: str
    code: ErrorCode
    outcome: Outcome
    errors: int = 1
    recognizer: dict[str, Any] = field(default_factory=dict)
    replies: tuple[ScriptedReply, ...] = (ScriptedReply(),)
    voice: dict[str, Any] = field(default_factory=dict)
    store: tuple[str, Exception] = ("", Defect())
    settings: dict[str, Any] = field(default_factory=dict)
    speaks_ms: int = 1200
    spoken: bool = False
    """Whether some of the reply is heard all the same."""
    remembered: bool = False


def replying(*tokens, **options):
    """The first reply fails, all later ones do not."""
    return (ScriptedReply(tokens=tokens, **options), ScriptedReply())


HALF_A_REPLY = "This is the beginning. "
KEPT: dict[str, Any] = {"remembered": True}
FAILURES = [
    Failure(
        "too long an utterance",
        ErrorCode.MAX_DURATION_EXCEEDED,
        Outcome.COMPLETED,
        settings={"max_utterance_ms": 1000},
        spoken=True,
        **KEPT,
    ),
    Failure(
        "a phrase fails",
        ErrorCode.TTS_FAIL,
        Outcome.COMPLETED,
        replies=replying("One is here. ", "Two is here. ", "Three is here."),
        voice={"fails": [None, failed(ErrorCode.TTS_FAIL)]},
        spoken=True,
        **KEPT,
    ),
    Failure(
        "a phrase takes too long",
        ErrorCode.TTS_FAIL,
        Outcome.COMPLETED,
        replies=replying("One is here. ", "Two is here. ", "Three is here."),
        voice={"hangs": frozenset({0})},
        settings={"tts_timeout_s": 1.0},
        spoken=True,
        **KEPT,
    ),
    Failure(
        "every phrase fails",
        ErrorCode.TTS_FAIL,
        Outcome.FAILED,
        errors=2,
        replies=replying("One is here. ", "Two is here."),
        voice={"fails": [failed(ErrorCode.TTS_FAIL)] * 2},
        **KEPT,
    ),
    Failure("the recognizer does not settle", ErrorCode.ASR_TIMEOUT, Outcome.TIMED_OUT, recognizer={"settle_s": 100}),
    Failure("the recognizer has no room", ErrorCode.ASR_TIMEOUT, Outcome.TIMED_OUT, recognizer={"open_s": 100}),
    Failure(
        "the recognizer fails", ErrorCode.ASR_FAIL, Outcome.FAILED, recognizer={"fails": [failed(ErrorCode.ASR_FAIL)]}
    ),
    Failure("no first token", ErrorCode.LLM_TIMEOUT, Outcome.TIMED_OUT, replies=replying(6.0), **KEPT),
    Failure(
        "a gap in the reply",
        ErrorCode.LLM_TIMEOUT,
        Outcome.TIMED_OUT,
        replies=replying(HALF_A_REPLY, 6.0),
        spoken=True,
        **KEPT,
    ),
    Failure(
        "a reply that takes for ever",
        ErrorCode.LLM_TIMEOUT,
        Outcome.TIMED_OUT,
        replies=replying(*["on "] * 100, token_s=1.0),
        spoken=True,
        **KEPT,
    ),
    Failure("no reply", ErrorCode.LLM_FAIL, Outcome.FAILED, replies=replying(failed(ErrorCode.LLM_FAIL)), **KEPT),
    Failure(
        "a reply breaks off",
        ErrorCode.LLM_FAIL,
        Outcome.FAILED,
        replies=replying(HALF_A_REPLY, 1.0, failed(ErrorCode.LLM_FAIL)),
        spoken=True,
        **KEPT,
    ),
    Failure(
        "a reply without a finish reason",
        ErrorCode.LLM_FAIL,
        Outcome.FAILED,
        replies=replying(HALF_A_REPLY, 1.0, finish=None),
        spoken=True,
        **KEPT,
    ),
    Failure("a defect in the recognizer", ErrorCode.INTERNAL, Outcome.FAILED, recognizer={"fails": [Defect()]}),
    Failure("a defect in the model", ErrorCode.INTERNAL, Outcome.FAILED, replies=replying(Defect()), **KEPT),
    Failure("a defect in the voice", ErrorCode.INTERNAL, Outcome.FAILED, voice={"fails": [Defect()]}, **KEPT),
    Failure(
        "the past cannot be read", ErrorCode.INTERNAL, Outcome.FAILED, store=("recall", StoreError("no such disk"))
    ),
    Failure(
        "the turn cannot be kept",
        ErrorCode.INTERNAL,
        Outcome.COMPLETED,
        store=("commit", StoreError("no space left")),
        spoken=True,
    ),
]


def engines_that(failure, char_ms=50):
    return scripted_engines(
        recognizer=ScriptedRecognizer(**failure.recognizer),
        language_model=ScriptedLanguageModel(replies=failure.replies),
        synthesizer=ScriptedSynthesizer(char_ms=char_ms, **failure.voice),
    )
