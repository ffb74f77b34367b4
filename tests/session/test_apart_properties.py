"""Whatever a client asks of utterances, replies and items, in any order: each is answered once, and ends once."""

import os
import warnings
from collections import Counter
from contextlib import suppress
from typing import get_args

import pytest
import trio
import trio.testing
from hypothesis import given, settings, strategies as st

from tests.session.promises import RecordingStore, act, check_spelling
from tests.session.test_properties import ENGINES, PAUSES, UNHURRIED
from voice_trio.core import messages as m
from voice_trio.core.items import FIRST, Items, Reference, ToolOutput, Words, reply_id, said_id, tool_use_id
from voice_trio.core.playout import UnpacedPlayout
from voice_trio.core.tools import Tool
from voice_trio.session.link import LinkClosed
from voice_trio.testing import scripted
from voice_trio.testing.conversation import conversation
from voice_trio.testing.promises import check_promises

KEYS = st.sampled_from(["a", "b", *(kind(turn) for kind in (said_id, reply_id) for turn in (1, 2, 3))])
ITEMS = st.one_of(
    st.builds(Words, id=KEYS, by=st.sampled_from(["person", "assistant", "system"]), text=st.just("written")),
    st.builds(ToolOutput, id=KEYS, call=st.sampled_from([tool_use_id(1, 0), "nobody's"]), output=st.just("dry")),
)
STARTS = st.builds(
    m.Start,
    mode=st.just("hands_free"),
    barge_in=st.sampled_from(["confirm", "wait", False, True]),
    reply=st.sampled_from([None, False]),
)
ACTIONS = st.one_of(
    PAUSES,
    PAUSES,
    st.builds(lambda ms: m.Audio(scripted.voiced(ms)), st.sampled_from([30, 300, 600])),
    st.builds(lambda ms: m.Audio(scripted.silent(ms)), st.sampled_from([300, 900])),
    st.builds(m.Listen, start=st.one_of(st.none(), STARTS)),
    st.just(m.Commit()),
    st.just(m.Clear()),
    st.builds(
        m.Respond,
        aloud=st.sampled_from([None, False]),
        out_of_band=st.booleans(),
        items=st.one_of(st.none(), st.lists(st.one_of(ITEMS, st.builds(Reference, id=KEYS)), max_size=2).map(tuple)),
    ),
    st.builds(m.CancelReply, reply=st.sampled_from([None, None, 1, 2, 3])),
    st.just(m.Cancel()),
    st.just(m.Stop()),
    st.just(m.Text(text="typed")),
    st.builds(m.AddItem, item=ITEMS, after=st.one_of(st.none(), st.just(FIRST), KEYS)),
    st.builds(
        lambda key, ms: m.AddItem(item=Words(id=key, by="person"), pcm=scripted.voiced(ms)),
        KEYS,
        st.sampled_from([30, 600]),
    ),
    st.builds(m.ReadItem, item=KEYS),
    st.builds(m.DeleteItem, item=KEYS),
    st.builds(m.CutItem, item=KEYS, samples=st.sampled_from([0, 800, 8000, 10**6])),
    st.just(m.Configure(tools=(Tool("look", "Looks.", {"type": "object"}),))),
    st.builds(m.Answer, body=st.sampled_from(["1", "2"])),
)

ANSWERS = {
    m.Commit: m.ItemAdded,
    m.Clear: m.Cleared,
    m.Respond: m.ReplyAccepted,
    m.AddItem: m.ItemAdded,
    m.ReadItem: m.ItemRead,
    m.DeleteItem: m.ItemDeleted,
    m.CutItem: m.ItemCut,
    m.Answer: m.Answered,
}
"""What each is answered with where it is followed."""


async def live(actions, drawn, store, ending, read_s):
    engines = scripted.scripted_engines(
        recognizer=drawn.recognizer, language_model=drawn.language_model, synthesizer=drawn.synthesizer
    )
    with trio.fail_after(10_000):
        async with conversation(engines=engines, store=store, read_s=read_s, new_playout=UnpacedPlayout) as talk:
            ending = await act(talk, actions, ending)
            if ending == "drain":
                talk.session.drain(1.0)
            if ending != "vanish":
                await trio.sleep(300)
            if ending == "stay":
                with suppress(LinkClosed):
                    await talk.ask(m.Cancel())
                await trio.sleep(5)
    return talk, ending


