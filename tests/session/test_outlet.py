"""The door through which a turn's events get out, and the one that is closed at first."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from voice_trio import config
from voice_trio.core.history import Message
from voice_trio.core.items import Words
from voice_trio.core.messages import ItemAdded, State, StateChanged, Token, TtsChunk, TtsPhrase, TtsPhraseDone
from voice_trio.core.playout import LATE_S, Playout
from voice_trio.core.timeline import Interval, Moment, Stage, Timeline
from voice_trio.engines.base import Prompt
from voice_trio.session.outbox import Outbox
from voice_trio.session.outlet import GatedOutlet, Outlet
from voice_trio.session.question import NO_HANDS, Question
from voice_trio.session.reply import Beginnings, Reply
from voice_trio.session.settings import SessionSettings
from voice_trio.session.tool_use import Deeds
from voice_trio.session.voice import Voice
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer

TOKENS = [f"{number} " for number in range(20)]
PLACES = 5


def outbox_of(capacity=1000):
    return Outbox(capacity=capacity, reserve=10, overflowed=lambda: None)


async def taken(outbox):
    """Return all that is in ``outbox``, which is closed."""
    outbox.close()
    events = []
    while (event := await outbox.take()) is not None:
        events.append(event)
    return events


async def say_all(outlet):
    for text in TOKENS:
        await outlet.say(Token(turn=1, text=text), Moment.FIRST_TOKEN)


async def test_the_moment_is_when_it_gets_out(autojump_clock):
    outbox, timeline = outbox_of(capacity=1), Timeline()
    outlet = Outlet(outbox, timeline)
    began_at = trio.current_time()
    await outlet.say(Token(turn=1, text="a"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.say, Token(turn=1, text="b"), Moment.FIRST_TOKEN)
        await trio.sleep(3)
        await outbox.take()
    assert timeline.moments == {Moment.FIRST_TOKEN: began_at + 3}


async def test_what_makes_an_event_is_called_when_it_gets_out(autojump_clock):
    outbox, made = outbox_of(capacity=1), []

    def make():
        made.append(trio.current_time())
        return StateChanged(turn=1, state=State.RESPONDING)

    outlet = Outlet(outbox, Timeline())
    await outlet.say(Token(turn=1, text="a"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.say, make)
        await wait_all_tasks_blocked()
        assert made == []
        await outbox.take()
    assert len(made) == 1


async def test_a_closed_gate_holds_so_many_and_lets_all_out_in_order(autojump_clock):
    outbox, timeline = outbox_of(), Timeline()
    outlet = GatedOutlet(outbox, timeline, PLACES)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(say_all, outlet)
        await wait_all_tasks_blocked()
        assert (len(outbox), len(outlet._held)) == (0, PLACES)
        assert timeline.moments == {}
        await outlet.open()
    assert [event.text for event in await taken(outbox)] == TOKENS
    assert Moment.FIRST_TOKEN in timeline.moments


async def test_a_gate_opens_no_faster_than_there_are_places(autojump_clock):
    outbox = outbox_of(capacity=3)
    outlet = GatedOutlet(outbox, Timeline(), PLACES)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(say_all, outlet)
        nursery.start_soon(outlet.open)
        texts: list[str] = []
        while len(texts) < len(TOKENS):
            await wait_all_tasks_blocked()
            assert len(outbox) <= 3
            texts.append((await outbox.take()).text)
    assert texts == TOKENS


@pytest.mark.parametrize("how", ["before it is opened", "while it opens"])
async def test_what_is_cancelled_behind_a_gate_leaks_nothing(autojump_clock, how):
    outbox = outbox_of(capacity=2)
    outlet = GatedOutlet(outbox, Timeline(), PLACES)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(say_all, outlet)
        if how == "while it opens":
            nursery.start_soon(outlet.open)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    kept = 2 if how == "while it opens" else 0
    assert [event.text for event in await taken(outbox)] == TOKENS[:kept]
    await trio.testing.wait_all_tasks_blocked()
    assert outbox._places.statistics().tasks_waiting == outlet._room.statistics().tasks_waiting == 0


class Draft:
    """A reply that nobody has asked for yet, with a sender that hands out what gets out of it."""

    def __init__(self, outlet_of):
        item = Words(id="answer", by="assistant", text="")
        self.outbox = outbox_of()
        timeline = Timeline()
        self.outlet = outlet_of(self.outbox, timeline)
        answering = StateChanged(turn=1, state=State.RESPONDING)
        beginnings = Beginnings(
            text=lambda reply: ItemAdded(item=item, after=None),
            audio=lambda: answering,
            tool_use=lambda number, call: ItemAdded(item=item, after=None),
        )
        self.reply = Reply(SessionSettings.of(config.load()), Playout(lead_s=1), beginnings, Deeds(1, "s"))
        self.sent = []

    async def run(self):
        voice = Voice(ScriptedSynthesizer(char_ms=1), None, 1.0, 5.0)
        model = ScriptedLanguageModel([ScriptedReply(tokens=["One. ", "Two. ", "Three."])])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send)
            asked = Question(Prompt([Message("user", "count")]), voice, NO_HANDS)
            await self.reply.run(asked, model, self.outlet)
            self.outbox.close()

    async def _send(self):
        while (event := await self.outbox.take()) is not None:
            self.sent.append(event)
            if isinstance(event, TtsChunk):
                self.reply.sent(event)


async def test_a_draft_is_a_reply_whose_outlet_is_closed(autojump_clock):
    with trio.fail_after(10_000):
        plain = Draft(Outlet)
        await plain.run()
        assert any(isinstance(event, TtsChunk) for event in plain.sent)
        for places in (1, PLACES, 1000):
            draft = Draft(lambda outbox, timeline, places=places: GatedOutlet(outbox, timeline, places))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(draft.run)
                await trio.sleep(100)
                assert draft.sent == []
                await draft.outlet.open()
            assert draft.reply.text == plain.reply.text == "One. Two. Three."
            # Tokens and sound are said by two tasks, and either may be first at the gate.
            for kind in ((ItemAdded, Token), (StateChanged, TtsPhrase, TtsChunk, TtsPhraseDone)):
                of_kind = [event for event in draft.sent if isinstance(event, kind)]
                assert of_kind == [event for event in plain.sent if isinstance(event, kind)]
            assert len(draft.sent) == len(plain.sent)
            await trio.sleep(LATE_S)
            assert draft.reply.heard(all_queued=False) == len(draft.reply.text)


async def test_a_draft_that_is_dropped_says_nothing(autojump_clock):
    draft = Draft(lambda outbox, timeline: GatedOutlet(outbox, timeline, PLACES))
    with trio.move_on_after(100) as dropped:
        await draft.run()
    assert dropped.cancelled_caught
    assert draft.sent == []
    assert draft.reply.heard(all_queued=False) == 0


async def test_what_is_done_behind_a_closed_outlet_is_of_the_turn_once_that_is_open(autojump_clock):
    timeline, began = Timeline(), trio.current_time()
    outlet = GatedOutlet(outbox_of(), timeline, PLACES)
    with outlet.during(Stage.CHAT):
        await trio.sleep(2)
    with outlet.during(Stage.SYNTHESIS) as watch:
        await trio.sleep(1)
        watch.stop()
        # What it made waits for its turn.
        await trio.sleep(5)
    assert timeline.intervals == []
    await outlet.open()
    with pytest.raises(ValueError, match="broken"), outlet.during(Stage.CHAT):
        raise ValueError("broken")
    assert timeline.intervals == [
        Interval(Stage.CHAT, began, began + 2),
        Interval(Stage.SYNTHESIS, began + 2, began + 3),
        Interval(Stage.CHAT, began + 8, began + 8),
    ]
