"""Lines on a stream: exact JSON, CSV with the columns of an export, a reader that goes away."""

import asyncio
import csv
import io
import os
import sys

import pytest
from sidecar.helpers import EPOCH, World, eventually

from coindcx_feed.analysis.cells import COLUMNS
from coindcx_feed.client.tail import tail
from coindcx_feed.errors import ConfigError


async def test_json_lines_are_the_bytes_as_received(world: World) -> None:
    """One event per line, exact."""
    world.publish(count=50)
    out = io.BytesIO()
    await tail(world.url(), None, None, "earliest", "json", out, limit=50)
    assert out.getvalue().splitlines() == world.ring.bodies_since(0, 100)


async def test_csv_has_one_header_and_the_export_columns(world: World) -> None:
    """Epoch and mode come from the greeting; the gap is a system row without a number."""
    world.publish(count=1200)
    out = io.BytesIO()
    await tail(world.url(), ["order"], None, 100, "csv", out, limit=3, epoch=EPOCH)
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode())))
    assert tuple(rows[0]) == COLUMNS
    assert [row["seq"] for row in rows] == ["", "201", "202"]
    assert {(row["epoch"], row["mode"]) for row in rows} == {(EPOCH, "demo")}
    assert (rows[0]["type"], rows[0]["source"]) == ("system", "local")
    assert rows[0]["message"].startswith("resume_gap: 101 to 200, overwritten")
    assert (rows[1]["id"], rows[1]["pair"]) == ("order-201", "B-BTC_USDT")


@pytest.mark.parametrize("types", [["trade"], ["order", "book"], ["all"]])
async def test_csv_of_market_types_is_refused(world: World, types: list[str]) -> None:
    """They have no columns."""
    with pytest.raises(ConfigError, match="csv has columns for the account feed only"):
        await tail(world.url(), iter(types), None, None, "csv", io.BytesIO())


async def test_limit_zero_writes_the_header_only(world: World) -> None:
    """And connects to nobody."""
    out = io.BytesIO()
    await tail("ws://127.0.0.1:9", None, None, None, "csv", out, limit=0)
    assert out.getvalue().decode() == ",".join(COLUMNS) + "\r\n"


async def test_a_closed_stdout_ends_quietly(world: World) -> None:
    """``tail | head -1``: exit 0, nothing on stderr."""
    script = (
        "import asyncio, sys; from coindcx_feed.client.tail import tail;"
        f"asyncio.run(tail({world.url()!r}, None, None, 'earliest', 'json', sys.stdout.buffer))"
    )
    world.publish(count=10)
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=writing, stderr=asyncio.subprocess.PIPE
    )
    os.close(writing)
    with open(reading, "rb") as pipe:
        first = await asyncio.to_thread(pipe.readline)
    assert first.rstrip(b"\n") == world.ring.bodies_since(0, 1)[0]
    assert process.stderr is not None

    def has_ended() -> bool:
        world.publish()  # a closed pipe is noticed with the next line only
        return process.returncode is not None

    await eventually(has_ended)
    assert (process.returncode, await process.stderr.read()) == (0, b"")
