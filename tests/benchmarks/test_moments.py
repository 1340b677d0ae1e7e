"""How long a page waits for a moment of the past: ``?at=`` with a million events stored."""

import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.events import events
from fakes.runtimes import settings_for
from store.made import ACCOUNT, EPOCH, groups

from coindcx_feed.feed.moments import Moments
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.store.log import EventStore

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]
STORED = 1_000_000
LIMIT_S = 0.2
ASKED = 25


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> FeedRuntime:
    """A runtime that was never started, with a long log."""
    folder = tmp_path_factory.mktemp("moments")
    log = EventStore.open(f"sqlite:///{folder / 'events.sqlite'}", mode="live", account=ACCOUNT, synchronous="normal")
    log.begin_epoch(EPOCH, 1)
    for part in groups(events(STORED), 2_000):
        log.append(part, EPOCH)
    found = FeedRuntime(settings_for("http://127.0.0.1:9", Path(folder)), "serve")
    found.log = log
    return found


Ask = Callable[[Moments, int], object]


def _orders(moments: Moments, seq: int) -> object:
    return moments.find(str(seq)), moments.orders_at(seq)


def _positions(moments: Moments, seq: int) -> object:
    return moments.find(str(seq)), moments.positions_at(seq)


def _balances(moments: Moments, seq: int) -> object:
    return moments.find(str(seq)), moments.balances_at(seq)


@pytest.mark.parametrize("ask", [_orders, _positions, _balances])
def test_moment_of_a_long_log_is_shown_within_its_limit(runtime: FeedRuntime, ask: Ask) -> None:
    """What an address names, and the rows of the page; nothing remembered from before."""
    chance, took = random.Random(7), []
    for _ in range(ASKED):
        moments, seq = Moments(runtime), chance.randint(1, STORED)
        begun = time.perf_counter()
        ask(moments, seq)
        took.append(time.perf_counter() - begun)
    median, most = statistics.median(took) * 1000, max(took) * 1000
    print(f"{ask.__name__}: median {median:.0f} ms, most {most:.0f} ms of {ASKED}")
    assert statistics.median(took) < LIMIT_S
