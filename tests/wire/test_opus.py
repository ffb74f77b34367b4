"""Opus on /ws: exact to the sample, whatever the rate and however it is cut, and unharmed by what is none."""

import resource
import struct
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest
import trio
from hypothesis import given, settings, strategies as st

from tests.wire.hostile_packets import hostile
from voice_trio import config
from voice_trio.client import SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.messages import Outcome, State
from voice_trio.server.run import open_server
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Malformed
from voice_trio.testing.scripted import scripted_engines
from voice_trio.testing.talk import calling
from voice_trio.wire.native import NativeCodec, encode_event
from voice_trio.wire.native_caller import NativeCaller
from voice_trio.wire.opus import hearing, library
from voice_trio.wire.opus.decoding import TALLY, Decoder
from voice_trio.wire.opus.encoding import Encoder
from voice_trio.wire.opus.hearing import Hearing
from voice_trio.wire.opus.packet import MAX_PACKET_BYTES, only_frame
from voice_trio.wire.opus.speech import HEADER, SpeechReader, SpeechWriter


@pytest.fixture(autouse=True, scope="module")
def loaded():
    library.load()


@asynccontextmanager
async def short(settings):
    yield scripted_engines()


def sweep(rate, samples):
    """Return a tone that rises and swells: no part of it is like another."""
    at = np.arange(samples) / rate
    return (7000 * np.sin(2 * np.pi * (150 + 250 * at) * at) * np.sin(np.pi * at) ** 2).astype("<i2")


