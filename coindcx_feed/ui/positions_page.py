"""The Positions page: what is at risk, one card or row per position id, and the chosen one in depth."""

from typing import Any, Final

import streamlit as st

from coindcx_feed.ui import (
    addressed,
    cards,
    charts,
    episode_part,
    exposure_figures,
    page,
    position_chart,
    position_figures,
    record_drawer,
    selection,
    tables,
    time_cursor,
)
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import node, span

RANGES: Final = {"15 m": 900_000, "1 h": 3_600_000, "3 h": 10_800_000, "1 d": 86_400_000}
SCALES: Final = ("Fit price", "Include liquidation")
SHOWS: Final = ("Chart", "Episode", "Exposure")

Position = dict[str, Any]


def render() -> None:
    """Draw the page."""
    if not time_cursor.begin("Positions"):
        return
    positions()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="position-bar"):
        chart_head()
        _switch("View", ("Cards", "Table"), "Cards", "view")
        _switch("Show", SHOWS, SHOWS[0], "show")
        if _shown() == "Chart":
            _switch("Range", tuple(RANGES), "1 h", "range")
        if _shown() != "Exposure":
            _switch("Scale", SCALES, SCALES[0], "scale")
        time_cursor.look_back()
    {"Chart": chart, "Episode": episode, "Exposure": exposure}[_shown()]()
    record_drawer.draw()


def _shown() -> str:
    shown = st.session_state.get("show")
    return shown if shown in SHOWS else SHOWS[0]


def _switch(label: str, options: tuple[str, ...], default: str, key: str) -> None:
    st.segmented_control(
        label, options, default=default, required=True, key=key, label_visibility="collapsed", bind="query-params"
    )


def chosen(found: list[Position]) -> Position | None:
    """Return the position named in the address, else the one shown before, else the first open one."""
    wanted = addressed.chosen("position")
    named = [position for position in found if position["id"] == wanted]
    # Positions open and close: a chart that went to another one by itself would lose what the reader looks at.
    stayed = [position for position in found if position["id"] == st.session_state.get("position-shown")]
    open_ones = [position for position in found if position["side"] != "flat"]
    position = next(iter(named or stayed or open_ones or found), None)
    if position is not None:
        st.session_state["position-shown"] = position["id"]
    return position


@time_cursor.part(page.FAST_S)
def positions() -> None:
    """Draw figures and cards, or the table."""
    source, zone = time_cursor.source(), page.zone()
    current, found = source.status(), source.positions()
    if not found:
        _nothing()
        return
    strip = position_figures.strip(found, source.conversion(), current, zone)
    selected = chosen(found)
    unknown = record_drawer.unknown("position", addressed.chosen("position"), [each["id"] for each in found])
    if st.session_state.get("view") == "Table":
        time_cursor.show([strip, unknown], key="position-figures")
        _table(found, selected)
        return
    risks = page.service().depth.risks(time_cursor.shown_seq())["positions"]
    boxes = position_figures.boxes(found, selected["id"] if selected else None, current, risks, zone)
    time_cursor.show([strip, unknown, *boxes], key="position-cards", on_select=_card_chosen)


def _nothing() -> None:
    text = "A position appears with the first fill. Positions opened before the start appear with their next update."
    title = "No positions were known then" if time_cursor.is_past() else "No positions seen yet"
    time_cursor.show([cards.empty(title, text)], key="positions-empty")


def _card_chosen() -> None:
    _choose(st.session_state["position-cards"]["selected"])


def _choose(position_id: Any) -> None:
    if isinstance(position_id, str):
        addressed.choose("position", position_id)
    st.rerun(["part-positions", "part-chart_head", f"part-{_shown().lower()}"])


def _table(found: list[Position], selected: Position | None) -> None:
    ids = [position["id"] for position in found]
    st.session_state["position-rows"] = ids
    selection.place("positions-table", ids.index(selected["id"]) if selected else None)
    st.dataframe(
        tables.positions_table(found),
        key="positions-table",
        height=min(tables.ROW_HEIGHT * len(found) + tables.HEADER_HEIGHT, 320),
        row_height=tables.ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=tables.position_columns(page.palette(), found),
        on_select=_row_chosen,
        selection_mode="single-row",
        alt="Positions, open ones first",
    )


