"""Conversations whose recognizer and voice are on another machine, which fails as the matrix says, in virtual time.

The connections alone are not real: what the far end is asked, it answers at once, in this process.
"""

import json
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2
import pytest
import structlog
import trio

from tests.session.promises import RecordingStore, check, listen_in
from tools.far_end_matrix import OF_FAR_ENDS
from tools.fault_matrix import SENTENCES
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.faults import parse
from voice_trio.engines.remote.address import far_ends, remote_of
from voice_trio.engines.remote.asking import HttpHearer
from voice_trio.engines.remote.ends import FarEnds
from voice_trio.engines.remote.http import Http
from voice_trio.engines.remote.recognizer import RemoteRecognizer, Ways
from voice_trio.engines.remote.sayings import HttpSayer
from voice_trio.engines.remote.voice import RemoteVoice, Voices
from voice_trio.entry_points import Kind
from voice_trio.fault_tap import inject
from voice_trio.faults import Faults
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
)

THERE, HERE = "what is heard there", "what is heard here"
RATE = 16_000


def answer(request):
    if request.url.path.endswith("/transcriptions"):
        mimetype, body = "application/json", json.dumps({"text": THERE}).encode()
    else:
        mimetype, body = "audio/pcm", b"\1\0" * (len(json.loads(request.content)["input"]) * RATE // 20)
    return httpx2.Response(200, headers={"Content-Type": mimetype}, stream=httpx2.ByteStream(body))


@asynccontextmanager
async def remote_engines(hears_here, speaks_here):
    """Engines whose recognizer and voice are asked of one far end, with others of this machine beside them."""
    settings = config.load(asr_url="http://far", tts_url="http://far", remote_partials="off", remote_rate=RATE)
    asr, tts = remote_of(Kind.RECOGNIZER, settings), remote_of(Kind.SYNTHESIZER, settings)

    def ends(remote):
        return FarEnds(far_ends(remote), attempt_s=settings.remote_attempt_s, stands_by=True)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), timeout=None) as client:
        recognizer = RemoteRecognizer(
            Ways(ends(asr), HttpHearer(Http(client, asr), asr.model), hears_here, False, settings.asr_timeout_s)
        )
        voice = RemoteVoice(Voices(ends(tts), HttpSayer(Http(client, tts), tts.model), speaks_here, ["alloy"], RATE))
        model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=SENTENCES)])
        yield scripted_engines(recognizer=recognizer, synthesizer=voice, language_model=model)


@pytest.mark.parametrize("row", OF_FAR_ENDS, ids=lambda row: row.faults)
async def test_a_fault_of_a_far_end_comes_to_what_the_matrix_says(autojump_clock, row):
    faults = Faults(parse(row.faults))
    hears_here, speaks_here = ScriptedRecognizer(words=HERE.split(), word_ms=100), ScriptedSynthesizer()
    store = RecordingStore(fails=False)
    with structlog.testing.capture_logs() as lines, trio.fail_after(200):
        async with remote_engines(hears_here, speaks_here) as plain:
            engines, faulty_store = inject(faults, plain, store)
            async with conversation(engines=engines, store=faulty_store) as talk:
                said = listen_in(talk.session)
                for _ in range(2):
                    await talk.ask(m.Start())
                    await talk.say(1500, 900)
                    await talk.wait_for(m.Done)
    assert [event for event in talk.heard if isinstance(event, m.Error)] == []
    assert [done.outcome for done in talk.all(m.Done)] == [m.Outcome.COMPLETED] * 2
    [first] = talk.all(m.Final, turn=1)
    assert first.text == (HERE if row.heard_here else THERE)
    assert bool(hears_here.utterances) is row.heard_here
    assert speaks_here.spoken[: len(SENTENCES)] == ([text.strip() for text in SENTENCES] if row.spoken_here else [])
    assert [record.heard for record in store.records] == [len(record.reply) for record in store.records]
    check(talk, said, "stay", replace(plain, recognizer=hears_here, synthesizer=speaks_here), store)
    assert {line["fault"] for line in lines if line["event"] == "fault injected"} == {fault.text for fault in faults}
