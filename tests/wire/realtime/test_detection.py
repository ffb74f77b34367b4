"""What a client wants of turn detection: how sure it is, what comes before speech, and what comes of none."""

import base64
from dataclasses import replace

import pytest
import trio

from tests.wire.realtime.talking import holding, silent
from tests.wire.realtime.test_turns import LONG, SHORT, asked, detection, engines
from voice_trio.testing.scripted import ScriptedDetector, ScriptedRecognizer, ScriptedReply, ScriptedUtterance


class Recognizer(ScriptedRecognizer):
    """Keeps how long each utterance was, in ms."""

    def __init__(self):
        super().__init__()
        self.lengths: list[int] = []
        kept = self.lengths

        class Utterance(ScriptedUtterance):
            async def settle(self, through_sample, voiced_through=None):
                kept.append(through_sample // 16)
                return await super().settle(through_sample, voiced_through)

        self.utterance = Utterance


@pytest.mark.parametrize(("padding_ms", "kept_ms"), [(None, 300), (0, 0), (300, 300), (1500, 1500), (9000, 2000)])
async def test_so_much_before_the_onset_belongs_to_the_utterance(autojump_clock, padding_ms, kept_ms):
    recognizer = Recognizer()
    wanted = {} if padding_ms is None else {"prefix_padding_ms": padding_ms}
    async with holding(engines(recognizer=recognizer), to_the_end=True) as client:
        updated = await client.update(**detection(silence_duration_ms=500, **wanted))
        assert updated["session"]["audio"]["input"]["turn_detection"]["prefix_padding_ms"] == kept_ms
        await client.append(silent(3000))
        await client.speak(900)
        await client.wait_for("response.done")
        [length] = recognizer.lengths
        assert length == pytest.approx(kept_ms + 900 + 500, abs=120)


@pytest.mark.parametrize(("threshold", "is_heard"), [(None, True), (0.5, True), (0.3, True), (0.7, False), (1, False)])
async def test_more_asks_for_clearer_speech(autojump_clock, threshold, is_heard):
    class Doubtful(ScriptedDetector):
        def speech_probability(self, frame):
            return 0.6 * super().speech_probability(frame)

    async with holding(replace(engines(), new_detector=Doubtful), to_the_end=True) as client:
        await client.update(**detection(**({} if threshold is None else {"threshold": threshold})))
        await client.speak(900)
        await trio.sleep(5)
        assert bool(client.of("response.done")) is is_heard
        assert bool(client.of("input_audio_buffer.speech_started")) is is_heard


# --- nobody speaks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoken", [True, False])
async def test_who_says_nothing_is_spoken_to_again_and_again(autojump_clock, spoken):
    ours = engines(ScriptedReply(tokens=["A sentence that is spoken for a while."]), SHORT, SHORT)
    async with holding(ours, to_the_end=True) as client:
        await client.update(**detection(idle_timeout_ms=6000))
        await trio.sleep(30)
        # There was no response yet to be silent after.
        assert not client.of("input_audio_buffer.timeout_triggered")
        if spoken:
            await client.speak(900)
        else:
            await client.write("Hello?")
            await client.send("response.create", response={"metadata": {"mine": "yes"}})
        done = await client.wait_for("response.done")
        began = trio.current_time()
        sound = sum(len(base64.b64decode(event["delta"])) for event in client.of("response.output_audio.delta"))
        await client.wait_for("input_audio_buffer.timeout_triggered")
        assert trio.current_time() - began == pytest.approx(6 + sound / 48_000, abs=0.5)
        created = (await client.wait_for("response.created"))["response"]
        assert (created["id"] != done["response"]["id"], created["metadata"]) == (True, None)
        assert (await client.wait_for("response.done"))["response"]["status"] == "completed"
        prompt = ours.language_model.prompts[-1]
        assert (prompt[-1].role, "nothing for 6 seconds" in prompt[-1].content) == ("system", True)
        # What was said to silence is an item, and silence is none.
        await client.wait_for("input_audio_buffer.timeout_triggered")
        await client.wait_for("response.done")
        assert [role for role, _ in asked(ours)[-1]] == ["user", "assistant", "assistant"]


async def test_the_silence_is_told_where_it_was(autojump_clock):
    async with holding(engines(SHORT), to_the_end=True) as client:
        await client.update(**detection(idle_timeout_ms=5000))
        await client.speak(900)
        done = await client.wait_for("response.done")
        assert done["response"]["status"] == "completed"
        with trio.move_on_after(30):
            while not client.of("input_audio_buffer.timeout_triggered"):
                await client.append(silent(40))
                await trio.sleep(0.04)
        [event] = client.of("input_audio_buffer.timeout_triggered")
        assert event["audio_end_ms"] - event["audio_start_ms"] == pytest.approx(5000, abs=120)
        await client.wait_for("response.done")


async def test_who_speaks_is_not_asked_for_it(autojump_clock):
    async with holding(engines(SHORT, LONG), to_the_end=True) as client:
        await client.update(**detection(idle_timeout_ms=4000))
        await client.speak(900)
        await client.wait_for("response.done")
        await trio.sleep(3)
        # Longer than what is left, and so is the answer.
        await client.speak(6000)
        await client.wait_for("response.output_audio.delta")
        await trio.sleep(2)
        assert not client.of("input_audio_buffer.timeout_triggered")
        await client.send("response.cancel")
        await client.wait_for("response.done")


@pytest.mark.parametrize("how", ["never wanted", "no longer", "push to talk", "semantic", "not answered"])
async def test_who_does_not_want_it_is_left_in_peace(autojump_clock, how):
    async with holding(engines(SHORT), to_the_end=True) as client:
        wanted = {} if how == "never wanted" else {"idle_timeout_ms": 4000}
        if how == "not answered":
            wanted["create_response"] = False
        await client.update(**detection(**wanted))
        await client.speak(900)
        await client.wait_for("input_audio_buffer.committed" if how == "not answered" else "response.done")
        match how:
            case "no longer":
                await client.update(**detection())
            case "push to talk":
                await client.update(audio={"input": {"turn_detection": None}})
            case "semantic":
                await client.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
        await trio.sleep(60)
        assert not client.of("input_audio_buffer.timeout_triggered")


async def test_nobody_is_spoken_to_when_the_session_ends(autojump_clock):
    async with holding(engines(SHORT, LONG), to_the_end=True) as client:
        await client.update(**detection(idle_timeout_ms=4000))
        await client.speak(900)
        await client.wait_for("response.done")
        await trio.sleep(1)
        await client.send("response.create", response={"conversation": "none"})
        await client.wait_for("response.created")
        client.session.drain(60)
        with trio.fail_after(60):
            await client.over.wait()
        assert not client.of("input_audio_buffer.timeout_triggered")
