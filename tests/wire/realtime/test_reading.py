"""What no client of ours sends, and somebody may: it is refused at once, and nothing is raised but `Wrong`."""

import json
from contextlib import suppress

import pytest

from voice_trio.wire.realtime.errors import Wrong
from voice_trio.wire.realtime.reading import read, read_object

LONG = 3_000_000


def event(rest, kind="output_audio_buffer.clear"):
    return f'{{"type":"{kind}","x":{rest}}}'


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("{" + ",".join(f'"{n}":1' for n in range(200_000)) + "}", "invalid_value"),
        ("[" + ",".join(["1"] * LONG) + "]", "invalid_value"),
        ("[" + ",".join(['""'] * 60_000) + "]", "invalid_value"),
        ("[" * 30_000 + "]" * 30_000, "invalid_value"),
        ('"' + "a" * LONG + '"', "string_above_max_length"),
        ("1e400", "invalid_json"),
        ("-1e999", "invalid_json"),
        ("NaN", "invalid_json"),
        ("Infinity", "invalid_json"),
        ("1" + "0" * 400, "invalid_json"),
        ("1" * 4000, "invalid_json"),
        (r'["\ud800",' + "[" * 990 + "]" * 990 + "]", "invalid_json"),
    ],
    ids=lambda value: value[:12],
)
def test_what_would_hold_everybody_up_or_is_no_number_is_refused(rest, code):
    with pytest.raises(Wrong) as refusal:
        read(event(rest))
    assert refusal.value.code == code


@pytest.mark.parametrize("deep", [1, 600, 900])
def test_half_a_character_is_mended_wherever_it_stands(deep):
    with suppress(Wrong):  # where it does not fit onto the stack
        found = read(event("[" * deep + r'"\ud800"' + "]" * deep))["x"]
        for _ in range(deep - 1):
            (found,) = found
        assert found == ["\ufffd"]


def test_audio_may_be_as_long_as_a_message():
    audio = "A" * 20_000_000
    assert read(json.dumps({"event_id": "e", "audio": audio, "type": "input_audio_buffer.append"}))["audio"] == audio


def test_an_object_may_have_what_others_have():
    said = {"name": "x" * 1000, "tools": [{"type": "function", "parameters": {}}] * 100, "speed": 1.25, "n": -12}
    assert read_object(json.dumps(said), "It") == said
