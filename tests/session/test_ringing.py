"""Alerts that are due: a turn that nobody asked for, when nobody speaks and nothing sounds."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.alerts import Alert, ToldAlert
from voice_trio.core.items import Words
from voice_trio.core.messages import Origin, Outcome, State
from voice_trio.engines.base import ToolCall
from voice_trio.engines.skills_model import SkillsModel
from voice_trio.memory.holds import Claims
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.ringing import STEP_S
from voice_trio.skills.alerts_kept import InProcessAlerts
from voice_trio.skills.skill import Means
from voice_trio.skills.table import Skills
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    ScriptedTool,
    scripted_engines,
    silent,
    voiced,
)
from voice_trio.toolbox.base import ToolError

BEGAN = datetime(2026, 11, 26, 15, 45, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


class Wall:
    """A wall clock that runs with Trio's, and can jump."""

    def __init__(self):
        self.ahead = BEGAN - trio.current_time()

    def __call__(self):
        return trio.current_time() + self.ahead


class Talking:
    """What sessions of one server share."""

    def __init__(self, alerts=(), replies=(), **engines):
        self.wall = Wall()
        self.alerts = InProcessAlerts(alerts)
        self.store = InProcessStore()
        self.claims = Claims()
        self.tools = Skills(Means(alerts=self.alerts)).tools()
        self.engines = engines
        self.replies = replies

    def session(self, *, skills=False, **settings):
        model = SkillsModel() if skills else ScriptedLanguageModel(replies=[*self.replies])
        engines = {"synthesizer": ScriptedSynthesizer(char_ms=25), "language_model": model, **self.engines}
        return conversation(
            engines=scripted_engines(**engines),
            store=self.store,
            tools=self.tools,
            claims=self.claims,
            alerts=self.alerts,
            wall_clock=self.wall,
            **settings,
        )

    def timer(self, name, in_s, key="a", label="", **more):
        return Alert(
            conversation=name, id=key, kind="timer", label=label, due_at=self.wall() + in_s, set_at=self.wall(), **more
        )


def of_turn(talk, turn, kind):
    return [event for event in talk.heard if isinstance(event, kind) and event.turn == turn]


async def set_timer(talk, alerts, alert):
    """Have an alert as a tool would set it in a turn of the session."""
    await alerts.put(alert)
    talk.session._around.wishes.alerts_changed(alert.conversation)


async def test_a_timer_that_was_asked_for_is_told_when_it_is_up(autojump_clock):
    talking = Talking()
    async with talking.session(skills=True) as talk:
        await talk.wait_for(m.SessionOpened)
        await talk.ask(m.Text(text="Set a timer for ten seconds."))
        shown = await talk.wait_for(m.Timers)
        asked_at = trio.current_time()
        assert [(one.kind, one.label, one.left_ms) for one in shown.timers] == [("timer", "", 10_000)]
        await talk.wait_for(m.Done, turn=1)
        begun = await talk.wait_for(m.StateChanged, turn=2)
        assert (begun.state, begun.origin) == (State.THINKING, Origin.TIMER)
        assert trio.current_time() - asked_at == pytest.approx(10, abs=0.1)
        done = await talk.wait_for(m.Done, turn=2)
        assert (done.outcome, done.remembered) == (Outcome.COMPLETED, True)
        assert talk.reply(2) == "Your ten-second timer is up."
        assert [event for event in talk.heard if isinstance(event, m.Timers)][-1] == m.Timers(timers=())
        assert await talking.alerts.of(talk.session._turns.conversation.name) == []


async def test_it_is_remembered_and_the_next_prompt_has_it(autojump_clock):
    talking = Talking(replies=[ScriptedReply(tokens=("Fine.",))])
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 5, label="pasta"))
        await talk.wait_for(m.Done, turn=1)
        record = (await talking.store.recall(name))[-1]
        assert (record.origin, record.said, record.reply) == (Origin.TIMER, "", "Your pasta timer is up.")
        await talk.ask(m.Text(text="Thanks."))
        await talk.wait_for(m.Done, turn=2)
        prompt = talk.session._around.engines().language_model.prompts[-1]
        assert [(message.role, message.content) for message in prompt][-2:] == [
            ("assistant", "Your pasta timer is up."),
            ("user", "Thanks."),
        ]


