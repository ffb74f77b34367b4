"""A session's events -> server events, each as the contract has it and all in its order."""

import json
from typing import Any

import pytest

from tests.wire.realtime.contract import check
from tests.wire.realtime.order import check_order
from tests.wire.realtime.talking import OPENED
from voice_trio.core import messages as m
from voice_trio.core.codes import Why
from voice_trio.core.items import MAX_ITEMS, ToolOutput, ToolUse, Words
from voice_trio.wire.realtime.codec import RealtimeCodec
from voice_trio.wire.realtime.configuration import Configuration, Offered


class Connection:
    """A connection whose session says what it is told to."""

    def __init__(self, **wanted):
        self.codec = RealtimeCodec(
            Offered("ours", "", ("one",), ()), Configuration().merged({"audio": {"input": wanted}}), expires_at=1
        )
        self.events = []
        self.say(OPENED)

    def ask(self, kind, **fields):
        self.codec.decode(json.dumps({"type": kind, **fields}))

    def say(self, *events):
        """Return the types of what is told of ``events``."""
        told = [check(json.loads(message)) for event in events for message in self.codec.encode(event)]
        self.events += told
        return [event["type"] for event in told]

    def last(self, kind):
        return next(event for event in reversed(self.events) if event["type"] == kind)


@pytest.fixture
def connection():
    """One that transcribes; what it told is in order at its end."""
    connection = Connection(transcription={})
    yield connection
    check_order(connection.events, to_the_end=True)


def state(turn, name):
    return m.StateChanged(turn=turn, state=m.State[name])


def done(turn, outcome="completed"):
    return m.Done(turn=turn, outcome=m.Outcome(outcome), remembered=True, heard=0)


SPOKEN = [
    state(1, "CAPTURING"),
    m.SpeechStarted(utterance=1, sample=16_000),
    m.Partial(turn=1, keep=0, text="what is", stable=4),
    m.SpeechStopped(utterance=1, sample=48_000),
    m.ItemAdded(item=Words(id="said_1", by="person"), after=None),
]
REPLY = [
    m.ItemAdded(item=Words(id="reply_1", by="assistant"), after="said_1"),
    m.Token(turn=1, text="It is "),
    state(1, "RESPONDING"),
    m.TtsPhrase(turn=1, phrase=0, start=0, end=6, sample_rate=24_000),
    m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=bytes(4800)),
    m.Token(turn=1, text="sunny."),
    m.TtsPhraseDone(turn=1, phrase=0, samples=2400),
]

BEGUN = ["response.output_item.added", "conversation.item.added", "response.content_part.added"]
CLOSED = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]
MINE = {"type": "function_call_output", "call_id": "c", "output": ""}
TRANSCRIPTION = "conversation.item.input_audio_transcription."
HEARD = [
    "input_audio_buffer.speech_started",
    f"{TRANSCRIPTION}delta",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
]


def test_a_spoken_turn_is_heard_committed_transcribed_and_answered(connection):
    assert connection.say(*SPOKEN) == HEARD
    assert connection.last("input_audio_buffer.speech_started")["audio_start_ms"] == 1000
    assert connection.say(m.Final(turn=1, text="What is it?")) == [f"{TRANSCRIPTION}completed"]
    told = connection.last(f"{TRANSCRIPTION}completed")
    assert (told["item_id"], told["transcript"], told["usage"]["seconds"]) == ("said_1", "What is it?", 2)
    assert connection.say(state(1, "THINKING")) == ["response.created"]
    assert connection.say(*REPLY) == [
        *BEGUN,
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
    ]
    assert connection.say(state(1, "COMPLETE"), done(1)) == CLOSED
    assert connection.last("conversation.item.done")["previous_item_id"] == "said_1"


def test_who_does_not_want_a_transcript_gets_none():
    connection = Connection()
    assert connection.say(*SPOKEN, m.Final(turn=1, text="x"), done(1)) == [
        kind for kind in HEARD if not kind.startswith(TRANSCRIPTION)
    ]
    check_order(connection.events, to_the_end=True)


