"""A thousand replies are cut off over a bad network: what is said to have been heard was heard, but for a word at most.

    CUTS=1000 pytest tests/session/test_cuts.py

Each message is up to 150 ms late, both ways. The player stumbles now and then, and a share of what it says of how far
it came is lost. Somebody speaks into replies at drawn moments, or cancels them. Held against each other are `heard` and
what the player really played, and the words that were said and those that were understood.
"""

import os
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from math import inf
from typing import Any

import trio

from tools.utterances import SENTENCES
from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import Outcome
from voice_trio.testing.conversation import Conversation, conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
)

CUTS = int(os.environ.get("CUTS", "40"))
IN_A_SESSION = 5
JITTER_S = 0.15
PLAYED_S = 0.25
LOST = (0.0, 0.15, 0.3)
"""Shares of the player's reports that never come."""
MESSAGE_S = 0.06
MEANT = re.compile(r"w\d+")


@dataclass
class Network:
    """Delivers each message up to `JITTER_S` late, none before one that was sent earlier."""

    chance: random.Random

    async def carry(self, take, give):
        """Carry messages one way, for ever."""
        into, out = trio.open_memory_channel(inf)

        async def deliver():
            async for due, message in out:
                await trio.sleep_until(due)
                await give(message)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(deliver)
            while True:
                message = await take()
                await into.send((trio.current_time() + self.chance.uniform(0, JITTER_S), message))


@dataclass
class Player:
    """Plays what has come, without a break unless there is no more, it is held, or it stumbles."""

    turn: int = 0
    came: Counter[int] = field(default_factory=Counter)
    """Samples of each turn that are there."""
    played: Counter[int] = field(default_factory=Counter)
    stopped: set[int] = field(default_factory=set)
    """Turns of which nothing more is played."""
    held: bool = False
    stumbles_until: float = -inf
    _at: float = 0.0

    def heard(self):
        """Return how many samples of the turn were heard by now."""
        now = trio.current_time()
        playing_s = 0.0 if self.held else max(0.0, now - max(self._at, self.stumbles_until))
        self._at = now
        self.played[self.turn] = min(self.came[self.turn], self.played[self.turn] + round(playing_s * SAMPLE_RATE))
        return self.played[self.turn]

    def stop(self):
        """Play no more of the turn."""
        self.came[self.turn] = self.heard()
        self.stopped.add(self.turn)

    def heed(self, event):
        """Do as ``event`` says."""
        self.heard()
        match event:
            case m.TtsChunk() if event.turn not in self.stopped:
                self.turn = event.turn
                self.came[event.turn] += len(event.pcm) // 2
            case m.Hold() | m.Release():
                self.held = isinstance(event, m.Hold)
            case m.Reopened():
                self.turn, self.held = event.turn, False
                self.came[event.turn] = self.played[event.turn] = 0
            case m.Done(outcome=Outcome.INTERRUPTED | Outcome.CANCELLED) if event.turn == self.turn:
                self.stop()
                self.held = False


