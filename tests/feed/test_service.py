"""What pages see: plain data of the agreed shapes, one service per process, unharmed by a hot reload."""

import asyncio
import csv
import json
import os
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.frames import BALANCE, FIXTURES, ORDER, POSITION, balance, order, position
from fakes.frames import rows as recorded
from fakes.plain import is_plain
from fakes.rest import wallets_route
from fakes.runtimes import FAST, settings_for
from fakes.waiting import eventually

from coindcx_feed.errors import BadRequest
from coindcx_feed.exchange import wire
from coindcx_feed.feed.conversion import Rate
from coindcx_feed.feed.exports import EXPORT_KEPT_S, forget_exports
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.service import FeedService
from coindcx_feed.logs import start_logging, stop_logging
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.frames import build_frames_server, load_frames
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

TEXT, WHOLE, REAL, FLAG, NONE = str, int, float, bool, type(None)
STATUS: dict[str, Any] = {
    "mode": TEXT, "state": TEXT, "label": TEXT, "connected": FLAG, "state_since_ms": WHOLE, "reason": (TEXT, NONE),
    "next_try_ms": (WHOLE, NONE), "transport": dict, "account": dict, "epoch": TEXT, "version": WHOLE, "kept": WHOLE,
    "capacity": WHOLE, "last_event_ms": (WHOLE, NONE), "last_event_seq": (WHOLE, NONE), "delay": (dict, NONE),
    "has_credentials": FLAG, "pairs": list, "sidecar": dict, "simulator": (dict, NONE), "owner": (TEXT, NONE),
    "started_ms": WHOLE, "now_ms": WHOLE, "joins": WHOLE, "counters": dict, "store": dict,
}  # fmt: skip
ORDER_NAMES = {
    "id", "pair", "side", "status", "order_type", "price", "avg_price", "quantity", "remaining_quantity",
    "filled_quantity", "cancelled_quantity", "filled_share", "leverage", "margin_currency", "fee", "message",
    "created_ms", "updated_ms", "received_ms", "seq", "is_terminal",
}  # fmt: skip
POSITION_NAMES = {
    "id", "pair", "margin_currency", "side", "size", "avg_price", "mark_price", "mark_age_s", "mark_is_fresh",
    "liquidation_price", "leverage", "margin_type", "margin", "maintenance_margin", "unrealized_pnl", "pnl_share",
    "liquidation_distance", "stop", "target", "updated_ms", "received_ms", "seq", "quote",
}  # fmt: skip
BALANCE_NAMES = {"id", "currency", "total", "available", "locked", "locked_share", "received_ms", "seq", "in_inr"}
COUNTERS = {"frames", "records", "events", "duplicates", "late", "quarantined", "market", "connects"}


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with ExchangeServer(port=0, behaviour=instant(), routes=[wallets_route(DEMO_KEY, DEMO_SECRET)]) as server:
        yield server


@pytest.fixture
async def service(exchange: ExchangeServer, tmp_path: Path) -> AsyncIterator[FeedService]:
    """A connected service that has taken one order, one position, one balance, a repeat and a bad record."""
    recent = start_logging(tmp_path, [])
    runtime = FeedRuntime(settings_for(exchange.url, tmp_path), "serve", timings=FAST)
    await asyncio.to_thread(runtime.start)
    running = FeedService(runtime, recent)
    await eventually(lambda: running.status()["connected"])
    prices = {"pr": "futures", "prices": {"B-ETH_USDT": {"mp": 2900.1}}}
    await exchange.emit(wire.PRICES_UPDATE_EVENT, prices)
    for event, record in (
        (ORDER, order()),
        (POSITION, position()),
        (BALANCE, balance()),
        (ORDER, order()),
        (ORDER, {}),
    ):
        await exchange.emit(event, [record])
    await eventually(lambda: running.status()["counters"]["quarantined"] == 1 and running.status()["state"] == "live")
    # Counted before it is stored, and seen only then.
    await eventually(lambda: running.select({"types": ["balance"]})["matching"] == 1)
    yield running
    await asyncio.to_thread(runtime.stop)
    stop_logging()