@pytest.mark.parametrize("events", [[m.Final(turn=1, text="")], []])
def test_an_utterance_without_words_is_complete_without_them(connection, events):
    connection.say(*SPOKEN, *events, done(1, "empty"))
    assert connection.last(f"{TRANSCRIPTION}completed")["transcript"] == ""
    assert "response.created" not in [event["type"] for event in connection.events]


def test_an_utterance_that_could_not_be_recognised_says_why(connection):
    failure = m.Error(code=m.ErrorCode.ASR_TIMEOUT, message="It took too long.", recoverable=True, turn=1)
    assert connection.say(*SPOKEN, failure, done(1, "timed_out"))[-1] == f"{TRANSCRIPTION}failed"
    error = connection.last(f"{TRANSCRIPTION}failed")["error"]
    assert (error["code"], error["message"]) == ("asr_timeout", "It took too long.")


@pytest.mark.parametrize(
    ("outcome", "status", "details"),
    [
        ("cancelled", "cancelled", {"type": "cancelled", "reason": "client_cancelled"}),
        ("interrupted", "cancelled", {"type": "cancelled", "reason": "turn_detected"}),
        (
            "failed",
            "failed",
            {"type": "failed", "error": {"type": "server_error", "code": "tts_fail", "message": "No voice."}},
        ),
    ],
)
@pytest.mark.parametrize("said", range(len(REPLY) + 1))
def test_a_response_that_is_cut_off_anywhere_is_closed(connection, outcome, status, details, said):
    connection.say(*SPOKEN, m.Final(turn=1, text="x"), state(1, "THINKING"), *REPLY[:said])
    if outcome == "failed":
        connection.say(m.Error(code=m.ErrorCode.TTS_FAIL, message="No voice.", recoverable=True, turn=1, phrase=0))
    connection.say(state(1, "COMPLETE"), done(1, outcome))
    response = connection.last("response.done")["response"]
    assert (response["status"], response["status_details"]) == (status, details)
    assert [item["status"] for item in response["output"]] == (["incomplete"] if said else [])


def test_a_reply_that_was_too_long_is_incomplete(connection):
    connection.say(state(1, "THINKING"), *REPLY)
    connection.say(m.Info(code=m.InfoCode.REPLY_CUT, message="Cut.", turn=1), done(1))
    response = connection.last("response.done")["response"]
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}


def test_an_answer_that_was_asked_for_is_as_it_was_asked_for(connection):
    wanted = {"output_modalities": ["text"], "metadata": {"a": "b"}}
    connection.ask("response.create", response=wanted)
    assert connection.say(m.ReplyAccepted(reply=1)) == ["response.created"]
    assert connection.say(state(1, "THINKING")) == []
    connection.say(
        m.ItemAdded(item=Words(id="reply_1", by="assistant"), after=None), m.Token(turn=1, text="Hi"), done(1)
    )
    response = connection.last("response.done")["response"]
    assert (response["metadata"], response["output_modalities"]) == ({"a": "b"}, ["text"])
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "Hi"}]


def test_one_out_of_band_is_in_no_conversation(connection):
    connection.ask("response.create", response={"conversation": "none"})
    connection.ask("response.create")
    assert connection.say(m.ReplyAccepted(reply=1), m.ReplyAccepted(reply=2)) == ["response.created"] * 2
    connection.say(m.ItemAdded(item=Words(id="a", by="person", text="x"), after=None, by_client=True))
    added = m.ItemAdded(item=Words(id="reply_1", by="assistant"), after="a")
    told = connection.say(state(1, "THINKING"), added, m.Token(turn=1, text="Hi"), done(1))
    # What comes next is behind what was in the conversation, and nothing else.
    connection.say(
        m.ItemAdded(item=Words(id="b", by="person", text="y"), after="a", by_client=True), m.ItemDeleted(item="a")
    )
    connection.say(m.ItemAdded(item=Words(id="c", by="person", text="y"), after="b", by_client=True))
    assert connection.last("conversation.item.done")["previous_item_id"] == "b"
    assert not [kind for kind in told if kind.startswith("conversation.")]
    assert connection.last("response.done")["response"]["conversation_id"] is None
    connection.say(state(2, "THINKING"), done(2))
    assert connection.last("response.done")["response"]["conversation_id"].startswith("conv_")


