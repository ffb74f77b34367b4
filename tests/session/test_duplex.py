"""Random people speak before and into random replies, over random networks: no word of theirs is lost, or heard twice.

    DUPLEX=3000 pytest tests/session/test_duplex.py

A session's number is its seed, so one that fails can be run again alone: ``DUPLEX=3000 pytest -k "[137]" ...``
"""

import os
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace

import pytest
import trio
from structlog.testing import capture_logs

from tests.session.promises import RecordingStore, check, listen_in
from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.core.playout import Playout
from voice_trio.testing.conversation import Conversation, conversation
from voice_trio.testing.explorer.promises import heard_between
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.promises import broken_ledger
from voice_trio.testing.scripted import (
    ScriptedEndOfTurn,
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
    silent,
    voiced,
)

SESSIONS = int(os.environ.get("DUPLEX", "200"))
SHORTEST_WINDOW_S = 0.3
WORD = re.compile(r"w\d+")
"""Those that are meant; each is said once."""


@dataclass
class Person:
    """What somebody says, and how it reaches the server."""

    pcm: bytes
    words: list[str]
    jitter_s: float
    stall: tuple[float, float]
    """From when on, for how long nothing comes; then all of it at once."""
    reports: str
    """Of what was played: none, all, or some of them, late."""
    cancels_after_s: float | None
    types: bool


def drawn_person(chance):
    pcm = b""
    words: list[str] = []
    for _ in range(chance.randint(1, 7)):
        kind = chance.choice(["words", "words", "words", "sign", "sign", "noise", "stop"])
        meant = [f"w{len(words) + n}" for n in range(chance.randint(1, 5))] if kind in ("words", "stop") else []
        words += meant
        # A single word that is shorter is taken for a sound.
        word_ms = chance.choice([240, 300, 420] if len(meant) > 1 else [600, 720])
        makers: dict[str, Callable[[], bytes]] = {
            "words": partial(spoken, *meant, word_ms=word_ms),
            "stop": partial(spoken, "stop", *meant, word_ms=word_ms),
            "sign": lambda: spoken(*chance.choice([["mhm"], ["yeah", "right"], ["okay"]])),
            "noise": lambda: voiced(chance.choice([120, 400, 1200, 4000])),
        }
        pcm += makers[kind]()
        pcm += silent(chance.choice([60, 240, 420, 900, 1500, 2500, 2500, 5000]))
    return Person(
        pcm=pcm + silent(chance.choice([0, 0, 3000])),
        words=words,
        jitter_s=chance.choice([0.0, 0.05, 0.15]),
        stall=(chance.uniform(0, 10), chance.choice([0.0, 0.0, 0.15, 0.5, 2.0])),
        reports=chance.choice(["none", "all", "some"]),
        cancels_after_s=chance.choice([None, None, None, None, chance.uniform(0, 12)]),
        types=chance.random() < 0.2,
    )


def drawn_engines(chance):
    replies = [
        ScriptedReply(
            tokens=[chance.choice([0.0, 0.3, 2.0]), *["Some words. "] * chance.choice([0, 3, 12, 12])],
            token_s=chance.choice([0.0, 0.02, 0.2]),
        )
        for _ in range(5)
    ]
    return scripted_engines(
        recognizer=LiteralRecognizer(
            hypothesize_s=chance.choice([0.0, 0.05, 0.4]),
            settle_s=chance.choice([0.0, 0.1, 0.7]),
            settles_early=chance.random() < 0.5,
        ),
        language_model=ScriptedLanguageModel(replies=replies),
        synthesizer=ScriptedSynthesizer(char_ms=chance.choice([20, 40, 80]), speak_s=chance.choice([0.0, 0.1, 0.5])),
        end_of_turn=drawn_end_of_turn(chance),
    )


