"""Timers in session logs: a replay has them due when they were, and shows what has changed."""

from dataclasses import replace

import trio

from tests.journal.conversations import difference, record, recording, spelled
from voice_trio.core import messages as m
from voice_trio.engines.skills_model import SkillsModel
from voice_trio.journal import entries as e
from voice_trio.skills.alerts_kept import InProcessAlerts
from voice_trio.skills.skill import Means
from voice_trio.skills.table import Skills
from voice_trio.testing.scripted import scripted_engines

BEGAN = 1_795_704_300.0


async def _conversation(notes):
    alerts = InProcessAlerts()
    tools = Skills(Means(alerts=alerts)).tools()
    engines = scripted_engines(language_model=SkillsModel())
    began = trio.current_time()

    def wall_clock():
        return BEGAN + trio.current_time() - began

    async with recording(notes, engines=engines, tools=tools, alerts=alerts, wall_clock=wall_clock) as talk:
        await talk.ask(m.Text(text="Set a timer for 40 seconds."))
        await talk.wait_for(m.Done, turn=1)
        await talk.ask(m.Text(text="Set a pasta timer for one hour."))
        await talk.wait_for(m.Done, turn=2)
        assert (await talk.wait_for(m.StateChanged, turn=3)).origin is m.Origin.TIMER
        await talk.wait_for(m.Done, turn=3)
        (left,) = [event for event in talk.heard if isinstance(event, m.Timers)][-1].timers
        assert left.label == "pasta"
        await talk.ask(m.CancelTimer(id=left.id))
        while (await talk.wait_for(m.Timers)).timers:
            pass
        await trio.sleep(5)


def test_what_was_due_is_told_again_when_it_was():
    notes = record(_conversation)
    asked = [note.of for note in notes if isinstance(note, e.Ask)]
    assert asked.count("remove_alerts") == 2
    assert any(isinstance(note, e.Answer) and note.did == e.Did(changed_alerts=True) for note in notes)
    said = [note.message for note in notes if isinstance(note, e.Said)]
    assert [message["turn"] for message in said if message.get("origin") == "timer"] == [3]
    assert difference(spelled(notes)) is None


def test_an_alert_that_was_not_told_is_a_difference():
    def is_told(note):
        return isinstance(note, e.Said) and note.message.get("turn") == 3

    notes = [note for note in record(_conversation) if not is_told(note)]
    found = difference(spelled(notes))
    assert found is not None
    assert isinstance(found.now, e.Said)
    assert found.now.message["turn"] == 3


def test_one_that_is_due_later_is_told_later():
    def later(note):
        if not isinstance(note, e.Answer) or note.alerts is None:
            return note
        return replace(note, alerts=tuple(replace(alert, due_at=alert.due_at + 60) for alert in note.alerts))

    found = difference(spelled([later(note) for note in record(_conversation)]))
    assert found is not None
