"""A link that outlives its sockets, in virtual time."""

from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.resend import Resend
from voice_trio.session.farewell import Farewell, Goodbye
from voice_trio.session.link import LinkClosed, Malformed, MemoryLink
from voice_trio.session.resumable import TAKEN_OVER, ResumableLink

OPENED = m.SessionOpened(
    session="s",
    conversation="c",
    sample_rate=16_000,
    max_utterance_ms=1,
    silence_ms=1,
    asr="",
    llm="",
    voices=(),
    languages=(),
)


class Wire(MemoryLink):
    """A socket whose client may be told to leave for good; what arrives at it is in ``heard``."""

    left = False

    def __init__(self):
        super().__init__()
        self.heard = []

    async def collect(self, most=10_000):
        while len(self.heard) < most:
            self.heard.append(await self.hear())

    @property
    def texts(self):
        return [event.text for event in self.heard if isinstance(event, m.Token)]


def token(text):
    return m.Token(turn=1, text=str(text))


def chunk(samples=160):
    return m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=bytes(2 * samples))


class Held:
    """A link with the nursery that its sockets and its session live in."""

    def __init__(self, nursery, resume_s=30.0, **options):
        self.nursery = nursery
        self.link = ResumableLink(resume_s, **options)

    async def attach(self, since=None, *, most=10_000):
        """Return a socket that carries the link, and reads ``most`` events."""
        wire = Wire()
        self.nursery.start_soon(quietly, partial(wire.collect, most))
        self.nursery.start_soon(self.link.carry, wire, since)
        await settled()
        return wire

    async def greeted(self, **options):
        wire = await self.attach(**options)
        await self.link.send(OPENED)
        return wire


async def quietly(work):
    with suppress(LinkClosed):
        await work()


async def settled():
    await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def holding(*args, **options):
    async with trio.open_nursery() as nursery:
        yield Held(nursery, *args, **options)
        nursery.cancel_scope.cancel()


async def test_a_client_is_told_by_which_name_it_can_come_back():
    async with holding() as held:
        wire = await held.greeted()
        (opened,) = wire.heard
        assert (opened.resume, opened.resume_s, opened.resumed) == (held.link.token, 30.0, None)
        assert len(opened.resume) == 32


async def test_what_did_not_arrive_is_sent_again_and_nothing_else(autojump_clock):
    async with holding() as held:
        wire = await held.greeted(most=4)
        for number in range(3):
            await held.link.send(token(number))
        held.nursery.start_soon(held.link.send, token("lost"))
        await settled()
        wire.vanish()
        await settled()
        assert wire.texts == ["0", "1", "2"]
        again = await held.attach(since=3)
        await held.link.send(token("last"))
        await settled()
        assert again.heard[0].resumed is True
        assert again.texts == ["2", "lost", "last"]


async def test_the_session_waits_while_its_client_is_away(autojump_clock):
    async with holding() as held:
        wire = await held.greeted()
        wire.vanish()
        await settled()
        assert await held.link.receive() == m.Detached()
        said = []

        async def say():
            for number in range(3):
                await held.link.send(token(number))
                said.append(number)

        held.nursery.start_soon(say)
        await trio.sleep(29)
        assert (said, held.link.is_detached) == ([], True)
        again = await held.attach(since=1)
        await settled()
        assert (said, again.texts) == ([0, 1, 2], ["0", "1", "2"])
        assert await held.link.receive() == m.Attached()
        assert not held.link.is_detached


async def test_a_client_that_stays_away_is_gone(autojump_clock):
    async with holding(5.0) as held:
        wire = await held.greeted()
        await trio.sleep(1)
        wire.vanish()
        assert await held.link.receive() == m.Detached()
        with pytest.raises(LinkClosed):
            await held.link.receive()
        assert trio.current_time() == pytest.approx(6.0, abs=0.01)
        with pytest.raises(LinkClosed):
            await held.link.send(token("too late"))
        assert not held.link.can_resume_after(1)


async def test_each_absence_has_its_whole_time(autojump_clock):
    async with holding(5.0) as held:
        wire = await held.greeted()
        for _ in range(3):
            wire.vanish()
            await trio.sleep(4)
            wire = await held.attach(since=1)
            assert [await held.link.receive() for _ in range(2)] == [m.Detached(), m.Attached()]
        with trio.move_on_after(60) as limit:
            await held.link.receive()
        assert limit.cancelled_caught


async def test_a_client_that_says_goodbye_is_gone_at_once():
    async with holding() as held:
        wire = await held.greeted()
        wire.left = True
        wire.vanish()
        with pytest.raises(LinkClosed):
            await held.link.receive()


async def test_a_client_that_was_never_greeted_cannot_come_back_and_is_not_waited_for():
    async with holding() as held:
        wire = await held.attach()
        wire.vanish()
        with pytest.raises(LinkClosed):
            await held.link.receive()


async def test_no_time_is_no_waiting():
    async with holding(0.0) as held:
        wire = await held.greeted()
        wire.vanish()
        with pytest.raises(LinkClosed):
            await held.link.receive()