class Client:
    """A microphone and a player on a bad network."""

    def __init__(self, talk: Conversation, chance: random.Random, lost: float):
        self.talk = talk
        self.player = Player()
        self.words: list[str] = []
        """That somebody said, and meant."""
        self._chance = chance
        self._lost = lost
        self._network = Network(chance)
        self._microphone = bytearray()
        self._sent, self._sending = trio.open_memory_channel(inf)

    async def run(self):
        """Be there, until this is cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._network.carry, self._sending.receive, self.talk.link.ask)
            nursery.start_soon(self._network.carry, self.talk.link.hear, self._heed)
            nursery.start_soon(self._report)
            nursery.start_soon(self._stumble)
            while True:
                await trio.sleep(MESSAGE_S)
                size = round(2 * SAMPLE_RATE * MESSAGE_S)
                pcm, self._microphone[:size] = self._microphone[:size], b""
                await self._sent.send(m.Audio(bytes(pcm.ljust(size, b"\0"))))

    async def start(self):
        """Begin to listen hands-free."""
        await self._sent.send(m.Start(mode="hands_free"))

    def say(self, *words, meant):
        """Say ``words``, then as many that are each said once."""
        new = [f"w{len(self.words) + number}" for number in range(meant)]
        self.words += new
        self._microphone += spoken(*words, *new)

    async def cancel(self):
        """Stop here first, then have the server stop, and know how far it came."""
        self.player.stop()
        await self._sent.send(m.Cancel(turn=self.player.turn, samples=self.player.heard()))

    async def wait_cut(self):
        """Wait until the reply is cut off, or is taken back since nothing of it was heard."""
        kinds: Any = m.Done | m.Reopened
        await self.talk.wait_for(kinds)

    async def _heed(self, event):
        self.player.heed(event)
        self.talk.note(event)
        if isinstance(event, m.Hold):
            await self._say_played()

    async def _report(self):
        while True:
            await trio.sleep(PLAYED_S)
            await self._say_played()

    async def _say_played(self):
        if self.player.turn and self._chance.random() >= self._lost:
            await self._sent.send(m.Played(turn=self.player.turn, samples=self.player.heard()))

    async def _stumble(self):
        while True:
            await trio.sleep(self._chance.uniform(1, 8))
            self.player.heard()
            self.player.stumbles_until = trio.current_time() + self._chance.uniform(0, JITTER_S)


# --- a session --------------------------------------------------------------------------------------------------------


def drawn_engines(chance):
    def reply():
        said = " ".join(chance.sample(SENTENCES, 6))
        return ScriptedReply(tokens=[f"{word} " for word in said.split()], token_s=chance.choice([0.0, 0.02]))

    return scripted_engines(
        recognizer=LiteralRecognizer(
            hypothesize_s=chance.choice([0.0, 0.1, 0.3]), settle_s=chance.choice([0.0, 0.1, 0.3])
        ),
        language_model=ScriptedLanguageModel(replies=[reply() for _ in range(IN_A_SESSION + 2)]),
        synthesizer=ScriptedSynthesizer(
            char_ms=chance.choice([50, 60, 80]), speak_s=chance.choice([0.0, 0.1, 0.3]), pieces=chance.choice([1, 3])
        ),
    )


async def live(number, lost=None):
    """Cut `IN_A_SESSION` replies off while the share ``lost`` of the reports is; return the client."""
    chance = random.Random(number)
    lost = chance.choice(LOST) if lost is None else lost
    with trio.fail_after(600):
        async with (
            conversation(engines=drawn_engines(chance), read_s=None, barge_in=True) as talk,
            trio.open_nursery() as nursery,
        ):
            client = Client(talk, chance, lost)
            nursery.start_soon(client.run)
            await client.start()
            client.say(meant=3)
            for _ in range(IN_A_SESSION):
                await talk.wait_for(m.TtsChunk, first_sample=0)
                await trio.sleep(chance.uniform(0, chance.choice([0.4, 6])))
                match chance.choice(["stop", "words", "words", "cancel"]):
                    case "stop":
                        client.say("stop", meant=2)
                        await client.wait_cut()
                    case "words":
                        client.say(meant=chance.randint(3, 5))
                        await client.wait_cut()
                    case "cancel":
                        await client.cancel()
                        await client.wait_cut()
                        await client.start()
                        client.say(meant=3)
            await talk.wait_for(m.TtsChunk, first_sample=0)
            nursery.cancel_scope.cancel()
    return client


def words_of(talk, turn):
    """Return for each word of the turn's last reply its place, and how many samples are heard at its end."""
    begins: list[tuple[int, int]] = []
    done: list[int] = []
    first = 0
    for event in talk.of_turn(turn):
        match event:
            case m.Reopened():
                first = 0
                begins.clear()
                done.clear()
            case m.TtsPhrase() | m.TtsWords():
                begins += [(first + sample, place) for sample, place in event.words or ()]
            case m.TtsPhraseDone(samples=samples):
                first += samples
                done.append(first)
    ends = sorted([*done, *(sample for sample, _ in begins)])
    return [(place, next((end for end in ends if end > sample), inf)) for sample, place in begins]


def differences(client):
    """Yield for each reply that was cut off how many words more were said to be heard than were."""
    for done in client.talk.all(m.Done):
        if done.outcome in (Outcome.CANCELLED, Outcome.INTERRUPTED):
            words = words_of(client.talk, done.turn)
            said = sum(place < done.heard for place, _ in words)
            yield said - sum(end <= client.player.played[done.turn] for _, end in words)


def understood(client):
    """Return the words of the finals that count: what a reopening made void does not."""
    finals = {}
    for event in client.talk.heard:
        match event:
            case m.Final(turn=turn, text=text):
                finals[turn] = text
            case m.Reopened(turn=turn):
                finals.pop(turn, None)
    return MEANT.findall(" ".join(finals.values()))


async def test_what_was_heard_of_a_reply_that_was_cut_off_is_known_to_a_word(autojump_clock):
    off: Counter[int] = Counter()
    for number in range(-(-CUTS // IN_A_SESSION)):
        client = await live(number)
        assert understood(client) == client.words
        off.update(differences(client))
    print(f"{off.total()} replies cut off; words too many: {sorted(off.items())}")
    assert off.total() >= 0.9 * CUTS
    assert max(off) <= 0, "words that nobody heard"
    assert min(off) >= -1, "a word that was heard was forgotten, and another"
