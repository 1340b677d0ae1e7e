"""Episodes of a position as plain data, from the ring."""

from functools import cache

import numpy as np
from fakes.plain import is_plain
from fakes.traded import traded

from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.views import episodes


@cache
def _traded() -> tuple[Exchange, Pipeline]:
    # When a test first asks: every process reads this file, one runs it.
    return traded(4, 6)


def _exchange() -> Exchange:
    return _traded()[0]


def _pipeline() -> Pipeline:
    return _traded()[1]


def _now_ms() -> float:
    return float(_exchange().now_ms)


def positions() -> list[str]:
    return [entity.record.id for entity in _pipeline().state.positions()]


def told(position_id: str, first_seq: int | None = None) -> dict[str, object] | None:
    held = episodes.held_in(_pipeline().ring, position_id)
    story = episodes.story(held, first_seq, episodes.beside_in(_pipeline().ring))
    return None if story is None else episodes.drawn(story, _pipeline().marks, _now_ms())


def test_choices_are_newest_first() -> None:
    """Only the newest can still last."""
    for position_id in positions():
        found = episodes.choices(episodes.held_in(_pipeline().ring, position_id))
        seqs = [one["first_seq"] for one in found]
        assert seqs == sorted(seqs, reverse=True)
        assert all(one["closed_ms"] is not None for one in found[1:])
        assert is_plain(found)


def test_episode_holds_chart_table_and_sums() -> None:
    """From the first order on; each row names an event of the ring, newest first."""
    for position_id in positions():
        found = told(position_id)
        assert found is not None
        assert found["has_first_order"]
        assert float(str(found["start_ms"])) < float(str(found["opened_ms"]))
        rows = found["rows"]
        assert isinstance(rows, list)
        assert all(_pipeline().ring.get(row["seq"]) is not None for row in rows)
        times = [row["t_ms"] for row in rows]
        assert times == sorted(times, reverse=True)
        assert found["fills"] == sum(1 for row in rows if row["what"] == "fill")
        assert found["computed"] == 0


def test_lines_and_way_cover_the_episode() -> None:
    """Marks of every second from the first order to the end; the extremes lie on the line."""
    found = told(positions()[0])
    assert found is not None
    lines, way = found["series"], found["way"]
    assert isinstance(lines, dict)
    assert isinstance(way, dict)
    assert np.nanmax(lines["pnl"]) == way["best"]
    assert np.nanmin(lines["pnl"]) == way["worst"]
    assert float(str(found["start_ms"])) - 1_000 <= lines["t_ms"][0]


def test_episode_by_number_and_unknown_ones() -> None:
    """A number that no episode begins with, or no such position, is none."""
    position_id = positions()[0]
    oldest = episodes.choices(episodes.held_in(_pipeline().ring, position_id))[-1]
    found = told(position_id, oldest["first_seq"])
    assert found is not None
    assert found["first_seq"] == oldest["first_seq"]
    assert told(position_id, 999_999) is None
    assert told("no-such-position") is None


def test_long_episode_lists_its_newest_steps() -> None:
    """The sums are of all."""
    position_id = positions()[0]
    whole = told(position_id)
    before, episodes.STEPS = episodes.STEPS, 5  # type: ignore[misc]
    try:
        cut = told(position_id)
    finally:
        episodes.STEPS = before  # type: ignore[misc]
    assert whole is not None
    assert cut is not None
    assert isinstance(cut["rows"], list)
    assert isinstance(whole["rows"], list)
    assert cut["rows"] == whole["rows"][:5]
    assert cut["more"] == len(whole["rows"]) - 5
    assert (cut["fees"], cut["realised"]) == (whole["fees"], whole["realised"])
