"""Other engines take the place of those with which a session began."""

from contextlib import contextmanager
from dataclasses import replace

import trio

from tests.journal.conversations import difference, record, recording, spelled
from tests.session.conversation import conversation
from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode, Outcome
from voice_trio.memory.in_process import InProcessStore
from voice_trio.testing.scripted import ScriptedRecognizer, ScriptedSynthesizer, scripted_engines

OLD = ScriptedSynthesizer(name="old voice", voices=("anna", "ben"))
NEW = ScriptedSynthesizer(name="new voice", voices=("ben", "carl"), sample_rate=24_000)


class Changing:
    """Engines of which some can be replaced; counts who leases each set."""

    def __init__(self):
        self.leased = {"old voice": 0, "new voice": 0}
        self.now = self._with(OLD)

    def __call__(self):
        return self.now

    def change(self):
        self.now = replace(self._with(NEW), recognizer=ScriptedRecognizer(name="new ears", languages=("de", "en")))

    def _with(self, synthesizer):
        @contextmanager
        def lease():
            self.leased[synthesizer.name] += 1
            try:
                yield
            finally:
                self.leased[synthesizer.name] -= 1

        return replace(scripted_engines(synthesizer=synthesizer), lease=lease)


async def test_a_turn_keeps_what_it_leased_and_the_next_one_has_the_new(autojump_clock):
    engines = Changing()
    with trio.fail_after(120):
        async with conversation(engines=engines) as talk:
            await talk.ask(m.Text(text="hello", voice="anna"))
            assert (await talk.expect(m.TtsPhrase)).sample_rate == OLD.sample_rate
            assert engines.leased == {"old voice": 1, "new voice": 0}
            engines.change()
            talk.session.engines_changed()
            info = await talk.expect(m.Info, code=InfoCode.ENGINES_CHANGED)
            assert (info.asr, info.llm, info.voices, info.languages) == (
                *("new ears", "scripted"),
                *(("ben", "carl"), ("de", "en")),
            )
            assert (await talk.expect(m.Done)).outcome is Outcome.COMPLETED
            await talk.ask(m.Text(text="hello", voice="carl"))
            assert {event.sample_rate for event in talk.of_turn(1) if isinstance(event, m.TtsPhrase)} == {16_000}
            assert (await talk.expect(m.TtsPhrase)).sample_rate == NEW.sample_rate
            assert engines.leased == {"old voice": 0, "new voice": 1}
            await talk.expect(m.Done)
            assert engines.leased == {"old voice": 0, "new voice": 0}


async def test_hands_free_goes_on_where_its_voice_is_gone(autojump_clock):
    engines = Changing()
    with trio.fail_after(120):
        async with conversation(engines=engines) as talk:
            await talk.ask(m.Start(mode="hands_free", voice="anna", language="en"))
            await talk.say(900, 900)
            await talk.expect(m.Done, turn=1)
            engines.change()
            talk.session.engines_changed()
            await talk.say(900, 900)
            assert (await talk.expect(m.Done, turn=2)).outcome is Outcome.COMPLETED


async def test_before_the_greeting_there_is_nothing_to_tell(autojump_clock):
    class SlowStore(InProcessStore):
        async def begin(self):
            await trio.sleep(1)
            return await super().begin()

    engines = Changing()
    with trio.fail_after(120):
        async with conversation(engines=engines, store=SlowStore()) as talk:
            await trio.sleep(0.5)
            engines.change()
            talk.session.engines_changed()
            assert (await talk.expect(m.SessionOpened)).voices == ("ben", "carl")
            assert [type(event) for event in talk.heard] == [m.SessionOpened]


def test_it_is_lived_again_from_a_recording():
    async def converse(notes):
        engines = Changing()
        async with recording(notes, engines=engines) as talk:
            await talk.ask(m.Text(text="hello", voice="anna"))
            await talk.expect(m.TtsPhrase)
            engines.change()
            talk.session.engines_changed()
            await talk.expect(m.Done)
            await talk.ask(m.Text(text="hello", voice="carl"))
            await talk.expect(m.Done)

    notes = record(converse)
    assert "changed" in {note.kind for note in notes}
    assert difference(spelled(notes)) is None
