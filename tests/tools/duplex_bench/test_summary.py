"""Figures of many sessions, what the command takes, and recordings on disk."""

import json
from dataclasses import replace

import click
import numpy as np
import pytest
from click.testing import CliRunner

from tests.tools.duplex_bench.made_up import line, played, recording, said_so, turn
from tools.duplex_bench.__main__ import configuration, main
from tools.duplex_bench.recording import read
from tools.duplex_bench.running import Configuration
from tools.duplex_bench.scoring import score
from tools.duplex_bench.script import Kind
from tools.duplex_bench.summary import as_json, by_group, figures, table

INTO = Kind.INTERRUPTION


def of(*recordings):
    return figures([score(one) for one in recordings])


def test_gaps_cuts_and_missed_ends_are_counted_over_sessions():
    found = of(
        recording([turn((1, 2)), turn((8, 9))], [(2.4, 3), (9.6, 11)], seconds=30),
        recording([turn((1, 2), (3, 4)), turn((8, 9))], [(2.4, 6), (15, 16)], seconds=30),
    )
    assert found["sessions"] == 2
    assert found["minutes"] == 1.0
    assert found["lines to answer"] == 4
    assert found["response gap p50, s"] == pytest.approx(0.6)
    assert found["response gap p95, s"] == pytest.approx(6.0)
    assert found["early ends heard, %"] == 25
    assert found["ends missed, %"] == 25
    # Without a log there is nothing that needs one.
    assert not [name for name in found if "(log)" in name and not name.startswith("errors")]


def test_words_are_counted_by_the_log():
    log = [
        said_so(2.5, "ended"),
        said_so(2.5, "final", text="word0"),
        {"at": 20, "kind": "late", "seconds": 0.0804},
    ]
    found = of(recording([turn((1, 2), (3, 4))], [(4.5, 6)], log=log))
    assert found["words"] == 2
    assert found["words lost (log)"] == 1
    assert found["words lost (log), %"] == 50
    assert found["lines with their first word (log), %"] == 100
    assert found["early ends (log), %"] == 100
    assert found["early ends heard, %"] == 0
    assert found["harmful cuts (log), %"] == 100
    # The answer came soon, to half of it.
    assert "response gap p50, s" not in found
    assert found["microphone late at most (log), s"] == 0.08


def test_interruptions_that_go_unnoticed_have_no_times():
    deaf = of(recording([turn((0.5, 1)), turn((5, 6), kind=INTO)], [(1.5, 15)]))
    assert deaf["interruptions"] == 1
    assert deaf["interruptions noticed, %"] == 0
    assert "onset to silence p50, s" not in deaf
    keen = of(recording([turn((0.5, 1)), turn((5, 6), kind=INTO)], [(1.5, 5.25), (7, 8)]))
    assert keen["interruptions noticed, %"] == 100
    assert keen["onset to silence p95, s"] == pytest.approx(0.25)


def test_noises_and_backchannels_are_apart():
    yeah, cough = line(Kind.BACKCHANNEL, ("yeah", 5, 5.5)), line(Kind.NOISE, begin_s=12, end_s=12.5)
    log = [said_so(5.1, "hold"), played(1, 1, 5.2), played(1, 6.2, 12.2, source=67_200), said_so(12.1, "hold")]
    found = of(recording([yeah, cough], [(1, 5.2), (6.2, 12.2)], log=log))
    assert found["backchannels: false stops, %"] == 0
    assert found["backchannels: paused, %"] == 100
    assert found["backchannels: pause p50, s"] == pytest.approx(1.0)
    assert found["backchannels: words said again at most (log)"] == 0
    assert found["noises: false stops, %"] == 100
    assert found["noises: taken for words (log), %"] == 0
    # Each was held for something.
    assert found["holds at nothing (log)"] == 0


