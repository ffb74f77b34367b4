from hypothesis import given, strategies as st

from voice_trio.core.audio import FRAME_BYTES, Framer, ms_to_samples, samples_to_ms


@given(st.lists(st.integers(0, 3000), max_size=30))
def test_frames_do_not_depend_on_how_the_audio_was_cut(lengths):
    pcm = bytes(n % 251 for n in range(2 * sum(lengths)))
    framer = Framer()
    frames, at = [], 0
    for length in lengths:
        frames += framer.push(pcm[at : at + 2 * length])
        at += 2 * length
    whole = len(pcm) // FRAME_BYTES * FRAME_BYTES
    assert b"".join(frames) == pcm[:whole]
    assert all(len(frame) == FRAME_BYTES for frame in frames)


def test_what_is_not_a_whole_frame_yet_waits():
    framer = Framer()
    framer.push(b"\1\1")
    assert framer.rest == b"\1\1"
    assert framer.push(bytes(FRAME_BYTES - 2)) == [b"\1\1" + bytes(FRAME_BYTES - 2)]
    assert framer.rest == b""


def test_milliseconds_and_samples():
    assert ms_to_samples(30) == 480
    assert samples_to_ms(22050, 22050) == 1000
