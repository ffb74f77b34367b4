"""A session that outlived its connections, recorded and lived again."""

from contextlib import nullcontext
from functools import partial

import trio

from tests.journal.conversations import difference, record, spelled
from voice_trio.core import messages as m
from voice_trio.journal import entries as e
from voice_trio.journal.recorded_session import RecordedSession
from voice_trio.session.resumable import ResumableLink
from voice_trio.testing.conversation import session_on
from voice_trio.testing.resuming import ResumingCaller
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines
from voice_trio.testing.talk import Talk


async def cut_twice(notes):
    reply = ScriptedReply(tokens=("Rain ", "in the ", "morning. ", "Take ", "a coat!"))
    model = ScriptedLanguageModel(replies=[reply])
    async with trio.open_nursery() as nursery:
        link = ResumableLink(30.0)
        caller = ResumingCaller(link, nursery)
        talk = Talk(caller)
        new_session = partial(RecordedSession, note=notes.append, keeping=nullcontext)
        session = session_on(link, engines=scripted_engines(language_model=model), new_session=new_session)
        nursery.start_soon(session.run)
        nursery.start_soon(talk.collect)
        caller.attach()
        await talk.ask(m.Start())
        await talk.say(1200)
        caller.cut()
        await trio.sleep(3)
        caller.attach()
        await talk.silence(900)
        await talk.wait_for(m.TtsChunk)
        caller.cut()
        await trio.sleep(2)
        caller.attach()
        await talk.wait_for(m.Done)
        caller.leave()


def test_a_session_that_was_resumed_is_the_same_again():
    notes = record(cut_twice)
    assert isinstance(notes[-1], e.End)
    commands = [note.message["type"] for note in notes if isinstance(note, e.Command)]
    assert commands == ["start", "detached", "attached", "detached", "attached"]
    assert difference(spelled(notes)) is None


def test_the_name_of_a_session_is_not_recorded():
    said = [note.message for note in record(cut_twice) if isinstance(note, e.Said)]
    assert said[0]["type"] == "session"
    assert "resume" not in said[0]