async def test_it_waits_until_the_reply_is_over_and_has_sounded(autojump_clock):
    talking = Talking(replies=[ScriptedReply(tokens=("A rather long reply. " * 10,))])
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 2))
        await talk.ask(m.Text(text="Tell me."))
        await talk.wait_for(m.Done, turn=1)
        await talk.wait_for(m.StateChanged, turn=2)
        samples = sum(len(chunk.pcm) // 2 for chunk in of_turn(talk, 1, m.TtsChunk))
        assert samples >= 5 * 16_000
        assert trio.current_time() >= samples / talk.session._around.engines().synthesizer.sample_rate
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED


async def test_it_waits_until_the_person_has_stopped_speaking(autojump_clock):
    talking = Talking(replies=[ScriptedReply(tokens=("Yes.",))], recognizer=ScriptedRecognizer())
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 1))
        await talk.ask(m.Start())
        await talk.say(voiced(4000) + silent(1500))
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED
        assert (await talk.wait_for(m.StateChanged, turn=2)).origin is Origin.TIMER
        await talk.wait_for(m.Done, turn=2)


async def test_several_that_are_due_are_told_in_one_turn(autojump_clock):
    talking = Talking()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await talking.alerts.put(talking.timer(name, 5, "a", "pasta"))
        await set_timer(talk, talking.alerts, talking.timer(name, 5, "b", "egg"))
        await talk.wait_for(m.Done, turn=1)
        assert talk.reply(1) == "Your pasta timer is up. Your egg timer is up."
        await trio.sleep(60)
        assert len([event for event in talk.heard if isinstance(event, m.Done)]) == 1


async def test_escape_silences_it_and_it_is_not_told_again(autojump_clock):
    talking = Talking()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 5, label="very special pasta"))
        await talk.wait_for(m.TtsChunk, turn=1)
        await talk.ask(m.Cancel())
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.CANCELLED
        await trio.sleep(120)
        assert not of_turn(talk, 2, m.StateChanged)
        assert await talking.alerts.of(name) == []


@pytest.mark.parametrize("request_", [m.Text(text="Hello."), m.Start()], ids=["text", "start"])
@pytest.mark.parametrize("at", [m.StateChanged, m.TtsChunk], ids=["before it sounds", "while it sounds"])
async def test_who_begins_a_turn_meanwhile_interrupts_it(autojump_clock, request_, at):
    talking = Talking(replies=[ScriptedReply(tokens=("Hello.",))], recognizer=ScriptedRecognizer())
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 5))
        await talk.wait_for(at, turn=1)
        await talk.ask(request_)
        if isinstance(request_, m.Start):
            await talk.say(voiced(900) + silent(900))
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
        assert not [event for event in talk.heard if isinstance(event, m.Error)]
        if at is m.StateChanged:
            # Nothing of it was heard, so it is told once more.
            await talk.wait_for(m.Done, turn=3)
            assert talk.reply(3) == "Your five-second timer is up."
        await trio.sleep(60)
        assert await talking.alerts.of(name) == []


@pytest.mark.parametrize("told", [False, True])
async def test_a_session_that_ends_while_it_is_told(autojump_clock, told):
    talking = Talking()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 5, label="pasta"))
        await talk.wait_for(m.TtsChunk if told else m.StateChanged, turn=1)
        talk.link.vanish()
    assert [alert.label for alert in await talking.alerts.of(name)] == ([] if told else ["pasta"])


async def test_what_was_missed_is_told_when_a_session_of_the_conversation_comes_back(autojump_clock):
    talking = Talking(replies=[ScriptedReply(tokens=("Hello.",))])
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await talking.alerts.put(talking.timer(name, 60, "a", "pasta"))
        await talking.alerts.put(talking.timer(name, 7200, "b", "bread"))
    await trio.sleep(3600)
    async with talking.session() as talk:
        await talk.wait_for(m.SessionOpened)
        await talk.ask(m.Text(text="Hello.", conversation=name))
        await talk.wait_for(m.Done, turn=2)
        assert talk.reply(1) == "Hello."
        assert talk.reply(2).startswith("While you were away, your pasta timer was up at ")
        await talk.wait_for(m.Done, turn=3)
        assert talk.reply(3) == "Your bread timer is up."
        assert talking.wall() - BEGAN == pytest.approx(7200, abs=10)


