"""A recorded session lived again: the same where nothing changed, and different where something did.

A replay is a run of its own, so these tests are no tasks.
"""

import re
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.journal import conversations
from tests.journal.conversations import difference, record, recording, spelled
from voice_trio.core import endpointer, history, messages as m
from voice_trio.core.messages import Outcome
from voice_trio.engines.base import Fallback, Prompt, Tool, ToolCall, Usage
from voice_trio.journal import entries as e
from voice_trio.journal.file import spell
from voice_trio.journal.read import parse
from voice_trio.journal.recorder import Recorder
from voice_trio.journal.recording_tap import RecordingTap
from voice_trio.memory.base import StoreUnsure
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session import asr, session, tts, turn
from voice_trio.session.settings import SessionSettings
from voice_trio.tapped import tapped
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

SESSION = Path(session.__file__).parent


@pytest.fixture(scope="module")
def spoken():
    return record(conversations.spoken)


@pytest.fixture(scope="module")
def cut_off():
    return record(conversations.cut_off)


@pytest.mark.parametrize("converse", conversations.ALL, ids=lambda converse: converse.__name__)
def test_what_did_not_change_is_equal(converse):
    notes = record(converse)
    assert isinstance(notes[-1], e.End)
    assert difference(spelled(notes)) is None


def test_the_conversations_hold_what_they_are_to_show():
    seen = set()
    for converse in conversations.ALL:
        for note in record(converse):
            if isinstance(note, e.Said):
                seen |= {note.message["type"], note.message.get("outcome"), note.message.get("code"), note.fate}
            elif isinstance(note, e.Answer) and note.failure is not None:
                seen.add(note.failure.by)
            seen.add(note.kind)
    assert {"partial", "info", "throttled", "shutting_down", "nothing_to_cancel"} <= seen
    assert {m.ErrorCode.ASR_FAIL, m.ErrorCode.LLM_FAIL, m.ErrorCode.TTS_FAIL, m.ErrorCode.INTERNAL} <= seen
    assert {m.ErrorCode.ASR_TIMEOUT, m.ErrorCode.LLM_TIMEOUT, m.ErrorCode.MAX_DURATION_EXCEEDED} <= seen
    assert set(m.Outcome) - {m.Outcome.EMPTY} <= seen
    assert {"reopened", "hold", "release"} <= seen
    assert {"malformed", "gone", "drain", "engine", "defect", "chunk"} <= seen


async def _greeted(notes):
    fallback = Fallback("Speech is recognised by the small built-in scripted, in English only.", "fetch a better one")
    async with recording(notes, engines=replace(scripted_engines(), asr_fallback=fallback)) as talk:
        await talk.wait_for(m.Info)


def test_what_a_fallback_was_said_to_be_is_said_again():
    notes = record(_greeted)
    assert difference(spelled(notes)) is None


async def _guided(notes):
    async with recording(notes) as talk:
        await talk.ask(m.Start(locale="de-CH"))
        await talk.say(900, 900)
        await talk.wait_for(m.Done)


def test_what_a_recognizer_was_guided_by_is_recorded_and_asked_again():
    notes = record(_guided)
    assert {"language": None, "likely": "de"} in [note.what for note in notes if isinstance(note, e.Ask)]
    assert difference(spelled(notes)) is None


def test_a_file_without_what_was_said_of_a_fallback_is_read_as_it_was_meant():
    header, *others = record(_greeted)
    older = replace(header, engines=replace(header.engines, asr_fallback_message=None))
    assert b"asr_fallback_message" not in spell(older)
    assert difference(spelled([older, *others])) is None


# --- what is planted is found -----------------------------------------------------------------------------------------


def place_of(notes, kind, **fields):
    """Return the place of the first note of ``kind`` with these fields, its own or its message's."""
    return next(place for place, note in enumerate(notes) if isinstance(note, kind) and has(note, fields))


def has(note, fields):
    message = getattr(note, "message", None)
    own = {name: getattr(note, name, message.get(name) if isinstance(message, dict) else None) for name in fields}
    return own == fields


def instead(notes, place, *others):
    """Return the file of ``notes`` with ``others`` in the place of one."""
    return spelled([*notes[:place], *others, *notes[place + 1 :]])


