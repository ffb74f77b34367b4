"""Replies are cut off at drawn moments: nothing is claimed that was not heard, and a word is missing at most.

    CUTS=1000 pytest tests/wire/realtime/test_cuts.py

The player plays what it was sent, each message of which may be late; then it stops, says how far it came, which may be
late too, and perhaps cancels, before that or behind it. What the item is from then on, and what the language model is
given of it next, is held against the words that were played.
"""

import base64
import math
import os
import random
import string

import pytest
import trio

from tests.wire.realtime.talking import holding
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer, scripted_engines

CUTS = int(os.environ.get("CUTS", "40"))
IN_A_SESSION = 4
JITTER_S = 0.15
CHAR_MS = 50
ALPHABET = string.ascii_lowercase


def mark(number):
    """Return how each word of that reply begins."""
    return f"zo{ALPHABET[number]}a"


def story(number):
    """Return a reply of words that are all different, in sentences."""
    words = [f"{mark(number)}{ALPHABET[at // 26]}{ALPHABET[at % 26]}o{'.' if at % 7 == 6 else ''}" for at in range(40)]
    return ScriptedReply(tokens=[f"{word} " for word in words], token_s=0.03)


def played_words(spoken, played_ms):
    """Return the words of the texts ``spoken`` that were played to their end."""
    found, at = [], 0
    for text in spoken:
        for word in text.split(" "):
            at += CHAR_MS * len(word)
            if at <= played_ms:
                found.append(word)
            at += CHAR_MS
        at -= CHAR_MS
    return found


class Player:
    """Plays the sound of one response, message by message, each up to `JITTER_S` late and none before its time."""

    def __init__(self, client, chance):
        self._client = client
        self._chance = chance
        self._arrivals = []
        """When each piece came, and how long it is."""

    async def collect(self):
        due = 0.0
        while True:
            event = await self._client.next()
            if event["type"] == "response.output_audio.delta":
                due = max(due, trio.current_time() + self._chance.uniform(0, JITTER_S))
                self._arrivals.append((due, len(base64.b64decode(event["delta"])) / 48))
            elif event["type"] == "response.done":
                return

    def played_ms(self):
        """Return how much of it was played by now."""
        now, free_at, played = trio.current_time(), 0.0, 0.0
        for came_at, length_ms in self._arrivals:
            begins = max(came_at, free_at)
            played += min(max(0.0, (now - begins) * 1000), length_ms)
            free_at = begins + length_ms / 1000
        return played


@pytest.mark.parametrize("seed", range(-(-CUTS // IN_A_SESSION)))
async def test_what_was_played_is_what_was_said(autojump_clock, seed):
    chance = random.Random(seed)
    voice = ScriptedSynthesizer(char_ms=CHAR_MS)
    model = ScriptedLanguageModel(
        replies=[one for number in range(IN_A_SESSION) for one in (story(number), ScriptedReply())]
    )
    async with holding(scripted_engines(language_model=model, synthesizer=voice), to_the_end=True) as client:
        for number in range(IN_A_SESSION):
            spoken_before = len(voice.spoken)
            await client.write("Go on.")
            await client.send("response.create")
            item = (await client.wait_for("response.output_item.added"))["item"]["id"]
            player = Player(client, chance)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(player.collect)
                await trio.sleep(chance.choice([0.05, 1.0, 12.0]) * chance.random())
                played_ms = player.played_ms()
                await trio.sleep(chance.uniform(0, JITTER_S))
                cancels = chance.choice([None, "before", "behind"])
                if cancels == "before":
                    await client.send("response.cancel")
                    await trio.sleep(chance.uniform(0, JITTER_S))
                await client.send(
                    "conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=math.floor(played_ms)
                )
                if cancels == "behind":
                    await trio.sleep(chance.uniform(0, JITTER_S))
                    await client.send("response.cancel")
                elif cancels is None:
                    # It is written and sent to its end, and nobody hears that.
                    await trio.sleep(chance.choice([0.0, 20.0]))
                    await client.send("response.cancel")
            await client.send("conversation.item.retrieve", item_id=item)
            kept = (await client.wait_for("conversation.item.retrieved"))["item"]["content"][0]["transcript"].split()
            played = played_words(voice.spoken[spoken_before:], played_ms)
            assert kept == played[: len(kept)], f"cut {number}: claimed what was not heard"
            assert len(kept) >= len(played) - 1, f"cut {number}: a word that was heard is missing"
            await client.write("What did you say?")
            await client.send("response.create", response={"output_modalities": ["text"], "conversation": "none"})
            await client.wait_for("response.done")
            given = [message.content for message in model.prompts[-1] if mark(number) in message.content]
            assert [one.split()[: len(kept)] for one in given] == ([kept] if kept else [])
            assert sum(word.startswith(mark(number)) for one in given for word in one.split()) == len(kept)