def _row_chosen() -> None:
    if selection.is_echo("positions-table"):
        return
    row, ids = selection.clicked("positions-table"), st.session_state["position-rows"]
    _choose(ids[row] if row is not None and row < len(ids) else None)


@time_cursor.part(page.SLOW_S)
def chart_head() -> None:
    """Name the chosen position above its chart."""
    record_drawer.page_again()
    position = chosen(time_cursor.source().positions())
    if position is None:
        return
    lead = span("chips", node("h3", "text", position["pair"]), cards.side_chip(position["side"]))
    margin = span("muted small", f"margin in {position['margin_currency'] or '?'}")
    zone = span("muted small", f"times in {fmt.zone_name(page.zone(), time_cursor.now_ms())}")
    told = span("chips", lead, record_drawer.opener(position["seq"]), margin, zone)
    time_cursor.show([told], key="position-head", on_select=record_drawer.chosen_in("position-head"))


@time_cursor.part(page.SLOW_S)
def episode() -> None:
    """Draw one episode of the chosen position."""
    position = chosen(time_cursor.source().positions())
    if position is not None:
        episode_part.draw(position, with_liquidation=st.session_state.get("scale") == SCALES[1])


@time_cursor.part(page.FAST_S)
def exposure() -> None:
    """Draw what is exposed by pair and in total."""
    source, now_ms = time_cursor.source(), time_cursor.now_ms()
    rows = page.service().depth.risks(time_cursor.shown_seq())["exposure"]
    time_cursor.show(exposure_figures.exposure(rows, source.conversion(), page.zone(), now_ms), key="exposure")


@time_cursor.part(page.SLOW_S)
def chart() -> None:
    """Draw price, PnL and size of the chosen position."""
    source = time_cursor.source()
    position = chosen(source.positions())
    if position is None:
        return
    now_ms = float(time_cursor.now_ms())
    since_ms = now_ms - RANGES[st.session_state.get("range") or "1 h"]
    series = source.position_series(position["id"], since_ms)
    drawn = None if series is None else _drawn(position, series, since_ms, now_ms)
    time_cursor.show([position_figures.exact(position)], key="position-exact")
    if drawn is None:
        text = "Lines need marks received while the position was open; a flat position has none in this range."
        time_cursor.show([cards.empty("Nothing to draw in this range", text)], key="position-nochart")
        return
    pnl = fmt.rounded(position["unrealized_pnl"], signed=True)
    then = "then" if time_cursor.is_past() else "now"
    alt = f"Price, computed PnL and size of {fmt.visible(position['pair'], 40)}; PnL {then} {pnl}"
    charts.show(drawn, key="position-chart", alt=alt)


def _drawn(position: Position, series: dict[str, Any], since_ms: float, now_ms: float) -> charts.Figure | None:
    palette, gaps = page.palette(), time_cursor.gaps(since_ms)
    with_liquidation = st.session_state.get("scale") == SCALES[1]
    span_ms = RANGES[st.session_state.get("range") or "1 h"]
    view = (position["id"], span_ms, with_liquidation, palette.name, str(page.zone()), time_cursor.shown_seq())
    moving = (len(series["t_ms"]), series["t_ms"][-1:].tolist(), position["mark_price"], position["seq"])
    drawn = position_chart.position_chart(
        position,
        series,
        gaps,
        palette=palette,
        now_ms=now_ms,
        with_liquidation=with_liquidation,
        revision=(*view, *moving, charts.gaps_revision(gaps, now_ms)),
    )
    if drawn is not None:
        # Another position, range or scale is another picture: zoom starts anew there and only there.
        drawn["layout"]["uirevision"] = f"{position['id']} {span_ms} {with_liquidation}"
    return drawn