def shift_s(sound, expected, rate):
    """Return by how much ``sound`` comes later than ``expected``."""
    size = 2 * max(len(sound), len(expected))
    alike = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(expected, size)))
    best = int(np.argmax(alike))
    return (best if best < size // 2 else best - size) / rate


def packets_of(pcm, rate=SAMPLE_RATE):
    encoder = Encoder(rate)
    return [*encoder.push(pcm), *encoder.finish()]


# --- packets ----------------------------------------------------------------------------------------------------------

WAY = 9 << 3
"""SILK, wide band, 20 ms."""


@pytest.mark.parametrize(
    ("packet", "frame"),
    [
        (bytes([WAY]), bytes([WAY])),
        (bytes([WAY]) + b"abc", bytes([WAY]) + b"abc"),
        (bytes([WAY | 4]) + b"abc", bytes([WAY | 4]) + b"abc"),
        (bytes([WAY | 3, 1]) + b"abc", bytes([WAY]) + b"abc"),
        (bytes([WAY | 3, 0x41, 2]) + b"abc\0\0", bytes([WAY]) + b"abc"),
        (bytes([WAY | 3, 0x41, 255, 0]) + b"abc" + bytes(254), bytes([WAY]) + b"abc"),
        (bytes([WAY | 3, 0x41, 3]) + b"abc", bytes([WAY])),
        (bytes([WAY]) + bytes(1275), bytes([WAY]) + bytes(1275)),
        (b"", None),
        (bytes([WAY | 1]) + b"abcd", None),
        (bytes([WAY | 2, 1]) + b"abcd", None),
        (bytes([WAY | 3]), None),
        (bytes([WAY | 3, 2]) + b"abcd", None),
        (bytes([WAY | 3, 0]) + b"abcd", None),
        (bytes([WAY | 3, 0x41]), None),
        (bytes([WAY | 3, 0x41, 255]), None),
        (bytes([WAY | 3, 0x41, 4]) + b"abc", None),
        (bytes([8 << 3]) + b"abc", None),
        (bytes([16 << 3]) + b"abc", None),
        (bytes([WAY]) + bytes(1276), None),
        (bytes([WAY]) + bytes(MAX_PACKET_BYTES), None),
    ],
)
def test_one_frame_of_20_ms_is_let_through_and_nothing_else(packet, frame):
    assert only_frame(packet) == frame


@given(st.binary(max_size=MAX_PACKET_BYTES + 10))
def test_nothing_else_gets_through_whatever_it_is(message):
    frame = only_frame(message)
    if frame is not None:
        assert 1 <= len(frame) <= 1276
        assert frame[0] == message[0] & ~3
        assert frame[1:] in message[1:]


# --- streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 44100, 48000])
def test_what_comes_out_is_what_went_in_at_the_same_place(rate):
    sent = sweep(rate, 2 * rate + 77)
    encoder, decoder = Encoder(rate), Decoder(rate)
    sound = b"".join(decoder.push(packet)[0] for packet in packets_of(sent.tobytes(), rate))
    heard = np.frombuffer(sound, "<i2")
    assert abs(shift_s(heard, sent, rate)) < 0.0002
    assert len(sent) <= len(heard) < len(sent) + 0.05 * rate
    likeness = np.corrcoef(heard[: len(sent)], sent)[0, 1]
    assert likeness > 0.9
    assert encoder.covered == 0


@given(cuts=st.lists(st.integers(1, 3000), max_size=20), rate=st.sampled_from([16_000, 22_050, 24_000]))
@settings(deadline=None, max_examples=25)
def test_however_a_phrase_is_cut_its_messages_lie_end_to_end_and_say_its_true_length(cuts, rate):
    total = sum(cuts)
    pcm = sweep(rate, total).tobytes()
    writer, reader = SpeechWriter(), SpeechReader()
    phrase = m.TtsPhrase(turn=1, phrase=3, start=0, end=1, sample_rate=rate)
    writer.begin(phrase)
    reader.begin(phrase)
    messages: list[bytes] = []
    at = 0
    for seq, samples in enumerate(cuts):
        piece = pcm[2 * at : 2 * (at + samples)]
        messages.append(writer.write(m.TtsChunk(turn=1, phrase=3, seq=seq, first_sample=100 + at, pcm=piece)))
        at += samples
    chunks = [chunk for message in messages for chunk in reader.read(message)]
    chunks += reader.end(writer.end(m.TtsPhraseDone(turn=1, phrase=3, samples=total)))
    assert [chunk.seq for chunk in chunks] == [*range(len(chunks))]
    assert {(chunk.turn, chunk.phrase) for chunk in chunks} <= {(1, 3)}
    end = 100
    for chunk in chunks:
        assert chunk.first_sample == end
        end += len(chunk.pcm) // 2
    assert end == 100 + total
    assert [HEADER.unpack_from(message)[7] for message in messages] == [1, *[0] * (len(messages) - 1)][: len(messages)]


def test_a_word_is_where_its_mark_says():
    rate, at = 24_000, 30_000
    pcm = np.zeros(50_000, "<i2")
    pcm[at : at + 2400] = sweep(rate, rate)[9600:12000]
    writer, reader = SpeechWriter(), SpeechReader()
    phrase = m.TtsPhrase(turn=1, phrase=0, start=0, end=1, sample_rate=rate)
    writer.begin(phrase)
    reader.begin(phrase)
    chunks = [*reader.read(writer.write(m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=pcm.tobytes())))]
    chunks += reader.end(writer.end(m.TtsPhraseDone(turn=1, phrase=0, samples=len(pcm))))
    heard = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2")
    assert len(heard) == len(pcm)
    assert abs(shift_s(heard, pcm, rate)) < 0.0002


def test_speech_that_begins_anew_is_a_stream_of_its_own():
    writer, reader = SpeechWriter(), SpeechReader()
    phrase = m.TtsPhrase(turn=1, phrase=0, start=0, end=1, sample_rate=16_000)
    chunk = m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=sweep(16_000, 4000).tobytes())
    for _ in range(2):
        # What was not said of it before is never said.
        writer.begin(phrase)
        reader.begin(phrase)
        (read,) = reader.read(writer.write(chunk))
        assert (read.seq, read.first_sample, len(read.pcm)) == (0, 0, 2 * (12 * 320 - 160))


