"""Cards, ladder and tape of the Market page as nodes. Pure: plain data in, nodes out."""

from collections.abc import Iterable
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

from coindcx_feed.analysis.dictionary import meaning
from coindcx_feed.ui import cards, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, age, div, node, span

Quote = dict[str, Any]

FRESH_S: Final = 10.0
"""As the marks: what is older is shown grey."""
DAY_FRESH_S: Final = 40.0
"""High, low and funding come with the snapshot, every 15 s."""
RUNGS: Final = 12
"""Levels of a side in the ladder; the chart beside it shows all."""

STATES: Final = {
    "waiting": (
        "The order book is on its way",
        "The channel has been joined; the first frame comes with the next change.",
    ),
    "unsynced": ("The order book is not known now", "Frames are missing, so nothing is shown. It is being read again."),
}


def quote_card(quote: Quote, *, pressed: bool, turn: int, now_ms: float) -> Node:
    """Build one watched pair.

    Args:
        turn: Changes with each click, so that the same click can be meant twice.
    """
    pair = quote["pair"]
    remove = node(
        "button", "remove", "×", select=f"{turn} remove {pair}", title=f"Remove {pair}", label=f"Remove {pair}"
    )
    body = node(
        "button",
        "pick",
        div("between top", span("name text", pair), _age(quote["last_age_s"], now_ms)),
        div("between", _last(quote), _change(quote)),
        _spark(quote),
        div("pairs", *_pairs(quote, now_ms)),
        _unlisted(quote),
        select=f"{turn} show {pair}",
        pressed=pressed,
        label=f"Market of {pair}",
    )
    return div("card quote chosen" if pressed else "card quote", body, remove, key=pair)


def _age(age_s: float | None, now_ms: float) -> Node:
    return span("muted small", "no price yet") if age_s is None else _grown(age_s, now_ms, FRESH_S)


def _grown(age_s: float, now_ms: float, warn_s: float) -> Node:
    shown = age(now_ms - age_s * 1000, "muted small", warn_s=warn_s, ago=True)
    assert shown is not None
    return shown


def _last(quote: Quote) -> Node:
    color = "big" if quote["is_fresh"] else "big muted"
    return span(color, fmt.number(quote["last"]), span("unit", f" {quote['quote']}"), title=meaning("Last price"))


def _change(quote: Quote) -> Node:
    text = quote["change_percent"]
    color = cards.signed_color(text) if quote["is_fresh"] else "muted"
    arrow = {"green": "▲ ", "red": "▼ "}.get(cards.signed_color(text), "")
    shown = fmt.UNKNOWN if text is None else f"{arrow}{fmt.rounded(text, signed=True)} %"
    return span(f"strong {color}".strip(), shown, title=meaning("24 h change"))


def _spark(quote: Quote) -> Node:
    points = spark_points(quote["spark"])
    known = [point for point in points if point is not None]
    if len(known) < 2:
        return div("spark muted small", "the line begins with the next marks")
    rises = known[-1][1] <= known[0][1]  # from the top
    color = "muted" if not quote["is_fresh"] else "green" if rises else "red"
    return div(f"spark {color}", points=points, title="Mark price, last 15 minutes")


def spark_points(spark: dict[str, Any]) -> list[list[float] | None]:
    """Scale marks to 100 by 100 from the upper left; ``None`` where none was fresh."""
    prices = [float(price) for price in spark["price"]]
    known = [price for price in prices if price == price]
    if not known:
        return []
    low, high = min(known), max(known)
    room = (high - low) or 1.0
    width = spark["to_ms"] - spark["from_ms"]
    points: list[list[float] | None] = []
    for t_ms, price in zip(spark["t_ms"], prices, strict=True):
        x = round((float(t_ms) - spark["from_ms"]) / width * 100, 2)
        y = 50.0 if high == low else round(94 - (price - low) / room * 88, 2)
        points.append([x, y] if price == price else None)
    return points


