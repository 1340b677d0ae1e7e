"""The line that says which moment of the past is shown, and why another cannot be. Pure: plain data in, nodes out."""

from datetime import tzinfo
from typing import Any

from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import theme
from coindcx_feed.ui.nodes import Node, div, node, span

Moment = dict[str, Any]


def bar_nodes(moment: Moment, mode: str, zone: tzinfo, note: str | None) -> list[Node | None]:
    """Build the line that says which past this is, and what was not known then."""
    at_ms = moment["received_ms"]
    at = fmt.moment(at_ms, zone)
    event = theme.type_label(moment["type"])
    words = " ".join(fmt.visible(part, 40) for part in (moment["pair"], moment["status"]) if part)
    count = f"of {fmt.count(moment['first_seq'])} to {fmt.count(moment['newest_seq'])}"
    cells = [
        None if mode == "live" else div("cell hatch", mode.upper()),
        div("cell hatch", "◷ PAST, NOT NOW"),
        _cell("as of", span("strong", f"{at.day} {at:%b %Y} {fmt.clock(at_ms, zone)}"), title=fmt.utc(at_ms)),
        _cell("", span("muted", fmt.zone_name(zone, at_ms))),
        _cell("event", span("strong", fmt.count(moment["seq"])), span("muted", count)),
        _cell("", span(theme.TYPE_COLORS.get(moment["type"], ""), event), span("muted text", words)),
        div("cell spring"),
        _connection(moment, zone),
    ]
    line = div("status alarm-yellow", *cells, role="status", label="Moment shown")
    return [
        line,
        _missing_notice(moment),
        _gap_notice(moment, zone),
        div("small muted section", note) if note else None,
    ]


def _cell(name: str, *values: Node | None, title: str | None = None) -> Node:
    return div("cell", span("name", name) if name else None, *values, title=title)


def _connection(moment: Moment, zone: tzinfo) -> Node:
    state = moment["state"]
    if state is None:
        return _cell("connection then", span("yellow", "not known"))
    told = fmt.clock(moment["told_ms"], zone, today=moment["received_ms"], digits=0)
    color = "" if moment["connected"] else "yellow"
    return _cell("connection then", span(color, fmt.visible(state, 20)), span("muted", f"since {told}"))


def _missing_notice(moment: Moment) -> Node | None:
    missing = moment["missing"]
    if missing is None:
        return None
    count, first, last = missing["count"], missing["from_seq"], missing["to_seq"]
    run = f"event {fmt.count(first)}" if first == last else f"events {fmt.count(first)} to {fmt.count(last)}"
    named = "Missing: " if count == last - first + 1 else f"Missing: {fmt.count(count)} in all, the newest of them "
    text = f"{named}{run}. What they changed is not in what is shown here until a later event said it again."
    return div("notice", node("p", "strong", "The log is not complete up to this moment."), node("p", "text", text))


def _gap_notice(moment: Moment, zone: tzinfo) -> Node | None:
    gap, at_ms = moment["gap"], moment["received_ms"]
    if gap is None:
        return None
    begun = fmt.clock(gap["from_ms"], zone, today=at_ms, digits=0)
    ended = "still lasts" if gap["to_ms"] is None else f"until {fmt.clock(gap['to_ms'], zone, today=at_ms, digits=0)}"
    text = f"Away from the exchange from {begun}, {ended}: {fmt.visible(gap['cause'], 120)}. "
    text += "What changed meanwhile is not in what is shown here."
    return div("notice", node("p", "strong", "This moment lies in a gap."), node("p", "text", text))


def refusal(problem: str) -> Node:
    """Build the notice for an address that names no moment; the problem may repeat what was typed."""
    shown = fmt.visible(problem, 300)
    body = node("p", "text", f"{shown[:1].upper()}{shown[1:]}.")
    return div("notice", node("p", "strong", "This address names no moment that can be shown."), body)
