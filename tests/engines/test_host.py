"""One engine takes another's place: when, for whom, and what is left of either."""

import sys
from contextlib import asynccontextmanager

import pytest
import structlog
import trio

from tests.plugging import plugging
from voice_trio import config
from voice_trio.config import ConfigError
from voice_trio.engines.base import CannotLoad
from voice_trio.engines.host import SwapUnderWay, open_host
from voice_trio.engines.synthetic import SyntheticModel
from voice_trio.entry_points import Kind
from voice_trio.testing.scripted import ScriptedLanguageModel, scripted_engines

pytestmark = pytest.mark.real  # which engines there are is found out in threads

BIRD = """
    import trio

    lives = []
    hatching, gate = trio.Event(), trio.Event()

    @asynccontextmanager
    async def hatch(settings):
        lives.append("begun")
        hatching.set()
        try:
            BEFORE
            bird = Parrot()
            bird.name = "NAME"
            lives.append("warm")
            yield bird
            AFTER
        finally:
            lives.append("closed")

    PLUG = parrot(name="NAME", open=hatch, quality=1)
"""
LLM = Kind.LANGUAGE_MODEL


class Inn:
    """A language model that is another one from time to time."""

    name = property(lambda self: self.now.name)
    synthetic = property(lambda self: self.now.synthetic)
    stream = property(lambda self: self.now.stream)

    def __init__(self):
        self.now = SyntheticModel()
        self._came = trio.Event()

    def put(self, model):
        self.now = model
        self._came.set()
        self._came = trio.Event()

    def leased(self):
        return self.now

    async def wait_other(self, than):
        while self.now is than:
            await self._came.wait()
        return self.now


@pytest.fixture
def hatch(tmp_path, monkeypatch):
    """Return what installs a bird, and returns its module."""
    with plugging(tmp_path, monkeypatch) as plug_in:

        def hatch(name, before="pass", after="pass"):
            code = BIRD.replace("NAME", name).replace("BEFORE", before).replace("AFTER", after)
            module = plug_in(code, f"language_model.{name}", package=name)
            sys.path_importer_cache.clear()
            __import__(module)
            return sys.modules[module]

        yield hatch


@asynccontextmanager
async def scripted(settings):
    yield scripted_engines()


@asynccontextmanager
async def hosting(**settings):
    with trio.fail_after(30):
        async with open_host(config.load(**settings), scripted) as host:
            yield host


async def closed(bird):
    """Wait until ``bird`` lives no more."""
    while bird.lives[-1] != "closed":  # noqa: ASYNC110 - nothing is told of it, which is the point
        await trio.sleep(0.001)


async def test_turns_to_come_start_with_the_new_one_and_others_keep_theirs(hatch):
    robin, wren = hatch("robin"), hatch("wren")
    swaps = []
    async with hosting() as host:
        host.on_change = lambda kind: swaps.append((kind, host.engines.language_model.name))
        first = host.engines
        await host.swap(LLM, "robin")
        assert (first.language_model.name, host.engines.language_model.name) == ("scripted", "robin")
        assert host.engines.recognizer is first.recognizer
        early, late = host.engines, host.engines
        with late.lease():
            with early.lease():
                await host.swap(LLM, "wren")
                assert robin.lives == ["begun", "warm"]
            await trio.testing.wait_all_tasks_blocked()
            assert robin.lives == ["begun", "warm"], "one turn still has it"
        await closed(robin)
        assert (wren.lives, host.engines.language_model.name) == (["begun", "warm"], "wren")
        assert (host.name_of(LLM), swaps) == ("wren", [(LLM, "robin"), (LLM, "wren")])
        await host.swap(LLM, "wren")
        assert len(swaps) == 2, "it was there already"
    assert wren.lives == ["begun", "warm", "closed"]


async def test_what_comes_into_the_place_of_a_model_is_told_while_that_is_at_work(hatch):
    hatch("robin")
    told = []
    inn = Inn()

    @asynccontextmanager
    async def opened(settings):
        yield scripted_engines(language_model=inn)

    with trio.fail_after(30):
        async with open_host(config.load(), opened) as host:
            host.on_change = lambda kind: told.append((kind, host.engines.language_model.name))
            await trio.testing.wait_all_tasks_blocked()
            with host.engines.lease() as before:
                inn.put(ScriptedLanguageModel(name="guest"))
                await trio.testing.wait_all_tasks_blocked()
                with host.engines.lease() as after:
                    await host.swap(LLM, "robin")
                    inn.put(ScriptedLanguageModel(name="another"))
                    await trio.testing.wait_all_tasks_blocked()
            assert (before.language_model.name, after.language_model.name) == ("synthetic", "guest")
    assert told == [(LLM, "guest"), (LLM, "robin")]


