"""Faults in a real server: real worker processes, a real database."""

from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
import trio

from tools.fault_matrix import ROWS, SENTENCES, Kept
from voice_trio import config, sound_file
from voice_trio.client import connect
from voice_trio.config import ConfigError
from voice_trio.core import messages as m
from voice_trio.core.errors import first_leaf
from voice_trio.engines.pocketsphinx.recognizer import open_pocketsphinx
from voice_trio.engines.silero import SileroDetector, load
from voice_trio.engines.voice import open_voice
from voice_trio.memory.database import Database
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

pytestmark = pytest.mark.real

ROW = {row.faults: row for row in ROWS}
CLIP = Path(__file__).parent.parent / "clips" / "question.wav"


@asynccontextmanager
async def real_engines(settings):
    """A real recognizer and voice, and a language model that is brief."""
    model = await trio.to_thread.run_sync(load)
    async with open_pocketsphinx(settings) as recognizer, open_voice(settings) as voice:
        replies = [ScriptedReply(tokens=[word + " " for word in "".join(SENTENCES).split()])]
        scripted = scripted_engines(
            recognizer=recognizer, synthesizer=voice, language_model=ScriptedLanguageModel(replies=replies)
        )
        yield replace(scripted, new_detector=lambda: SileroDetector(model))


async def turn(client, speech):
    """Have a turn, typed or spoken, and return its errors and its end."""
    errors = []
    if speech is None:
        await client.ask(m.Text(text="hello"))
    else:
        await client.ask(m.Start(mode="hold"))
        await client.speak(speech, real_time=False)
        await client.ask(m.Stop())
    while True:
        event = await client.hear()
        if isinstance(event, m.Error):
            errors.append(event)
        if isinstance(event, m.Done):
            return errors, event


@pytest.mark.parametrize("faults", ["asr:crash#1", "tts:crash#1", "store:full#1"])
async def test_it_comes_to_the_same_with_real_processes_and_a_real_disk(tmp_path, faults):
    row = ROW[faults]
    speech = sound_file.read(CLIP) if faults.startswith("asr") else None
    settings = config.load(port=0, allow_faults=True, faults=faults, data_dir=str(tmp_path), asr_workers=1)
    with structlog.testing.capture_logs() as lines, trio.fail_after(60):
        async with open_server(settings, real_engines) as running, connect(running.ws_url) as client:
            opened = await client.wait_for(m.SessionOpened)
            errors, first = await turn(client, speech)
            none, second = await turn(client, speech)
    assert [error.code for error in errors] == list(row.errors)
    assert all(error.recoverable for error in errors)
    assert (first.outcome, first.remembered) == (row.outcome, row.kept is not Kept.NOTHING)
    assert (none, second.outcome, second.remembered) == ([], row.next_outcome, True)
    [database] = tmp_path.glob("*.sqlite3")
    kept = Database(database, busy_s=1)
    try:
        records = kept.recall(opened.conversation, 10)
    finally:
        kept.close()
    assert [record.turn for record in records] == ([2] if row.kept is Kept.NOTHING else [1, 2])
    assert all(record.heard == len(record.reply) for record in records)
    logged = [line["event"] for line in lines]
    assert logged.count("fault injected") == 1
    assert logged.count("faults will be injected") == 1
    assert ("worker lost" in logged) == ("crash" in faults)
    if faults.startswith("asr"):
        assert "weather" in records[0].said
        assert "weather" in records[1].said


async def test_a_server_does_not_start_with_a_fault_that_cannot_be(tmp_path):
    settings = config.load(port=0, allow_faults=True, faults="llm:crash", memory="off", asr_workers=1)
    with trio.fail_after(30), pytest.raises(BaseExceptionGroup) as caught:
        async with open_server(settings, real_engines):
            raise AssertionError("it started")
    error = first_leaf(caught.value)
    assert isinstance(error, ConfigError)
    assert str(error).startswith("STREAM_FAULTS: 'llm:crash' cannot be, because scripted works without a process")