@pytest.mark.parametrize("is_away", [True, False])
async def test_a_server_that_stops_waits_for_nobody(is_away):
    async with holding() as held:
        wire = await held.greeted()
        if is_away:
            wire.vanish()
            assert await held.link.receive() == m.Detached()
            held.link.hurry()
        else:
            held.link.hurry()
            await held.link.send(token("bye"))
            wire.vanish()
        with pytest.raises(LinkClosed):
            await held.link.receive()


async def test_a_second_socket_takes_over_from_one_that_is_thought_alive():
    async with holding() as held:
        first = await held.greeted()
        await held.link.send(token(1))
        second = await held.attach(since=1)
        await held.link.send(token(2))
        await settled()
        assert first.closed == TAKEN_OVER
        assert (first.texts, second.texts) == (["1"], ["1", "2"])
        # Nobody was away, as far as the session knows.
        assert await held.link.receive() == m.Attached()


async def test_a_socket_that_takes_nothing_holds_up_no_other():
    async with holding() as held:
        await held.greeted(most=1)
        held.nursery.start_soon(held.link.send, chunk())
        await settled()
        second = await held.attach(since=1)
        await held.link.send(token("b"))
        await settled()
        assert [type(event) for event in second.heard] == [m.SessionOpened, m.TtsChunk, m.Token]
        assert await held.link.receive() == m.Attached(sounds=((1, 0, 0),))


async def test_the_session_is_told_how_much_audio_the_client_has():
    async with holding() as held:
        first = await held.greeted()
        await held.link.send(chunk(100))
        await held.link.send(chunk(20))
        first.vanish()
        await settled()
        await held.attach(since=2)
        assert [await held.link.receive() for _ in range(2)] == [m.Detached(), m.Attached(sounds=((1, 100, 0),))]


async def test_the_client_is_told_how_many_of_its_messages_are_there():
    async with holding() as held:
        first = await held.greeted()
        for number in range(3):
            await first.ask(m.Played(turn=1, samples=number))
            assert await held.link.receive() == m.Played(turn=1, samples=number)
        second = await held.attach(since=1)
        assert second.heard[0].received == 3


async def test_what_a_socket_hands_over_when_another_came_is_dropped():
    async with holding() as held:
        first = await held.greeted()
        # Handed to the reader, which is yet to run when the next socket comes.
        held.nursery.start_soon(quietly, partial(first.ask, m.Stop()))
        second = await held.attach(since=1)
        assert second.heard[0].received == 0
        assert await held.link.receive() == m.Attached()
        await second.ask(m.Cancel())
        assert await held.link.receive() == m.Cancel()


async def test_commands_wait_for_the_session_one_at_a_time():
    async with holding() as held:
        wire = await held.greeted()
        await wire.ask(m.Stop())
        asked = []

        async def ask():
            await wire.ask(m.Cancel())
            asked.append(m.Cancel())

        held.nursery.start_soon(ask)
        await settled()
        assert asked == []
        assert [await held.link.receive() for _ in range(2)] == [m.Stop(), m.Cancel()]


@pytest.mark.parametrize(("seq", "expected"), [(0, False), (1, False), (2, True), (5, True), (6, False)])
async def test_only_what_is_still_there_can_be_sent_again(seq, expected):
    async with holding(sent=Resend(most_events=3)) as held:
        await held.greeted()
        for number in range(4):
            await held.link.send(token(number))
        assert held.link.can_resume_after(seq) is expected


async def test_a_message_that_cannot_be_read_ends_the_session_over_the_socket_it_came_by():
    async with holding() as held:
        wire = await held.greeted()
        await wire.ask(Malformed("not JSON", Farewell.BAD_DATA))
        with pytest.raises(Malformed):
            await held.link.receive()
        await held.link.send(token("sorry"))
        await held.link.close(Farewell.BAD_DATA, "not JSON")
        assert wire.closed == Goodbye(Farewell.BAD_DATA, "not JSON")
        assert wire.texts == ["sorry"]
        assert not held.link.can_resume_after(1)


async def test_a_session_that_ends_while_its_client_is_away_has_nobody_to_tell():
    async with holding() as held:
        wire = await held.greeted()
        wire.vanish()
        assert await held.link.receive() == m.Detached()
        await held.link.close(Farewell.NORMAL, "")
        assert not held.link.is_detached
        late = await held.attach(since=1)
        assert late.heard == []


async def test_a_session_of_a_client_whose_own_was_lost_says_so():
    async with holding(refused=True) as held:
        wire = await held.greeted()
        assert wire.heard[0].resumed is False


async def test_events_that_are_not_said_are_not_counted():
    async with holding() as held:
        wire = await held.greeted()
        await held.link.send(m.Cleared())
        await held.link.send(token("a"))
        await settled()
        assert wire.texts == ["a"]
        assert held.link.can_resume_after(2)
        assert not held.link.can_resume_after(3)


async def test_tokens_are_not_alike():
    assert len({ResumableLink(1.0).token for _ in range(100)}) == 100
