"""The course of an utterance in a recognizer on another machine: partials, finals begun early, and what is given up."""

from contextlib import asynccontextmanager

import pytest
import trio

from tests.engines.far_end import Answer, far_server, words
from tests.engines.far_recognizer import SECOND, recognizer, utterance_of
from voice_trio.core.audio import ms_to_samples
from voice_trio.core.breaker import MOST_FAILURES
from voice_trio.core.endpointer import WEIGHED_PAUSE_MS
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Hypothesis, Transcript
from voice_trio.testing.scripted import ScriptedRecognizer

pytestmark = pytest.mark.real


async def test_who_is_cancelled_closes_the_connection():
    async with utterance_of(Answer(hangs=True)) as (server, utterance):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(utterance.settle, 16_000)
            await server.arrived.wait()
            nursery.cancel_scope.cancel()
        await server.asked[0].left.wait()
        assert utterance.samples == 16_000


async def test_leaving_an_utterance_closes_the_connection():
    async with far_server(Answer(hangs=True)) as server, recognizer(server.url) as remote:
        async with trio.open_nursery() as nursery:

            async def speak():
                async with remote.open("en") as utterance:
                    utterance.feed(SECOND)
                    await utterance.anticipate(12_000)

            nursery.start_soon(speak)
            await server.arrived.wait()
            nursery.cancel_scope.cancel()
        await server.asked[0].left.wait()


async def test_partials_are_of_the_audio_so_far_and_not_asked_for_twice():
    async with utterance_of(words("It is"), words("It is noon.")) as (server, utterance):
        assert await utterance.hypothesize() == Hypothesis("It is", 16_000)
        assert await utterance.hypothesize() == Hypothesis("It is", 16_000)
        assert len(server.asked) == 1
        utterance.feed(SECOND)
        assert await utterance.hypothesize() == Hypothesis("It is noon.", 32_000)


async def test_a_partial_that_cannot_be_had_is_no_error():
    async with utterance_of(words("It is"), Answer(status=500), words("It is noon.")) as (_, utterance):
        await utterance.hypothesize()
        utterance.feed(SECOND)
        assert await utterance.hypothesize() == Hypothesis("It is", 16_000)
        assert (await utterance.settle(32_000)).text == "It is noon."


async def test_of_a_far_end_that_rests_partials_are_heard_here():
    local = ScriptedRecognizer(words=["what", "is", "that"])
    async with utterance_of(Answer(status=500), local=local) as (server, utterance):
        for _ in range(MOST_FAILURES - 1):
            assert await utterance.hypothesize() == Hypothesis("", 0)
        assert (await utterance.hypothesize()).text == "what is that"
        utterance.feed(SECOND)
        await utterance.hypothesize()
        assert len(server.asked) == MOST_FAILURES
        assert (await utterance.settle(32_000)).text == "what is that"
    assert local.utterances == 1


async def test_what_stands_by_may_refuse_as_well():
    class Refusing(ScriptedRecognizer):
        @asynccontextmanager
        async def open(self, language):
            await trio.lowlevel.checkpoint()
            raise EngineError(ErrorCode.ASR_FAIL, "There is no such language.")
            yield

    async with utterance_of(Answer(status=500), local=Refusing()) as (server, utterance):
        for _ in range(MOST_FAILURES):
            assert await utterance.hypothesize() == Hypothesis("", 0)
        assert len(server.asked) == MOST_FAILURES
        with pytest.raises(EngineError, match=r"^ASR_FAIL: There is no such language\.$"):
            await utterance.settle(16_000)


async def test_partials_can_be_left_out():
    async with utterance_of(words("It is noon."), remote_partials="off") as (server, utterance):
        assert await utterance.hypothesize() == Hypothesis("", 0)
        assert server.asked == []
        assert (await utterance.settle(16_000)).text == "It is noon."


async def test_an_early_final_is_the_final():
    async with utterance_of(words("It is noon."), words("Something else.")) as (server, utterance):
        assert await utterance.anticipate(12_000) == Transcript("It is noon.", "en")
        utterance.feed(SECOND)
        assert await utterance.settle(32_000, 12_000) == Transcript("It is noon.", "en")
        assert len(server.asked) == 1
        assert (await utterance.settle(32_000)).text == "Something else."


async def test_what_is_begun_when_a_pause_is_told_of_is_the_final():
    voiced = 16_000 - ms_to_samples(WEIGHED_PAUSE_MS)
    async with utterance_of(words("It is noon.")) as (server, utterance):
        assert await utterance.anticipate(voiced) == Transcript("It is noon.", "en")
        utterance.feed(SECOND)
        assert await utterance.settle(24_000, voiced) == Transcript("It is noon.", "en")
        assert len(server.asked) == 1


async def test_a_final_takes_over_the_early_one_that_is_under_way():
    async with utterance_of(Answer(hangs=True), remote_attempt_s=60) as (server, utterance):
        async with trio.open_nursery() as nursery:
            async with trio.open_nursery() as pause:
                pause.start_soon(utterance.anticipate, 12_000)
                await server.arrived.wait()
                nursery.start_soon(utterance.settle, 16_000, 12_000)
                await trio.testing.wait_all_tasks_blocked()
                pause.cancel_scope.cancel()
            await trio.testing.wait_all_tasks_blocked()
            assert len(server.asked) == 1
            assert not server.asked[0].left.is_set()
            nursery.cancel_scope.cancel()
        await server.asked[0].left.wait()


async def test_another_final_takes_the_early_one_back():
    async with utterance_of(Answer(hangs=True), words("It is noon.")) as (server, utterance):
        early = []

        async def anticipate():
            early.append(await utterance.anticipate(8_000))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(anticipate)
            await server.arrived.wait()
            assert (await utterance.settle(16_000)).text == "It is noon."
        assert early == [None]
        await server.asked[0].left.wait()


async def test_nothing_is_asked_about_nothing():
    async with utterance_of(words("Thank you.")) as (server, utterance):
        assert await utterance.settle(0) == Transcript("", "en")
        assert server.asked == []
