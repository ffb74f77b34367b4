"""Smart Turn: its features are Whisper's, its judgement is better than chance, and it holds up nobody."""

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest
import trio

from voice_trio import config, sound_file
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import ErrorCode
from voice_trio.engines import load
from voice_trio.engines.base import CannotLoad, EngineError
from voice_trio.engines.decoding.scheduler import open_scheduler
from voice_trio.engines.smart_turn import model as smart_turn
from voice_trio.engines.smart_turn.features import BANDS, SPAN_SAMPLES, log_mel
from voice_trio.engines.smart_turn.model import HEARD_SAMPLES, SmartTurnModel
from voice_trio.engines.smart_turn.plug import PLUG, SmartTurn
from voice_trio.entry_points import Kind

HUMAN = Path(__file__).parent.parent / "utterances"
PAUSE = bytes(2 * SAMPLE_RATE // 5)


def whisper_features(pcm):
    """Return what faster-whisper makes of the same eight seconds."""
    from faster_whisper.feature_extractor import FeatureExtractor

    audio = np.frombuffer(pcm, "<i2")[-SPAN_SAMPLES:].astype(np.float32) / 32768
    audio = np.pad(audio, (SPAN_SAMPLES - len(audio), 0))
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)
    return FeatureExtractor(chunk_length=8)(audio, padding=0)


def noise(seconds, seed=1):
    drawn = np.random.default_rng(seed).normal(0, 3000, int(seconds * SAMPLE_RATE))
    return drawn.astype("<i2").tobytes()


@pytest.mark.real
@pytest.mark.parametrize("pcm", [noise(3), noise(12), bytes(16_000), b""], ids=["short", "long", "silence", "nothing"])
def test_its_features_are_those_of_whisper(pcm):
    features = log_mel(pcm)
    assert features.shape == (BANDS, 800)
    assert features.dtype == np.float32
    assert np.abs(features - whisper_features(pcm)).max() < 1e-3


def test_features_span_the_last_eight_seconds():
    assert np.array_equal(log_mel(noise(12)), log_mel(noise(12)[-2 * SPAN_SAMPLES :]))


# --- judgement --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    return smart_turn.load()


FINISHED = ("austen-0870", "cities-1", "cities-2", "cities-5", "cities-9", "goforward", "something")
"""Sentences that end where the recording does."""


def spoken(name):
    return sound_file.read(HUMAN / "human" / f"{name}.flac")


@pytest.mark.real
def test_the_last_words_alone_are_judged(model):
    long = noise(12)
    assert model.judge(long) == model.judge(long[-2 * HEARD_SAMPLES :])
    assert model.judge(long) != model.judge(long[-2 * HEARD_SAMPLES + 2 * SAMPLE_RATE // 4 :])


@pytest.mark.real
def test_people_who_have_finished_sound_likelier_to_have_than_those_who_are_cut_off(model):
    names = [Path(one["file"]).stem for one in json.loads((HUMAN / "human.json").read_text())]
    finished = [model.judge(spoken(name) + PAUSE) for name in names if name in FINISHED]
    broken_off = [
        model.judge(spoken(name)[: 2 * int(share * len(spoken(name)) / 2)] + PAUSE)
        for name in names
        for share in (0.35, 0.65)
    ]
    assert all(0 <= probability <= 1 for probability in finished + broken_off)
    # How often one who has finished is taken to be likelier than one who has not; 0.5 is chance.
    better = np.mean([one > other for one in finished for other in broken_off])
    assert better > 0.7
    assert np.mean([probability >= 0.95 for probability in broken_off]) < 0.4


@pytest.mark.real
async def test_auto_takes_it_and_every_session_may_ask_it_at_once():
    with trio.fail_after(60):
        async with load.open_engine(Kind.END_OF_TURN, config.load()) as opened:
            assert (opened.chosen.entry.name, opened.engine.name) == ("smart-turn", "Smart Turn v3.2")
            answers = {}

            async def ask(name):
                answers[name] = await opened.engine.probability(spoken(name) + PAUSE)

            async with trio.open_nursery() as nursery:
                for name in FINISHED:
                    nursery.start_soon(ask, name)
            assert answers.keys() == set(FINISHED)
            assert answers["goforward"] == smart_turn.load().judge(spoken("goforward") + PAUSE)


@pytest.mark.parametrize(("end_of_turn", "name"), [("words", "words alone"), ("smart-turn", "Smart Turn v3.2")])
async def test_one_may_be_asked_for(end_of_turn, name):
    with trio.fail_after(60):
        async with load.open_engine(Kind.END_OF_TURN, config.load(end_of_turn=end_of_turn)) as opened:
            assert opened.engine.name == name
            assert (await opened.engine.probability(PAUSE) is None) == (end_of_turn == "words")


# --- what may go wrong ------------------------------------------------------------------------------------------------


class Session:
    """In onnxruntime's place: what it does takes time, or fails."""

    def __init__(self, seconds=0.0, fails=False):
        self.seconds = seconds
        self.fails = fails
        self.judged = 0

    def run(self, wanted, inputs):
        if self.fails:
            raise RuntimeError("[ONNXRuntimeError]")
        time.sleep(self.seconds)
        self.judged += 1
        return [np.full((1, 1), 0.5)]


@pytest.mark.real
async def test_who_leaves_the_queue_costs_nothing():
    slow = Session(0.1)
    with trio.fail_after(30):
        async with open_scheduler(1, close_s=5) as scheduler:
            engine = SmartTurn(SmartTurnModel(slow), scheduler)
            async with trio.open_nursery() as nursery:
                for _ in range(8):
                    nursery.start_soon(engine.probability, b"")
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
            assert await engine.probability(b"") == 0.5
    assert slow.judged <= 3


@pytest.mark.real
async def test_what_goes_wrong_is_an_engines_error():
    with trio.fail_after(30):
        async with open_scheduler(1, close_s=5) as scheduler:
            with pytest.raises(EngineError, match="could not be judged") as failed:
                await SmartTurn(SmartTurnModel(Session(fails=True)), scheduler).probability(b"")
    assert failed.value.code is ErrorCode.ASR_FAIL


@pytest.mark.parametrize("damage", [None, b"", b"damaged"], ids=["gone", "empty", "other bytes"])
async def test_weights_that_are_not_the_ones_are_told_and_words_do(monkeypatch, tmp_path, damage):
    file = tmp_path / "model.onnx"
    if damage is not None:
        file.write_bytes(damage)
    monkeypatch.setattr(smart_turn, "FILE", file)
    settings = config.load()
    why = PLUG.missing(settings)
    assert why.endswith("install voice_trio again")
    assert str(file) in why
    with pytest.raises(CannotLoad, match="STREAM_END_OF_TURN asks for Smart Turn, and"):
        async with load.open_engine(Kind.END_OF_TURN, config.load(end_of_turn="smart-turn")):
            pass
    async with load.open_engine(Kind.END_OF_TURN, settings) as opened:
        assert opened.chosen.entry.name == "words"


async def test_weights_that_change_between_the_look_and_the_opening_are_no_crash(monkeypatch, tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"no model")
    monkeypatch.setattr(smart_turn, "FILE", file)
    monkeypatch.setattr(smart_turn, "SHA256", hashlib.sha256(b"no model").hexdigest())
    with pytest.raises(CannotLoad, match=r"Smart Turn cannot be used: its weights in .* cannot be loaded"):
        async with PLUG.open(config.load()):
            pass