def _pairs(quote: Quote, now_ms: float) -> Iterable[Node]:
    unit = quote["quote"]
    is_old = quote["day_age_s"] is None or quote["day_age_s"] > DAY_FRESH_S
    day = "muted" if is_old else ""
    mark_age = None if quote["mark_age_s"] is None else now_ms - quote["mark_age_s"] * 1000
    mark = span("", fmt.figure(quote["mark"]), span("", " "), age(mark_age, "unit", warn_s=FRESH_S))
    yield _pair("Mark", mark, f"{meaning('Mark')} In {unit}.")
    yield _pair("Funding", span(day, funding(quote["funding_rate"])), _funding_title(quote))
    yield _pair("24 h high", span(day, fmt.number(quote["high"])), f"{meaning('24 h high')} In {unit}.")
    yield _pair("Next in", _next_funding(quote), meaning("Next in"))
    yield _pair("24 h low", span(day, fmt.number(quote["low"])), f"{meaning('24 h low')} In {unit}.")
    volume = span("", compact(quote["volume"]), span("unit", f" {unit}"))
    yield _pair("24 h volume", volume, f"{meaning('24 h volume')} {fmt.number(quote['volume'])} {unit}.")


def _pair(name: str, value: Node, title: str) -> Node:
    return div("pair", span("muted", name), span("value", value), key=name, title=title)


def _next_funding(quote: Quote) -> Node:
    if quote["funding_ms"] is None:
        return span("muted", fmt.UNKNOWN)
    return span("", until=quote["funding_ms"])


def _funding_title(quote: Quote) -> str:
    every = f", of one every {quote['funding_hours']} h," if quote["funding_hours"] else ""
    return f"{meaning('Funding rate')} The last one settled{every} was {funding(quote['settled_rate'])}."


def funding(rate: str | None) -> str:
    """Write a funding rate (a fraction) as a percentage with four decimals at least."""
    value = fmt.decimal(rate)
    return fmt.UNKNOWN if value is None else f"{fmt.number(_places(value * 100, 4), signed=True)} %"


def _places(value: Decimal, least: int) -> str:
    places = max(least, -int(value.normalize().as_tuple().exponent))
    return f"{value:.{min(places, 8)}f}"


def compact(text: str | None) -> str:
    """Write a large amount short: 5.78 B, 912.4 M, 18.2 k."""
    value = fmt.decimal(text)
    if value is None:
        return fmt.UNKNOWN
    for power, unit in ((9, "B"), (6, "M"), (3, "k")):
        if abs(value) >= 10**power:
            shown = value.scaleb(-power)
            return f"{shown:,.{2 if abs(shown) < 100 else 1}f} {unit}"
    return fmt.rounded(text)


def _unlisted(quote: Quote) -> Node | None:
    if quote["is_listed"] is not False:
        return None
    return div("foot yellow", "⚠ not in the exchange's list of pairs: nothing will come")


def book_head(book: dict[str, Any] | None, now_ms: float) -> Node:
    """Name the ladder with the age of its newest frame, and say when it is not good."""
    notes: list[Node | str | None] = []
    if book is not None and book["age_s"] is not None:
        notes = [span("", "last frame "), _grown(book["age_s"], now_ms, FRESH_S)]
    chip = None
    if book is not None and book["state"] != "synced":
        word = {"old": "⚠ old", "unsynced": "⚠ not synced", "waiting": "◌ waiting"}[book["state"]]
        chip = cards.chip(word, "yellow")
    return cards.head("", span("muted small", *notes), left=span("chips", node("h3", "text", "Order book"), chip))


def no_book(book: dict[str, Any] | None) -> Node:
    """Say why there is no ladder."""
    title, text = STATES.get("waiting" if book is None else book["state"], STATES["waiting"])
    reason = None if book is None or not book["reason"] else f"Cause: {fmt.visible(book['reason'], 120)}"
    return cards.empty(title, text, note=reason)


def ladder(book: dict[str, Any], quote: str, base: str) -> Node:
    """Build asks above bids, best ones in the middle, with cumulated sizes drawn behind."""
    asks, bids = book["asks"][:RUNGS], book["bids"][:RUNGS]
    most = max([_total(side[-1]) for side in (asks, bids) if side], default=Decimal(0))
    names = div("rung names", span("", f"Price, {quote}"), span("", f"Size, {base}"), span("", "Sum"), key="names")
    rows = [_rung(row, "ask", f"a{index}", most) for index, row in reversed(list(enumerate(asks)))]
    rows += [_middle(book)]
    rows += [_rung(row, "bid", f"b{index}", most) for index, row in enumerate(bids)]
    return div("ladder stale" if book["state"] == "old" else "ladder", names, *rows)