def test_a_session_that_goes_on_over_another_connection_codes_as_before():
    """Each event is one message, as the numbers of a session that goes on want it, and sound is in its place."""
    pcm = sweep(16_000, 4800).tobytes()
    events: list[m.Event] = [
        m.StateChanged(turn=1, state=State.THINKING),
        m.TtsPhrase(turn=1, phrase=0, start=0, end=1, sample_rate=16_000),
        *(
            m.TtsChunk(turn=1, phrase=0, seq=at, first_sample=1600 * at, pcm=pcm[3200 * at : 3200 * at + 3200])
            for at in range(3)
        ),
        m.TtsPhraseDone(turn=1, phrase=0, samples=4800),
    ]
    one, other, caller = NativeCodec(), NativeCodec(), NativeCaller()
    one.decode('{"type":"start","codec":"opus"}')
    heard: list[m.Event] = []
    for event in events[:3]:
        (message,) = one.encode(event)
        heard += caller.decode(message)
    other.sound.go_on_from(one.sound)
    for event in events[3:]:
        (message,) = other.encode(event)
        heard += caller.decode(message)
    chunks = [event for event in heard if isinstance(event, m.TtsChunk)]
    assert [(chunk.first_sample, len(chunk.pcm) // 2) for chunk in chunks] == [
        (0, 1440),
        (1600, 1440),
        (3040, 1600),
        (4640, 160),
    ]
    assert isinstance(other.decode(packets_of(pcm)[0])[0], m.Audio)


def test_what_is_said_again_of_a_turn_before_is_coded_as_that_was():
    """The client lacks the end of a turn, and the next had begun, in PCM, before anybody knew that."""
    pcm = sweep(16_000, 1600).tobytes()
    chunk = m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=pcm)
    one, other = NativeCodec(), NativeCodec()
    one.decode('{"type":"text","text":"Go on.","codec":"opus"}')
    one.encode(m.StateChanged(turn=1, state=State.THINKING))
    one.encode(m.TtsPhrase(turn=1, phrase=0, start=0, end=1, sample_rate=16_000))
    (before,) = one.encode(chunk)
    one.decode('{"type":"text","text":"And now?","codec":"pcm"}')
    one.encode(m.StateChanged(turn=2, state=State.THINKING))
    other.sound.go_on_from(one.sound)
    assert other.encode(chunk) == (before,)
    other.encode(m.StateChanged(turn=2, state=State.THINKING))
    assert other.encode(replace(chunk, turn=2)) == (encode_event(replace(chunk, turn=2)),)


def test_a_sounding_is_placed_where_the_microphone_had_it():
    codec, packets = NativeCodec(), packets_of(sweep(16_000, 16_000).tobytes())
    codec.decode('{"type":"start","codec":"opus"}')
    came = given = 0
    for packet in packets[:10]:
        (sounding,) = codec.decode('{"type":"sounding","turn":1,"sample":5,"at":7}')
        assert isinstance(sounding, m.Sounding)
        assert given + sounding.at == came + 7
        (audio,) = codec.decode(packet)
        assert isinstance(audio, m.Audio)
        came, given = came + 320, given + len(audio.pcm) // 2
    # Opus' own delay, and what a resampler keeps back.
    assert came - given == 104 + 16


# --- what is none -----------------------------------------------------------------------------------------------------


def test_corrupt_packets_do_no_harm():
    """As tools/bench_opus.py --packets 100000 does with more of them."""
    real = packets_of(sweep(16_000, 32_000).tobytes())
    decoder = Decoder(SAMPLE_RATE)
    for packet in real:
        decoder.push(packet)
    before, samples, took = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, decoder.samples, time.process_time()
    for packet in hostile(real, 4000):
        pcm, _ = decoder.push(packet)
        assert len(pcm) == 320 * BYTES_PER_SAMPLE
    assert decoder.samples == samples + 4000 * 320
    assert time.process_time() - took < 4000 * 0.002
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8192
    # And it is still good for what is one.
    after = np.frombuffer(b"".join(decoder.push(packet)[0] for packet in real), "<i2")
    assert np.corrcoef(after[8000 + 120 : 32_000], sweep(16_000, 32_000)[8000:31_880])[0, 1] > 0.9


def test_what_was_lost_is_made_up_and_counted():
    tally = TALLY.damaged
    packets, heard = packets_of(sweep(16_000, 16_000).tobytes()), Hearing()
    sound = [heard.take(b"" if 20 <= at < 24 else packet).pcm for at, packet in enumerate(packets)]
    assert {len(pcm) for pcm in sound[1:]} == {640}
    assert np.abs(np.frombuffer(sound[20], "<i2")).max() > 300
    assert TALLY.damaged == tally + 4


