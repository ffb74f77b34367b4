"""What docs/protocol.md takes from the code (tables, examples, a conversation), and docs/protocol.schema.json."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import structlog
import trio
import trio.testing
from pydantic import TypeAdapter

from tests.server.uploading import PlainDecoder, request
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.alerts import ToldAlert
from voice_trio.core.turn_state import COMMANDS, Verdict
from voice_trio.memory.in_process import InProcessStore
from voice_trio.server.sessions import Sessions
from voice_trio.server.upload import request as upload
from voice_trio.server.upload.utterance import Utterances
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedRecognizer, ScriptedReply, scripted_engines
from voice_trio.testing.wire import Line, WireTalk, holding
from voice_trio.wire import native

TURN = "which turn"
TURN_OPTIONS = {
    "conversation": "the conversation that this turn goes on, as `session` named it, here or in an earlier session;"
    " without it, the one of this session",
    "language": "the language spoken (ISO 639-1), one of `languages`; without it, the server's own choice",
    "voice": "the voice of the reply, one of `voices`; without it, one that is named for `language`, or else the first"
    " of them",
    "speed": "how fast the reply is spoken; 1 is the voice's own pace, and what stands without it",
    "phonemes": "true: each `tts_phrase` says when which phoneme is heard, as far as the voice knows",
}
VISIBLE = "whether the person can see what you show: then nothing is said aloud to bridge the time that a tool takes"
MEANINGS: dict[str, dict[str, str]] = {
    "start": {
        "mode": "how the utterance ends: `tap` on silence, `hold` on `stop` only, `hands_free` on silence, "
        "with the next turn beginning by itself when someone speaks",
        **TURN_OPTIONS,
        "locale": "what the person's device is set up for (BCP 47, such as `de-CH`): where no `language` is given and"
        " what is heard is not sure to be any, as with a single word, it is taken for this one",
        "silence_ms": "the silence that ends the utterance, or, with `endpointing` `adaptive`, that ends it where "
        "nothing tells whether a pause is the end; without it, the `silence_ms` of `session`",
        "endpointing": "`adaptive`: each pause is weighed, and 0.32 to 2 s of silence end the utterance; `fixed`, as "
        "does its older name `share`: always `silence_ms`, 80 % of it silent; `strict`: the same, all of it silent. "
        "Without it, `fixed` where `silence_ms` is given, else the server's own choice",
        "threshold": "how sure the server has to be that somebody speaks: 0.5 is its own measure, as without it, and"
        " more asks for clearer speech",
        "pre_roll_ms": "how much of what comes before the first sound of speech belongs to the utterance; without it,"
        " 300, which a soft beginning needs",
        "barge_in": "whether speech may take back the end of the utterance, and interrupt the reply; without it, it may"
        " in `hands_free` where STREAM_BARGE_IN allows it, and nowhere else; never in `hold`. For a player that cannot "
        "stand still: `confirm`: there is no `hold` and no `reopened`, and the reply is interrupted once it is clear "
        "that the speech is meant; `wait`: it is heard after the reply",
        "reply": "false: what is said is remembered, and nobody answers it",
        "visible": VISIBLE,
        "codec": "how sound is coded in both directions from now on: `pcm`, or `opus`, where `features` has it "
        "([Opus](#opus)); without it, as it was, and `pcm` at first",
        "echo": "who takes the assistant's own voice out of the microphone's sound: `none`: nobody, the server is to, "
        "by what `sounding` says, in all of the session; `browser`, or without it: the client does, or headphones",
    },
    "text": {
        "text": "what the person says, in writing",
        **TURN_OPTIONS,
        "language": "the language of the reply, which chooses a voice where `voice` does not (ISO 639-1)",
        "reply": "false: what is written is remembered, and nobody answers it",
        "hands_free": "whether the turns to come are hands-free, as the latest `start` of that mode asked for; without"
        " it, as it was",
        "codec": "how the sound of replies is coded from now on, as in `start`",
        "visible": VISIBLE,
    },
    "stop": {},
    "cancel": {
        "turn": "end it only if it is this one; without it, whichever there is",
        "samples": "of its audio, heard so far, as in `played`; without it, the latest `played` counts",
    },
    "played": {
        "turn": TURN,
        "samples": "of the turn's audio, heard so far: counted from its first, at its sample rate",
    },
    "sounding": {
        "turn": "which turn sounds from then on, without a break; without it, nothing does",
        "sample": "of the turn's audio, counted from its first at its sample rate: the one that sounds at `at`",
        "at": "sample of the next binary message, counted from its first",
    },
    "mark": {
        "turn": TURN,
        "marks": "name of a moment, and when it came, counted from sending `start` or `text`, in ms",
    },
    "cancel_timer": {"id": "which, as `timers` names it"},
    "resume": {"conversation": "as `session` named it, in an earlier session"},
    "session": {
        "session": "the session's id, as it stands in the server's log",
        "conversation": "the session's conversation, for the `conversation` of a later `start` or `text`; keep it "
        "secret, since all who know it can go on with it",
        "protocol": "the version of this protocol",
        "features": "the modes, messages and abilities that this server offers",
        "sample_rate": "of the audio that the client sends, in Hz",
        "max_message_bytes": "the longest message that the client may send",
        "max_utterance_ms": "the longest utterance",
        "silence_ms": "the silence that ends an utterance, where nothing tells whether a pause is the end",
        "end_of_turn": "what weighs pauses where `endpointing` is `adaptive`; left out if nothing does",
        "resume": "only where you asked for it: by this name, a secret, you [come back](#coming-back) to the session",
        "resume_s": "for how long the session waits for you, each time",
        "resumed": "only where you named a session: whether this is that one; false is another, and new",
        "received": "with `resumed` true: how many of your messages the session has",
        "asr": "name of the recognizer",
        "llm": "name of the language model",
        "voices": "what `voice` may be",
        "languages": "what `language` may be; empty if any will do",
    },
    "state": {
        "turn": TURN,
        "state": "where it stands now",
        "origin": "only in the first of a turn that nobody asked for, which the server begins by itself: `timer`: a"
        " timer, an alarm or a reminder is due; `silence` never on /ws",
    },
    "partial": {
        "turn": TURN,
        "keep": "how many code points of what is shown stay",
        "text": "what follows them",
        "stable": "how many code points of what is then shown no later `partial` will change",
    },
    "final": {"turn": TURN, "text": "the whole transcript", "language": "the language recognised (ISO 639-1)"},
    "token": {"turn": TURN, "text": "what is appended to the reply"},
    "tool": {
        "turn": TURN,
        "call": "names the call among those of the turn",
        "name": "of the tool",
        "arguments": "what it was given: an object, as JSON, in at most 4000 characters",
        "state": "`started`, and later one of the others: `done`; `failed`, and `result` says why; `cancelled`, with"
        " the turn or the part of it that it belonged to",
        "result": "what it answered, in at most 4000 characters; it is for the language model and need not be prose",
    },
    "tts_phrase": {
        "turn": TURN,
        "phrase": "number of the phrase in the turn, from 0",
        "start": "place of its first code point in the reply",
        "end": "one past the place of its last",
        "sample_rate": "of its audio, in Hz; the same in all of a turn",
        "words": "where each word begins: a sample of the phrase, counted from its first, and a place in the reply, in"
        " code points; both rise from word to word. Left out if the voice does not know, or tells them later",
        "phonemes": "where each phoneme begins: a sample of the phrase, and a symbol as the voice writes it (IPA or its"
        " own, and signs where it pauses). Left out if the voice does not know, or tells them later, or nobody asked",
    },
    "reopened": {"turn": TURN, "revision": "how often that has happened in the turn, from 1"},
    "hold": {"turn": TURN, "sample": "of the turn's audio, counted from its first: where we think that the player is"},
    "release": {"turn": TURN, "sample": "where that is: by your `played` since the `hold`, else the same as there"},
    "tts_words": {
        "turn": TURN,
        "phrase": "number of the phrase",
        "words": "more of its words, as `tts_phrase` has them; they go on where those before them end",
        "phonemes": "more of its phonemes, as `tts_phrase` has them",
    },
    "tts_phrase_done": {
        "turn": TURN,
        "phrase": "number of the phrase",
        "samples": "length of its audio; 0 if it was skipped or holds nothing to say aloud",
        "rest": "where the turn's sound is Opus: the packets that no binary message has brought, in base64 "
        "([Opus](#opus))",
    },
    "done": {
        "turn": TURN,
        "outcome": "how it ended",
        "remembered": "whether the turn is kept, and later sessions of the conversation may know of it; null: unknown",
        "heard": "how much of the reply was heard, in code points from its first",
        "latency": "what took how long",
    },
    "timers": {"timers": "what waits, the next one first; at most 50"},
    "ToldAlert": {
        "id": "its own among those of the conversation",
        "kind": "which it is",
        "label": "what the person calls it, or what they are reminded of; empty where they did not say",
        "left_ms": "how long until it is due, from when this was sent; 0 if it is",
    },
    "latency": {
        "t_first_partial_ms": "first `partial`, counted from the first speech",
        "t_final_transcript_ms": "`final`, counted from the last speech, as the others are",
        "t_first_token_ms": "first `token`",
        "t_first_audio_ms": "first audio handed to the socket",
        "total_reply_ms": "last audio handed to the socket",
    },
    "error": {
        "code": "what went wrong",
        "message": "the same for a person, in English",
        "recoverable": "true: the session stays open; false: the server closes it",
        "turn": "the turn that it happened in",
        "phrase": "the phrase that it happened to",
        "retry_after_s": "how long to wait before another try",
        "incident": "under this id the server's log has the details",
    },
    "info": {
        "code": "what it is about",
        "message": "the same for a person, in English",
        "turn": "the turn that it is about",
        "command": "`asr_fallback`, and `engines_changed` while that is so: what the operator can run to mend it",
        "active": "`throttled`: true when it begins, false when it is over",
        "grace_s": "`shutting_down`: the time that a reply in progress has left",
        "end_of_turn": "`engines_changed`: what weighs pauses; left out if nothing does",
        "asr": "`engines_changed`: name of the recognizer, as the others in place of what `session` said",
        "llm": "`engines_changed`: name of the language model",
        "synthetic": "`engines_changed`: whether there is none, and only its skills answer",
        "voices": "`engines_changed`: what `voice` may be",
        "languages": "`engines_changed`: what `language` may be; empty if any will do",
    },
}
"""Message -> field -> what it means. One field more or less than the code has is an error."""

EXAMPLES: dict[str, Sequence[m.Command | m.Event]] = {
    "start": (m.Start(), m.Start(mode="hold", language="en", speed=1.25), m.Start(locale="de-CH")),
    "text": (m.Text(text="What time is it?"),),
    "stop": (m.Stop(),),
    "cancel": (m.Cancel(), m.Cancel(turn=3), m.Cancel(turn=3, samples=24_000)),
    "played": (m.Played(turn=3, samples=24_000),),
    "sounding": (m.Sounding(turn=3, sample=24_000), m.Sounding(at=312)),
    "mark": (m.Mark(turn=3, marks={"first_partial_shown": 612.5, "first_audio_heard": 1480.0}),),
    "cancel_timer": (m.CancelTimer(id="9f3c01d2ab47"),),
    "resume": (m.Resume(conversation="pS8vXhQm2nR4tYw6zB1cD3"),),
    "session": (
        m.SessionOpened(
            session="xJ3kPq0aY7dVt2Ws",
            conversation="pS8vXhQm2nR4tYw6zB1cD3",
            features=(
                "tap",
                "hold",
                "hands_free",
                "text",
                "cancel",
                "played",
                "mark",
                "tools",
                "timers",
                "opus",
                "echo",
            ),
            sample_rate=16_000,
            max_utterance_ms=30_000,
            silence_ms=700,
            end_of_turn="Smart Turn v3.2",
            asr="moonshine tiny-en",
            llm="gpt-4o-mini",
            voices=("heart", "en-us", "en-gb"),
            languages=("en",),
        ),
    ),
    "state": (
        m.StateChanged(turn=3, state=m.State.THINKING),
        m.StateChanged(turn=4, state=m.State.THINKING, origin=m.Origin.TIMER),
    ),
    "reopened": (m.Reopened(turn=3, revision=1),),
    "hold": (m.Hold(turn=3, sample=31_200),),
    "release": (m.Release(turn=3, sample=31_200),),
    "partial": (
        m.Partial(turn=3, keep=0, text="what dime", stable=0),
        m.Partial(turn=3, keep=5, text="time is it", stable=4),
    ),
    "final": (m.Final(turn=3, text="what time is it", language="en"),),
    "token": (m.Token(turn=3, text="It is "),),
    "tool": (
        m.ToolCalled(turn=3, call="use_3_0", name="weather", arguments='{"city": "London"}', state=m.CallState.STARTED),
        m.ToolCalled(
            turn=3,
            call="use_3_0",
            name="weather",
            arguments='{"city": "London"}',
            state=m.CallState.DONE,
            result="It is sunny in London.",
        ),
    ),
    "tts_phrase": (
        m.TtsPhrase(turn=3, phrase=0, start=0, end=11, sample_rate=22_050, words=((176, 0), (4090, 3), (7938, 6))),
    ),
    "tts_words": (m.TtsWords(turn=3, phrase=0, words=((12_040, 12), (16_500, 15))),),
    "tts_chunk": (m.TtsChunk(turn=3, phrase=0, seq=1, first_sample=2205, pcm=b"\x0a\x00\xf6\xff"),),
    "tts_phrase_done": (m.TtsPhraseDone(turn=3, phrase=0, samples=19_845),),
    "done": (
        m.Done(
            turn=3,
            outcome=m.Outcome.COMPLETED,
            remembered=True,
            heard=11,
            latency=m.Latency(
                t_first_partial_ms=377,
                t_final_transcript_ms=797,
                t_first_token_ms=818,
                t_first_audio_ms=889,
                total_reply_ms=1420,
            ),
        ),
    ),
    "timers": (
        m.Timers(
            timers=(
                ToldAlert(id="9f3c01d2ab47", kind="timer", label="pasta", left_ms=480_000),
                ToldAlert(id="0b77e1c4d9aa", kind="alarm", label="", left_ms=54_890_000),
            )
        ),
    ),
    "error": (
        m.Error(code=m.ErrorCode.LLM_FAIL, message="The reply broke off before its end.", recoverable=True, turn=3),
        m.Error(
            code=m.ErrorCode.PROTOCOL_VIOLATION,
            message="start: field 'silence_ms': Input should be greater than or equal to 200",
            recoverable=False,
        ),
    ),
    "info": (
        m.Info(
            code=m.InfoCode.ENGINES_CHANGED,
            message="llama3.2:latest (Ollama) answers from now on.",
            end_of_turn="Smart Turn v3.2",
            asr="moonshine tiny-en",
            llm="llama3.2:latest (Ollama)",
            synthetic=False,
            voices=("heart", "en-us", "en-gb"),
            languages=("en",),
        ),
        m.Info(code=m.InfoCode.NO_SPEECH, message="No words were heard."),
        m.Info(code=m.InfoCode.EMPTY_REPLY, message="The language model's reply was empty.", turn=3),
        m.Info(code=m.InfoCode.SHUTTING_DOWN, message="The server is stopping.", grace_s=10.0),
    ),
}
"""Message -> what its examples in the document say."""

VERDICTS = {
    Verdict.ACT: "yes",
    Verdict.IGNORE: "ignored",
    Verdict.NOTHING_TO_CANCEL: "info",
    None: "error",
}


# --- the schema -----------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the text messages: ``$defs`` has `client`, `server`, and one for each message."""
    definitions: dict[str, Any] = {}
    for kinds, by_server in ((native.COMMANDS, False), (native.EVENTS, True)):
        for name, cls in kinds.items():
            assert name not in definitions
            body = _without_titles(TypeAdapter(cls).json_schema())
            for nested, definition in body.pop("$defs", {}).items():
                definitions[nested] = _always_there(definition) if "properties" in definition else definition
            properties = {
                key: _never_null(value) if by_server and "default" in value else value
                for key, value in body["properties"].items()
            }
            always = [key for key, value in body["properties"].items() if value.get("default", 0) is not None]
            definitions[name] = {
                "description": body["description"],
                "type": "object",
                "properties": {"type": {"const": name}, **properties},
                "required": ["type", *(always if by_server else body.get("required", []))],
            }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"voice_trio /ws, protocol {m.PROTOCOL}: text messages",
        "description": "See protocol.md. Unknown fields are ignored on both sides, unknown messages by a client.",
        "anyOf": [{"$ref": "#/$defs/client"}, {"$ref": "#/$defs/server"}],
        "$defs": {
            "client": {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in native.COMMANDS]},
            "server": {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in native.EVENTS]},
            **definitions,
        },
    }


