"""Recorded real frames, from ``simulate --frames`` through ``serve`` to ``tail --types all``."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fakes.commands import START_S, Child, environment, fetched
from fakes.frames import FIXTURES
from fakes.runtimes import free_port
from fakes.waiting import eventually_sync

pytestmark = pytest.mark.timeout(300)


def _recorded_files() -> list[Path]:
    return sorted((FIXTURES / "ws").glob("*.captured*.jsonl"))


def _sent(kinds: tuple[str, ...]) -> list[Any]:
    rows = [json.loads(line) for path in _recorded_files() for line in path.read_text("utf-8").splitlines()]
    found: list[Any] = []
    for row in rows:
        data = json.loads(row["data"])
        if row["event"].startswith(kinds):
            found += data if isinstance(data, list) else [data]
    return found


def test_recorded_real_frames_arrive_value_for_value(tmp_path: Path, children: list[Child]) -> None:
    """Every record that is no repeat, and the repeat is counted."""
    port = free_port()
    env = environment(
        tmp_path, MODE="live", API_KEY="any-key", API_SECRET="any-secret", SIMULATOR_PORT=port,
        STREAM_URL=f"ws://127.0.0.1:{port}", API_URL=f"http://127.0.0.1:{port}", PUBLIC_URL=f"http://127.0.0.1:{port}",
        PAIRS="B-BTC_USDT,B-ETH_USDT,B-CHR_USDT",
    )  # fmt: skip
    serve = Child(tmp_path, env, "serve")
    children.append(serve)
    eventually_sync(lambda: serve.said("sidecar listening"), START_S)
    tail = Child(tmp_path, env, "tail", "--types", "all")
    children.append(tail)
    eventually_sync(lambda: serve.said("client joined"), START_S)
    files = [str(path) for path in _recorded_files()]
    children.append(Child(tmp_path, env, "simulate", "--interval", "0.02", "--frames", *files))

    def received(kind: str) -> list[Any]:
        found = [json.loads(line) for line in tail.lines()]
        return [event["data"] for event in found if event["type"] == kind]

    orders = _sent(("df-order",))
    unique = [record for index, record in enumerate(orders) if record not in orders[:index]]
    assert (len(orders), len(unique)) == (5, 4)
    eventually_sync(lambda: len(received("order")) == 4 and len(received("price")) == 4, 40)
    for got, wanted in zip(received("order"), unique, strict=True):
        assert {name: got[name] for name in wanted} == wanted
        assert set(got) == {*wanted, "filled_quantity"}
    assert received("balance") == _sent(("balance",))
    assert received("trade") == [trade for trade in _sent(("new-trade",)) if trade["pr"] == "f"]
    assert [price for price in received("price") if "prices" in price] == _sent(("currentPrices",))
    changes = [change for change in _sent(("price-change",)) if change["pr"] == "f"]
    assert [price for price in received("price") if "prices" not in price] == changes
    assert received("candle") == _sent(("candlestick",))
    assert received("book") == _sent(("depth",))
    counted = re.search(r'"duplicates": ?(\d+)', fetched(env["COINDCX_SIDECAR_PORT"], "/api/v1/ws/status"))
    assert counted is not None
    assert counted.group(1) == "1"
