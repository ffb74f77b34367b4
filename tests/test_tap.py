"""What stands between a session and its engines and store."""

import inspect
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args

import pytest
import trio

from voice_trio import tapped as tapped_module
from voice_trio.core.alerts import Alert
from voice_trio.core.history import Message, Record
from voice_trio.core.messages import Outcome
from voice_trio.core.tools import Tool
from voice_trio.engines import base
from voice_trio.memory import base as memory
from voice_trio.memory.in_process import InProcessStore
from voice_trio.skills.alerts_kept import Alerts, InProcessAlerts
from voice_trio.tap import Asked, Call, Tap
from voice_trio.tapped import tapped, tapped_tool
from voice_trio.testing.scripted import ScriptedDetector, scripted_engines
from voice_trio.toolbox.base import Circumstances, ServerTool

RECORD = Record(
    conversation="c", session="s", turn=1, said="a", reply="b", heard=1, outcome=Outcome.COMPLETED, ended_at=0.0
)


class _Context:
    def __init__(self, inner):
        self.inner = inner

    async def __aenter__(self):
        return self.inner

    async def __aexit__(self, *raised):
        return None


class Prompter:
    """An engine of every kind, and a store, that answer at once."""

    name = "prompt"
    languages: Sequence[str] = ("en",)
    voices: Sequence[str] = ("v",)
    synthetic = False
    sample_rate = 16_000
    ready = True
    compute_s = 2.0

    async def probability(self, pcm):
        return 0.5

    def open(self, language):
        return _Context(self)

    def feed(self, pcm):
        pass

    async def hypothesize(self):
        return base.Hypothesis("so", 1)

    async def anticipate(self, voiced_through):
        pass

    async def settle(self, through_sample, voiced_through=None):
        return base.Transcript("so", "en")

    def stream(self, prompt):
        return _Context(self)

    async def receive(self):
        return base.TextDelta("so")

    def speak(self, text, *, seconds, voice=None, speed=1.0):
        async def make():
            return base.Speech(b"", 16_000)

        return base.whole(make)

    async def begin(self):
        return "c"

    async def recall(self, conversation):
        return [RECORD]

    async def commit(self, record):
        pass

    async def amend(self, record):
        pass

    async def prune(self, before):
        return 3


class Noting(Tap):
    def __init__(self):
        self.calls, self.over = [], []

    async def call(self, call, ask):
        self.calls.append(call)
        return await super().call(call, ask)

    def at_once(self, call, ask):
        self.calls.append(call)
        return super().at_once(call, ask)

    def left(self, begun):
        self.over.append(begun)


def behind(tap):
    one = Prompter()
    engines = base.Engines(
        recognizer=one, language_model=one, synthesizer=one, new_detector=ScriptedDetector, end_of_turn=one
    )
    return tapped(engines, one, tap)


async def ask_everything(engines, store):
    """Ask all there is to ask, and return the answers."""
    answers = [engines.new_detector().speech_probability(b"\1\0" * 480)]
    answers.append(await engines.end_of_turn.probability(b"ab"))
    async with engines.recognizer.open("en") as utterance:
        utterance.feed(b"ab")
        answers += [await utterance.hypothesize(), await utterance.anticipate(1), await utterance.settle(1, 1)]
        answers.append(utterance.compute_s)
    async with engines.language_model.stream(base.Prompt([Message("user", "hello")])) as stream:
        answers.append(await stream.receive())
    answers.append(await engines.synthesizer.speak("hello", seconds=1))
    answers += [await store.begin(), await store.recall("c"), await store.commit(RECORD), await store.amend(RECORD)]
    answers.append(await store.prune(1.0))
    return answers


async def test_a_tap_that_does_nothing_changes_nothing_and_adds_no_checkpoint():
    one = Prompter()
    plain = base.Engines(
        recognizer=one, language_model=one, synthesizer=one, new_detector=ScriptedDetector, end_of_turn=one
    )
    with trio.testing.assert_no_checkpoints():
        expected = await ask_everything(plain, one)
        assert await ask_everything(*behind(Tap())) == expected


async def test_whatever_is_asked_goes_through_it():
    tap = Noting()
    await ask_everything(*behind(tap))
    alerts = {"alerts", "put_alert", "remove_alerts"}
    assert {call.asked for call in tap.calls} == {*get_args(Asked)} - {"claim", "use"} - alerts
    begun = {call.asked: call for call in tap.calls if call.within is None}
    assert tap.over == [begun["open"], begun["stream"], begun["speak"]]
    for call in tap.calls:
        if call.within is not None:
            assert call.within in tap.over


