"""A conversation to explore that a client of OpenAI's Realtime API has."""

from __future__ import annotations

import trio

from voice_trio.core import messages as m
from voice_trio.engines.base import Engines
from voice_trio.testing.explorer.link import ExploredLink
from voice_trio.testing.scripted import silent, voiced
from voice_trio.wire.codec import Codec
from voice_trio.wire.realtime.codec import RealtimeCodec
from voice_trio.wire.realtime.configuration import Configuration, Offered


async def talk_over_realtime(client: ExploredLink) -> None:
    """Ask aloud, then in writing, as a client of OpenAI's Realtime API does."""
    await client.wait_for(m.SessionOpened)
    listening = {"transcription": {"model": "any"}, "turn_detection": {"type": "server_vad"}}
    await client.tell("session.update", session={"audio": {"input": listening}})
    await client.say(voiced(900) + silent(900))
    # Where something went wrong, there may be fewer turns.
    with trio.move_on_after(60):
        await client.wait_for(m.Done)
    content = [{"type": "input_text", "text": "And tomorrow?"}]
    item = {"id": "asked", "type": "message", "role": "user", "content": content}
    await client.tell("conversation.item.create", item=item)
    await client.tell("response.create")
    with trio.move_on_after(60):
        while client.in_a_turn or len(client.all(m.Done)) < 2:
            await client.wait_for(m.Done)
    await trio.sleep(1)


def realtime_codec(engines: Engines) -> Codec:
    """Return what spells a session of /v1/realtime."""
    voices, languages = tuple(engines.synthesizer.voices), tuple(engines.recognizer.languages)
    offered = Offered(model=engines.language_model.name, instructions="", voices=voices, languages=languages)
    return RealtimeCodec(offered, Configuration(), expires_at=0)
