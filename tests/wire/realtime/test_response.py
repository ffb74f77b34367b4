import base64

import pytest
from hypothesis import given, strategies as st

from tests.wire.realtime.contract import check
from voice_trio.core.items import ToolUse
from voice_trio.wire.realtime.configuration import Configuration
from voice_trio.wire.realtime.items import Order
from voice_trio.wire.realtime.response import Response

SOUND = bytes(range(200)) * 16


class Heard:
    """A client's end of one response."""

    def __init__(self, order=None, **wanted):
        self.order = order
        self.response = Response(
            "resp_1", Configuration(**wanted), "one", order=order, conversation="conv_1", metadata={"a": "b"}
        )
        self.events = []
        self.hear(self.response.begin())

    def sound(self, item, pcm, rate):
        self.response.sample_rate = rate
        self.hear(self.response.sound(item, pcm))

    def call(self, item, name, arguments, after):
        self.hear(self.response.call(ToolUse(id=item, call=f"of {item}", name=name, arguments=arguments), after))

    def hear(self, events):
        self.events += [check({**event, "event_id": f"event_{at}"}) for at, event in enumerate(events)]

    @property
    def types(self):
        return [event["type"].removeprefix("response.") for event in self.events]

    def only(self, kind):
        [event] = [event for event in self.events if event["type"] == f"response.{kind}"]
        return event

    def joined(self, kind):
        return [event["delta"] for event in self.events if event["type"] == f"response.{kind}.delta"]


def test_a_spoken_response_is_in_the_order_of_the_contract():
    order = Order()
    order.add("item_0", None)
    order.add("item_1", "item_0")
    heard = Heard(order)
    heard.hear(heard.response.say("item_1", "It is "))
    heard.sound("item_1", SOUND, 24_000)
    heard.hear(heard.response.say("item_1", "sunny."))
    heard.hear(heard.response.end("completed"))
    assert heard.types == [
        "created",
        "output_item.added",
        "conversation.item.added",
        "content_part.added",
        "output_audio_transcript.delta",
        "output_audio.delta",
        "output_audio_transcript.delta",
        "output_audio.done",
        "output_audio_transcript.done",
        "content_part.done",
        "conversation.item.done",
        "output_item.done",
        "done",
    ]
    created, done = heard.only("created")["response"], heard.only("done")["response"]
    assert (created["status"], created["output"], created["metadata"]) == ("in_progress", [], {"a": "b"})
    assert heard.events[1]["item"]["status"] == "in_progress"
    assert heard.events[2]["previous_item_id"] == "item_0"
    assert heard.only("output_audio_transcript.done")["transcript"] == "It is sunny."
    [item] = done["output"]
    assert (done["status"], item["status"]) == ("completed", "completed")
    assert item["content"] == [{"type": "output_audio", "transcript": "It is sunny."}]
    assert b"".join(map(base64.b64decode, heard.joined("output_audio"))) == SOUND
    # 67 ms are two tokens of 50 ms, one of them begun.
    assert done["usage"]["output_token_details"] == {"text_tokens": 2, "audio_tokens": 2}


def test_text_alone_has_no_sound():
    heard = Heard(Order(), modality="text")
    heard.hear(heard.response.say("item_1", "Hi"))
    heard.sound("item_1", SOUND, 24_000)
    heard.hear(heard.response.end("completed"))
    assert not [kind for kind in heard.types if "audio" in kind]
    assert heard.only("output_text.done")["text"] == "Hi"
    assert heard.only("done")["response"]["output"][0]["content"] == [{"type": "output_text", "text": "Hi"}]


def test_one_that_says_nothing_opens_nothing():
    heard = Heard(Order())
    heard.hear(heard.response.end("failed", {"type": "failed", "error": {"type": "x", "code": "y", "message": "z"}}))
    assert heard.types == ["created", "done"]