async def test_what_is_asked_of_alerts_goes_through_it():
    alert = Alert(conversation="c", id="a", kind="timer", due_at=2.0, set_at=1.0)
    tap, inner = Noting(), InProcessAlerts([alert])
    alerts = tapped_module.TappedAlerts(inner, tap)
    assert await alerts.of("c") == [alert]
    await alerts.put(replace(alert, id="b"))
    await alerts.remove("c", ["a"])
    assert [one.id for one in await inner.of("c")] == ["b"]
    assert [call.asked for call in tap.calls] == ["alerts", "put_alert", "remove_alerts"]


@pytest.mark.parametrize("asked", ["open", "leave"])
async def test_what_began_is_left_once_however_it_ends(asked):
    class Failing(Noting):
        async def call(self, call, ask):
            if call.asked == asked:
                raise ValueError("no")
            return await super().call(call, ask)

    tap = Failing()
    engines, _ = behind(tap)
    with pytest.raises(ValueError, match="no"):
        async with engines.recognizer.open("en"):
            pass
    assert [call.asked for call in tap.over] == ["open"]


async def test_an_error_on_its_way_out_is_nobodys_answer():
    tap = Noting()
    engines, _ = behind(tap)
    with pytest.raises(KeyError):
        async with engines.language_model.stream(base.Prompt([])):
            raise KeyError("a defect")
    assert [call.asked for call in tap.calls] == ["stream"]
    assert tap.over == tap.calls


def members(protocol):
    return {name for name in vars(protocol) if not name.startswith("_")} | {*protocol.__annotations__}


@pytest.mark.parametrize(
    ("protocol", "wrapper"),
    [
        (Alerts, tapped_module.TappedAlerts),
        (base.Detector, tapped_module.TappedDetector),
        (base.EndOfTurn, tapped_module.TappedEndOfTurn),
        (base.Recognizer, tapped_module.TappedRecognizer),
        (base.Guided, tapped_module.TappedRecognizer),
        (base.Utterance, tapped_module.TappedUtterance),
        (base.LanguageModel, tapped_module.TappedLanguageModel),
        (base.Stream, tapped_module.TappedStream),
        (base.Synthesizer, tapped_module.TappedSynthesizer),
        (base.Pieces, tapped_module.TappedPieces),
        (memory.Store, tapped_module.TappedStore),
    ],
)
def test_it_has_all_that_a_session_may_ask_for(protocol, wrapper):
    own = {name for name in vars(wrapper) if not name.startswith("_")}
    assigned = {name for name in inspect.getsource(wrapper.__init__).split() if name.startswith("self.")}
    assert members(protocol) <= own | {name.removeprefix("self.") for name in assigned}


async def test_a_session_behind_it_finishes_a_real_reply(autojump_clock):
    engines, _ = tapped(scripted_engines(), InProcessStore(), Tap())
    events: list[base.ReplyEvent] = []
    async with engines.language_model.stream(base.Prompt([Message("user", "hello")])) as stream:
        while not events or not isinstance(events[-1], base.Finish):
            events.append(await stream.receive())
    assert events[-1] == base.Finish("stop")
    assert Call("begin") != Call("begin")


async def test_a_use_of_a_tool_goes_through_it_with_what_the_tool_does_to_the_session():
    async def use(arguments, circumstances):
        circumstances.control.speak_at(0.8)
        assert circumstances.control.forget_latest()
        return f"{circumstances.control.speed} {arguments['what']}"

    class Remote:
        speed = 1.0

        def speak_at(self, speed):
            self.speed = speed

        def forget_latest(self):
            return True

        def latest_latency(self):
            return None

        def alerts_changed(self):
            pass

    tap, control = Noting(), Remote()
    tool = ServerTool(tool=Tool("look_up", "", {}), use=use, has_effects=True)
    around = Circumstances(conversation="c", turn=1, now=datetime.now(), language=None, items=(), control=control)
    with trio.testing.assert_no_checkpoints():
        assert await tapped_tool(tool, tap).use({"what": "so"}, around) == "0.8 so"
    (call,) = tap.calls
    assert (call.asked, call.arguments["name"], call.arguments["arguments"]) == ("use", "look_up", {"what": "so"})
    done = call.arguments["control"]
    assert (done.speed_wished, done.forgot, done.latest_latency(), control.speed) == (0.8, 1, None, 0.8)
