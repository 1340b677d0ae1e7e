"""What may be wrong, as plain nodes: implausible silence, differences between stream and REST, the exchange's slips."""

from datetime import tzinfo
from typing import Any, Final

from coindcx_feed.ui import cards
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, age, div, node, span

SHOWN: Final = 30
DIVERGENCE: Final = ("record", "field", "REST", "stream", "age of REST / stream", "last events that moved it")


def completeness(found: dict[str, Any] | None) -> str:
    """Say in one line how much of the time was watched."""
    if found is None:
        return "not connected yet"
    share = fmt.percent(found["share"], places=2)
    if not found["gaps"]:
        return f"complete {share}"
    word = "gap" if found["gaps"] == 1 else "gaps"
    return f"complete {share}, {found['gaps']} {word}, {fmt.duration(found['away_s'])}"


def doubts(feed: dict[str, Any], zone: tzinfo, now_ms: float) -> list[Node | None]:
    """Build the section; each part says so when there is nothing to doubt."""
    return [
        div("section", *_odd(feed["odd"], now_ms)),
        div("section", *_divergence(feed["divergence"], zone, now_ms)),
        div("section", *_quirks(feed["quirks"], zone, now_ms)),
    ]


def _odd(odd: list[dict[str, Any]], now_ms: float) -> list[Node | None]:
    head = cards.head("Implausible silence", "each case led to one comparison with REST")
    if not odd:
        return [head, node("p", "muted", "None: nothing is awaited that should have come.")]
    rows = [
        _row(span("orange", f"⚠ {fmt.visible(item['text'], 200)}"), age(item["since_ns"] / 1e6, "")) for item in odd
    ]
    return [head, _table(["what", "since"], rows)]


def _divergence(board: dict[str, Any], zone: tzinfo, now_ms: float) -> list[Node | None]:
    if board["at_ms"] is None:
        return [cards.head("Stream beside REST"), node("p", "muted", "Not compared yet.")]
    read = fmt.clock(board["at_ms"], zone, today=now_ms, digits=0)
    head = cards.head("Stream beside REST", f"{board['compared']} records read at {read}")
    unknown = node("p", "yellow", fmt.visible(board["unknown"], 300)) if board["unknown"] else None
    if not board["rows"]:
        return [head, unknown, node("p", "muted", "No field differs.")]
    rows = [
        _row(
            f"{item['type']} {fmt.visible(item['pair'] or '', 40)} {item['id'][:8]}",
            span("red" if item["is_grave"] else "", fmt.visible(item["field"], 60)),
            fmt.visible(item["rest"], 60),
            fmt.visible(item["stream"], 60),
            span("", age(item["read_ms"], ""), span("muted", " / "), age(item["stream_ms"], "")),
            span("chips", *(_link(seq) for seq in item["touched"])),
        )
        for item in board["rows"][:SHOWN]
    ]
    return [head, unknown, _table([*DIVERGENCE], rows)]


def _link(seq: int) -> Node:
    title = "Show this event on the Events page"
    return node("button", "copy", f"seq {seq:,}", select=seq, key=str(seq), title=title)


def _quirks(quirks: list[dict[str, Any]], zone: tzinfo, now_ms: float) -> list[Node | None]:
    head = cards.head("Quirks of the exchange", "against its own rules, since the start")
    if not quirks:
        return [head, node("p", "muted", "None met.")]
    rows = [
        _row(
            item["quirk"],
            fmt.count(item["total"]),
            fmt.clock(item["first_ms"], zone, today=now_ms, digits=0),
            fmt.clock(item["last_ms"], zone, today=now_ms, digits=0),
            span("text muted", fmt.visible(item["sample"], 120)),
        )
        for item in quirks
    ]
    return [head, _table(["rule", "times", "first", "last", "sample"], rows)]


def _table(names: list[str], rows: list[Node]) -> Node:
    top = node("tr", "", *(node("th", "muted", name) for name in names))
    return node("table", "grid", node("thead", "", top), node("tbody", "", *rows))


def _row(*cells: str | Node | None) -> Node:
    return node("tr", "", *(node("td", "", cell) for cell in cells))
