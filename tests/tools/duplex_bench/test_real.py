"""The rig with a real aligner, a real voice and a real server."""

import json
from pathlib import Path

import numpy as np
import pytest
import trio

from tools.duplex_bench.alignment import NotAligned, align
from tools.duplex_bench.catalogue import GROUPS
from tools.duplex_bench.material import clip_of, people
from tools.duplex_bench.ours import open_ours
from tools.duplex_bench.recording import Recording
from tools.duplex_bench.running import CannotStart, Configuration, record_all
from tools.duplex_bench.scoring import score
from tools.duplex_bench.script import Cue, Kind, Line, Script
from tools.duplex_bench.sounds import LEVEL, cough
from tools.duplex_bench.stretches import VOICED_DB, stretches
from tools.utterances import HUMAN
from voice_trio import sound_file

pytestmark = pytest.mark.real


def test_words_are_found_where_they_are_said():
    pcm = sound_file.read(HUMAN / "human" / "goforward.flac")
    clip = clip_of("Go forward ten meters.", pcm)
    assert [word.text for word in clip.words] == ["go", "forward", "ten", "meters"]
    voiced = stretches(clip.samples, VOICED_DB)
    assert voiced[0].begin_s == pytest.approx(clip.words[0].begin_s, abs=0.1)
    assert voiced[-1].end_s == pytest.approx(clip.words[-1].end_s, abs=0.1)
    assert clip.seconds < 2


@pytest.mark.parametrize("text", ["", "Go xyzzyx ten meters."])
def test_what_the_dictionary_does_not_have_is_not_aligned(text):
    with pytest.raises(NotAligned, match="dictionary"):
        align(text, bytes(32_000))


def test_words_that_nobody_says_are_not_aligned():
    with pytest.raises(NotAligned):
        align("this is much too long to be said in so short a time", bytes(3_200))


def test_people_say_whole_sentences_as_loud_as_one_another():
    for clip in people():
        loud = clip.samples[np.abs(clip.samples) > LEVEL / 10]
        assert 0.5 * LEVEL < np.sqrt(np.mean(np.square(loud))) < 2 * LEVEL
        assert all(
            first.end_s <= second.begin_s + 0.011 for first, second in zip(clip.words, clip.words[1:], strict=False)
        )
        assert clip.words[-1].end_s <= clip.seconds


def test_a_group_is_the_same_each_time():
    (one,), (again,), (other,) = (list(GROUPS["noises"](2, seed)) for seed in (1, 1, 2))
    assert [line.kind for line in one.lines] == [Kind.TURN, Kind.NOISE, Kind.NOISE]
    assert all(
        np.array_equal(first.clip.samples, second.clip.samples) and first.after_s == second.after_s
        for first, second in zip(one.lines, again.lines, strict=True)
    )
    assert [line.after_s for line in one.lines] != [line.after_s for line in other.lines]


async def test_a_server_is_talked_with_and_another_beside_it(tmp_path):
    question = next(clip for clip in people() if clip.words[-1].text == "meters")
    talk = Script(
        "tiny",
        "tiny",
        [Line(Kind.TURN, question), Line(Kind.NOISE, cough(1), Cue.INTO, 0.5)],
        "There was a miller. He lived beside a river.",
        linger_s=4,
    )
    servers = [Configuration("long"), Configuration("short", {"STREAM_VAD_SILENCE_MS": "300"})]
    recordings: list[Recording] = []
    with trio.fail_after(150):
        broken = await record_all([talk], servers, open_ours, recordings.append, first_token_s=0.0, logs=Path(tmp_path))
    assert broken == []
    assert [one.server for one in recordings] == ["long", "short"]
    for one in recordings:
        scored = score(one)
        assert scored.lines[0].answer.words == 4
        assert scored.lines[0].answer.gap_s > 0.2
        assert one.entries("final")
        assert one.entries("heard")
        assert not scored.errors
        assert scored.unasked == 0
        one.write(tmp_path)
    assert json.loads((tmp_path / "short-tiny.script.json").read_text())["server"] == "short"


async def test_a_server_that_cannot_start_says_why(tmp_path):
    wrong = Configuration("wrong", {"STREAM_VAD_SILENCE_MS": "much"})
    with trio.fail_after(60), pytest.raises(ExceptionGroup) as caught:
        await record_all([], [wrong], open_ours, print, first_token_s=0.0, logs=Path(tmp_path))
    assert caught.group_contains(CannotStart, match="(?s)wrong: exit code 1.*STREAM_VAD_SILENCE_MS")