def schema_text() -> str:
    return json.dumps(schema(), indent=2) + "\n"


def _without_titles(body: Any) -> Any:
    """Return ``body`` without the titles that Pydantic makes of names. No field of the vocabulary has that name."""
    if isinstance(body, dict):
        return {key: _without_titles(value) for key, value in body.items() if key != "title"}
    return [_without_titles(item) for item in body] if isinstance(body, list) else body


def _never_null(field: dict[str, Any]) -> dict[str, Any]:
    """Return ``field`` of a message of the server, which leaves it out where it has no value."""
    options = [option for option in field.get("anyOf", ()) if option != {"type": "null"}]
    return options[0] if len(options) == 1 else {key: value for key, value in field.items() if key != "default"}


def _always_there(definition: dict[str, Any]) -> dict[str, Any]:
    """Return ``definition`` of an object in a message of the server, which says null in it where there is no value."""
    properties = {
        name: {key: value for key, value in field.items() if key != "default"}
        for name, field in definition["properties"].items()
    }
    return {**definition, "properties": properties, "required": [*properties]}


# --- the tables -----------------------------------------------------------------------------------------------------


def legality() -> str:
    """Return what becomes of each message of a client in each state."""
    kinds = {"(audio)": m.Audio, **{f"`{name}`": cls for name, cls in native.COMMANDS.items()}}
    rows = [f"| message | {' | '.join(COMMANDS)} |", "|---" * (len(COMMANDS) + 1) + "|"]
    for name, cls in kinds.items():
        rows.append(f"| {name} | {' | '.join(VERDICTS[legal.get(cls)] for legal in COMMANDS.values())} |")
    return "\n".join(rows)


