"""Everything about one event: sentence, changes, lifecycle, related events, fields and raw JSON."""

from collections.abc import Callable
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

import msgspec
import streamlit as st

from coindcx_feed.analysis.fields import label
from coindcx_feed.ui import cards, curl, nodes, page, reader, theme, time_cursor
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, node, span

Event = dict[str, Any]
Commands = tuple[tuple[str, str, str], ...]

KEYS: Final = ("P pauses and resumes", "/ goes to the search", "Esc leaves it")
STEPS: Final = 12
MOMENT_PAGES: Final = {"position": "positions", "balance": "balances", "ledger": "balances"}
"""Where an event is looked at as a moment; Orders for all others."""
SHOWN_JSON: Final = 20_000
SHOWN_CHANGES: Final = 30
RELATED: Final = 6


def detail_nodes(
    event: Event, zone: tzinfo, now_ms: float, *, move: tuple[str, str], commands: Commands = ()
) -> list[Node | None]:
    """Build the upper part of the pane, down to the related events.

    Args:
        move: Word and value of the button that opens the details elsewhere.
        commands: From ``commands_for``.
    """
    return [
        _title_row(event),
        div("sentence text", sentence(event)),
        div("flow muted small", *_circumstances(event, zone, now_ms)),
        _ids(event, move, commands),
        _changes(event),
        _lifecycle(event, zone, now_ms),
        _related(event, zone, now_ms),
    ]


def _title_row(event: Event) -> Node:
    chips = [cards.chip(theme.type_label(event["type"]), theme.TYPE_COLORS.get(event["type"], ""))]
    if event["status"]:
        chips.append(cards.status_chip(event["status"]))
    if event["late"]:
        chips.append(cards.chip("late", "yellow"))
    return div("chips", *chips, span("muted mono push", f"seq {fmt.count(event['seq'])}"))


def sentence(event: Event) -> str:
    """Say in one line what the event is."""
    pair = fmt.visible(event["pair"] or "", 40)
    base = pair.partition("-")[2].partition("_")[0] or pair
    if event["type"] == "order":
        side = event["side"] or ""
        price = f" at {fmt.number(event['price'])}" if (fmt.decimal(event["price"]) or 0) else ""
        glyph = theme.SIDE_GLYPHS.get(side, "")
        kind = fmt.visible(theme.words((_field(event, "order_type") or "").removesuffix("_order")), 30)
        ordered = f"{fmt.number(event['quantity'])} {base}{price} {kind}".strip()
        return f"{glyph} {fmt.visible(side, 20).capitalize()} {ordered}".strip()
    if event["type"] == "position":
        size = fmt.decimal(event["quantity"])
        if size is not None and not size:
            return f"{pair} is flat"
        side = "long" if size is None or size > 0 else "short"
        held = f"{fmt.number((event['quantity'] or '').lstrip('-'))} {base} at {fmt.figure(event['price'])}"
        return f"{theme.SIDE_GLYPHS[side]} {side.capitalize()} {held}"
    if event["type"] == "fill":
        traded = f"{fmt.number(event['quantity'])} {base} at {fmt.number(event['price'])}"
        return f"{theme.SIDE_GLYPHS.get(event['side'] or '', '')} Filled {traded}".replace("  ", " ").strip()
    if event["type"] == "balance":
        return f"{pair} available {fmt.in_currency(fmt.number(event['quantity']), event['pair'])}"
    return fmt.visible(event["message"] or event["what_changed"] or event["type"])


def _field(event: Event, name: str) -> str | None:
    text = dict(event["fields"]).get(name)
    return None if text in (None, "", "null") else text


def _terms(event: Event) -> str:
    leverage, kind = _field(event, "leverage"), _field(event, "position_margin_type") or _field(event, "margin_type")
    parts = [f"{leverage.removesuffix('.0')}×" if leverage else "", kind or ""]
    return " ".join(part for part in parts if part)


def _circumstances(event: Event, zone: tzinfo, now_ms: float) -> list[Node]:
    currency = _field(event, "margin_currency_short_name")
    parts = [
        event["pair"] or "",
        _terms(event),
        f"{currency} margin" if currency else "",
        {"stream": "from the stream", "rest": "read by REST", "local": "from this program"}[event["source"]],
    ]
    if event["exchange_ms"] is not None:
        parts.append(f"{fmt.milliseconds(event['received_ms'] - event['exchange_ms'])} after the exchange")
    parts.append(fmt.clock(event["received_ms"], zone, today=now_ms))
    parts.append(fmt.utc(event["received_ms"]))
    kept = [fmt.visible(part, 60) for part in parts if part]
    return [span("nowrap text", part if part is kept[-1] else f"{part} ·") for part in kept]


def commands_for(event: Event, sidecar: curl.Sidecar, epoch: str) -> Commands:
    """Return what reads the event, and the present state of its kind, from the sidecar: word, tooltip and command."""
    now = f"Reads the {curl.STATES.get(event['type'], '')} as they are known then."
    found = (
        ("copy curl", "Reads this event from the sidecar.", curl.event_command(sidecar, event["seq"], epoch)),
        ("copy curl of now", now, curl.state_command(sidecar, event["type"])),
    )
    return tuple((word, tip, command) for word, tip, command in found if command is not None)