def drawn_end_of_turn(chance):
    if chance.random() < 0.5:
        return None
    return ScriptedEndOfTurn([chance.choice([None, 0.2, 0.95, 0.978, 0.99]) for _ in range(20)])


@dataclass
class Player:
    """What the person hears: an honest player, which says late how far it came, or never."""

    talk: Conversation
    person: Person
    chance: random.Random
    heard: Counter[int] = field(default_factory=Counter)
    """Samples of each turn."""

    async def play(self, nursery):
        at, turn, held, ticks = 0, 0, False, 0
        there: Counter[int] = Counter()
        while True:
            await trio.sleep(0.1)
            ticks += 1
            if turn and not held:
                self.heard[turn] = min(there[turn], self.heard[turn] + SAMPLE_RATE // 10)
            for event in self.talk.heard[at:]:
                match event:
                    case m.TtsChunk():
                        turn = event.turn
                        there[turn] += len(event.pcm) // 2
                    case m.Hold() | m.Release():
                        held = isinstance(event, m.Hold)
                    case m.Reopened():
                        there[event.turn] = self.heard[event.turn] = 0
                        held = False
                    case m.Done(outcome=Outcome.CANCELLED | Outcome.INTERRUPTED):
                        there[event.turn] = self.heard[event.turn]
                        held = False
            at = len(self.talk.heard)
            lost = self.person.reports == "some" and self.chance.random() < 0.3
            if turn and ticks % 3 == 0 and self.person.reports != "none" and not lost:
                nursery.start_soon(self._report, m.Played(turn=turn, samples=self.heard[turn]))

    async def _report(self, played):
        await trio.sleep(self.chance.uniform(0, 0.15))
        await self.talk.ask(played)


async def speak(talk, person, chance):
    """Say all of it at the speed of speech; what the network holds up comes in a burst."""
    began = trio.current_time()
    size = 2 * SAMPLE_RATE * chance.choice([30, 60]) // 1000
    for at in range(0, len(person.pcm), size):
        message = person.pcm[at : at + size]
        due = (at + len(message)) / 2 / SAMPLE_RATE
        stalled, length = person.stall
        late = stalled + length - due if stalled <= due < stalled + length else 0.0
        await trio.sleep_until(began + due + max(late, chance.uniform(0, person.jitter_s)))
        await talk.ask(m.Audio(message))


async def cancel(talk, after_s):
    await trio.sleep(after_s)
    await talk.ask(m.Cancel())


def in_a_turn(talk):
    return len({event.turn for event in talk.all(m.StateChanged)}) > len(talk.all(m.Done))


async def quiet(talk):
    """Wait until all is said, and answered."""
    calm = 0
    while calm < 4:
        await trio.sleep(1)
        calm = 0 if in_a_turn(talk) else calm + 1


async def live(number):
    """Live session ``number``; return what there is to see of it."""
    chance = random.Random(number)
    person, engines, store = drawn_person(chance), drawn_engines(chance), RecordingStore(fails=False)
    longest_ms = chance.choice([60_000, 60_000, 60_000, 4000])
    tasks = trio.lowlevel.current_statistics().tasks_living
    with trio.fail_after(1000), capture_logs() as logs:
        async with conversation(
            engines=engines,
            store=store,
            vad_silence_ms=chance.choice([round(SHORTEST_WINDOW_S * 1000), 500, 700]),
            playout_lead_ms=chance.choice([200, 1000]),
            max_utterance_ms=longest_ms,
            barge_in=True,
        ) as talk:
            said = listen_in(talk.session)
            player = Player(talk, person, chance)
            await talk.ask(m.Start(mode="hands_free"))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(player.play, nursery)
                if person.cancels_after_s is not None:
                    nursery.start_soon(cancel, talk, person.cancels_after_s)
                await speak(talk, person, chance)
                if not person.words or person.cancels_after_s is not None:
                    # Or the first turn would wait for ever, as it should.
                    await trio.sleep(20)
                    await talk.ask(m.Cancel())
                await quiet(talk)
                if person.types:
                    await talk.ask(m.Text(text="typed"))
                    await quiet(talk)
                nursery.cancel_scope.cancel()
            assert talk.session._floor._candidate is None, "a candidate is left"
    assert trio.lowlevel.current_statistics().tasks_living == tasks
    check(talk, said, "stay", engines, store)
    ledgers = [line for line in logs if line["event"] == "latency"]
    assert [problem for ledger in ledgers for problem in broken_ledger(ledger)] == []
    return SimpleNamespace(talk=talk, person=person, player=player, ledgers=ledgers)


def void_dropped(talk):
    """Return what was said of each turn, but for what a reopening made void."""
    turns: dict[int, list[tuple[m.Event, float]]] = {}
    for event, at_s in zip(talk.heard, talk.times, strict=True):
        number = getattr(event, "turn", None)
        if isinstance(event, m.Reopened):
            turns[number] = []
        elif number is not None:
            turns.setdefault(number, []).append((event, at_s))
    return turns


def check_words(lived):
    """No word is lost, but those of a cancelled turn; none is heard twice."""
    talk, person = lived.talk, lived.person
    finals = [e.text for events in void_dropped(talk).values() for e, _ in events if isinstance(e, m.Final)]
    heard = WORD.findall(" ".join(finals))
    told = talk.all(m.Error, code=ErrorCode.MAX_DURATION_EXCEEDED)
    # The longest utterance, and one whose audio stopped coming, may end within a word: the next has it too.
    once = list(dict.fromkeys(heard)) if told or person.stall[1] >= SHORTEST_WINDOW_S else heard
    assert once == [word for word in person.words if word in once], f"{finals} of {person.words}"
    if person.cancels_after_s is None:
        assert once == person.words, finals


def check_heard(lived):
    """A reply that was cut off was heard as far as the player came, or as the best player can have come."""
    for number, events in void_dropped(lived.talk).items():
        done = next(event for event, _ in events if isinstance(event, m.Done))
        if done.outcome not in (Outcome.CANCELLED, Outcome.INTERRUPTED):
            continue
        best = Playout(lead_s=1.0)
        for event, at_s in events:
            match event:
                case m.TtsChunk():
                    best.queue(len(event.pcm) // 2, SAMPLE_RATE)
                    best.sent(len(event.pcm) // 2, at_s)
                case m.Hold():
                    best.hold(at_s)
                case m.Release():
                    best.release(at_s)
        can = best.heard(events[-1][1])
        _, most = heard_between([event for event, _ in events], can)
        assert done.heard <= most, f"turn {number}: {done.heard} of {most} characters that can have been heard"
        if lived.person.reports == "all" and lived.player.heard[number] * 2 > SAMPLE_RATE:
            _, most = heard_between([event for event, _ in events], lived.player.heard[number])
            assert done.heard <= most, f"turn {number}: {done.heard} of {most} characters that were played"


@pytest.mark.parametrize("number", range(SESSIONS))
async def test_no_word_is_lost_and_none_is_heard_twice(autojump_clock, number):
    lived = await live(number)
    check_words(lived)
    check_heard(lived)


async def test_the_draw_has_all_that_speech_without_being_asked_can_do(autojump_clock):
    seen: Counter[str] = Counter()
    for number in range(30):
        lived = await live(number)
        seen.update(type(event).__name__ for event in lived.talk.heard)
        seen.update(event.outcome for event in lived.talk.all(m.Done))
        for ledger in lived.ledgers:
            seen.update({fate: ledger.get(fate, 0) for fate in ("drafts_promoted", "drafts_discarded")})
    for what in (
        *("Reopened", "Hold", "Release", Outcome.INTERRUPTED, Outcome.CANCELLED, Outcome.EMPTY),
        *("drafts_promoted", "drafts_discarded"),
    ):
        assert seen[what] >= 2, seen