def message(name: str) -> str:
    """Return the fields of the message ``name``, and its examples."""
    said = EXAMPLES[name]
    examples = [native.encode_command(one) if isinstance(one, m.Command) else native.encode_event(one) for one in said]
    lines = "\n".join(example for example in examples if isinstance(example, str))
    return "\n\n".join([fields(name), f"```json\n{lines}\n```"])


def fields(name: str) -> str:
    """Return the fields of the message, or object in a message, ``name``."""
    definitions = schema()["$defs"]
    definition = definitions[name if name in definitions else name.capitalize()]
    known = {key: value for key, value in definition["properties"].items() if key != "type"}
    differing = known.keys() ^ MEANINGS[name].keys()
    assert not differing, f"{name}: only one of the code and MEANINGS knows {differing}"
    if not known:
        return "No fields."
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for key, value in known.items():
        kind = _words(key, value, definitions)
        if key not in definition["required"]:
            default = value.get("default")
            kind += ", optional" if default is None else f", optional: `{json.dumps(default)}`"
        rows.append(f"| `{key}` | {kind} | {MEANINGS[name][key]} |")
    return "\n".join(rows)


def _words(name: str, schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return in words which values the field ``name`` takes."""
    if "$ref" in schema:
        key = schema["$ref"].removeprefix("#/$defs/")
        return _words(name, definitions[key], definitions) if "enum" in definitions[key] else "object, see below"
    if "anyOf" in schema:
        null = {"type": "null"}
        some = ", ".join(_words(name, option, definitions) for option in schema["anyOf"] if option != null)
        # A client may say null instead of leaving a field out, but need not know it.
        return some if "default" in schema else f"{some} or null"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    match schema["type"]:
        case "integer" | "number" as kind:
            unit = ", ms" if name.endswith("_ms") else ", s" if name.endswith("_s") else ""
            limits = f", {schema['minimum']:.10g} to {schema['maximum']:.10g}" if "minimum" in schema else ""
            return f"{kind}{unit}{limits}"
        case "string":
            return (
                f"text, {schema['minLength']} to {schema['maxLength']} code points" if "minLength" in schema else "text"
            )
        case "array" if "prefixItems" in schema["items"]:
            kinds = [_words(name, item, definitions) for item in schema["items"]["prefixItems"]]
            return f"list of pairs: {', '.join(kinds)}"
        case "array":
            return f"list of {_words(name, schema['items'], definitions)}"
        case "object":
            value = _words("", schema["additionalProperties"], definitions)
            key = _words("", {"type": "string", **schema["propertyNames"]}, definitions)
            return f"object of at most {schema['maxProperties']}: {key} -> {value}"
    return "true or false"


def chunk() -> str:
    """Return an example of a binary message of the server, in hex."""
    (example,) = EXAMPLES["tts_chunk"]
    assert isinstance(example, m.TtsChunk)
    data = native.encode_event(example)
    assert isinstance(data, bytes)
    header, pcm = data[: native.CHUNK_HEADER.size], data[native.CHUNK_HEADER.size :]
    return (
        f"```text\n{header.hex(' ')}  {pcm.hex(' ')}\n```\n\n"
        f"is chunk {example.seq} of turn {example.turn}, in phrase {example.phrase}; its {len(pcm) // 2} samples "
        f"begin at sample {example.first_sample} of the turn."
    )


# --- the upload -----------------------------------------------------------------------------------------------------


def uploading() -> str:
    """Return what a request to /api/utterance may say, and an answer as a session of scripted engines makes it."""
    options = "\n".join(f"| `{name}` | {MEANINGS['start'][name]} |" for name in upload.OPTIONS)
    answer = trio.run(_answer_upload, clock=trio.testing.MockClock(autojump_threshold=0))
    shown = json.dumps(answer, indent=2)
    return (
        f"`Content-Type` is one of {', '.join(f'`{name}`' for name in upload.KINDS)}, with or without parameters. "
        "These may stand in the query:\n\n"
        f"| field | what it is |\n|---|---|\n{options}\n\n"
        f"The answer, with status 200:\n\n```text\n{shown}\n```"
    )


async def _answer_upload() -> dict[str, Any]:
    (example,) = EXAMPLES["session"]
    assert isinstance(example, m.SessionOpened)
    engines = scripted_engines(
        recognizer=ScriptedRecognizer(words=("what", "time", "is", "it")),
        language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=["It ", "is ", "noon."])]),
    )
    settings = config.load(log_latency=False)
    sessions = Sessions(settings, lambda: engines, InProcessStore())
    with structlog.testing.capture_logs():
        decoder: Any = PlainDecoder()
        answer = await Utterances(settings, sessions, decoder).answer(request())
    wav = base64.b64encode(answer["audio"]["wav"]).decode()
    return {
        **answer,
        "conversation": example.conversation,
        "audio": {**answer["audio"], "wav": f"{wav[:24]}... ({len(wav)} characters)"},
    }


# --- the conversation -----------------------------------------------------------------------------------------------


def conversation() -> str:
    """Return a conversation as a session has it with scripted engines, in virtual time."""
    lines = trio.run(_converse, clock=trio.testing.MockClock(autojump_threshold=0))
    shown: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        run = 1
        if isinstance(line.data, bytes):
            while at + run < len(lines) and _is_more(line, lines[at + run]):
                run += 1
        arrow = "->" if line.by_client else "<-"
        shown.append(f"{line.at_s:6.2f} {arrow} {_shown(line, run)}")
        at += run
    return "\n".join(["```text", *shown, "```"])


def _is_more(line: Line, other: Line) -> bool:
    return isinstance(other.data, bytes) and other.by_client == line.by_client


def _shown(line: Line, run: int) -> str:
    if isinstance(line.data, str):
        return line.data
    more = f", and {run - 1} more" if run > 1 else ""
    if line.by_client:
        return f"(binary, {len(line.data)} bytes{more})"
    header = line.data[: native.CHUNK_HEADER.size]
    return f"(binary, {len(line.data)} bytes, of which the header is {header.hex(' ')}{more})"


async def _converse() -> list[Line]:
    # Engines that answer at different times, so that the order of events is no matter of chance.
    engines = scripted_engines(
        recognizer=ScriptedRecognizer(words=("what", "time", "is", "it"), hypothesize_s=0.037, settle_s=0.11),
        language_model=ScriptedLanguageModel(
            replies=[
                ScriptedReply(tokens=["It ", "is ", "noon."], token_s=0.023),
                ScriptedReply(tokens=["One, ", "two, ", "three, ", "four, ", "five."], token_s=0.023),
            ]
        ),
    )
    async with holding(engines=engines, log_latency=False) as talk:
        await talk.next_is(m.SessionOpened)
        await talk.ask(m.Start())
        await talk.say(1260)
        await talk.silence(840)
        await talk.wait_for(m.Done)
        await trio.sleep(1.0)
        await talk.ask(m.Text(text="Count to five."))
        await talk.wait_for(m.StateChanged, state=m.State.RESPONDING)
        await trio.sleep(0.55)
        await talk.ask(m.Played(turn=2, samples=8_000), m.Cancel())
        await talk.wait_for(m.Done)
    return _with_plain_ids(talk)


def _with_plain_ids(talk: WireTalk) -> list[Line]:
    """Return the talk's lines with the same ids whenever it is held."""
    opened = talk.heard[0]
    (example,) = EXAMPLES["session"]
    assert isinstance(opened, m.SessionOpened)
    assert isinstance(example, m.SessionOpened)
    return [
        line
        if isinstance(line.data, bytes)
        else Line(
            line.at_s,
            line.by_client,
            line.data.replace(opened.session, example.session).replace(opened.conversation, example.conversation),
        )
        for line in talk.lines
    ]
