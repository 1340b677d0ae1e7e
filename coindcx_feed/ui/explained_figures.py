"""Where a wallet's money went: the sum of each kind, and change by change with what nobody can prove. Pure."""

from datetime import tzinfo
from typing import Any, Final

from coindcx_feed.analysis.dictionary import meaning
from coindcx_feed.analysis.explain import EXACT
from coindcx_feed.ui import cards
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, node, span

Found = dict[str, Any]

KINDS: Final = {
    "realised": ("realised PnL", "What closing trades brought, before fees."),
    "fee": ("fees", "Of every fill, in the wallet's currency."),
    "funding": ("funding", "Paid (−) or received by open positions at funding times."),
    "transfer": ("transfers", "Between this wallet and others. The ledger of positions does not list all of them."),
    "conversion": ("conversion", "From or into another currency."),
    "other": ("other", "Ledger rows of a kind that this program does not know."),
}
RESIDUE: Final = f"{meaning('Unexplained')} Up to {EXACT:f} counts as none."
RUNNING: Final = meaning("Unexplained, running total")
SOURCES: Final = {
    "ledger": "ledger row",
    "order": "computed from the order's steps, no ledger row was read",
    "position": "computed from the position's margin, which nothing else moved; no ledger row was read",
}


def sums(found: Found, currency: str, zone: tzinfo, now_ms: float) -> list[Node | None]:
    """Build the sum of each part over the range, with the residue and its running total."""
    if found.get("reading"):
        done, of = found["reading"]
        note = f"Reading {fmt.count(of)} kept events: {fmt.count(done)} done."
        return [cards.head("Where did it go"), div("muted small", note)]
    if found["from_ms"] is None:
        return []
    since = fmt.clock(found["from_ms"], zone, today=now_ms, digits=0)
    unit = fmt.visible(currency, 20)
    told = found["sums"]
    rows = [
        _sum(*KINDS[kind], told.get(kind), currency)
        for kind in KINDS
        if kind in told or kind in ("realised", "fee", "funding")
    ]
    rows.append(_sum("unexplained", RESIDUE, told.get("residue"), currency, _residue_color(told.get("residue"))))
    rows.append(
        _sum("change of the total", "Sum of all parts and the unexplained.", told.get("change"), currency, "strong")
    )
    counts = f"{fmt.count(found['whole'])} of {fmt.count(found['changes'])} changes explained"
    running = found["unexplained"]
    return [
        cards.head("Where did it go", f"{unit}, {counts}"),
        node("table", "grid", node("tbody", "", *rows)),
        div(
            "small section",
            span("muted", "unexplained, running total "),
            span(
                _residue_color(running) or "muted", fmt.rounded(running, 8, signed=True) if _is_some(running) else "0"
            ),
            span("muted", f" {unit} since {since}"),
            title=RUNNING,
        ),
    ]


def _sum(name: str, title: str, text: str | None, currency: str, color: str = "") -> Node:
    cells = (
        node("td", "muted", name),
        node("td", f"right {color}".strip(), _amount(text, currency), title=_exact(text, currency)),
    )
    return node("tr", "", *cells, title=title, key=name)


def _amount(text: str | None, currency: str) -> str:
    return "0.00" if text is None or not _is_some(text) else fmt.in_currency(fmt.rounded(text, signed=True), currency)


def _exact(text: str | None, currency: str) -> str | None:
    return None if text is None else fmt.in_currency(fmt.number(text, signed=True), currency)


def _is_some(text: str | None) -> bool:
    value = fmt.decimal(text)
    return value is not None and abs(value) > EXACT


def _residue_color(text: str | None) -> str:
    return "yellow strong" if _is_some(text) else "muted"


def changes(found: Found, currency: str, zone: tzinfo, now_ms: float) -> list[Node | None]:
    """Build the changes, newest first: each with its parts, its residue, and the records behind it to open."""
    rows = found["rows"]
    if found.get("reading"):
        return []
    if not rows:
        return [div("muted small section", "No balance changed in this range.")]
    told = fmt.count(len(rows) + found["more"])
    right = f"newest {fmt.count(len(rows))} of {told} · choose one for its record"
    heads = [node("th", side, name) for name, side in _HEADS]
    body = [row for one in rows for row in _change(one, currency, zone, now_ms)]
    table = node("table", "grid changes", node("thead", "", node("tr", "", *heads)), node("tbody", "", *body))
    return [div("section", cards.head("Changes", right), div("scroll", table))]


_HEADS: Final = (("time", ""), ("because of", ""), ("change", "right"), ("unexplained", "right"))


def _change(one: dict[str, Any], currency: str, zone: tzinfo, now_ms: float) -> list[Node]:
    at = fmt.clock(one["t_ms"], zone, today=now_ms, digits=0)
    opener = node(
        "button",
        "row muted nowrap",
        at,
        select=one["seq"],
        label=f"Open the balance of {at}",
        title=fmt.utc(one["t_ms"]),
    )
    causes = [_cause(cause, currency) for cause in one["causes"]]
    if not causes:
        causes = [_moved(one, currency)] if not _is_some(one["change"]) else [span("yellow", "nothing known")]
    residue = one["residue"]
    shown = fmt.rounded(residue, 8 if not one["is_whole"] and abs(float(residue)) < 0.01 else 2, signed=True)
    cells = (
        node("td", "nowrap", opener),
        node("td", "", *causes),
        node(
            "td",
            f"right {cards.signed_color(one['change']) or 'muted'}",
            _amount(one["change"], currency),
            title=_exact(one["change"], currency),
        ),
        node(
            "td", f"right {_residue_color(residue)}", "0" if one["is_whole"] else shown, title=_exact(residue, currency)
        ),
    )
    return [node("tr", "", *cells, key=one["seq"])]


def _cause(cause: dict[str, Any], currency: str) -> Node:
    parts = [
        span("nowrap", f"{KINDS[kind][0]} {_amount(text, currency)}", title=_exact(text, currency))
        for kind, text in cause["parts"].items()
    ]
    base = (cause["pair"] or "").partition("-")[2].partition("_")[0] or cause["pair"] or ""
    where = span("muted text", fmt.visible(base, 20), "" if cause["source"] == "ledger" else " computed")
    title = f"{SOURCES[cause['source']]}; order or position {fmt.visible(cause['reference'] or 'not named', 60)}"
    return node("button", "row flow", where, *parts, select=cause["seq"], title=title)


def _moved(one: dict[str, Any], currency: str) -> Node:
    moved = fmt.decimal(one["moved"])
    if not moved:
        return span("muted", "same amounts again")
    way = "locked" if moved > 0 else "released"
    return span(
        "muted nowrap",
        f"{way} {fmt.in_currency(fmt.rounded(one['moved'].lstrip('-')), currency)}",
        title=_exact(one["moved"], currency),
    )