async def test_status_has_the_agreed_shape(service: FeedService) -> None:
    """Every name with its type, nested ones too."""
    await eventually(lambda: service.status()["delay"] is not None)
    status = service.status()
    for name, kind in STATUS.items():
        assert isinstance(status[name], kind), name
    assert set(status["transport"]) == {"proof", "age_s", "limit_s"}
    assert set(status["account"]) == {"fact", "since_ms", "age_s"}
    assert set(status["sidecar"]) == {"url", "clients", "error", "has_login"}
    assert set(status["delay"]) == {"p50_ms", "p95_ms", "p99_ms", "count"}
    assert set(status["counters"]) >= COUNTERS
    assert is_plain(status)
    json.dumps(status)


async def test_status_of_a_proven_account(service: FeedService) -> None:
    """Values that the status line shows."""
    status = service.status()
    assert (status["mode"], status["state"], status["label"], status["connected"]) == ("custom", "live", "Live", True)
    assert (status["account"]["fact"], status["transport"]["proof"]) == ("proven", "frame")
    assert status["transport"]["age_s"] < status["transport"]["limit_s"] == 10.0
    assert 0 <= status["now_ms"] - status["account"]["since_ms"] < 60_000
    assert status["sidecar"]["url"].endswith(f":{service.runtime.sidecar.port}/api/v1/ws/coindcx")
    assert status["version"] == status["kept"] == status["last_event_seq"] == service.version()
    assert (status["has_credentials"], status["simulator"], status["owner"]) == (True, None, None)


async def test_C1_counters_add_up(service: FeedService) -> None:
    """Records in are events, duplicates and quarantined."""
    counters = service.status()["counters"]
    own = sum(found["type"] == "system" for found in service.select({})["rows"])
    assert counters["events"] - own == 3
    assert (counters["duplicates"], counters["quarantined"], counters["late"], counters["market"]) == (1, 1, 0, 1)
    assert (counters["frames"], counters["connects"]) == (6, 1)


async def test_C8_events_counter_goes_on_when_the_ring_is_full(exchange: ExchangeServer, tmp_path: Path) -> None:
    """What was numbered is not what is kept."""
    runtime = FeedRuntime(settings_for(exchange.url, tmp_path, ring_capacity=1_000), "serve")
    for number in range(1_500):
        runtime.pipeline.receive(BALANCE, {"data": [balance(free=str(number))]})
    await runtime.pipeline.drain()
    status = FeedService(runtime).status()
    assert (status["kept"], status["counters"]["events"], status["version"]) == (1_000, 1_500, 1_500)


async def test_account_lists_have_the_agreed_names(service: FeedService) -> None:
    """Orders, positions, balances: names, and exact money as text."""
    (one_order,), (one_position,), (one_balance,) = service.orders(), service.positions(), service.balances()
    assert set(one_order) >= ORDER_NAMES
    assert set(one_position) >= POSITION_NAMES
    assert set(one_balance) >= BALANCE_NAMES
    assert (one_order["price"], one_position["unrealized_pnl"], one_balance["total"]) == ("2900.5", "2.5", "100")
    assert is_plain([one_order, one_position, one_balance])


async def test_order_by_id_has_its_steps(service: FeedService) -> None:
    """Or nothing for an unknown id."""
    found = service.order("o-1")
    assert found is not None
    assert set(found) == {"order", "steps"}
    assert [set(step) for step in found["steps"]] == [{"t_ms", "status", "filled", "avg_price", "seq"}]
    assert is_plain(found)
    assert service.order("no such") is None


