"""Whatever a client does and however the engines behave: a session log is equal in its replay, and can be read.

The conversations are those in which the promises of a session are tested. Only, nothing here happens at the same
instant as something else: which of two comes first is then chance, in the session log as in the replay.
"""

import os
from contextlib import suppress
from dataclasses import replace
from typing import Any

import trio
from hypothesis import given, settings, strategies as st

from tests.journal.conversations import difference, record, recording, spelled
from tests.session.promises import RecordingStore
from tests.session.test_properties import ACTIONS, ENGINES, UNHURRIED
from voice_trio.core import messages as m
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed, Malformed
from voice_trio.testing.scripted import scripted_engines

ENDINGS = ["stay", "vanish", "malformed", "drain", "cancelled"]


def apart(reply):
    """Return ``reply`` with some time before all that it does, and no pause as long as the one that ends a phrase."""
    tokens: list[Any] = []
    for token in reply.tokens:
        tokens += [0.0019, token] if isinstance(token, Exception) else [0.71 if token == 0.7 else token]
    return replace(reply, tokens=tokens, token_s=reply.token_s + 0.00097)


def engines_apart(drawn):
    """Return the engines that were drawn, none of which answers at once, and none as fast as another."""
    recognizer, model, voice = drawn.recognizer, drawn.language_model, drawn.synthesizer
    return scripted_engines(
        recognizer=replace(recognizer, settle_s=recognizer.settle_s + 0.0011, open_s=recognizer.open_s + 0.0007),
        language_model=replace(model, replies=[apart(reply) for reply in model.replies]),
        synthesizer=replace(voice, speak_s=voice.speak_s + 0.00171),
    )


async def live(notes, actions, drawn, *, fails, ending, read_s):
    leaves_after_s = None if ending == "cancelled" else 0.0
    async with recording(
        notes, engines=engines_apart(drawn), store=RecordingStore(fails), read_s=read_s, leaves_after_s=leaves_after_s
    ) as talk:
        with suppress(LinkClosed):
            for action in actions:
                if isinstance(action, float):
                    await trio.sleep(action)
                else:
                    await talk.ask(action)
                await trio.sleep(0.00313)
            if ending == "malformed":
                await talk.ask(Malformed("nonsense", Farewell.BAD_DATA))
        if ending == "drain":
            talk.session.drain(1.0)
        if ending in ("stay", "malformed", "drain"):
            await trio.sleep(200)
        if ending == "stay":
            # Hands-free waits for ever, and rightly.
            with suppress(LinkClosed):
                await talk.ask(m.Cancel())


@settings(max_examples=int(os.environ.get("EXAMPLES", "40")), **UNHURRIED)
@given(
    actions=st.lists(ACTIONS, max_size=12),
    drawn=ENGINES,
    fails=st.sampled_from([False, False, False, True]),
    ending=st.sampled_from(ENDINGS),
    read_s=st.sampled_from([0.0, 0.0, 0.05]),
)
def test_a_replay_is_equal(actions, drawn, fails, ending, read_s):
    notes = record(lambda notes: live(notes, actions, drawn, fails=fails, ending=ending, read_s=read_s))
    assert difference(spelled(notes)) is None
