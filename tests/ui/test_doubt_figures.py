"""What may be wrong, as nodes."""

import json
import re
from datetime import UTC
from typing import Any

from coindcx_feed.ui import doubt_figures

NOW_MS = 1_790_000_000_000.0
NOTHING: dict[str, Any] = {
    "odd": [],
    "quirks": [],
    "divergence": {"at_ms": NOW_MS - 5_000, "compared": 4, "unknown": None, "rows": []},
}


def _text(feed: dict[str, Any]) -> str:
    return json.dumps(doubt_figures.doubts(feed, UTC, NOW_MS), ensure_ascii=False)


def test_nothing_to_doubt_is_said() -> None:
    """An empty part would read as one that does not work."""
    shown = _text(NOTHING)
    assert "nothing is awaited" in shown
    assert "No field differs" in shown
    assert "None met" in shown


def test_not_compared_is_not_agreement() -> None:
    """Before the first read nothing is known."""
    shown = _text({**NOTHING, "divergence": {"at_ms": None, "compared": 0, "unknown": None, "rows": []}})
    assert "Not compared yet" in shown
    assert "No field differs" not in shown


def test_each_doubt_is_shown_with_what_it_rests_on() -> None:
    """The case and its age; the field with both values; the rule with count and sample."""
    row = {
        "type": "order", "id": "abcdefgh-1", "pair": "B-ETH_USDT", "field": "status", "rest": "filled",
        "stream": "open", "read_ms": NOW_MS, "stream_ms": NOW_MS - 9_000, "is_grave": True,
        "touched": [41_900, 41_888],
    }  # fmt: skip
    quirk = {"quirk": "record without id", "total": 3, "first_ms": NOW_MS, "last_ms": NOW_MS, "sample": '{"x":1}'}
    odd = {"key": "k", "since_ns": NOW_MS * 1e6, "text": "buy order still open"}
    shown = _text({"odd": [odd], "quirks": [quirk], "divergence": {**NOTHING["divergence"], "rows": [row]}})
    for text in ("buy order still open", "abcdefgh", "filled", "seq 41,900", "record without id"):
        assert text in shown
    links = re.findall(r'"tag": "button", "class": "copy", "text": "(seq [\d,]+)".*?"select": (\d+)', shown)
    assert links == [("seq 41,900", "41900"), ("seq 41,888", "41888")]


def test_completeness_is_one_figure() -> None:
    """Share, gaps, time away."""
    assert doubt_figures.completeness({"share": 0.9994, "gaps": 2, "away_s": 41.0}) == "complete 99.94 %, 2 gaps, 41 s"
    assert doubt_figures.completeness({"share": 1.0, "gaps": 0, "away_s": 0.0}) == "complete 100.00 %"
    assert doubt_figures.completeness(None) == "not connected yet"