def test_no_more_is_known_of_replies_than_there_can_be(connection):
    for turn in range(1, MAX_ITEMS + 3):
        connection.say(state(turn, "THINKING"), done(turn))
    assert [*connection.codec._exchange.replies][:: MAX_ITEMS - 1] == ["reply_3", f"reply_{MAX_ITEMS + 2}"]


def test_a_tool_of_the_clients_is_called(connection):
    connection.ask("response.create")
    use = ToolUse(id="call_1_0", call="call_1_0", name="weather", arguments='{"at": "sea"}')
    told = connection.say(m.ReplyAccepted(reply=1), m.ItemAdded(item=use, after=None), done(1))
    assert told == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    [call] = connection.last("response.done")["response"]["output"]
    assert (call["name"], call["arguments"], call["status"]) == ("weather", '{"at": "sea"}', "completed")


@pytest.mark.parametrize(
    ("item", "content"),
    [
        (Words(id="a", by="person", text="Hi"), [{"type": "input_text", "text": "Hi"}]),
        (Words(id="a", by="system", text="Hi"), [{"type": "input_text", "text": "Hi"}]),
        (Words(id="a", by="assistant", text="Hi"), [{"type": "output_text", "text": "Hi"}]),
        (Words(id="a", by="person", text=""), []),
        (ToolUse(id="a", call="c", name="f", arguments="{}"), None),
        (ToolOutput(id="a", call="c", output="5"), None),
    ],
)
def test_a_clients_item_is_told_as_added_and_done(connection, item, content):
    connection.say(m.ItemAdded(item=Words(id="before", by="person", text="x"), after=None, by_client=True))
    assert connection.say(m.ItemAdded(item=item, after="before", by_client=True)) == [
        "conversation.item.added",
        "conversation.item.done",
    ]
    event = connection.last("conversation.item.done")
    assert event["previous_item_id"] == "before"
    assert event["item"].get("content") == content
    assert connection.say(m.ItemRead(item=item)) == ["conversation.item.retrieved"]
    assert connection.say(m.ItemDeleted(item="a")) == ["conversation.item.deleted"]


def test_what_the_person_has_forgotten_is_told_if_it_was_told_of(connection):
    connection.say(*SPOKEN)
    gone = [m.ItemDeleted(item=key, by_client=False) for key in ("said_1", "use_1_0", "remembered_0_said")]
    said = connection.say(*gone)
    assert said == ["conversation.item.deleted"]


def test_what_was_heard_of_a_reply_is_told_and_how_it_ended_stays(connection):
    connection.say(state(1, "THINKING"), *REPLY, done(1))
    connection.ask("conversation.item.truncate", item_id="reply_1", content_index=0, audio_end_ms=50)
    cut = Words(id="reply_1", by="assistant", text="It is sunny.", heard=5)
    assert connection.say(m.ItemCut(item=cut, samples=1200)) == ["conversation.item.truncated"]
    assert connection.last("conversation.item.truncated")["audio_end_ms"] == 50
    connection.say(m.ItemRead(item=cut))
    item = connection.last("conversation.item.retrieved")["item"]
    assert (item["status"], item["content"]) == ("completed", [{"type": "output_audio", "transcript": "It is"}])


def test_what_is_cut_while_it_is_made_is_not_told_longer_at_its_end(connection):
    connection.say(state(1, "THINKING"), *REPLY)
    connection.ask("conversation.item.truncate", item_id="reply_1", content_index=0, audio_end_ms=50)
    cut = Words(id="reply_1", by="assistant", text="It is sunny.", heard=5)
    connection.say(m.ItemCut(item=cut, samples=1200), m.Token(turn=1, text=" Enjoy."), done(1))
    assert connection.last("response.output_audio_transcript.done")["transcript"] == "It is sunny. Enjoy."
    for told in (
        connection.last("conversation.item.done")["item"],
        connection.last("response.done")["response"]["output"][0],
    ):
        assert told["content"] == [{"type": "output_audio", "transcript": "It is"}]