async def test_until_it_is_warm_all_is_as_it_was_and_no_third_one_is_opened(hatch):
    slow = hatch("slow", "await gate.wait()")
    hatch("wren")
    async with hosting() as host, trio.open_nursery() as nursery:
        nursery.start_soon(host.swap, LLM, "slow")
        await slow.hatching.wait()
        assert (host.engines.language_model.name, host.swapping) == ("scripted", (LLM, "slow"))
        with pytest.raises(SwapUnderWay):
            await host.swap(LLM, "wren")
        slow.gate.set()
        await slow_is_there(host)
    assert host.swapping is None


async def slow_is_there(host):
    while host.engines.language_model.name != "slow":  # noqa: ASYNC110
        await trio.sleep(0.001)


async def test_a_swap_that_is_given_up_leaves_nothing(hatch):
    slow = hatch("slow", "await gate.wait()")
    async with hosting() as host:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host.swap, LLM, "slow")
            await slow.hatching.wait()
            nursery.cancel_scope.cancel()
        assert (slow.lives, host.swapping, host.engines.language_model.name) == (["begun", "closed"], None, "scripted")


async def test_whoever_gives_up_in_the_last_moment_has_it_whole_or_not_at_all(hatch):
    slow = hatch("slow", "await gate.wait()")
    async with hosting() as host:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host.swap, LLM, "slow")
            await slow.hatching.wait()
            slow.gate.set()
            nursery.cancel_scope.cancel()
        there = host.engines.language_model.name == "slow"
        assert slow.lives[-1] == ("warm" if there else "closed")


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ("raise CannotLoad('It has no wings.')", "slow of slow 1.0 fails: It has no wings."),
        ("raise RuntimeError('oh')", "slow of slow 1.0 fails: it cannot be opened: RuntimeError: oh"),
        ("import nowhere", "slow of slow 1.0 fails: it cannot be opened: ModuleNotFoundError"),
    ],
)
async def test_one_that_fails_to_open_changes_nothing_and_says_why(hatch, before, sentence):
    slow = hatch("slow", before)
    async with hosting() as host:
        first = host.engines
        with pytest.raises(CannotLoad) as caught:
            await host.swap(LLM, "slow")
        assert str(caught.value).startswith(sentence)
        assert (host.engines, host.swapping, slow.lives) == (first, None, ["begun", "closed"])


async def test_what_stands_before_the_engines_stands_before_the_new_one_or_refuses_it(hatch):
    robin = hatch("robin")
    wren = hatch("wren")

    def tap(engines):
        if engines.language_model.name == "wren":
            raise ConfigError("STREAM_FAULTS: no wren can be struck.")
        seen.append(engines.language_model.name)
        return engines

    seen: list[str] = []
    async with hosting() as host:
        host.tap(tap)
        await host.swap(LLM, "robin")
        with pytest.raises(CannotLoad, match="no wren"):
            await host.swap(LLM, "wren")
        assert (seen, host.engines.language_model.name) == (["scripted", "robin"], "robin")
        assert (wren.lives, robin.lives) == (["begun", "warm", "closed"], ["begun", "warm"])


async def test_an_old_one_that_fails_to_close_harms_nobody(hatch):
    hatch("robin", after="raise RuntimeError('oh')")
    hatch("wren")
    with structlog.testing.capture_logs() as lines:
        async with hosting() as host:
            await host.swap(LLM, "robin")
            await host.swap(LLM, "wren")
            await trio.testing.wait_all_tasks_blocked()
            assert host.engines.language_model.name == "wren"
    assert "engine failed after it was replaced" in [line["event"] for line in lines]


async def test_one_that_is_at_work_and_fails_ends_the_host(hatch):
    hatch("robin", after="raise RuntimeError('oh')")
    with pytest.RaisesGroup(pytest.RaisesExc(RuntimeError, match="oh")):
        async with hosting() as host:
            await host.swap(LLM, "robin")


async def test_what_the_block_raises_comes_out_as_it_is_and_all_is_closed(hatch):
    robin = hatch("robin")

    async def swap_and_fail():
        async with hosting() as host:
            await host.swap(LLM, "robin")
            raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        await swap_and_fail()
    assert robin.lives[-1] == "closed"


async def test_cancelled_around_it_all_is_closed(hatch):
    robin = hatch("robin")
    with trio.CancelScope() as scope:
        async with hosting() as host:
            await host.swap(LLM, "robin")
            scope.cancel()
            await trio.sleep_forever()
    assert (scope.cancelled_caught, robin.lives[-1]) == (True, "closed")


async def test_what_weighs_pauses_is_swapped_as_well_where_there_was_nothing():
    with trio.fail_after(60):
        async with open_host(config.load(), scripted) as host:
            assert host.engines.end_of_turn is None
            for name, called in [("words", "words alone"), ("smart-turn", "Smart Turn v3.2")]:
                await host.swap(Kind.END_OF_TURN, name)
                with host.engines.lease() as engines:
                    assert engines.end_of_turn.name == called
