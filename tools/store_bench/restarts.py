"""Sessions whose turns end while PostgreSQL is ended as by a power cut, and started again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import trio

from tools.own_postgres import OwnPostgres
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.memory.base import Store
from voice_trio.memory.holds import Claims
from voice_trio.memory.open import open_holds, open_store
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer, scripted_engines

_BETWEEN_S: Final = 1.5
"""So long turns end in peace, before each restart and after the last."""

_LIMIT_S: Final = 120.0


@dataclass
class Restarts:
    """What was said of each turn, and what is there."""

    told: dict[tuple[str, str, int], bool | None] = field(default_factory=dict)
    """Conversation, session and turn -> whether it was announced as remembered; None where that was not known."""
    there: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """How often each is there."""

    def count(self, remembered: bool | None) -> int:
        """Return how many turns were announced so."""
        return sum(said is remembered for said in self.told.values())

    @property
    def lost(self) -> int:
        """Announced, and not there."""
        return sum(said is True and not self.there[turn] for turn, said in self.told.items())

    @property
    def denied(self) -> int:
        """There, though it was said that they are not."""
        return sum(said is False and self.there[turn] > 0 for turn, said in self.told.items())

    @property
    def unknown_there(self) -> int:
        """There, of those of which nobody knew."""
        return sum(said is None and self.there[turn] > 0 for turn, said in self.told.items())

    @property
    def twice(self) -> int:
        """There more than once."""
        return sum(times > 1 for times in self.there.values())


async def live(server: OwnPostgres, address: str, *, restarts: int, speakers: int) -> Restarts:
    """Have so many ``speakers`` talk meanwhile."""
    settings, seen = config.load(database_url=address), Restarts()
    with trio.fail_after(_LIMIT_S):
        async with open_store(settings) as store:
            with open_holds(settings, store) as holds:
                claims = Claims(holds)
                async with trio.open_nursery() as nursery:
                    over = trio.Event()
                    for number in range(speakers):
                        nursery.start_soon(_talk_on, store, claims, number, seen, over)
                    for _ in range(restarts):
                        await trio.sleep(_BETWEEN_S)
                        await trio.to_thread.run_sync(server.restart)
                    await trio.sleep(_BETWEEN_S)
                    over.set()
            for name in {name for name, _, _ in seen.told}:
                seen.there.update((name, one.session, one.turn) for one in await store.recall(name) or ())
    return seen


async def _talk_on(store: Store, claims: Claims, number: int, seen: Restarts, over: trio.Event) -> None:
    while not over.is_set():
        engines = scripted_engines(
            language_model=ScriptedLanguageModel(
                replies=[ScriptedReply(tokens=[f"Answer {n}."], token_s=0.01) for n in range(100)]
            ),
            synthesizer=ScriptedSynthesizer(char_ms=1, speak_s=0.0),
        )
        async with conversation(store=store, claims=claims, engines=engines, log_latency=False) as talk:
            opened = await talk.wait_for(m.SessionOpened)
            # Fewer than are recalled.
            for turn in range(1, 100):
                await talk.ask(m.Text(text=f"Question {turn} of {number}."))
                done = await talk.wait_for(m.Done, turn=turn)
                seen.told[opened.conversation, opened.session, turn] = done.remembered
                if over.is_set():
                    break
