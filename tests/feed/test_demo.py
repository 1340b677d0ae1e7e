"""The demo: a past to look at, a live exchange behind a real socket, and orders that go nowhere else."""

import asyncio
import json
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.pipelines import envelopes, new_pipeline
from fakes.runtimes import is_free, settings_for
from fakes.waiting import eventually_sync

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange.states import State
from coindcx_feed.feed.demo import HISTORY_NOTE, DemoExchange
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.process import new_runtime
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.service import FeedService

HALF_HOUR_S = 1_800


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[DemoExchange, Pipeline]]:
    """One demo exchange with its history in a pipeline."""
    demo, pipeline = DemoExchange(0), new_pipeline(100_000)
    past = demo.start()

    async def take() -> None:
        await pipeline.replay(past, HISTORY_NOTE)
        await pipeline.drain()

    asyncio.run(take())
    yield demo, pipeline
    demo.stop()


def test_history_is_thirty_minutes_long_and_ends_with_a_note(started: tuple[DemoExchange, Pipeline]) -> None:
    """No page is empty: orders in all states of life, open positions, wallets in two currencies."""
    _, pipeline = started
    *history, note = envelopes(pipeline)
    assert note["data"]["message"] == HISTORY_NOTE
    assert {event["type"] for event in history} == {"order", "position", "balance"}
    times = [event.received_ns for event in pipeline.ring.since(0, 100_000)]
    assert times[:-1] == sorted(times[:-1])
    assert (times[-2] - times[0]) / 1e9 == pytest.approx(HALF_HOUR_S, abs=60)
    assert time.time() - times[-2] / 1e9 < 60
    assert len(pipeline.state.open_pairs()) >= 2
    assert {entity.record.currency_short_name for entity in pipeline.state.balances()} >= {"INR", "USDT"}
    statuses = {entity.record.status for entity in pipeline.state.orders()}
    assert statuses >= {"filled", "cancelled", "open"}


def test_C1_history_goes_the_same_way_as_live_frames(started: tuple[DemoExchange, Pipeline]) -> None:
    """Doubled first frames are duplicates, nothing is malformed, numbers are dense."""
    _, pipeline = started
    assert pipeline.quarantine.count == 0
    assert pipeline.duplicates.count > 0
    assert pipeline.counters["records"] == len(pipeline.ring) - 1 + pipeline.duplicates.count
    seqs = [event["seq"] for event in envelopes(pipeline)]
    assert seqs == list(range(1, len(seqs) + 1))


def test_orders_are_placed_and_cancelled_on_the_loopback_port(started: tuple[DemoExchange, Pipeline]) -> None:
    """In words for the page; a refusal is one line."""
    demo, _ = started
    assert demo.url.startswith("http://127.0.0.1:")
    current = urllib.request.urlopen(f"{demo.url}/market_data/v3/current_prices/futures/rt", timeout=10)
    with current:
        mark = json.load(current)["prices"]["B-SOL_USDT"]["mp"]
    placed = demo.place_order("buy", "B-SOL_USDT", "1", f"{mark * 0.98:.2f}", None)
    word, order_id, status = placed.split()
    assert (word, status in ("initial", "open")) == ("order", True)
    assert demo.cancel_order(order_id) == f"cancel of {order_id} accepted"
    with pytest.raises(ConfigError, match="expected an order the exchange accepts") as caught:
        demo.cancel_order("no-such-order")
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="qty"):
        demo.place_order("buy", "B-SOL_USDT", "abc", None, None)


def test_stop_frees_the_port_ends_the_thread_and_may_be_repeated(started: tuple[DemoExchange, Pipeline]) -> None:
    """Also before a start. The last test of this exchange."""
    DemoExchange(0).stop()
    demo, _ = started
    port = int(demo.url.rpartition(":")[2])
    assert not is_free(port)
    demo.stop()
    demo.stop()
    assert is_free(port)
    assert not any(thread.name == "coindcx-exchange" for thread in threading.enumerate())


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[FeedRuntime]:
    settings = settings_for("http://127.0.0.1:9", tmp_path, mode="demo", simulator_port=0)
    made = new_runtime(settings, "dashboard")
    yield made
    made.stop()


def test_demo_runtime_shows_the_past_at_once_goes_on_and_takes_orders(runtime: FeedRuntime) -> None:
    """Live frames follow the simulated past; an order of the dashboard comes back over the wire, as does its end."""
    runtime.start()
    service = FeedService(runtime)
    past = service.version()
    assert past > 100
    assert (service.status()["mode"], service.status()["has_credentials"]) == ("demo", True)
    eventually_sync(lambda: service.status()["state"] == "live", 30)
    eventually_sync(lambda: service.version() > past + 5, 30)
    events = [json.loads(body) for body in runtime.ring.bodies_since(past, 1_000)]
    assert {event["source"] for event in events} <= {"stream", "local", "rest"}
    counters = service.status()["counters"]
    assert (counters["quarantined"], counters["failures"], counters["late"]) == (0, 0, 0)
    assert service.status()["simulator"] == {"port": int(runtime.demo.url.rpartition(":")[2]) if runtime.demo else 0}

    mark = runtime.marks.newest("B-ETH_USDT")
    assert mark is not None
    placed = service.place_order("buy", "B-ETH_USDT", "0.1", str(int(mark.price * 98 / 100)))
    assert placed["ok"], placed
    order_id = placed["message"].split()[1]

    def status() -> str | None:
        found = service.order(order_id)
        return found["order"]["status"] if found else None

    eventually_sync(lambda: status() == "open", 30)
    assert service.cancel_order(order_id)["ok"]
    eventually_sync(lambda: status() == "cancelled", 30)
    assert service.place_order("buy", "nonsense", "1")["ok"] is False


def test_busy_simulator_port_is_shown_by_a_dashboard(tmp_path: Path) -> None:
    """It starts, stands at stopped and says why, in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_for("http://127.0.0.1:9", tmp_path, mode="demo", simulator_port=taken.getsockname()[1])
        dashboard = new_runtime(settings, "dashboard")
        dashboard.start()
        try:
            assert dashboard.change.state is State.STOPPED
            assert re.fullmatch(r"[^\n]*in use[^\n]*COINDCX_SIMULATOR_PORT[^\n]*", dashboard.change.reason or "")
        finally:
            dashboard.stop()