def _ids(event: Event, move: tuple[str, str], commands: Commands) -> Node:
    word, value = move
    buttons = [node("button", "copy", "copy JSON", copy=event["record"])]
    buttons += [node("button", "copy", name, copy=command, title=tip) for name, tip, command in commands]
    buttons.append(node("button", "copy", word, select=value))
    if event["id"] is not None:
        buttons.insert(0, node("button", "copy", "copy id", copy=event["id"]))
    known = span("mono small muted text", fmt.visible(event["id"] or "no id", 80))
    return div("chips section", known, span("chips push", *buttons))


def _changes(event: Event) -> Node | None:
    changes = event["changes"]
    if event["type"] in ("system", "fill", "ledger"):
        return None  # said once, never updated
    if changes["since_seq"] is None:
        return _section("What changed", "first event of this id", span("muted", "Nothing to compare with."))
    since_s = (changes["since_ms"] or 0.0) / 1000
    right = f"since seq {fmt.count(changes['since_seq'])}, {fmt.duration(since_s)} before"
    rows = changes["rows"]
    if not rows:
        return _section("What changed", right, span("muted", "Nothing but the time of update."))
    titles = [node("th", "", "field"), *(node("th", "right", name) for name in ("before", "after", "change"))]
    body = [_change(row) for row in rows[:SHOWN_CHANGES]]
    table = node("table", "grid", node("thead", "", node("tr", "", *titles)), node("tbody", "", *body))
    return _section("What changed", right, table)


def _change(row: dict[str, Any]) -> Node:
    field, before, after = row["field"], row["before"], row["after"]
    if field == "status":
        color = theme.STATUS_COLORS.get(after or "", "")
        cells = (_status(before), _status(after), "")
    else:
        color = ""
        cells = (_shown(before), _shown(after), difference(before, after))
    return node(
        "tr",
        "",
        node("td", f"muted text{_kept_whole(label(field))}", fmt.visible(label(field), 60)),
        node("td", f"right muted text{_kept_whole(cells[0])}", cells[0]),
        node("td", f"right strong text {color}{_kept_whole(cells[1])}", cells[1]),
        node("td", "right muted nowrap", cells[2]),
        key=field,
    )


def _kept_whole(text: str) -> str:
    return " nowrap" if len(text) <= 20 else ""


def _status(text: str | None) -> str:
    return fmt.UNKNOWN if text is None else fmt.visible(theme.status_label(text), 60)


def _shown(text: str | None) -> str:
    return fmt.UNKNOWN if text in (None, "") else fmt.number(text)


def difference(before: str | None, after: str | None) -> str:
    """Write the exact difference of two numbers with its direction; nothing for other texts."""
    first, second = fmt.decimal(before), fmt.decimal(after)
    if first is None or second is None or first == second:
        return ""
    change: Decimal = second - first
    shown = f"{change:f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"{'▲' if change > 0 else '▼'} {fmt.number(shown, signed=True)}"