def test_a_flood_of_them_ends_the_session_and_a_few_do_not():
    good, heard = packets_of(sweep(16_000, 16_000).tobytes())[5], Hearing()
    for _ in range(2000):
        heard.take(b"")
        heard.take(good)
    for _ in range(hearing.MOST_DAMAGED):
        heard.take(b"\xff" * 1920)
    with pytest.raises(Malformed, match="no packets of Opus of 20 ms") as caught:
        heard.take(b"")
    assert caught.value.farewell is Farewell.FLOOD


def test_a_giant_one_is_too_large_as_ever():
    codec = NativeCodec()
    codec.decode('{"type":"start","codec":"opus"}')
    with pytest.raises(Malformed) as caught:
        codec.decode(bytes(m.MAX_MESSAGE_BYTES + 1))
    assert caught.value.farewell is Farewell.TOO_LARGE


# --- sessions ---------------------------------------------------------------------------------------------------------


async def turn_with(talk, codec):
    """Have a spoken turn and return its sound, sample by sample."""
    before = len(talk.heard)
    await talk.ask(m.Start(mode="hold", codec=codec))
    await talk.say(sweep(SAMPLE_RATE, SAMPLE_RATE).tobytes())
    await talk.ask(m.Stop())
    await talk.wait_for(m.Done, outcome=Outcome.COMPLETED)
    heard = talk.heard[before:]
    return b"".join(event.pcm for event in heard if isinstance(event, m.TtsChunk)), heard


@pytest.mark.real
async def test_a_server_speaks_both_in_one_session():
    """What the client promises itself of chunks is looked at as ever: their numbers, their places, their lengths."""
    with trio.fail_after(60):
        async with open_server(config.load(port=0), short) as running, calling(running.ws_url, speed=4) as talk:
            greeting = await talk.next_is(m.SessionOpened)
            assert "opus" in greeting.features
            sounds = [await turn_with(talk, codec) for codec in ("pcm", "opus", None, "pcm")]
            await talk.ask(m.Text(text="again", codec="opus"))
            await talk.wait_for(m.Done, turn=5)
    lengths = [len(pcm) for pcm, _ in sounds]
    assert lengths[0] > 0
    assert {*lengths} == {lengths[0]}
    assert sounds[3][0] == sounds[0][0]
    assert sounds[1][0] != sounds[0][0]


@pytest.mark.real
async def test_a_server_says_opus_in_packets():
    with trio.fail_after(60):
        async with open_server(config.load(port=0), short) as running, connect(running.ws_url) as client:
            await client.ask(m.Text(text="say it", codec="opus"))
            binary = []
            while True:
                message = await client.hear_raw()
                if isinstance(message, bytes):
                    binary.append(message)
                elif '"done"' in message:
                    break
    assert binary
    for message in binary:
        version, kind, _, turn, _, _, samples, _, packets = HEADER.unpack_from(message)
        assert (version, kind, turn) == (1, 2, 1)
        assert len(message) < 2 * samples
        at = HEADER.size
        for _ in range(packets):
            (length,) = struct.unpack_from("<H", message, at)
            assert only_frame(message[at + 2 : at + 2 + length]) is not None
            at += 2 + length
        assert at == len(message)


async def send_without_end(client, message):
    while True:
        await client.send_raw(message)


@pytest.mark.real
async def test_bad_packets_cost_a_session_its_life_only_when_there_are_many():
    with trio.fail_after(60):
        async with open_server(config.load(port=0), short) as running:
            async with connect(running.ws_url) as client:
                await client.ask(m.Start(mode="hold", codec="opus"))
                for _ in range(200):
                    await client.send_raw(b"nonsense")
                await client.ask(m.Cancel())
                await client.wait_for(m.Done, outcome=Outcome.CANCELLED)
                with pytest.raises(SessionClosed, match="Opus"):
                    await send_without_end(client, b"nonsense")
            # And the server has not noticed.
            async with connect(running.ws_url) as client:
                await client.ask(m.Text(text="are you there"))
                await client.wait_for(m.Done, outcome=Outcome.COMPLETED)
