"""Whatever a client does and however the engines behave, in any order: the promises of a session hold.

Actions and engine behaviour are drawn by Hypothesis and run against the real session in virtual time.
"""

import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tests.session.promises import RecordingStore, act, check, listen_in
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError
from voice_trio.session.link import LinkClosed
from voice_trio.session.outbox import Outbox
from voice_trio.testing import scripted
from voice_trio.testing.conversation import conversation

# Multiples of the scripted engines' own delays, so that what a client does often falls on the same instant as what an
# engine does: that is where the races are.
PAUSES = st.sampled_from([0.0, 0.02, 0.05, 0.1, 0.3, 1.0, 6.0])

ACTIONS = st.one_of(
    st.builds(lambda ms: m.Audio(scripted.voiced(ms)), st.sampled_from([30, 300, 900, 2000])),
    st.builds(lambda ms: m.Audio(scripted.silent(ms)), st.sampled_from([10, 300, 900])),
    st.builds(
        lambda mode, barge_in: m.Start(mode=mode, barge_in=barge_in),
        st.sampled_from(["tap", "hold", "hands_free"]),
        st.sampled_from([None, True]),
    ),
    st.just(m.Text(text="typed")),
    st.just(m.Text(text="typed", conversation="unknown")),
    st.just(m.Stop()),
    st.builds(m.Cancel, turn=st.sampled_from([None, None, None, 1, 2])),
    st.builds(m.Played, turn=st.sampled_from([1, 2]), samples=st.sampled_from([0, 1600, 10**6])),
    st.builds(m.Sounding, turn=st.sampled_from([None, 1, 2]), sample=st.sampled_from([0, 1600])),
    st.just(m.Mark(turn=1, marks={"a": 1.0})),
    st.builds(m.Configure, instructions=st.sampled_from([None, "Be brief."]), voice=st.sampled_from([None, "nobody"])),
    PAUSES,
)

FAILURES = [EngineError(ErrorCode.LLM_FAIL, "no"), ValueError("a defect")]
REPLIES = st.builds(
    scripted.ScriptedReply,
    tokens=st.lists(
        st.sampled_from(["Well, ", "yes. ", "No more than that! ", "And so on, " * 20, 0.7, 6.0, *FAILURES]), max_size=6
    ),
    token_s=st.sampled_from([0.0, 0.02]),
    finish=st.sampled_from(["stop", "stop", "stop", None]),
)


@dataclass
class Engines:
    recognizer: scripted.ScriptedRecognizer
    language_model: scripted.ScriptedLanguageModel
    synthesizer: scripted.ScriptedSynthesizer


ENGINES = st.builds(
    Engines,
    recognizer=st.builds(
        scripted.ScriptedRecognizer,
        word_ms=st.sampled_from([300, 10_000]),
        settle_s=st.sampled_from([0.0, 0.1, 20.0]),
        open_s=st.sampled_from([0.0, 0.0, 20.0]),
        fails=st.lists(st.sampled_from([EngineError(ErrorCode.ASR_FAIL, "no"), ValueError("a defect")]), max_size=1),
    ),
    language_model=st.builds(scripted.ScriptedLanguageModel, replies=st.lists(REPLIES, min_size=1, max_size=3)),
    synthesizer=st.builds(
        scripted.ScriptedSynthesizer,
        speak_s=st.sampled_from([0.0, 0.02, 0.3]),
        fails=st.lists(
            st.sampled_from([None, EngineError(ErrorCode.TTS_FAIL, "no"), ValueError("a defect")]), max_size=2
        ),
        hangs=st.sampled_from([frozenset(), frozenset({0}), frozenset({1})]),
    ),
)


async def live(actions, drawn, *, store, ending, read_s):
    """Run a whole session and return what was heard and what was left."""
    engines = scripted.scripted_engines(
        recognizer=drawn.recognizer, language_model=drawn.language_model, synthesizer=drawn.synthesizer
    )
    with trio.fail_after(10_000):
        async with conversation(engines=engines, store=store, read_s=read_s) as talk:
            said = listen_in(talk.session)
            ending = await act(talk, actions, ending)
            if ending == "drain":
                talk.session.drain(1.0)
            if ending != "vanish":
                await trio.sleep(200)
            if ending == "stay":
                # Hands-free waits for ever, and rightly.
                with suppress(LinkClosed):
                    await talk.ask(m.Cancel())
                await trio.sleep(5)
    return talk, said, ending


def run_one(actions, drawn, *, fails, ending, read_s):
    store = RecordingStore(fails)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        talk, said, ended = trio.run(
            lambda: live(actions, drawn, store=store, ending=ending, read_s=read_s),
            clock=trio.testing.MockClock(autojump_threshold=0),
        )
    check(talk, said, ended, drawn, store)


CASE = given(
    actions=st.lists(ACTIONS, max_size=12),
    drawn=ENGINES,
    fails=st.sampled_from([False, False, False, True]),
    ending=st.sampled_from(["stay", "stay", "vanish", "malformed", "drain"]),
    read_s=st.sampled_from([0.0, 0.0, 0.05]),
)
UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=int(os.environ.get("EXAMPLES", "300")), **UNHURRIED)
@CASE
def test_the_promises_hold(actions, drawn, fails, ending, read_s):
    run_one(actions, drawn, fails=fails, ending=ending, read_s=read_s)


async def _door_without_the_check(self):
    while self._open and len(self._items) >= self._capacity:
        await self._places.park()


def test_without_the_check_at_the_door_a_promise_is_seen_to_break(monkeypatch):
    """The stale-value race: the line in `Outbox.door` that prevents it is what this test takes out."""
    monkeypatch.setattr(Outbox, "door", _door_without_the_check)

    @settings(max_examples=2000, phases=[Phase.generate], database=None, derandomize=True, **UNHURRIED)
    @given(pause=st.sampled_from([0.02 * n for n in range(1, 30)]), tokens=st.integers(2, 20))
    def cancel_on_the_beat(pause, tokens):
        drawn = Engines(
            scripted.ScriptedRecognizer(),
            scripted.ScriptedLanguageModel(replies=[scripted.ScriptedReply(tokens=["Word. "] * tokens)]),
            scripted.ScriptedSynthesizer(),
        )
        run_one([m.Text(text="go"), pause, m.Cancel()], drawn, fails=False, ending="stay", read_s=0.0)

    with pytest.raises(AssertionError):
        cancel_on_the_beat()
