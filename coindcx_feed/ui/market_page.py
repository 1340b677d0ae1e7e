"""The Market page: a card per watched pair, and bars, order book and trades of the chosen one."""

from typing import Any, Final

import streamlit as st

from coindcx_feed.ui import cards, charts, market_charts, market_figures, nodes, page
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import div, node, span

RESOLUTIONS: Final = ("1m", "5m", "15m", "30m", "1h", "4h", "8h", "1d", "3d", "1w", "1M")
DEFAULT: Final = "1m"
PICKER_S: Final = 3.0
"""The list of pairs comes once, and a choice is answered at once."""
TRADES: Final = 25
"""As high as the ladder beside it."""
ANSWER_S: Final = 20
ADDRESS_TIMES: Final = 4
PARTS: Final = ("picker", "quotes", "candles", "book")

Quote = dict[str, Any]


def render() -> None:
    """Draw the page."""
    page.begin("Market")
    picker()
    quotes()
    candles()
    book()


def chosen(rows: list[Quote]) -> Quote | None:
    """Return the pair clicked last, else the one named in the address, else the first."""
    wanted = st.session_state.get("market-pair") or st.query_params.get("pair")
    return next((row for row in rows if row["pair"] == wanted), rows[0] if rows else None)


def _now_ms() -> float:
    return float(page.service().status()["now_ms"])


def _chosen() -> Quote | None:
    return chosen(page.service().market.quotes()["rows"])


@page.part(PICKER_S)
def picker() -> None:
    """Draw the search over the exchange's list, and what came of the last choice."""
    market = page.service().market
    known, watched = market.names(), {row["pair"] for row in market.quotes()["rows"]}
    names = [name for name in known["names"] or () if name not in watched]
    waiting = "The list of pairs could not be read" if known["error"] else "Reading the list of pairs"
    st.selectbox(
        "Add a pair",
        names,
        index=None,
        key="market-add",
        placeholder=f"Add a pair: {len(names):,} more" if known["names"] else waiting,
        label_visibility="collapsed",
        on_change=_add,
        disabled=not names,
        width=300,
    )
    answer = st.session_state.get("market-answer")
    if answer is not None and _now_ms() - answer["at_ms"] < ANSWER_S * 1000:
        text = span("text", fmt.visible(answer["message"], 300))
        nodes.show([div("notice", node("p", "", text))], key="market-answer-line")


def _add() -> None:
    pair = st.session_state["market-add"]
    st.session_state["market-add"] = None
    if isinstance(pair, str):
        _answered(page.service().watch_pair(pair), pair)


def _answered(answer: dict[str, Any], shown: str | None) -> None:
    st.session_state["market-answer"] = None if answer["ok"] else {**answer, "at_ms": _now_ms()}
    if answer["ok"] and shown is not None:
        st.session_state["market-pair"] = shown
    st.rerun([f"part-{name}" for name in PARTS])


@page.part(page.FAST_S)
def quotes() -> None:
    """Draw the cards."""
    found, now_ms = page.service().market.quotes(), _now_ms()
    if not found["available"]:
        text = "A replay, or a dashboard that does not own the account's feed, has no connection of its own."
        nodes.show([cards.empty("No market feed in this process", text)], key="market-none")
        return
    rows = found["rows"]
    if not rows:
        nodes.show([cards.empty("No pair is watched", "Search one above to add it.")], key="market-empty")
        return
    selected, turn = chosen(rows), st.session_state.get("market-turn", 0)
    _to_address(selected)
    boxes = [market_figures.quote_card(row, pressed=row is selected, turn=turn, now_ms=now_ms) for row in rows]
    nodes.show([cards.cards(boxes)], key="market-cards", now_ms=now_ms, on_select=_card_clicked)


def _to_address(selected: Quote | None) -> None:
    # What is written into the address is lost when another run begins before it was sent, and the parts of this page
    # run a dozen times a second: it is written here instead of in the click's callback, and a few times.
    state = st.session_state
    if selected is None or state.get("market-pair") is None:
        return
    pair = selected["pair"]
    told, times = state.get("market-told", ("", 0))
    if told != pair or times < ADDRESS_TIMES or st.query_params.get("pair") != pair:
        st.query_params["pair"] = pair
        state["market-told"] = (pair, times + 1 if told == pair else 1)


def _card_clicked() -> None:
    asked = st.session_state["market-cards"]["selected"]
    _, _, rest = asked.partition(" ") if isinstance(asked, str) else ("", "", "")
    action, _, pair = rest.partition(" ")
    st.session_state["market-turn"] = st.session_state.get("market-turn", 0) + 1
    if action == "remove":
        _answered(page.service().unwatch_pair(pair), None)
    elif action == "show":
        _answered({"ok": True}, pair)


