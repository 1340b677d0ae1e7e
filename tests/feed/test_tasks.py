"""Tasks end, also those that do not listen the first time."""

import asyncio
import contextlib

from coindcx_feed.feed.tasks import end_tasks


async def test_F27_task_that_swallows_a_cancellation_is_ended_all_the_same() -> None:
    """One goes on after the first cancellation, one fails, one had ended: all are over, nothing is raised."""

    async def deaf() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def failing() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("at the end")

    async def over() -> int:
        return 7

    tasks = [asyncio.create_task(made) for made in (deaf(), failing(), over())]
    await asyncio.sleep(0)
    first, second, third = await asyncio.wait_for(end_tasks(*tasks), 5)
    assert isinstance(first, asyncio.CancelledError)
    assert isinstance(second, ValueError)
    assert third == 7
