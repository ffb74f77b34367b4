"""What holds of all that a client is told in one session, whatever it asks."""

from collections import Counter


def check_order(events, *, to_the_end):
    """Raise where ``events`` are not in the contract's order; ``to_the_end`` says that nothing was cut off."""
    order = _Order()
    for event in events:
        order.take(event)
    if to_the_end:
        order.end()
    ids = Counter(event["event_id"] for event in events)
    assert ids.most_common(1)[0][1] == 1 if ids else True


class _Order:
    def __init__(self):
        self.opened = False
        self.responses = {}
        """id -> what of it is open, or None once it is done."""
        self.items = {}
        """id -> "added" or "done"."""
        self.order = []
        self.speech = {}
        self.committed = {}
        """Item -> how often it was completed or failed; -1 if nobody wants to know."""
        self.transcribes = False

    def take(self, event):
        kind = event["type"]
        if not self.opened:
            assert kind in ("session.created", "error"), event
            self.opened = kind == "session.created"
            if self.opened:
                self.transcribes = event["session"]["audio"]["input"]["transcription"] is not None
            return
        if kind == "session.updated":
            self.transcribes = event["session"]["audio"]["input"]["transcription"] is not None
        elif kind.startswith("response."):
            self.respond(kind.removeprefix("response."), event)
        elif kind.startswith("conversation.item.input_audio_transcription."):
            self.transcribe(kind.rsplit(".", 1)[1], event)
        elif kind.startswith("conversation.item."):
            self.item(kind.rsplit(".", 1)[1], event)
        elif kind.startswith("input_audio_buffer."):
            self.hear(kind.removeprefix("input_audio_buffer."), event)
        else:
            assert kind == "error", event

    def hear(self, kind, event):
        if kind == "speech_started":
            assert event["item_id"] not in self.speech, event
            self.speech[event["item_id"]] = event["audio_start_ms"]
        elif kind == "speech_stopped":
            assert event["audio_end_ms"] >= self.speech[event["item_id"]], event
        elif kind == "committed":
            assert event["item_id"] not in self.committed, event
            self.committed[event["item_id"]] = 0 if self.transcribes else -1
            self.behind(event)

    def transcribe(self, kind, event):
        item = event["item_id"]
        if kind == "delta":
            assert self.committed.get(item, 0) <= 0, event
            assert event["delta"]
            return
        assert self.committed[item] == 0, event
        self.committed[item] = 1

    def item(self, kind, event):
        if kind == "added":
            item = event["item"]["id"]
            assert item not in self.items, event
            self.items[item] = "added"
            before = event["previous_item_id"]
            self.order.insert(0 if before is None else self.order.index(before) + 1, item)
            content = event["item"].get("content") or [{}]
            if item not in self.committed and content[0].get("type") == "input_audio":
                unheard = content[0]["transcript"] is None
                self.committed[item] = 0 if self.transcribes and unheard else -1
        elif kind == "done":
            item = event["item"]["id"]
            assert self.items[item] == "added", event
            self.items[item] = "done"
            self.behind(event)
        elif kind == "deleted":
            # Nothing more is told of it; a call may go before it is told of.
            if self.items.pop(event["item_id"], None) is not None:
                self.order.remove(event["item_id"])
            self.committed.pop(event["item_id"], None)

    def behind(self, event):
        assert event["previous_item_id"] is None or event["previous_item_id"] in self.order, event

    def respond(self, kind, event):
        response = event["response"]["id"] if "response" in event else event["response_id"]
        if kind == "created":
            assert response not in self.responses, event
            self.responses[response] = _Response()
        else:
            assert self.responses.get(response) is not None, f"{event} before it was created, or after it was done"
            if kind == "done":
                self.responses[response].done(event["response"])
                self.responses[response] = None
            else:
                self.responses[response].take(kind, event)

    def end(self):
        assert not [one for one, response in self.responses.items() if response is not None]
        assert not [one for one, state in self.items.items() if state != "done"]
        assert not [one for one, times in self.committed.items() if times == 0]


class _Response:
    def __init__(self):
        self.output = []
        self.item = None
        self.part = False
        self.texts = {}
        self.closed = set()

    def take(self, kind, event):
        if kind == "output_item.added":
            assert self.item is None, event
            assert event["output_index"] == len(self.output)
            self.item = event["item"]
            self.texts, self.closed = {}, set()
            return
        assert self.item is not None, event
        assert event["output_index"] == len(self.output), event
        if kind == "output_item.done":
            assert not self.part, event
            assert event["item"]["id"] == self.item["id"]
            self.output.append(event["item"])
            self.item = None
            return
        assert event["item_id"] == self.item["id"], event
        if kind == "content_part.added":
            assert not self.part
            self.part = True
        elif kind == "content_part.done":
            assert self.part
            self.part = False
            said = event["part"].get("transcript", event["part"].get("text"))
            assert said == self.texts.get("output_audio_transcript", self.texts.get("output_text", ""))
        else:
            name, _, step = kind.rpartition(".")
            assert name not in self.closed, event
            assert self.part or name == "function_call_arguments", event
            if step == "delta":
                self.texts[name] = self.texts.get(name, "") + event["delta"]
            else:
                self.closed.add(name)
                whole = event.get("transcript", event.get("text", event.get("arguments")))
                assert whole is None or whole == self.texts.get(name, "")

    def done(self, response):
        assert self.item is None
        assert response["output"] == self.output