def _lifecycle(event: Event, zone: tzinfo, now_ms: float) -> Node | None:
    steps = event["timeline"]
    if len(steps) < 2:
        return None
    shown = _around(steps, event["seq"], STEPS if event["type"] == "order" else STEPS // 2)
    lasted = (steps[-1]["received_ms"] - steps[0]["received_ms"]) / 1000
    hidden = len(steps) - len(shown)
    right = f"{hidden} more not shown · " * bool(hidden) + f"{fmt.duration(lasted)} from first to last"
    items = []
    for before, step in zip([None, *shown[:-1]], shown, strict=True):
        after_s = None if before is None else (step["received_ms"] - before["received_ms"]) / 1000
        note = (
            "" if after_s is None else f"+{fmt.duration(after_s) if after_s >= 1 else fmt.milliseconds(after_s * 1000)}"
        )
        items.append(_step(step, note, zone, now_ms, step["seq"] == event["seq"]))
    title = "Lifecycle" if event["type"] == "order" else "Updates of this id"
    return _section(title, right, div("steps", *items, role="group", label=title))


def _around(steps: list[Event], seq: int, count: int) -> list[Event]:
    """Return the steps before and at an event, and one after it."""
    here = next((index for index, step in enumerate(steps) if step["seq"] == seq), len(steps) - 1)
    end = min(len(steps), here + 2)
    return steps[max(0, end - count) : end]


def _related(event: Event, zone: tzinfo, now_ms: float) -> Node | None:
    if not event["related"]:
        return None
    nearest = sorted(event["related"], key=lambda row: abs(row["received_ms"] - event["received_ms"]))[:RELATED]
    near = sorted(nearest, key=lambda row: int(row["seq"]))
    items = [_step(row, f"seq {fmt.count(row['seq'])}", zone, now_ms, False) for row in near]
    return _section(
        "Related", "within 2 s, same pair or wallet", div("steps", *items, role="group", label="Related events")
    )


def _step(row: Event, note: str, zone: tzinfo, now_ms: float, is_this: bool) -> Node:
    glyph, color = _mark(row)
    text = step_text(row)
    strong = " strong" if is_this else ""
    return node(
        "button",
        "step",
        span(f"glyph {color}".strip(), glyph),
        span(f"muted{strong}", fmt.clock(row["received_ms"], zone, today=now_ms)),
        span(f"text{strong}", text),
        span("muted small", note),
        select=row["seq"],
        key=row["seq"],
        title=fmt.utc(row["received_ms"]),
    )


def _mark(row: Event) -> tuple[str, str]:
    if row["type"] == "order" and row["status"]:
        return theme.STATUS_GLYPHS.get(row["status"], "?"), theme.STATUS_COLORS.get(row["status"], "")
    return theme.TYPE_GLYPHS.get(row["type"], "·"), theme.TYPE_COLORS.get(row["type"], "")


def step_text(row: Event) -> str:
    """Say one step of an order or what another event changed."""
    if row["type"] != "order" or not row["status"]:
        text = fmt.trimmed(row["what_changed"] or row["message"] or row["type"])
        return fmt.visible(fmt.all_in_currency(text, row["pair"]) if row["type"] == "balance" else text, 120)
    text = fmt.visible(theme.words(row["status"]), 40)
    filled = fmt.decimal(row["filled_quantity"])
    return f"{text} {fmt.number(row['filled_quantity'])}" if filled and row["status"] != "filled" else text


def _section(title: str, right: str, body: Node) -> Node:
    return div("section", cards.head(title, right), body, key=title)


def field_nodes(event: Event) -> list[Node]:
    """Build the table of all fields, exactly as sent."""
    rows = [
        node(
            "tr", "", node("td", "text", fmt.visible(name, 80)), node("td", "text", fmt.visible(text, 2_000)), key=name
        )
        for name, text in event["fields"]
    ]
    return [node("table", "grid fields", node("tbody", "", *rows))]


def pretty_json(record: str) -> str:
    """Indent a record without touching a digit, with unseen characters as escapes."""
    try:
        text = msgspec.json.format(record, indent=1)
    except msgspec.DecodeError:
        text = record
    return fmt.escaped_json(text, SHOWN_JSON)


def draw(
    event: Event | None,
    zone: tzinfo,
    now_ms: float,
    *,
    key: str,
    move: tuple[str, str],
    on_select: Callable[[], None],
) -> None:
    """Draw the pane of one event."""
    reader.group()  # a drawer is no part of the page: nothing said it before
    if event is None:
        gone = cards.empty("This event is no longer kept", "Newer events took its place in memory. Choose another row.")
        nodes.show([gone], key=f"{key}-gone")
        return
    service = page.service()
    offered = commands_for(event, service.status()["sidecar"], service.epoch_of(event["seq"]))
    told = detail_nodes(event, zone, now_ms, move=move, commands=offered)
    nodes.show(told, key=f"{key}-head", now_ms=now_ms, on_select=on_select)
    _moment_link(event)
    raw, fields = st.tabs(["Raw JSON", "All fields"], key=f"{key}-tabs")
    with raw:
        st.code(pretty_json(event["record"]), language=None, wrap_lines=True)
    with fields:
        nodes.show(field_nodes(event), key=f"{key}-fields")


def _moment_link(event: Event) -> None:
    # Only a log knows the past; what is not stored yet has no moment either.
    span = time_cursor.stored_span()
    if span is None or not span["first_seq"] <= event["seq"] <= span["newest_seq"]:
        return
    target = MOMENT_PAGES.get(event["type"], "orders")
    st.page_link(
        f"pages/{target}.py",
        label=f"Show {target} at this moment",
        icon=":material/history:",
        help="As the account was known when this event was received. The link can be shared.",
        query_params={"at": str(event["seq"])},
    )


def guide_nodes() -> list[Node]:
    """Build what the pane shows while no event is chosen: how to read the table."""
    kinds = [span(theme.TYPE_COLORS.get(kind, "muted"), theme.type_label(kind)) for kind in theme.TYPE_GLYPHS]
    states = [
        span(theme.STATUS_COLORS.get(name, "gray"), theme.status_label(name))
        for name in theme.STATUS_GLYPHS
        if name != "partially_cancelled"
    ]
    sides = [span("green", "▲ buy, long"), span("red", "▼ sell, short")]
    return [
        node("h3", "sentence", "No event chosen"),
        node(
            "p",
            "muted",
            "Choose a row: its fields, what it changed, the life of its order and what happened beside it appear here.",
        ),
        _section("Types", "by shape", div("legend", *kinds)),
        _section("Sides", "by direction", div("legend", *sides)),
        _section("Status of an order", "by fill", div("legend", *states)),
        _section("Keys", "", div("legend", *(span("", text) for text in KEYS))),
    ]