def test_an_event_that_says_something_else(spoken):
    place = place_of(spoken, e.Said, type="token", text="sunny. ")
    planted = replace(spoken[place], message={**spoken[place].message, "text": "raining. "})
    found = difference(instead(spoken, place, planted))
    assert (found.then, found.why, found.now.message["text"]) == (planted, "text is different", "sunny. ")


def test_an_event_that_is_new_now(spoken):
    place = place_of(spoken, e.Said, type="partial", keep=0)
    found = difference(instead(spoken, place))
    assert found.now.message == spoken[place].message
    assert (found.at, found.why) == (pytest.approx(spoken[place].at), "keep is different")


def test_an_event_that_is_missing_now(spoken):
    place = place_of(spoken, e.Said, type="tts_phrase_done")
    found = difference(instead(spoken, place, spoken[place], spoken[place]))
    assert found.then == spoken[place]
    assert (found.at, found.why) == (pytest.approx(spoken[place].at), "it is something else")


def test_events_that_come_in_another_order(spoken):
    """Told at the same moment, but by the same task."""
    place = place_of(spoken, e.Said, type="done")
    state, done = spoken[place - 1], spoken[place]
    assert state.message["state"] == "COMPLETE"
    swapped = [*spoken[: place - 1], done, state, *spoken[place + 1 :]]
    assert difference(spelled(swapped)).then == done


def test_an_event_that_comes_at_another_time(spoken):
    place = place_of(spoken, e.Said, type="partial", keep=0)
    data = instead(spoken, place, late := replace(spoken[place], at=spoken[place].at + 0.002))
    found = difference(data)
    assert (found.then, found.why) == (late, "it is 0.002 s too early")
    assert difference(data, tolerance_s=0.003) is None


def test_audio_that_sounds_otherwise(spoken):
    place = next(place for place, note in enumerate(spoken) if isinstance(note, e.Answer) and note.voice)
    pcm = bytearray(spoken[place].voice.pcm)
    pcm[4000] ^= 1
    planted = replace(spoken[place], voice=replace(spoken[place].voice, pcm=bytes(pcm)))
    found = difference(instead(spoken, place, planted))
    assert (found.why, found.then.phrase, found.then.first_sample) == ("audio is different", 0, 1600)


def test_an_engine_that_answered_something_else(spoken):
    place = next(place for place, note in enumerate(spoken) if isinstance(note, e.Answer) and note.transcript)
    planted = replace(spoken[place], transcript=spoken[place].transcript._replace(text="who is there"))
    found = difference(instead(spoken, place, planted))
    assert found.why == "text is different"
    assert found.now.message == {"type": "final", "turn": 1, "text": "who is there", "language": "en"}


@pytest.mark.parametrize(
    ("module", "name", "value", "there", "why"),
    [
        (tts, "CHUNK_MS", 80, {"kind": "chunk", "turn": 2, "seq": 0}, "samples is different"),
        (asr, "PARTIAL_GAP_MS", 400, {"type": "partial", "turn": 1}, "it is 0.100 s too late"),
        (endpointer, "SILENT_SHARE_PERCENT", 200, {"of": "settle"}, "it is missing"),
        (history, "CUT_OFF", " [enough]", {"of": "write"}, "prompt is different"),
        (turn, "_SILENCED", frozenset(), {"type": "done", "turn": 2}, "heard is different"),
    ],
)
def test_a_change_in_the_product(cut_off, monkeypatch, module, name, value, there, why):
    monkeypatch.setattr(module, name, value)
    found = difference(spelled(cut_off))
    assert has(found.then, there), found
    assert found.why == why


# --- what is there of a session log is compared -----------------------------------------------------------------------


def test_a_session_log_that_breaks_off_at_any_line_or_in_one_is_equal_until_there(cut_off):
    lines = spelled(cut_off).splitlines(keepends=True)
    for whole in range(1, len(lines)):
        # In the middle of the next line, every other time.
        rest = lines[whole][: len(lines[whole]) // 2] if whole % 2 else b""
        data = b"".join(lines[:whole]) + rest
        assert parse(data).torn == bool(rest)
        if not whole % 5:
            assert difference(data) is None, f"after line {whole}"


def test_what_was_planted_is_found_in_a_session_log_that_breaks_off(spoken):
    place = place_of(spoken, e.Said, type="token", text="sunny. ")
    planted = replace(spoken[place], message={**spoken[place].message, "text": "raining. "})
    assert difference(spelled([*spoken[:place], planted, *spoken[place + 1 : place + 30]])).then == planted


def test_half_an_emoji_a_token_is_the_same_again():
    async def emoji(notes):
        model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=["Sun \ud83c", "\udf1e!"])])
        async with recording(notes, engines=scripted_engines(language_model=model)) as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.Done)
            assert talk.reply(1) == "Sun 🌞!"

    assert difference(spelled(record(emoji))) is None