def _total(row: dict[str, Any]) -> Decimal:
    return fmt.decimal(row["total"]) or Decimal(0)


def _rung(row: dict[str, Any], side: str, key: str, most: Decimal) -> Node:
    share = float(_total(row) / most) * 100 if most else 0.0
    color = "green" if side == "bid" else "red"
    return div(
        "rung",
        div(f"fill {side}", width=round(share, 1)),
        span(color, fmt.number(row["price"])),
        span("", fmt.number(row["size"])),
        span("muted", fmt.number(row["total"])),
        key=key,
    )


def _middle(book: dict[str, Any]) -> Node:
    if book["spread"] is None:
        return div("rung middle", span("muted", "one side is empty"), key="middle")
    share = fmt.percent(book["spread_share"], places=3 if book["spread_share"] >= 0.000_1 else 5)
    spread = span("strong", fmt.number(book["spread"]))
    left = span("", span("muted", "Spread "), spread, span("muted", f" {share}"), title=meaning("Spread"))
    right = span("muted", f"bids {fmt.percent(book['bid_share'])} of size", title=meaning("Bids of size"))
    return div("rung middle", left, right, key="middle")


def tape(trades: list[dict[str, Any]], quote: str, base: str, zone: tzinfo, now_ms: float) -> Node:
    """Build the newest trades, newest first."""
    if not trades:
        return cards.empty("No trade yet", "A trade is shown as soon as the exchange sends one.")
    names = div("rung names", span("", f"Price, {quote}"), span("", f"Size, {base}"), span("", "Time"), key="names")
    rows = [
        div(
            "rung",
            span(theme.SIDE_COLORS.get(trade["side"] or "", ""), _sided(trade)),
            span("", fmt.number(trade["quantity"])),
            span("muted", fmt.clock(trade["at_ms"], zone, today=now_ms, digits=0)),
            key=str(trade["number"]),
            title=fmt.utc(trade["at_ms"]),
        )
        for trade in trades
    ]
    return div("ladder", names, *rows)


def _sided(trade: dict[str, Any]) -> str:
    glyph = theme.SIDE_GLYPHS.get(trade["side"] or "", "·")
    return f"{glyph} {fmt.number(trade['price'])}"


def tape_head(trades: list[dict[str, Any]], now_ms: float) -> Node:
    """Name the tape with the age of its newest trade."""
    newest = age(trades[0]["received_ms"], "muted small", ago=True) if trades else None
    return cards.head("", newest, left=node("h3", "text", "Trades"))


def candle_head(pair: str, bars: dict[str, Any] | None, zone_name: str, now_ms: float) -> Node:
    """Name the chart: what its newest bar says, how old that is, and what is missing."""
    lead: list[Node | str | None] = [node("h3", "text", pair)]
    if bars is not None and bars["newest"] is not None:
        new = bars["newest"]
        color = "" if bars["is_fresh"] else "muted"
        text = " ".join(f"{name[0].upper()} {fmt.figure(new[name])}" for name in ("open", "high", "low", "close"))
        lead.append(span(f"small {color}".strip(), text))
    notes: list[Node | str | None] = []
    if bars is not None and bars["live_age_s"] is not None:
        notes = [span("", "running bar "), _grown(bars["live_age_s"], now_ms, FRESH_S), span("", " · ")]
    if bars is not None and bars["is_made_of_days"]:
        notes.append(span("", "older bars are made of daily ones · "))
    return cards.head("", span("muted small", *notes, f"times in {zone_name}"), left=span("chips", *lead))


def candle_trouble(bars: dict[str, Any]) -> Node | None:
    """Say that the history could not be read."""
    if bars["error"] is None:
        return None
    text = f"The history could not be read; the next try follows by itself. {fmt.visible(bars['error'], 200)}"
    return div("notice", node("p", "", text))