async def test_series_are_arrays_of_one_length(service: FeedService) -> None:
    """A position's lines and a balance's steps."""
    found = service.position_series("p-1", 0)
    assert found is not None
    lines = [found[name] for name in ("t_ms", "mark", "avg", "liquidation", "size", "pnl")]
    assert {len(line) for line in lines} == {len(found["t_ms"])}
    assert all(line.dtype == np.float64 for line in lines)
    assert {"t_ms", "price", "side"} <= set(found["fills"][0])
    assert service.position_series("no such", 0) is None
    steps = service.balance_series("USDT", 0)
    assert {name: len(line) for name, line in steps.items()} == {"t_ms": 1, "total": 1, "available": 1, "locked": 1}


async def test_selection_counts_and_orders_newest_first(service: FeedService) -> None:
    """Rows of the agreed names, with what matches, what is kept and the newest number."""
    everything = service.select({})
    assert set(everything) == {"rows", "matching", "kept", "newest"}
    numbers = [found["seq"] for found in everything["rows"]]
    assert numbers == list(range(everything["newest"], 0, -1))
    assert everything["matching"] == everything["kept"] == len(numbers)
    orders = service.select({"types": ["order"], "pairs": ["B-ETH_USDT"]}, limit=0)
    assert (orders["rows"], orders["matching"]) == ([], 1)
    newest = everything["newest"]
    assert [found["seq"] for found in service.select({}, upto=newest - 1, after=newest - 3)["rows"]] == [
        newest - 1,
        newest - 2,
    ]
    assert is_plain(everything)


@pytest.mark.parametrize("criteria", [{"types": ["nonsense"]}, {"price_min": "abc"}, {"unknown": 1}])
async def test_criterion_that_is_not_understood_is_one_line(service: FeedService, criteria: dict[str, Any]) -> None:
    """For the page to show."""
    with pytest.raises(BadRequest) as caught:
        service.select(criteria)
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value)


async def test_event_details_have_the_agreed_names(service: FeedService) -> None:
    """Record, envelope, fields, changes, timeline, related."""
    (row,) = service.select({"types": ["order"]})["rows"]
    found = service.event(row["seq"])
    assert found is not None
    assert set(found) >= {*row, "record", "body", "fields", "changes", "timeline", "related"}
    assert json.loads(found["record"]) == order()
    assert set(found["changes"]) == {"since_seq", "since_ms", "rows"}
    assert [event["id"] for event in found["related"]] == ["p-1", "w-1"]
    assert is_plain(found)
    assert service.event(99_999) is None


async def test_seen_offers_the_choices_of_filters(service: FeedService) -> None:
    """Pairs and statuses that occurred."""
    seen = service.seen()
    assert seen["pairs"] == ["B-ETH_USDT"]
    assert "open" in seen["statuses"]
    assert is_plain(seen)


async def test_feed_page_gets_health_and_what_was_kept_apart(service: FeedService) -> None:
    """States, rates, delays, quarantine, duplicates, gaps, log."""
    found = service.feed()
    assert set(found) >= {"states", "rates", "delays", "quarantine", "duplicates", "gaps", "log"}
    named = {"state", "from_ms", "to_ms", "reason", "proof", "is_on_demand"}
    assert [set(item) for item in found["states"]] == [named] * 3
    assert set(found["rates"]) == {"bucket_s", "t_ms", "order", "position", "balance"}
    assert set(found["delays"]) == {"t_ms", "p50", "p95", "p99"}
    for name in ("quarantine", "duplicates"):
        (entry,) = found[name]
        assert set(entry) >= {"arrival", "at_ms", "reason", "event", "raw"}
    assert any("upstream state=quiet" in line for line in found["log"])
    assert is_plain(found)


async def test_conversion_is_none_until_read(service: FeedService) -> None:
    """Then rate, time and source, and balances in rupees."""
    assert service.conversion() is None
    assert service.balances()[0]["in_inr"] is None
    service.runtime.rate = Rate(Decimal("102.5"), 7)
    assert service.conversion() == {"rate": "102.5", "at_ms": 7, "source": "exchange"}
    assert service.balances()[0]["in_inr"] == {"text": "10250.0", "rate": "102.5", "rate_ms": 7}


