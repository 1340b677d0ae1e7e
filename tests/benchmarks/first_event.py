"""Run as a program: open a log as the feed does, take one event, and print how long that took and its number.

Arguments: address of the log, mode of it, a folder.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from fakes.frames import ORDER, frame, order
from pydantic import SecretStr

from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.settings import Settings


async def main(url: str, key: str, folder: Path) -> None:
    """Take the way of the runtime, without a connection: open, take back what was known, number, store, publish."""
    settings = Settings(
        _env_file=None, mode="live", api_key=SecretStr(key), api_secret=SecretStr("s"), data_dir=folder,
        store_url=SecretStr(url),
    )  # fmt: skip
    runtime = FeedRuntime(settings, "serve")
    began_s, cpu_s = time.perf_counter(), time.process_time()
    await runtime._open_log()
    opened_s = time.perf_counter() - began_s
    running = asyncio.create_task(runtime.pipeline.run())
    before = runtime.ring.version
    runtime.pipeline.receive(ORDER, frame(ORDER, [order("the-first", updated_at=time.time_ns() // 10**6)]).argument)
    while runtime.ring.version == before:
        assert not running.done(), running
        await asyncio.sleep(0)
    taken_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    (event,) = runtime.ring.since(before, 10)
    said = {"opened_s": opened_s, "taken_s": taken_s, "cpu_s": cpu_s, "seq": event.seq}
    said["is_stored"] = b'"durable"' not in event.body
    print(json.dumps(said), flush=True)
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
