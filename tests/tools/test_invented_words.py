from collections import Counter

import numpy as np
import pytest
import trio

from tools import noises
from tools.invented_words import measure
from voice_trio.engines.moonshine import model


def test_the_sounds_are_a_hundred_of_ten_kinds_and_always_the_same():
    sounds = list(noises.sounds())
    assert len(sounds) == 100
    assert Counter(sound.kind for sound in sounds) == {kind: many for kind, (_, many, _) in noises.KINDS.items()}
    assert sounds == list(noises.sounds())
    for sound in sounds:
        wave = np.frombuffer(sound.pcm, "<i2")
        assert len(wave) == noises.SECONDS * 16_000
        assert (np.abs(wave.astype(int)) >= 32767).mean() < 0.005


@pytest.mark.real
@pytest.mark.skipif(model.assets() is None, reason="there is no wheel with Moonshine's weights for this machine")
async def test_a_server_hears_no_words_where_nobody_speaks():
    chosen = {"coughs": (0, 2, 3, 9), "music": (3,), "keyboard": (2,), "breaths": (2,), "pink": (3,)}
    sounds = [sound for sound in noises.sounds() if sound.number in chosen.get(sound.kind, ())]
    with trio.fail_after(120):
        came = await measure(sounds, ("tap",), "moonshine")
    assert len(came) == len(sounds) == 8
    assert [one.final for one in came if one.final] == []
    # Or the test tells nothing of the recognizer.
    assert any(one.speech for one in came)
