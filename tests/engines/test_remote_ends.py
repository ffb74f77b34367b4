"""Which far end is asked, how often, and when it is left alone, in virtual time."""

import pytest
import trio

from voice_trio.core.breaker import FIRST_REST_S, MOST_FAILURES
from voice_trio.engines.remote.ends import FIRST_WAIT_S, LONGEST_WAIT_S, FarEnd, FarEndFailed, FarEnds


class Scripted:
    """Far ends that do as they are told: an exception is raised, a number of seconds is taken, anything else is the
    answer."""

    def __init__(self, *, stands_by=True, attempt_s=1.5, **scripts):
        self.scripts = {name: list(script) for name, script in scripts.items()}
        ends = [FarEnd(f"http://{name}", name) for name in scripts]
        self.ends = FarEnds(ends, attempt_s=attempt_s, stands_by=stands_by)
        self.asked = []

    async def attempt(self, end):
        self.asked.append((end.place, trio.current_time()))
        script = self.scripts[end.place]
        says = script.pop(0) if len(script) > 1 else script[0]
        await trio.sleep(says if isinstance(says, float) else 0)
        if isinstance(says, Exception):
            raise says
        return says

    async def ask(self, seconds=10.0, **more):
        return await self.ends.ask(self.attempt, seconds=seconds, **more)

    @property
    def places(self):
        return [place for place, _ in self.asked]


DOWN = FarEndFailed("It is down.")
REFUSED = FarEndFailed("It refuses that.", again=False)


async def test_the_one_that_last_worked_is_asked_first(autojump_clock):
    far = Scripted(a=[DOWN], b=["yes"])
    assert await far.ask() == "yes"
    assert await far.ask() == "yes"
    assert far.places == ["a", "b", "b"]


async def test_what_failed_is_asked_again_after_a_wait_that_doubles(autojump_clock):
    far = Scripted(a=[DOWN, DOWN, "yes"])
    begun = trio.current_time()
    assert await far.ask() == "yes"
    assert [at - begun for _, at in far.asked] == pytest.approx([0, FIRST_WAIT_S, 3 * FIRST_WAIT_S])
    assert far.ends.trouble is None


async def test_an_attempt_ends_when_its_time_is_over(autojump_clock):
    far = Scripted(a=[60.0], b=["yes"])
    begun = trio.current_time()
    assert await far.ask() == "yes"
    assert trio.current_time() - begun == 1.5


async def test_one_that_fails_on_and_on_rests_and_the_caller_is_told_at_once(autojump_clock):
    far = Scripted(a=[DOWN])
    with pytest.raises(FarEndFailed, match="down"):
        await far.ask()
    assert len(far.asked) == MOST_FAILURES
    assert far.ends.all_rest
    begun = trio.current_time()
    with pytest.raises(FarEndFailed, match="down"):
        await far.ask()
    assert trio.current_time() == begun
    assert len(far.asked) == MOST_FAILURES


async def test_nobody_waits_through_a_rest_however_long_an_answer_may_take(autojump_clock):
    far = Scripted(attempt_s=60.0, a=[DOWN])
    begun = trio.current_time()
    with pytest.raises(FarEndFailed, match="down"):
        await far.ask(60.0)
    assert trio.current_time() - begun < FIRST_REST_S


async def test_after_its_rest_it_is_tried_by_one_and_then_asked_by_all(autojump_clock):
    far = Scripted(a=[DOWN] * MOST_FAILURES + [1.0])
    with pytest.raises(FarEndFailed):
        await far.ask()
    await trio.sleep(FIRST_REST_S)
    answers = []

    async def ask():
        try:
            answers.append(await far.ask())
        except FarEndFailed:
            answers.append(None)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
    assert sorted(answers, key=str) == [1.0, None, None]
    assert not far.ends.all_rest
    assert await far.ask() == 1.0


async def test_a_trial_that_is_cancelled_leaves_it_to_the_next(autojump_clock):
    far = Scripted(a=[DOWN] * MOST_FAILURES + [1.0])
    with pytest.raises(FarEndFailed):
        await far.ask()
    await trio.sleep(FIRST_REST_S)
    with trio.move_on_after(0.5):
        await far.ask()
    assert await far.ask() == 1.0


async def test_where_nothing_stands_by_it_is_asked_for_as_long_as_there_is_time(autojump_clock):
    far = Scripted(stands_by=False, a=[DOWN] * 8 + ["yes"])
    assert await far.ask() == "yes"
    assert len(far.asked) == 9


async def test_what_is_refused_is_not_asked_again_there(autojump_clock):
    far = Scripted(a=[REFUSED], b=[DOWN, "yes"])
    assert await far.ask() == "yes"
    assert far.places == ["a", "b", "b"]
    with pytest.raises(FarEndFailed, match="refuses"):
        await Scripted(a=[REFUSED]).ask()


@pytest.mark.parametrize(("stands_by", "comes"), [(True, False), (False, True)])
async def test_a_wait_that_is_asked_for_is_kept_where_nothing_stands_by(autojump_clock, stands_by, comes):
    far = Scripted(stands_by=stands_by, a=[FarEndFailed("It has no room.", wait_s=4.0), "yes"])
    begun = trio.current_time()
    if comes:
        assert await far.ask() == "yes"
        assert trio.current_time() - begun == 4.0
    else:
        with pytest.raises(FarEndFailed, match="no room"):
            await far.ask()
        assert trio.current_time() == begun


async def test_a_short_wait_that_is_asked_for_is_kept_and_counts_for_no_failure(autojump_clock):
    far = Scripted(a=[FarEndFailed("It has no room.", wait_s=1.0)] * 4 + ["yes"])
    begun = trio.current_time()
    assert await far.ask() == "yes"
    assert trio.current_time() - begun == 4.0


async def test_a_wait_beyond_the_limit_is_not_waited_for(autojump_clock):
    far = Scripted(stands_by=False, a=[FarEndFailed("It has no room.", wait_s=11.0)])
    with pytest.raises(FarEndFailed, match="no room"):
        await far.ask()
    assert len(far.asked) == 1


async def test_where_something_stands_by_a_server_without_room_is_not_asked_for_ever(autojump_clock):
    far = Scripted(a=[FarEndFailed("It has no room.", wait_s=0.0)])
    begun = trio.current_time()
    with pytest.raises(FarEndFailed, match="no room"):
        await far.ask(60.0)
    assert trio.current_time() - begun <= MOST_FAILURES * 1.5 + LONGEST_WAIT_S


async def test_who_has_no_time_left_asks_nobody(autojump_clock):
    far = Scripted(stands_by=False, a=[60.0], b=["yes"])
    with pytest.raises(FarEndFailed, match="within 1 seconds"):
        await far.ask(1.0)
    assert far.places == ["a"]


async def test_with_once_each_is_asked_once(autojump_clock):
    far = Scripted(a=[DOWN], b=[60.0])
    with pytest.raises(FarEndFailed, match=r"within 1\.5"):
        await far.ask(once=True)
    assert far.places == ["a", "b"]


async def test_an_answer_that_goes_on_is_judged_by_the_caller(autojump_clock):
    far = Scripted(a=["begun"])
    [end] = far.ends
    for _ in range(MOST_FAILURES):
        assert await far.ask(goes_on=True) == "begun"
        far.ends.failed(end, DOWN)
    assert far.ends.all_rest
    far.ends.worked(end)
    assert not far.ends.all_rest
