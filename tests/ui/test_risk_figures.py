"""Rows and foot of a card that tell how near its end a position is."""

from datetime import UTC
from typing import Any

import pytest
from ui.fake_service import FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.ui import position_figures, risk_figures


def _known(number: int = 0, **changes: Any) -> tuple[FakeService, dict[str, Any], dict[str, Any]]:
    service = FakeService()
    row = service.positions()[number]
    return service, row, service.depth.risks()["positions"][row["id"]] | changes


def test_rows_say_ratio_distances_and_funding() -> None:
    """Each with its formula in the tooltip; the time is a measure."""
    service, row, risk = _known()
    rows = risk_figures.pairs(risk, row, UTC, service.now_ms)
    text = text_of(rows)
    assert "Margin ratio 4.7 %" in text
    assert "In day ranges 5.6" in text
    assert "At this volatility ~1 h 30 m" in text
    assert "Funding so far −0.25 USDT" in text
    assert "Next funding −0.07 USDT in <age>" in text
    titles = [row.get("title", "") for row in rows]
    assert [title.startswith("Computed: ") for title in titles] == [True, True, True, False, True]
    assert "60 steps of 60 s" in titles[2]
    assert "1 follow from its margin" in titles[3]


def test_unknown_is_a_dash_with_its_reason() -> None:
    """Never a zero."""
    service, row, _ = _known()
    service.depth.is_unmarked = True
    risk = service.depth.risks()["positions"][row["id"]]
    rows = risk_figures.pairs(risk, row, UTC, service.now_ms)
    shown = [text_of(with_class([one], "value")) for one in rows]
    assert all(text.startswith("–") for text in shown)
    assert all("Not known: " in one["title"] for one in rows)
    assert risk_figures.pairs(None, row, UTC, service.now_ms) == []


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"ratio": {"value": 0.7, "reason": None, "basis": None}}, 1),
        ({"time_s": {"value": 3_599.0, "reason": None, "basis": "b"}}, 1),
        ({}, 0),
    ],
)
def test_what_is_near_is_orange(changes: dict[str, Any], count: int) -> None:
    """From 70 % of the margin, and below an hour at this volatility."""
    service, row, risk = _known(**changes)
    assert len(with_class(risk_figures.pairs(risk, row, UTC, service.now_ms), "orange")) == count


@pytest.mark.parametrize(
    ("seconds", "text"), [(40.0, "~40 s"), (700.0, "~11 m 40 s"), (9_045.0, "~2 h 30 m"), (9e9, "over 30 d")]
)
def test_time_is_written_as_a_measure(seconds: float, text: str) -> None:
    """No more figures than it has meaning."""
    assert risk_figures.lasting(seconds) == text


def test_foot_says_the_distance_of_the_stop_and_the_time_without_one() -> None:
    """Protected now, and for how long it was not; or since when it is not."""
    service, row, risk = _known()
    text = text_of([risk_figures.protection(row, risk, service.now_ms)])
    assert text == "Stop 2,790.00 , 5.1 % away · 1 m 30 s unprotected before · Target –"
    service, row, risk = _known(1)
    foot = risk_figures.protection(row, risk, service.now_ms)
    assert text_of([foot]) == "⚠ No stop for <age> · Target –"
    assert foot["title"] == "Without a stop for 1 m 30 s of 1 h 00 m since it was opened."
    assert text_of([risk_figures.protection(row, None, service.now_ms)]) == "⚠ No stop · Target –"


def test_cards_have_the_rows_of_their_own_position() -> None:
    """By id; a card without known risk is drawn without them."""
    service = FakeService()
    risks = service.depth.risks()["positions"]
    del risks["p-btc"]
    boxes = position_figures.boxes(service.positions(), None, service.status(), risks, UTC)
    with_rows = [box for box in walk(boxes) if "Margin ratio" in text_of([box]) and box.get("select")]
    assert [box["select"] for box in with_rows] == ["p-eth", "p-sol"]