async def test_export_writes_all_matching_into_the_data_folder(service: FeedService, tmp_path: Path) -> None:
    """A file and its description; the upper number is fixed by the caller."""
    made = service.export({"types": ["balance"]}, "json", upto=service.version())
    assert set(made) >= {"path", "name", "rows", "meta_path", "meta_name"}
    assert Path(made["path"]).parent == tmp_path / "exports"
    assert [event["data"] for event in json.loads(Path(made["path"]).read_text("utf-8"))] == [balance()]
    with Path(service.export({})["path"]).open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == service.version()
    with pytest.raises(BadRequest, match="csv, json or parquet"):
        service.export({}, "xml")


async def test_recorded_real_frames_reach_table_and_exports_value_for_value(tmp_path: Path) -> None:
    """Every captured account record that is no repeat: same texts in rows, CSV and JSON; the repeat is counted."""
    files = sorted((FIXTURES / "ws").glob("*.captured*.jsonl"))
    server = build_frames_server(load_frames(files, interval_s=0), port=0, behaviour=instant())
    async with server:
        runtime = FeedRuntime(settings_for(server.url, tmp_path), "serve", timings=FAST)
        await asyncio.to_thread(runtime.start)
        shown = FeedService(runtime)
        try:
            await eventually(lambda: shown.status()["counters"]["duplicates"] == 1)
            await eventually(lambda: len(shown.select({"types": ["order", "balance"]})["rows"]) == 5)
            rows = shown.select({"types": ["order", "balance"]})["rows"][::-1]
            with Path(shown.export({"types": ["order", "balance"]})["path"]).open(encoding="utf-8", newline="") as file:
                lines = list(csv.DictReader(file))
            exported = json.loads(
                Path(shown.export({}, "json")["path"]).read_text("utf-8"), parse_float=str, parse_int=str
            )
        finally:
            await asyncio.to_thread(runtime.stop)
    sent = [
        record
        for found in recorded("ws/balance-update.captured.jsonl", "ws/df-order-update.captured*.jsonl")
        for record in json.loads(found["data"], parse_float=str, parse_int=str)
    ]
    expected = [record for index, record in enumerate(sent) if record not in sent[:index]]
    by_file = sorted(expected, key=lambda record: "balance" not in record)
    for record, row, line in zip(by_file, rows, lines, strict=True):
        quantity = record.get("total_quantity", record.get("balance"))
        assert (row["id"], row["quantity"], row["price"]) == (record["id"], quantity, record.get("price"))
        assert (line["id"], line["quantity"], line["price"]) == (record["id"], quantity, record.get("price", ""))
        assert (row["status"], line["status"]) == (record.get("status"), record.get("status", ""))
    data = [event["data"] for event in exported if event["type"] in ("order", "balance")]
    assert [{name: one[name] for name in record} for one, record in zip(data, by_file, strict=True)] == by_file


async def test_C9_orders_cannot_be_placed_outside_the_demo(service: FeedService, exchange: ExchangeServer) -> None:
    """One sentence, and nothing goes out."""
    placed, cancelled = service.place_order("buy", "B-ETH_USDT", "0.1"), service.cancel_order("o-1")
    assert placed == cancelled
    assert placed["ok"] is False
    assert "cannot write" in placed["message"]


async def test_old_exports_are_forgotten(tmp_path: Path) -> None:
    """The browser has its copy; account data is not kept for nobody."""
    old = tmp_path / "DEMO-coindcx-events-old.csv"
    new = tmp_path / "DEMO-coindcx-events-new.csv"
    for path in (old, new):
        path.write_text("seq\n")
    os.utime(old, (time.time() - EXPORT_KEPT_S - 60,) * 2)
    forget_exports(tmp_path)
    assert (old.exists(), new.exists()) == (False, True)
