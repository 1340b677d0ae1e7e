"""Events as a table: columns of the export, types, exact money, gaps that are seen."""

import asyncio
import logging
import threading
from decimal import Decimal
from functools import partial
from typing import Any

import pandas as pd
import pytest
from client.published import publish
from fakes.frames import balance, order, position
from sidecar.helpers import DEADLINE_S, EPOCH, TOKEN, World, eventually
from sidecar.test_library import Shelf, served
from sidecar.test_tokens import SECRET, signed

from coindcx_feed.analysis.cells import COLUMNS
from coindcx_feed.client import connect, retained, to_dataframe
from coindcx_feed.client.envelope import parse_envelope
from coindcx_feed.client.items import item_of
from coindcx_feed.errors import ClientError, ConfigError, NotAuthorized
from coindcx_feed.sidecar.resume import PastRow

GOLDEN = "1650841.59606695345873"


def _publish_account(world: World) -> None:
    publish(world, "order", order(), derived=("filled_quantity", b"0"))
    publish(world, "position", position())
    publish(world, "balance", balance(free=GOLDEN, currency="INR"))
    publish(world, "fill", {"fill_id": "f", "pair": "B-ETH_USDT", "price": "1.10", "quantity": 2, "timestamp": 5.25})
    publish(world, "system", {"message": "=upstream live", "state": "live"}, source="local")


async def test_address_in_a_notebook_gives_what_is_retained(world: World) -> None:
    """Called where a loop runs, as in a notebook's cell; the sidecar is in another thread's loop."""
    _publish_account(world)
    table = await asyncio.to_thread(_within_a_loop, world.url())
    assert list(table.columns) == list(COLUMNS)
    assert table["type"].tolist() == ["order", "position", "balance", "fill", "system"]
    assert table["seq"].tolist() == [1, 2, 3, 4, 5]
    assert table["pair"].tolist()[:4] == ["B-ETH_USDT", "B-ETH_USDT", "INR", "B-ETH_USDT"]
    assert table["quantity"].tolist()[:4] == [Decimal("0.05"), Decimal("0.2"), Decimal(GOLDEN), Decimal(2)]
    assert table["filled_quantity"].tolist()[0] == 0
    assert table["exchange_ms"].tolist()[:2] == [1_790_000_000_000] * 2
    assert table["exchange_ms"].tolist()[3] == 5
    assert table["message"].tolist()[4] == "=upstream live"  # a table runs no formulas: the text as it is


def _within_a_loop(url: str) -> pd.DataFrame:
    async def cell() -> pd.DataFrame:
        return to_dataframe(url)

    return asyncio.run(cell())


async def test_columns_are_typed_also_of_nothing(world: World) -> None:
    """An empty feed gives an empty table of the same types, at once."""
    empty = await asyncio.wait_for(asyncio.to_thread(to_dataframe, world.url()), DEADLINE_S)
    _publish_account(world)
    full = await asyncio.to_thread(to_dataframe, world.url())
    for table in (empty, full):
        kinds = {name: str(kind) for name, kind in table.dtypes.items()}
        assert kinds.pop("timestamp") == "datetime64[ns, UTC]"
        assert {kinds.pop("seq"), kinds.pop("exchange_ms")} == {"Int64"}
        assert {kinds.pop(name) for name in ("price", "quantity", "filled_quantity")} == {"object"}
        assert set(kinds.values()) == {"string"}
    assert (len(empty), empty.attrs["gaps"]) == (0, [])
    assert (full.attrs["mode"], full.attrs["epoch"], full.attrs["money"]) == ("demo", EPOCH, "decimal")
    assert full.attrs["units"]["price"] == "quote currency of the pair"


async def test_money_is_rounded_only_when_asked(world: World) -> None:
    """``float`` is a choice; anything else is refused."""
    _publish_account(world)
    table = await asyncio.to_thread(lambda: to_dataframe(world.url(), money="float"))
    assert str(table["quantity"].dtype) == "float64"
    assert table["quantity"].tolist()[2] == float(GOLDEN)
    assert table.attrs["money"] == "float"
    with pytest.raises(ConfigError, match="money: expected decimal or float"):
        to_dataframe([], money="text")  # type: ignore[arg-type]


async def test_filters_end_at_the_newest_event_too(world: World) -> None:
    """The newest one need not match."""
    _publish_account(world)
    table = await asyncio.to_thread(lambda: to_dataframe(world.url(), types=["order", "balance"], pairs=["B-X_USDT"]))
    assert table["type"].tolist() == ["balance"]
    with pytest.raises(ConfigError, match="types: expected some of order, position, balance, fill, ledger, system"):
        to_dataframe(world.url(), types=["trade"])


