"""Ending tasks for certain: a library on the way may swallow a cancellation."""

import asyncio
from typing import Any, Final

AGAIN_S: Final = 2.5
"""Longer than a session takes to close, so that closing is not cut short; shorter than the time to stop."""


async def end_tasks(*tasks: "asyncio.Task[Any]") -> list[Any]:
    """Cancel tasks until each has ended, and return what became of them.

    The Engine.IO client drops one that arrives while it tells of a disconnect; the task would go on for good.

    Returns:
        Results and exceptions, in order; nothing is raised.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=AGAIN_S)
    return await asyncio.gather(*tasks, return_exceptions=True)