async def test_a_session_can_come_back_before_any_turn(autojump_clock):
    talking = Talking()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await talking.alerts.put(talking.timer(name, 60, "a", "pasta"))
    async with talking.session() as talk:
        await talk.wait_for(m.SessionOpened)
        await talk.ask(m.Resume(conversation=name))
        assert [one.label for one in (await talk.wait_for(m.Timers)).timers] == ["pasta"]
        await talk.wait_for(m.Done, turn=1)
        assert talk.reply(1) == "Your pasta timer is up."
        assert (await talking.store.recall(name))[-1].reply == talk.reply(1)


async def test_of_two_sessions_the_one_that_has_the_conversation_tells_it(autojump_clock):
    talking = Talking(replies=[ScriptedReply(tokens=("Hello.",))])
    async with talking.session() as other:
        await other.wait_for(m.SessionOpened)
        async with talking.session() as one:
            name = (await one.wait_for(m.SessionOpened)).conversation
            await set_timer(one, talking.alerts, talking.timer(name, 30, label="pasta"))
            await talking.alerts.put(talking.timer(name, 3000, key="b", label="bread"))
            await trio.sleep(1)
            await other.ask(m.Resume(conversation=name))
            await one.wait_for(m.Done, turn=1)
            await trio.sleep(400)
            assert not of_turn(other, 1, m.StateChanged)
        # What was told is not told again, and what comes is told by the one that is left.
        await other.wait_for(m.Done, turn=1)
        assert other.reply(1) == "Your bread timer is up."
        assert talking.wall() - BEGAN == pytest.approx(3000, abs=320)


async def test_a_clock_that_is_put_forward_is_noticed_soon(autojump_clock):
    talking = Talking()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 7200))
        await talk.wait_for(m.Timers)
        await trio.sleep(100)
        talking.wall.ahead += 7200
        with trio.fail_after(STEP_S + 1):
            await talk.wait_for(m.StateChanged, turn=1)
        await talk.wait_for(m.Done, turn=1)


async def test_a_clock_that_is_put_back_makes_it_later_and_clients_are_told(autojump_clock):
    talking = Talking()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 600))
        await talk.wait_for(m.Timers)
        await trio.sleep(100)
        talking.wall.ahead -= 3600
        assert (await talk.wait_for(m.Timers)).timers[0].left_ms == pytest.approx(4_100_000, abs=16_000)
        began = trio.current_time()
        await talk.wait_for(m.StateChanged, turn=1)
        assert trio.current_time() - began == pytest.approx(4100, abs=16)
        await talk.wait_for(m.Done, turn=1)


@pytest.mark.parametrize(("month", "day"), [(3, 28), (10, 24)], ids=["spring", "autumn"])
async def test_an_alarm_of_every_day_rings_at_the_same_time_of_the_wall(autojump_clock, month, day):
    zone = ZoneInfo("Europe/Berlin")
    talking = Talking()
    talking.wall.ahead = datetime(2026, month, day, 6, 59, tzinfo=zone).timestamp() - trio.current_time()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        alarm = Alert(
            conversation=name,
            id="a",
            kind="alarm",
            due_at=datetime(2026, month, day, 7, tzinfo=zone).timestamp(),
            set_at=talking.wall(),
            zone="Europe/Berlin",
            wall="07:00",
            weekdays=(0, 1, 2, 3, 4, 5, 6),
        )
        await set_timer(talk, talking.alerts, alarm)
        for turn in (1, 2, 3):
            await talk.wait_for(m.StateChanged, turn=turn)
            rang = datetime.fromtimestamp(talking.wall(), zone)
            assert (rang.day, rang.hour, rang.minute) == (day + turn - 1, 7, 0)
            await talk.wait_for(m.Done, turn=turn)
            assert talk.reply(turn) == "It is 7:00 AM. This is your alarm."


async def test_the_client_can_cancel_one(autojump_clock):
    talking = Talking()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await talking.alerts.put(talking.timer(name, 60, "a", "pasta"))
        await set_timer(talk, talking.alerts, talking.timer(name, 90, "b", "egg"))
        shown: tuple[ToldAlert, ...] = ()
        while len(shown) < 2:  # The first may be told before the second is there.
            shown = (await talk.wait_for(m.Timers)).timers
        assert [one.id for one in shown] == ["a", "b"]
        await talk.ask(m.CancelTimer(id="a"))
        assert [one.id for one in (await talk.wait_for(m.Timers)).timers] == ["b"]
        await talk.ask(m.CancelTimer(id="no such one"))
        assert [one.id for one in (await talk.wait_for(m.Timers)).timers] == ["b"]
        await talk.wait_for(m.Done, turn=1)
        assert talk.reply(1) == "Your egg timer is up."


