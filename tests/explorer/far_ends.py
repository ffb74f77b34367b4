"""A conversation to explore whose recognizer and voice are on another machine, which fails now and then.

The connections alone are not real: each question is answered in this process, after a while and in pieces.
"""

import itertools
import json

import httpx2
import trio

from voice_trio import config
from voice_trio.engines.base import Engines
from voice_trio.engines.remote.address import far_ends, remote_of
from voice_trio.engines.remote.asking import HttpHearer
from voice_trio.engines.remote.ends import FarEnds
from voice_trio.engines.remote.http import Http
from voice_trio.engines.remote.recognizer import RemoteRecognizer, Ways
from voice_trio.engines.remote.sayings import HttpSayer
from voice_trio.engines.remote.voice import RemoteVoice, Voices
from voice_trio.entry_points import Kind
from voice_trio.testing.explorer import Scenario
from voice_trio.testing.explorer.scenarios import REPLIES, talk
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
)

RATE = 16_000
PIECES = 3


class Body(httpx2.AsyncByteStream):
    """So much of a body, piece by piece."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def __aiter__(self):
        return self

    async def __anext__(self):
        await trio.sleep(0.02)
        if not self.pieces:
            raise StopAsyncIteration
        return self.pieces.pop(0)


def answering():
    """Return what answers questions: each fourth with a fault."""
    numbers = itertools.count(1)

    async def answer(request):
        await trio.sleep(0.05)
        if next(numbers) % 4 == 0:
            return httpx2.Response(500)
        if request.url.path.endswith("/transcriptions"):
            mimetype, body = "application/json", Body(json.dumps({"text": "how is it"}).encode())
        else:
            tone = b"\1\0" * (len(json.loads(request.content)["input"]) * RATE // 40 // PIECES)
            mimetype, body = "audio/pcm", Body(*[tone] * PIECES)
        return httpx2.Response(200, headers={"Content-Type": mimetype}, stream=body)

    return answer


def engines() -> Engines:
    """Return engines of which the recognizer and the voice are asked of a far end."""
    settings = config.load(asr_url="http://far", tts_url="http://far")
    asr, tts = remote_of(Kind.RECOGNIZER, settings), remote_of(Kind.SYNTHESIZER, settings)
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answering()), timeout=None)
    hears = Ways(
        FarEnds(far_ends(asr), attempt_s=1.5, stands_by=True),
        HttpHearer(Http(client, asr), asr.model),
        ScriptedRecognizer(),
        True,
        settings.asr_timeout_s,
    )
    speaks = Voices(
        FarEnds(far_ends(tts), attempt_s=1.5, stands_by=True),
        HttpSayer(Http(client, tts), tts.model),
        ScriptedSynthesizer(),
        ["alloy"],
        RATE,
    )
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=tokens) for tokens in REPLIES])
    return scripted_engines(recognizer=RemoteRecognizer(hears), synthesizer=RemoteVoice(speaks), language_model=model)


SCENARIO = Scenario(talk, engines, settings={"drafts": "off"})