def _bars(quote: Quote) -> dict[str, Any] | None:
    bars: dict[str, Any] | None = page.service().market.candles(quote["pair"], _resolution())
    return bars


def _resolution() -> str:
    # On the very first run the parts above the switch ask before it is drawn.
    wanted = st.session_state.get("resolution") or st.query_params.get("resolution")
    return wanted if wanted in RESOLUTIONS else DEFAULT


@page.part(page.SLOW_S)
def candles() -> None:
    """Draw the bars of the chosen pair, and above them its name and the choice of their length."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="market-bar"):
        candle_line()
        st.segmented_control(
            "Resolution",
            RESOLUTIONS,
            default=DEFAULT,
            required=True,
            key="resolution",
            label_visibility="collapsed",
            bind="query-params",
        )
    bars()


@page.section
def candle_line() -> None:
    """Name the chosen pair above its chart."""
    quote, now_ms = _chosen(), _now_ms()
    if quote is None:
        return
    zone = fmt.zone_name(page.zone(), now_ms)
    head = market_figures.candle_head(quote["pair"], _bars(quote), zone, now_ms)
    nodes.show([head], key="candle-head", now_ms=now_ms)


@page.section
def bars() -> None:
    """Draw the bars of the chosen pair."""
    quote = _chosen()
    found = None if quote is None else _bars(quote)
    if quote is None or found is None:
        return
    palette, gaps, resolution = page.palette(), page.service().gaps(), found["resolution"]
    now_ms = _now_ms()
    view = (quote["pair"], resolution, palette.name, str(page.zone()))
    moving = (len(found["t_ms"]), found["newest"], found["is_fresh"], charts.gaps_revision(gaps, now_ms))
    names = (quote["base"], quote["quote"])
    drawn = market_charts.candle_chart(found, gaps, names=names, palette=palette, revision=(*view, *moving))
    trouble = market_figures.candle_trouble(found)
    if trouble is not None:
        nodes.show([trouble], key="candle-trouble")
    if drawn is None:
        text = "The history is being read, and the running bar comes with the next trade."
        nodes.show([cards.empty("No bar yet", text)], key="candle-none")
        return
    drawn["layout"]["uirevision"] = f"{quote['pair']} {resolution}"
    close = fmt.figure(found["newest"]["close"])
    charts.show(drawn, key="candle-chart", alt=f"Bars of {resolution} of {quote['pair']}; the newest closes at {close}")


def _book(quote: Quote) -> dict[str, Any] | None:
    book: dict[str, Any] | None = page.service().market.book(quote["pair"])
    return book


@page.part(page.FAST_S)
def book() -> None:
    """Draw depth, order book and newest trades of the chosen pair: one part, because each costs a run of its own."""
    quote = _chosen()
    if quote is None:
        return
    found, now_ms = _book(quote), _now_ms()
    grid = st.grid(4, min_column_width=300, gap="small")
    with grid.cell(column_span=2):
        _depth(quote, found)
    with grid.cell():
        _ladder(quote, found, now_ms)
    with grid.cell():
        _tape(quote, now_ms)


def _ladder(quote: Quote, book: dict[str, Any] | None, now_ms: float) -> None:
    head = market_figures.book_head(book, now_ms)
    is_known = book is not None and book["state"] in ("synced", "old")
    shown = (
        market_figures.ladder(book, quote["quote"], quote["base"])
        if is_known and book is not None
        else market_figures.no_book(book)
    )
    nodes.show([head, shown], key="book-ladder", now_ms=now_ms)


def _depth(quote: Quote, book: dict[str, Any] | None) -> None:
    if book is None:
        return
    counts = f"{len(book['bids'])} bids and {len(book['asks'])} asks" if book["bids"] or book["asks"] else None
    nodes.show([cards.head("Depth", counts)], key="depth-head")
    palette, names = page.palette(), (quote["base"], quote["quote"])
    revision = (quote["pair"], palette.name, book["vs"], book["state"])
    drawn = market_charts.depth_chart(book, names=names, palette=palette, revision=revision)
    if drawn is None:
        nodes.show([market_figures.no_book(book)], key="depth-none")
        return
    drawn["layout"]["uirevision"] = quote["pair"]
    spread = fmt.number(book["spread"])
    charts.show(drawn, key="depth-chart", alt=f"Cumulated bids and asks of {quote['pair']}; spread {spread}")


def _tape(quote: Quote, now_ms: float) -> None:
    trades = page.service().market.trades(quote["pair"], TRADES)
    head = market_figures.tape_head(trades, now_ms)
    rows = market_figures.tape(trades, quote["quote"], quote["base"], page.zone(), now_ms)
    nodes.show([head, rows], key="market-tape", now_ms=now_ms)
