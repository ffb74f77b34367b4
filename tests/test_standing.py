"""Where things stand is told for as long as it does, and to whom it belongs."""

import structlog
import trio

from voice_trio.standing import QUEUES, awaited, depths, queued, standing_of


async def test_what_a_session_says_is_told_of_that_session_alone():
    async def live(session, depth, task_status):
        with structlog.contextvars.bound_contextvars(session_id=session):
            async with trio.open_nursery() as nursery:
                await nursery.start(stage, depth)
                task_status.started()

    async def stage(depth, task_status):
        with queued("phrases", lambda: depth), awaited("chat"), awaited("chat"):
            task_status.started()
            await trio.sleep_forever()

    before = depths()
    async with trio.open_nursery() as nursery:
        await nursery.start(live, "a", 3)
        await nursery.start(live, "b", 0)
        assert standing_of("a") == {"queues": {"phrases": 3}, "waits": ["chat"]}
        assert standing_of("b") == {"queues": {}, "waits": ["chat"]}
        assert sorted(depths()["phrases"]) == sorted([*before["phrases"], 0, 3])
        nursery.cancel_scope.cancel()
    assert standing_of("a") == {"queues": {}, "waits": []}
    assert depths() == before
    assert depths().keys() == {*QUEUES}