def test_what_somebody_said_is_told_with_its_transcript(connection):
    connection.say(m.ItemRead(item=Words(id="said_1", by="person", text="Hi")))
    item = connection.last("conversation.item.retrieved")["item"]
    assert item["content"] == [{"type": "input_audio", "transcript": "Hi"}]


@pytest.mark.parametrize("conversation", ["auto", "none"])
@pytest.mark.parametrize("key", ["said_1", "reply_1", "call_1_7"])
def test_a_clients_item_is_the_clients_whatever_its_id(connection, key, conversation):
    connection.ask("response.create", response={"conversation": conversation})
    connection.say(m.ReplyAccepted(reply=1), state(1, "THINKING"))
    by_person, by_assistant = Words(id=key, by="person", text="Mine."), Words(id=key, by="assistant", text="Mine.")
    for words, content in ((by_person, "input_text"), (by_assistant, "output_text")):
        connection.ask("conversation.item.create", item=MINE, event_id="followed")
        told = connection.say(m.ItemAdded(item=words, after=None, by_client=True))
        assert told == ["conversation.item.added", "conversation.item.done"]
        assert connection.last("conversation.item.done")["item"]["content"] == [{"type": content, "text": "Mine."}]
        connection.say(m.ItemRead(item=words, written=words is by_person))
        item = connection.last("conversation.item.retrieved")["item"]
        assert (item["content"], item["status"]) == ([{"type": content, "text": "Mine."}], "completed")
        connection.say(m.ItemDeleted(item=key))
    # What was followed waits for no answer any more.
    connection.ask("conversation.item.create", item=MINE, event_id="declined")
    connection.say(m.Declined(command=m.AddItem.name, why=Why.DUPLICATE, message="x"))
    assert connection.last("error")["error"]["event_id"] == "declined"
    connection.say(done(1))


@pytest.mark.parametrize("said", range(1, len(REPLY) + 1))
def test_of_a_reply_that_is_deleted_only_the_response_goes_on(connection, said):
    connection.say(*SPOKEN, m.Final(turn=1, text="x"), state(1, "THINKING"), *REPLY[:said])
    connection.say(m.ItemDeleted(item="reply_1"))
    use = ToolUse(id="call_1_0", call="call_1_0", name="weather", arguments="{}")
    told = connection.say(*REPLY[said:], m.ItemAdded(item=use, after="said_1"), done(1))
    assert [kind for kind in told if kind.startswith("conversation.")] == [
        "conversation.item.added",
        "conversation.item.done",
    ]
    event = connection.last("conversation.item.done")
    assert (event["item"]["id"], event["previous_item_id"]) == ("call_1_0", "said_1")
    output = connection.last("response.done")["response"]["output"]
    assert [item["id"] for item in output] == ["reply_1", "call_1_0"]


def test_a_call_that_is_deleted_before_it_is_told_of_may_be_the_clients(connection):
    uses = [ToolUse(id=f"call_1_{at}", call=f"call_1_{at}", name="f", arguments="{}") for at in (0, 1)]
    connection.say(*SPOKEN, m.Final(turn=1, text="x"), state(1, "THINKING"), *REPLY)
    connection.say(m.ItemAdded(item=uses[0], after="reply_1"), m.ItemAdded(item=uses[1], after="call_1_0"))
    connection.say(m.ItemDeleted(item="call_1_0"))
    connection.say(m.ItemAdded(item=uses[0], after="call_1_1", by_client=True))
    assert connection.last("conversation.item.done")["previous_item_id"] == "reply_1"
    connection.say(done(1))
    added = [event["item"]["id"] for event in connection.events if event["type"] == "conversation.item.added"]
    assert added == ["said_1", "reply_1", "call_1_0", "call_1_1"]


def test_of_an_utterance_that_is_deleted_nothing_more_is_told(connection):
    connection.say(*SPOKEN, m.ItemDeleted(item="said_1"))
    partial = m.Partial(turn=1, keep=0, text="what is it", stable=10)
    again = m.ItemAdded(item=Words(id="said_1", by="person"), after=None)
    assert connection.say(partial, again, m.Final(turn=1, text="What is it?"), done(1)) == []


