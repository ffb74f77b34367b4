"""What a device hears, as a server is told of it; and the device of this machine."""

import sys

import numpy as np
import pytest
import trio

from tests.commands import run
from tests.sounding.room import Room
from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.sounding.device import BLOCK, NoSoundDevice, PortAudio
from voice_trio.sounding.duplex import Duplex

MESSAGE = BLOCK * SAMPLE_RATE // 48_000


async def messages(duplex, count):
    return [await duplex.hear() for _ in range(count)]


async def test_what_is_said_is_heard_in_messages_of_a_frame(autojump_clock):
    tone = (np.sin(np.arange(SAMPLE_RATE) * 2 * np.pi * 440 / SAMPLE_RATE) * 8000).astype("<i2")
    device = Room()
    device.say(tone.tobytes())
    duplex = Duplex(device)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(duplex.run)
        heard = await messages(duplex, 30)
        nursery.cancel_scope.cancel()
    assert {len(one.audio.pcm) for one in heard} == {2 * MESSAGE}
    assert all(one.sounding == [m.Sounding()] for one in heard)
    samples = np.frombuffer(b"".join(one.audio.pcm for one in heard), "<i2").astype(float)
    # 97 taps are late by 16 samples.
    alike = np.corrcoef(samples[16:12_000], tone[: 12_000 - 16])[0, 1]
    assert alike > 0.99


@pytest.mark.parametrize(("hertz", "least", "most"), [(1000, 0.97, 1.03), (6000, 0.9, 1.1), (11_000, 0.0, 0.02)])
async def test_what_the_lower_rate_cannot_hold_is_left_out(autojump_clock, hertz, least, most):
    class Whistle:
        async def run(self, exchange):
            for block in range(40):
                at = np.arange(block * BLOCK, (block + 1) * BLOCK) / 48_000
                exchange((np.sin(2 * np.pi * hertz * at) * 8000).astype("<i2").tobytes())
            await trio.sleep_forever()

    duplex = Duplex(Whistle())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(duplex.run)
        heard = await messages(duplex, 40)
        nursery.cancel_scope.cancel()
    samples = np.frombuffer(b"".join(one.audio.pcm for one in heard[2:]), "<i2").astype(float)
    assert least <= np.sqrt(np.mean(samples**2)) * np.sqrt(2) / 8000 <= most


async def test_what_sounds_is_told_before_what_was_heard_meanwhile(autojump_clock):
    device = Room()
    duplex = Duplex(device)
    reply = bytes(range(256)) * 150
    async with trio.open_nursery() as nursery:
        nursery.start_soon(duplex.run)
        await messages(duplex, 2)
        duplex.player.push(7, 24_000, reply)
        duplex.player.end()
        told = [one.sounding for one in await messages(duplex, 30)]
        nursery.cancel_scope.cancel()
    first = next(at for at, sounding in enumerate(told) if sounding[0].turn == 7)
    assert [sounding[0] for sounding in told[first : first + 3]] == [
        m.Sounding(turn=7, sample=sample) for sample in (0, 720, 1440)
    ]
    (last,) = [sounding for sounding in told if len(sounding) == 2]
    assert last[1].turn is None
    # 19,200 samples at 24 kHz are 26 messages and 320 samples of the next.
    assert (told.index(last) - first, last[1].at) == (26, 320)
    assert told[-1] == [m.Sounding()]


async def test_a_loop_that_is_busy_loses_what_is_newest_and_goes_on(autojump_clock):
    duplex = Duplex(Room())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(duplex.run)
        await trio.sleep(20)
        assert len(await messages(duplex, 150)) == 150
        nursery.cancel_scope.cancel()


@pytest.mark.real
def test_what_this_machine_lacks_is_said_in_a_sentence(tmp_path, monkeypatch):
    """Whatever it lacks; where it lacks nothing, that the package is missing is tried."""
    lacks = ""
    try:
        PortAudio()
    except NoSoundDevice as error:
        lacks = str(error)
    if lacks:
        done = run("talk", "--mic", cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"voice-trio: {lacks}\n")
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(NoSoundDevice, match="needs the package sounddevice"):
        PortAudio()