def test_one_that_is_cut_off_is_closed_with_what_was_sent():
    heard = Heard(Order())
    heard.hear(heard.response.say("item_1", "It is"))
    heard.sound("item_1", SOUND, 16_000)
    before = len(heard.joined("output_audio"))
    heard.hear(heard.response.end("cancelled", {"type": "cancelled", "reason": "turn_detected"}))
    # What the resampler kept back is not sent: no sound comes after a cancel.
    assert len(heard.joined("output_audio")) == before
    done = heard.only("done")["response"]
    assert (done["status"], done["output"][0]["status"]) == ("cancelled", "incomplete")
    assert done["status_details"]["reason"] == "turn_detected"


def test_one_out_of_band_is_in_no_conversation():
    heard = Heard(None)
    heard.hear(heard.response.say("item_1", "x"))
    heard.call("item_2", "f", "{}", None)
    heard.hear(heard.response.end("completed"))
    assert not [kind for kind in heard.types if kind.startswith("conversation.")]


def test_a_call_is_an_item_of_its_own_behind_the_message():
    order = Order()
    heard = Heard(order)
    order.add("item_1", None)
    heard.hear(heard.response.say("item_1", "Let me see."))
    heard.call("item_2", "weather", '{"at": "sea"}', "item_1")
    heard.call("item_3", "tide", "{}", "item_2")
    # What comes to be behind it meanwhile is told to be behind what was told.
    assert order.add("item_4", "item_3") == "item_1"
    heard.sound("item_1", SOUND, 24_000)
    heard.hear(heard.response.end("completed"))
    added = [event for event in heard.events if event["type"] == "response.output_item.added"]
    assert [event["output_index"] for event in added] == [0, 1, 2]
    assert [event["item"]["status"] for event in added] == ["in_progress"] * 3
    assert added[1]["item"]["arguments"] == ""
    done = heard.only("done")["response"]
    assert [item.get("arguments") for item in done["output"]] == [None, '{"at": "sea"}', "{}"]
    assert [item["status"] for item in done["output"]] == ["completed"] * 3
    told = [event for event in heard.events if event["type"] == "conversation.item.done"]
    assert [event["previous_item_id"] for event in told] == [None, "item_1", "item_2"]


@pytest.mark.parametrize(
    ("form", "bytes_a_second"), [("audio/pcm", 48_000), ("audio/pcmu", 8000), ("audio/pcma", 8000)]
)
def test_a_second_of_sound_is_in_the_format_that_was_asked_for(form, bytes_a_second):
    heard = Heard(Order(), output_format=form)
    for _ in range(10):
        heard.sound("item_1", bytes(3200), 16_000)
    heard.hear(heard.response.end("completed"))
    assert heard.events[0]["response"]["audio"]["output"]["format"]["type"] == form
    pieces = [base64.b64decode(one) for one in heard.joined("output_audio")]
    assert len(b"".join(pieces)) == bytes_a_second
    assert all(len(piece) % 2 == 0 for piece in pieces) or form != "audio/pcm"


STEPS = st.lists(
    st.tuples(st.just("say"), st.text(max_size=5))
    | st.tuples(st.just("sound"), st.integers(0, 50))
    | st.tuples(st.just("call"), st.text(max_size=5)),
    max_size=12,
)


@given(STEPS, st.sampled_from(["audio", "text"]), st.sampled_from(["completed", "cancelled", "failed"]))
def test_all_that_is_opened_is_closed(steps, modality, status):
    heard = Heard(Order(), modality=modality)
    calls = 0
    for step, what in steps:
        if step == "say":
            heard.hear(heard.response.say("item_1", what))
        elif step == "sound":
            heard.sound("item_1", bytes(2 * what), 16_000)
        else:
            calls += 1
            heard.call(f"call_{calls}", "f", what, None)
    heard.hear(heard.response.end(status))
    for kind in ("output_item", "content_part", "conversation.item"):
        assert heard.types.count(f"{kind}.added") == heard.types.count(f"{kind}.done")
    assert (heard.types[0], heard.types[-1]) == ("created", "done")
    for kind in ("output_audio_transcript", "output_text"):
        said = "".join(heard.joined(kind))
        done = [event for event in heard.events if event["type"] == f"response.{kind}.done"]
        assert said == "".join(event.get("transcript", event.get("text", "")) for event in done)