@pytest.mark.parametrize(
    ("kind", "fields", "why", "code"),
    [
        ("response.create", {}, Why.ACTIVE, "conversation_already_has_active_response"),
        ("response.create", {}, Why.BUSY, "rate_limit_exceeded"),
        ("response.create", {}, Why.ENDING, "session_expired"),
        ("input_audio_buffer.commit", {}, Why.TOO_SHORT, "input_audio_buffer_commit_empty"),
        ("conversation.item.retrieve", {"item_id": "a"}, Why.NO_SUCH_ITEM, "item_retrieve_invalid_item_id"),
        ("conversation.item.delete", {"item_id": "a"}, Why.NO_SUCH_ITEM, "item_delete_invalid_item_id"),
        (
            "conversation.item.truncate",
            {"item_id": "a", "content_index": 0, "audio_end_ms": 0},
            Why.NO_SUCH_ITEM,
            "item_truncate_invalid_item_id",
        ),
        (
            "conversation.item.truncate",
            {"item_id": "a", "content_index": 0, "audio_end_ms": 0},
            Why.NO_SOUND,
            "invalid_value",
        ),
        (
            "conversation.item.create",
            {"item": {"id": "a", "type": "function_call_output", "call_id": "c", "output": ""}},
            Why.DUPLICATE,
            "item_create_duplicate_item_id",
        ),
        (
            "conversation.item.create",
            {
                "item": {"id": "a", "type": "function_call_output", "call_id": "c", "output": ""},
                "previous_item_id": "b",
            },
            Why.NO_SUCH_ITEM,
            "invalid_value",
        ),
    ],
)
def test_what_is_declined_names_the_event_that_asked_for_it(connection, kind, fields, why, code):
    command = connection.codec.decode(json.dumps({"type": kind, "event_id": "mine", **fields}))[-1]
    declined = m.Declined(command=command.name, why=why, message="It cannot be.")
    assert connection.say(declined) == ["error"]
    error = connection.last("error")["error"]
    assert (error["code"], error["event_id"]) == (code, "mine")


def test_a_cancel_of_nothing_is_an_error_that_clients_know(connection):
    connection.say(state(1, "THINKING"))
    connection.ask("response.cancel", event_id="the one before")
    connection.ask("response.cancel", event_id="mine")
    # The session answers them at once, and then the turn comes to its end.
    assert connection.say(m.RepliesCancelled()) == []
    connection.say(m.Info(code=m.InfoCode.NOTHING_TO_CANCEL, message="There is no turn to cancel."))
    connection.say(done(1, "cancelled"))
    error = connection.last("error")["error"]
    assert (error["code"], error["event_id"]) == ("response_cancel_not_active", "mine")
    assert error["message"].startswith("Cancellation failed")


def test_what_only_the_person_should_know_is_no_error(connection):
    for code in (m.InfoCode.ASR_FALLBACK, m.InfoCode.LLM_SYNTHETIC, m.InfoCode.SHUTTING_DOWN, m.InfoCode.NO_SPEECH):
        assert connection.say(m.Info(code=code, message="x")) == []


def test_a_client_that_writes_first_is_told_of_the_same_session():
    codec = RealtimeCodec(Offered("ours", "", ("one",), ()), Configuration(), expires_at=1)
    answer: Any = codec.decode('{"type": "session.update", "session": {}}')[-1]
    created, updated = [json.loads(codec.encode(event)[0]) for event in (OPENED, m.Answered(body=answer.body))]
    assert created["session"]["id"] == updated["session"]["id"]


def test_other_engines_are_told_of_by_their_names(connection):
    connection.say(m.Info(code=m.InfoCode.ENGINES_CHANGED, message="x", llm="theirs", voices=("two",), languages=()))
    answer = connection.codec.decode('{"type": "session.update", "session": {}}')[-1]
    assert connection.say(m.Answered(body=answer.body)) == ["session.updated"]
    session = connection.last("session.updated")["session"]
    assert (session["model"], session["audio"]["output"]["voice"]) == ("theirs", "two")
