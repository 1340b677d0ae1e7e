"""The episode below the cards: one position from its first order to flat, as chart and as table of its steps."""

from typing import Any

import pyarrow as pa
import streamlit as st

from coindcx_feed.ui import (
    cards,
    charts,
    episode_chart,
    episode_figures,
    page,
    record_drawer,
    selection,
    tables,
    time_cursor,
)
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import div

Episode = dict[str, Any]
Position = dict[str, Any]

TABLE_ROWS = 12


def draw(position: Position, *, with_liquidation: bool) -> None:
    """Draw the chosen episode of a position, the newest at first."""
    record_drawer.page_again()
    depth, at = page.service().depth, time_cursor.shown_seq()
    episode = depth.episode(position["id"], _wanted(position), at) or depth.episode(position["id"], None, at)
    if episode is None:
        text = "An episode begins when the position stops being flat, and ends when it is flat again."
        time_cursor.show([cards.empty("No episode of this position is kept", text)], key="episode-none")
        return
    zone, now_ms = page.zone(), time_cursor.now_ms()
    choices = episode["choices"]
    st.session_state["episode-shown"] = (position["id"], episode["first_seq"], choices)
    head = episode_figures.head(episode, choices, zone, now_ms)
    figures = div("section", episode_figures.figures(episode, zone, now_ms))
    parts = [head, figures, episode_figures.notes(episode)]
    time_cursor.show(parts, key="episode-head", on_select=_other)
    _chart(episode, position, with_liquidation=with_liquidation)
    _table(episode, now_ms)


def _wanted(position: Position) -> int | None:
    wanted = st.session_state.get("episode")
    return int(wanted[1]) if wanted is not None and wanted[0] == position["id"] else None


def _other() -> None:
    way = st.session_state["episode-head"]["selected"]
    position_id, first_seq, choices = st.session_state["episode-shown"]
    if way in (episode_figures.OLDER, episode_figures.NEWER):
        chosen = episode_figures.beside(choices, first_seq, way)
        st.session_state["episode"] = None if chosen is None else (position_id, chosen)


def _chart(episode: Episode, position: Position, *, with_liquidation: bool) -> None:
    palette, series = page.palette(), episode["series"]
    gaps = time_cursor.gaps(episode["start_ms"])
    view = (position["id"], episode["first_seq"], with_liquidation, palette.name, str(page.zone()))
    moving = (len(series["t_ms"]), series["t_ms"][-1:].tolist(), episode["last_seq"], len(episode["rows"]))
    shaded = charts.gaps_revision(gaps, time_cursor.now_ms())
    drawn = episode_chart.episode_chart(
        episode,
        position,
        gaps,
        palette=palette,
        with_liquidation=with_liquidation,
        revision=(*view, *moving, shaded, time_cursor.shown_seq(), position["mark_price"]),
    )
    if drawn is None:
        text = "Marks are kept while a position is open, for a day; the steps are below."
        time_cursor.show([cards.empty("No mark of this episode is kept", text)], key="episode-nochart")
        return
    drawn["layout"]["uirevision"] = repr(view[:3])
    side, pair = episode["side"], fmt.visible(episode["pair"], 40)
    charts.show(drawn, key="episode-chart", alt=f"Price, computed PnL and size of one {side} episode of {pair}")


def _table(episode: Episode, now_ms: float) -> None:
    rows, zone, state = episode["rows"], page.zone(), st.session_state
    if not rows:
        return
    seqs = [row["seq"] for row in rows]
    state["episode-rows"] = seqs
    chosen = state.get("record-seq")
    selection.place("episode-table", seqs.index(chosen) if chosen in seqs else None)
    lead = cards.head("Steps", "newest first · choose one for its raw record")
    time_cursor.show([lead], key="episode-steps")
    st.dataframe(
        _arrow(rows, seqs),
        key="episode-table",
        height=min(len(rows), TABLE_ROWS) * tables.ROW_HEIGHT + tables.HEADER_HEIGHT,
        row_height=tables.ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=episode_figures.columns(
            page.palette(), zone, rows, dated=tables.is_dated((row["t_ms"] for row in rows), now_ms, zone)
        ),
        on_select=_row_chosen,
        selection_mode="single-row",
        alt="Steps of the episode, newest first",
    )


def _arrow(rows: list[dict[str, Any]], seqs: list[int]) -> pa.Table:
    # A late fill changes the sums of the rows after it, and with them their number.
    state = st.session_state
    known = state.get("episode-arrow")
    if known is None or known[0] != seqs:
        known = state["episode-arrow"] = (seqs, episode_figures.table(rows))
    table: pa.Table = known[1]
    return table


def _row_chosen() -> None:
    if selection.is_echo("episode-table"):
        return
    row, seqs = selection.clicked("episode-table"), st.session_state["episode-rows"]
    record_drawer.choose(seqs[row] if row is not None and row < len(seqs) else None)