class Unwritable(InProcessAlerts):
    """Alerts of which none can be taken away for a while."""

    fails = 5

    async def remove(self, conversation, gone):
        await trio.lowlevel.checkpoint()
        if self.fails:
            self.fails -= 1
            raise ToolError("The server's memory is busy.")
        await super().remove(conversation, gone)


async def test_what_cannot_be_noted_as_told_is_not_told_again_by_the_same_session(autojump_clock):
    talking = Talking()
    talking.alerts = Unwritable()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 5))
        await talk.wait_for(m.Done, turn=1)
        await trio.sleep(900)
        assert not of_turn(talk, 2, m.StateChanged)
        assert await talking.alerts.of(name) == []


async def test_where_nobody_speaks_replies_it_is_told_in_writing(autojump_clock):
    talking = Talking()
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await talk.ask(m.Configure(aloud=False))
        await set_timer(talk, talking.alerts, talking.timer(name, 5))
        await talk.wait_for(m.Done, turn=1)
        assert talk.reply(1) == "Your five-second timer is up."
        await trio.sleep(60)
        assert await talking.alerts.of(name) == []


async def test_a_session_that_is_ending_begins_none(autojump_clock):
    talking = Talking(replies=[ScriptedReply(tokens=("A long reply. " * 10,))])
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await set_timer(talk, talking.alerts, talking.timer(name, 1))
        await talk.ask(m.Text(text="Tell me."))
        await talk.wait_for(m.TtsChunk)
        talk.session.drain(60)
        await talk.wait_for(m.Done, turn=1)
        await trio.sleep(60)
        assert not of_turn(talk, 2, m.StateChanged)
    assert len(await talking.alerts.of(name)) == 1


async def test_what_the_client_wrote_before_stays_for_the_turn_that_answers_it(autojump_clock):
    talking = Talking(replies=[ScriptedReply(tokens=("Noted.",))])
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await talk.ask(m.AddItem(item=Words(id="w", by="person", text="I like tea.")))
        await set_timer(talk, talking.alerts, talking.timer(name, 5))
        await talk.wait_for(m.Done, turn=1)
        await talk.ask(m.Respond())
        await talk.wait_for(m.Done, turn=2)
        assert [record.said for record in await talking.store.recall(name)] == ["", "I like tea."]


async def test_a_timer_between_a_question_and_its_yes_takes_the_question_not_back(autojump_clock):
    delete = ScriptedTool("delete", answers=["Three are deleted."], has_effects=True, confirm=True)
    replies: list[list[str | ToolCall]] = [
        [ToolCall("a", "delete", "{}")],
        ["Shall I delete all of them?"],
        ["They are gone."],
    ]
    talking = Talking(replies=[ScriptedReply(tokens=one) for one in replies])
    talking.tools = [*talking.tools, delete.tool]
    async with talking.session() as talk:
        name = (await talk.wait_for(m.SessionOpened)).conversation
        await talk.ask(m.Text(text="Delete them."))
        await talk.wait_for(m.Done, turn=1)
        await set_timer(talk, talking.alerts, talking.timer(name, 20))
        await talk.wait_for(m.Done, turn=2)
        assert delete.calls == []
        await talk.ask(m.Text(text="Yes."))
        await talk.wait_for(m.Done, turn=3)
    assert len(delete.calls) == 1


async def test_how_fast_it_was_is_told_of_what_was_asked_and_not_of_the_timer(autojump_clock):
    slow = ScriptedSynthesizer(speak_s=0.9)
    talking = Talking(synthesizer=slow)
    async with talking.session(skills=True) as talk:
        await talk.ask(m.Text(text="Set a timer for ten seconds."))
        await talk.wait_for(m.Done, turn=1)
        slow.speak_s = 0.1
        await talk.wait_for(m.Done, turn=2)
        await talk.ask(m.Text(text="How fast was that?"))
        await talk.wait_for(m.Done, turn=3)
    assert "0.9 seconds" in talk.reply(3)