def test_asides_and_replies_to_nobody():
    found = of(recording([turn((5, 6), kind=Kind.ASIDE)], [(6.5, 8), (12, 13)], seconds=60, left_out=2))
    assert found["asides answered, %"] == 100
    assert found["unasked replies a minute"] == 1
    assert found["lines left out"] == 2


def test_servers_stand_side_by_side_and_groups_below_one_another():
    good = recording([turn((1, 2))], [(2.4, 3)])
    slow = replace(recording([turn((1, 2))], [(3.1, 4)]), server="slow")
    other = replace(good, group="other")
    scores = [score(one) for one in (good, slow, other)]
    assert list(by_group(scores)) == ["some", "other"]
    assert list(by_group(scores)["other"]) == ["server"]
    shown = table(scores)
    head, *rows = shown.split("\n\n")[0].splitlines()
    assert head.split() == ["some", "server", "slow"]
    assert next(row for row in rows if row.startswith("response gap p50")).split()[-2:] == ["0.4", "1.1"]
    assert json.loads(json.dumps(as_json(scores, {"seed": 1})))["sessions"][1]["lines"][0]["answer"]["gap_s"]


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("fixed", Configuration("fixed")),
        ("quick:STREAM_VAD_SILENCE_MS=300", Configuration("quick", {"STREAM_VAD_SILENCE_MS": "300"})),
        ("a:STREAM_VAD=webrtc,X=b=c", Configuration("a", {"STREAM_VAD": "webrtc", "X": "b=c"})),
        ("there=ws://127.0.0.1:8765/ws", Configuration("there", url="ws://127.0.0.1:8765/ws")),
    ],
)
def test_a_server_is_named_with_its_environment_or_its_address(text, read_as):
    assert configuration(text) == read_as


@pytest.mark.parametrize("text", ["", ":A=b", "name:novalue", "name:=b", "=ws://127.0.0.1/ws"])
def test_what_is_no_server_is_refused(text):
    with pytest.raises(click.BadParameter):
        configuration(text)


def test_an_adapter_that_is_not_there_is_refused():
    done = CliRunner().invoke(
        main, ["--adapter", "tools.duplex_bench.ours:nothing", "--lines", "1", "--group", "noises"]
    )
    assert done.exit_code == 1
    assert "--adapter tools.duplex_bench.ours:nothing" in done.output


# --- on disk ----------------------------------------------------------------------------------------------------------


def test_what_was_written_is_read_and_scored_alike(tmp_path):
    log = [said_so(2.5, "ended"), played(1, 2.6, 4)]
    made = recording([turn((1, 2)), line(Kind.NOISE, begin_s=3, end_s=3.4)], [(2.6, 4)], log=log, left_out=1)
    made.write(tmp_path)
    again = read(tmp_path / "server-made-up.script.json")
    assert np.abs(again.left - made.left).max() < 1e-4
    assert np.abs(again.right - made.right).max() < 1e-4
    assert np.abs(again.microphone - made.microphone).max() < 1e-4
    assert (again.said, again.log, again.left_out) == (made.said, made.log, 1)
    assert score(again) == score(made)


def test_the_sound_and_the_script_are_enough(tmp_path):
    recording([turn((1, 2))], [(2.6, 4)], log=[said_so(2.5, "ended")]).write(tmp_path)
    (tmp_path / "server-made-up.log.jsonl").unlink()
    (tmp_path / "server-made-up.mic.wav").unlink()
    (scored,) = score(read(tmp_path / "server-made-up.script.json")).lines
    assert scored.answer.gap_s == pytest.approx(0.6)
    assert scored.answer.ended_early is None


def test_kept_recordings_are_scored_by_the_command(tmp_path):
    recording([turn((1, 2))], [(2.6, 4)]).write(tmp_path)
    done = CliRunner().invoke(main, ["--score", str(tmp_path), "--json", str(tmp_path / "figures.json")])
    assert done.exit_code == 0
    assert "response gap p50, s" in done.output
    assert json.loads((tmp_path / "figures.json").read_text())["groups"]["some"]["server"]["lines to answer"] == 1