async def test_F16_gap_is_a_row_and_stands_beside_the_table(world: World) -> None:
    """In its place, without a number."""
    world.publish(count=1_200)
    table = await asyncio.to_thread(lambda: to_dataframe(world.url(), since=100, epoch=EPOCH))
    assert table["seq"].isna().sum() == 1
    assert table["type"].tolist()[0] == "system"
    assert table["message"].tolist()[0].startswith("resume_gap: 101 to 200, overwritten")
    (gap,) = table.attrs["gaps"]
    assert (gap["missed_from"], gap["missed_to"], gap["epoch"]) == (101, 200, EPOCH)
    assert len(table) == 1_001


class _StuckShelf(Shelf):
    """A log on a disk that answers nobody until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.is_free = threading.Event()

    def bodies(self, *args: Any, **options: Any) -> list[PastRow]:
        assert self.is_free.wait(DEADLINE_S)
        return super().bodies(*args, **options)


async def test_C4_a_log_that_is_slow_to_read_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The table was empty, without a word, once six signs of life had come before the first event."""
    monkeypatch.setattr(retained, "_QUIET_S", 0.3)
    caplog.set_level(logging.INFO)
    shelf = _StuckShelf()
    async with served(shelf) as world:
        reading = asyncio.create_task(asyncio.to_thread(to_dataframe, world.url()))
        await eventually(lambda: reading.done() or caplog.text.count("subscription changed") >= 10)
        shelf.is_free.set()
        assert (await reading)["seq"].tolist() == list(range(1, 111))


async def test_T04_a_table_behind_a_scope_ends_although_the_newest_event_is_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sidecar tells how far it has looked."""
    monkeypatch.setattr(retained, "_QUIET_S", 0.3)
    async with World(jwt_secret=SECRET) as world:
        for kind in ("order", "balance", "order", "balance"):
            world.publish(kind)
        read = partial(to_dataframe, world.url(), token=signed(types=["order"]))
        table = await asyncio.wait_for(asyncio.to_thread(read), DEADLINE_S)
    assert table["seq"].tolist() == [1, 3]


async def test_events_published_meanwhile_are_not_waited_for(world: World) -> None:
    """The end is fixed at the call; a place at the newest has nothing after it."""
    world.publish(count=10)
    table = await asyncio.wait_for(
        asyncio.to_thread(lambda: to_dataframe(world.url(), since=10, epoch=EPOCH)), DEADLINE_S
    )
    assert len(table) == 0


async def test_items_of_connect_are_taken_as_well(world: World) -> None:
    """Market messages among them are left out."""
    publish(world, "order", order())

    def read() -> pd.DataFrame:
        with connect(world.url(), since="earliest", types=["all"]) as events:
            found = []
            for item in events:
                found.append(item)
                if len(found) == 2:
                    return to_dataframe(found)
        raise AssertionError

    reading = asyncio.create_task(asyncio.to_thread(read))
    await eventually(lambda: world.sidecar.clients == 1)
    world.publish_market()
    assert (await reading)["type"].tolist() == ["order"]


async def test_no_sidecar_and_a_wrong_token_are_one_line(quick: None) -> None:
    """It does not wait for ever."""
    with pytest.raises(ClientError, match="expected a sidecar that answers, was none"):
        await asyncio.wait_for(asyncio.to_thread(to_dataframe, "ws://127.0.0.1:9"), DEADLINE_S)
    async with World(token=TOKEN) as world:
        with pytest.raises(NotAuthorized):
            await asyncio.to_thread(lambda: to_dataframe(world.url(), token="wrong-token"))


@pytest.mark.parametrize("time", [b"1e999999999", b"1" + b"0" * 40, b"-1e30", b'"1e999999999"', b'"NaN"', b"[]"])
def test_C8_a_time_that_is_none_is_left_out(time: bytes) -> None:
    """A number of a billion digits would fill the memory, one of twenty ends the whole table."""
    raw = b'{"id":"x","timestamp":"2026-01-01T00:00:00.000Z","type":"order","seq":1,"data":{"id":"a","updated_at":%b}}'
    try:
        envelope = parse_envelope(raw % time, "E", "demo")
    except ClientError:
        return
    table = to_dataframe([item_of(envelope)])
    assert (len(table), table["exchange_ms"].isna().tolist()) == (1, [True])
