"""When an utterance is over whose audio has stopped coming."""

import pytest

from voice_trio.core.flow import over_at

ROWS = [
    # silence heard since, length of a message, window of silence -> seconds after the voice
    (0.0, 0.06, 0.7, 1.86),
    (0.5, 0.06, 0.7, 2.36),
    (0.0, 2.0, 0.7, 3.8),
    (0.0, 0.02, 0.2, 1.82),
    (0.0, 0.06, 5.0, 5.0),
    (4.0, 0.06, 5.0, 5.86),
]


@pytest.mark.parametrize(("silence_s", "message_s", "window_s", "expected"), ROWS)
def test_audio_that_is_overdue_counts_as_silence(silence_s, message_s, window_s, expected):
    over = over_at(voiced_at=10.0, silence_s=silence_s, message_s=message_s, window_s=window_s)
    assert over - 10 == pytest.approx(expected)