def check(talk, asked, ending, store):
    check_spelling(talk.heard)
    check_promises(talk.heard, to_the_end=ending != "vanish")
    if ending == "stay" and not [error for error in talk.all(m.Error) if not error.recoverable]:
        done = {event.turn for event in talk.all(m.Done)}
        assert {event.reply for event in talk.all(m.ReplyAccepted)} <= done, "what was accepted ends"
        check_answers(asked, talk.heard)
        check_heard(talk.heard)
    assert all(count == 1 for count in Counter(event.turn for event in talk.all(m.Done)).values())
    assert all(count == 1 for count in Counter(record.turn for record in store.records).values()), "one record a turn"
    check_items(talk.heard)


def check_answers(asked, heard):
    """Each command is answered by one event, in their order: no answer is missing, and there is none too many."""
    spoken = {said_id(event.utterance) for event in heard if isinstance(event, m.SpeechStopped)}
    commands = [command for command in asked if type(command) in ANSWERS]
    for answer in heard:
        if not isinstance(answer, (m.Declined, *ANSWERS.values())):
            continue
        if isinstance(answer, m.ItemAdded) and not answer.by_client:
            item = answer.item
            if not (isinstance(item, Words) and item.text is None and item.id not in spoken):
                continue  # It is of a turn, and nobody committed it.
        assert commands, f"nobody asked for {answer}"
        command = commands.pop(0)
        assert isinstance(answer, (m.Declined, ANSWERS[type(command)])), f"{command} was answered with {answer}"
        assert getattr(answer, "command", command.name) == command.name
    assert commands == []


def check_heard(heard):
    """What was added as sound has its words once, unless it was deleted before."""
    unheard = set()
    for event in heard:
        match event:
            case m.ItemAdded(item=Words(text=None) as item, by_client=True):
                assert item.id not in unheard
                unheard.add(item.id)
            case m.ItemHeard(item=key):
                unheard.remove(key)
            case m.ItemDeleted(item=key):
                unheard.discard(key)
    assert not unheard


def check_items(heard):
    """No item is there twice or read when it is gone, and none becomes longer that was cut."""
    cut: dict[str, int] = {}
    for event in heard:
        match event:
            case m.ItemDeleted(item=key):
                cut.pop(key, None)
            case m.ItemAdded(item=item):
                cut.pop(item.id, None)
            case m.ItemCut(item=item) | m.ItemRead(item=item) if isinstance(item, Words):
                if item.id in cut:
                    assert item.heard is not None
                    assert item.heard <= cut[item.id]
                if item.heard is not None:
                    cut[item.id] = item.heard
                assert item.text is None or item.heard is None or item.heard <= len(item.text)


@settings(max_examples=int(os.environ.get("EXAMPLES", "200")), **UNHURRIED)
@given(
    actions=st.lists(ACTIONS, max_size=14),
    drawn=ENGINES,
    fails=st.sampled_from([False, False, False, True]),
    ending=st.sampled_from(["stay", "stay", "stay", "vanish", "drain"]),
    read_s=st.sampled_from([0.0, 0.0, 0.05]),
)
def test_each_is_answered_once_and_ends_once(actions, drawn, fails, ending, read_s):
    store = RecordingStore(fails)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        talk, ended = trio.run(
            lambda: live(actions, drawn, store, ending, read_s),
            clock=trio.testing.MockClock(autojump_threshold=0),
        )
    check(talk, [action for action in actions if not isinstance(action, float)], ended, store)
    assert (drawn.recognizer.open_now, drawn.language_model.open_now) == (0, 0), "nothing is left open"


def test_each_command_that_is_answered_is_drawn():
    assert {*ANSWERS.values()} < {*get_args(m.Aside)}


def test_a_cut_that_lengthens_is_seen(monkeypatch):
    monkeypatch.setattr(Items, "cut", lambda self, key, heard: self.replace(lengthened(self[key], heard)))
    whole = Words(id="r", by="assistant", text="one two", heard=None)
    items = Items([whole])
    heard = []
    for chars in (3, 7):
        items.cut("r", chars)
        heard.append(m.ItemCut(item=items["r"], samples=chars))
    with pytest.raises(AssertionError):
        check_items(heard)


def lengthened(item, heard):
    return Words(id=item.id, by=item.by, text=item.text, heard=heard)