def test_what_was_configured_stands_in_the_file_and_is_gone_by_again():
    notes = record(conversations.configured)
    first = notes[place_of(notes, e.Command, type="configure", voice="two")]
    assert first.message["speed"] == 1.5
    prompts: list[Any] = [note.what["prompt"] for note in notes if isinstance(note, e.Ask) and note.of == "write"]
    systems = [prompt[0]["content"] for prompt in prompts]
    assert systems[0] == first.message["instructions"]
    place = place_of(notes, e.Command, type="configure", voice="two")
    # Without it, the session goes by the server's own words.
    assert difference(instead(notes, place)).then.of == "open"


def test_a_conversation_has_a_stand_in_for_its_id():
    store = InProcessStore()
    ids: list[str] = []

    async def again(notes):
        for conversation in (lambda: None, lambda: ids[0]):
            async with recording(notes, store=store) as talk:
                await talk.ask(m.Text(text="hello", conversation=conversation()))
                await talk.wait_for(m.Done, outcome=Outcome.COMPLETED)
                ids.append(talk.heard[0].conversation)

    first, second = sessions(record(again))
    assert ids[0] not in spelled(first + second).decode()
    assert difference(spelled(first)) is None
    assert difference(spelled(second)) is None
    prompt = second[place_of(second, e.Ask, of="write")].what["prompt"]
    assert [message["content"] for message in prompt][1:] == ["hello", "It is sunny. Enjoy your day.", "hello"]
    assert place_of(second, e.Command, conversation="conversation-2")


def test_where_nobody_knew_whether_a_turn_was_kept_nobody_knows_it_again():
    class UnsureStore(InProcessStore):
        async def commit(self, record):
            raise StoreUnsure("the connection was lost")

    async def ask(notes):
        async with recording(notes, store=UnsureStore()) as talk:
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.Done, remembered=None)

    data = spelled(record(ask))
    assert b'"remembered":null' in data
    assert difference(data) is None
    assert difference(data.replace(b'"by":"store unsure"', b'"by":"store"')) is not None


def sessions(notes):
    """Return the notes of each session in ``notes``."""
    starts = [place for place, note in enumerate(notes) if isinstance(note, e.Header)]
    return [notes[start:stop] for start, stop in pairwise([*starts, len(notes)])]


def test_every_setting_that_a_session_looks_at_is_recorded():
    source = "".join(path.read_text() for path in SESSION.glob("*.py"))
    assert set(re.findall(r"settings\.(\w+)", source)) == set(SessionSettings.names())


# --- what a reply is besides its text ---------------------------------------------------------------------------------


async def _calling(notes):
    reply = ScriptedReply(tokens=("It is noon. ", ToolCall("a", "look", "{}")), usage=Usage(9, 4))
    engines = scripted_engines(language_model=ScriptedLanguageModel(replies=[reply]))
    async with recording(notes, engines=engines) as talk:
        await talk.ask(m.Text(text="hello"))
        await talk.wait_for(m.Done)


def test_calls_and_counts_of_a_reply_are_kept_and_given_again():
    notes = record(_calling)
    answers = [note for note in notes if isinstance(note, e.Answer)]
    assert [note.tool_call for note in answers if note.tool_call] == [ToolCall("a", "look", "{}")]
    assert [(note.finish, note.usage) for note in answers if note.finish] == [(("stop",), Usage(9, 4))]
    assert difference(spelled(notes)) is None


async def test_the_tools_that_were_offered_are_noted():
    notes: list[Any] = []
    engines, _ = tapped(scripted_engines(), InProcessStore(), RecordingTap(Recorder(notes.append), []))
    tool = Tool("look", "Looks.", {"type": "object"})
    for tools in ([], [tool]):
        async with engines.language_model.stream(Prompt([], tools)):
            pass
    asked = [note.what for note in notes if isinstance(note, e.Ask)]
    assert asked == [{"prompt": []}, {"prompt": [], "tools": [asdict(tool)]}]
