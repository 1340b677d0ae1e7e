"""Positions and balances in depth, now and as of any stored event: the past shows what the present showed then."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.plain import is_plain
from fakes.runtimes import settings_for
from fakes.traded import traded

from coindcx_feed.errors import StoreError
from coindcx_feed.events import Event, Facts
from coindcx_feed.feed.depth import KEPT, STORIES, Depth
from coindcx_feed.feed.moments import Moments
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.ring import Stored
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.store.log import EventStore
from coindcx_feed.views import episodes
from coindcx_feed.views.books import Books
from coindcx_feed.views.explained import explained


@cache
def _traded() -> tuple[Exchange, Pipeline]:
    # When a test first asks: every process reads this file, one runs it.
    return traded(9, 4)


def _exchange() -> Exchange:
    return _traded()[0]


def _pipeline() -> Pipeline:
    return _traded()[1]


def _now_ns() -> int:
    return int(_exchange().now_ms * 1e6)


def _event(stored: Stored) -> Event:
    data = json.loads(stored.body)["data"]
    key = data.get("id") or data.get("fill_id") or "system"
    facts = Facts(key, pair=stored.pair, exchange_ms=stored.exchange_ms)
    kept = (stored.seq, stored.type, stored.source, stored.received_ns, facts, stored.body)
    return Event(*kept, stored.record_at, stored.record_bytes, stored.previous, stored.is_late)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedRuntime]:
    """A runtime that holds four minutes of trading, in memory and in a log; it was never started."""
    folder: Path = tmp_path_factory.mktemp("depth")
    made = FeedRuntime(settings_for("http://127.0.0.1:9", folder), "serve")
    made.ring, made.state, made.marks, made.pipeline = (
        _pipeline().ring,
        _pipeline().state,
        _pipeline().marks,
        _pipeline(),
    )
    made.now_ns = lambda: _now_ns()  # type: ignore[method-assign]
    made.log = EventStore.open(f"sqlite:///{folder / 'e.sqlite'}", mode="live", account="a", synchronous="normal")
    made.log.begin_epoch("epoch-1", 1)
    made.log.append([_event(stored) for stored in _pipeline().ring.since(0, 1_000_000)], "epoch-1")
    marks: list[tuple[int, str, str]] = []
    for pair in _exchange().pairs:
        t_ms, price = _pipeline().marks.series(pair, _now_ns() / 1e6 - 600_000, _now_ns() / 1e6)
        known = np.isfinite(price)
        marks += [(int(t // 1000), pair, repr(p)) for t, p in zip(t_ms[known], price[known].tolist(), strict=True)]
    made.log.append_marks(sorted(marks))
    yield made
    made.log.close()


@pytest.fixture
def depth(runtime: FeedRuntime) -> Depth:
    return Depth(runtime, Moments(runtime))


def _open_ids() -> list[str]:
    return [entity.record.id for entity in _pipeline().state.positions() if entity.record.active_pos]


def test_present_is_plain_and_whole(depth: Depth) -> None:
    """A risk per open position, exposure with its total, everything explained."""
    found = depth.risks()
    assert is_plain(found)
    assert sorted(found["positions"]) == sorted(_open_ids())
    assert found["exposure"][-1]["positions"] == len(_open_ids())
    for currency in ("USDT", "INR"):
        shown = depth.explained(currency, 0.0)
        assert is_plain(shown)
        assert (shown["unexplained"], shown["whole"]) == ("0", shown["changes"])


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_past_explains_with_what_was_known_then(depth: Depth, share: float) -> None:
    """The same as the books of the events up to the moment; what came later explains nothing yet."""
    at = int(_pipeline().ring.version * share)
    books = Books()
    books.take_all(_pipeline().ring.since(0, at))
    expected = explained(books.explained("USDT"), books.first_step("USDT"), 0.0)
    assert depth.explained("USDT", 0.0, at) == expected
    assert all(row["seq"] <= at for row in expected["rows"])
    assert all(cause["seq"] <= at for row in expected["rows"] for cause in row["causes"])


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_past_episode_ends_at_the_moment(depth: Depth, share: float) -> None:
    """No step, no fill, no mark of it is newer."""
    at = int(_pipeline().ring.version * share)
    moment = _pipeline().ring.get(at)
    assert moment is not None
    told = 0
    for position_id in _open_ids():
        found = depth.episode(position_id, None, at)
        if found is None:
            continue
        told += 1
        assert all(row["seq"] <= at for row in found["rows"])
        lines: dict[str, Any] = found["series"]
        assert not len(lines["t_ms"]) or lines["t_ms"][-1] <= moment.received_ns / 1e6 + 1_000
        assert all(choice["first_seq"] <= at for choice in found["choices"])
    assert told


def test_past_risk_knows_no_rate_and_no_range(depth: Depth) -> None:
    """They are not stored: unknown, with the reason; lives and margins of then are known."""
    at = _pipeline().ring.version // 2
    found = depth.risks(at)
    assert found["positions"]
    for risk in found["positions"].values():
        assert risk["next_funding"]["amount"] is None
        assert risk["ranges"]["value"] is None
        assert risk["opened_ms"] is not None
    assert all(row["total_inr"] is None for row in found["exposure"])


def test_same_moment_is_read_once_and_few_are_kept(depth: Depth, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts of a page ask for the same one."""
    for at in range(100, 100 + 2 * KEPT):
        depth.explained("USDT", 0.0, at)
    asked: list[int] = []
    monkeypatch.setattr(type(depth._log), "select", lambda *_, **named: asked.append(named["upto"]) or [])
    depth.explained("INR", 0.0, 99 + 2 * KEPT)
    assert asked == []
    depth.explained("INR", 0.0, 100)
    assert asked == [100]


def test_story_is_told_again_only_when_its_pair_moved(depth: Depth, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines follow the marks meanwhile; few stories are remembered."""
    count, tell = 0, episodes.story

    def counted(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        return tell(*arguments)

    monkeypatch.setattr(episodes, "story", counted)
    position_id = _open_ids()[0]
    assert depth.episode(position_id) is not None
    assert depth.episode(position_id) is not None
    assert count == 1
    for number in range(2 * STORIES):
        assert depth.episode(position_id, -1 - number) is None
    assert len(depth._stories) == STORIES
    assert depth.episode("nobody") is None


def test_without_a_log_there_is_no_past(tmp_path: Path) -> None:
    """One line that says what to set."""
    made = FeedRuntime(settings_for("http://127.0.0.1:9", tmp_path), "serve")
    with pytest.raises(StoreError, match="COINDCX_STORE_URL"):
        Depth(made, Moments(made)).risks(1)
