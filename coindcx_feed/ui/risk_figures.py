"""What a position's card says about its risk: ratio, distances, funding, protection, each with its formula. Pure."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final

from coindcx_feed.analysis.dictionary import meaning
from coindcx_feed.ui import cards
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, age, div, span

Position = dict[str, Any]
Risk = dict[str, Any]

NEAR_RATIO: Final = 0.7
"""Share of the margin that maintenance takes from which a position is marked; at 100 % it is liquidated."""
LONGEST_S: Final = 30 * 86_400
SOON_S: Final = 3_600

RATIO: Final = meaning("Margin ratio")
RANGES: Final = meaning("In day ranges")
TIME: Final = meaning("At this volatility")
FUNDING: Final = meaning("Funding so far")
NEXT: Final = meaning("Next funding")
STOP: Final = "Computed: |mark − stop| ÷ mark."


def pairs(risk: Risk | None, position: Position, zone: tzinfo, now_ms: float) -> list[Node]:
    """Build the rows of a card that tell how near its end a position is."""
    if risk is None:
        return []
    return [
        _row("Margin ratio", _known(risk["ratio"], lambda share: fmt.percent(share)), RATIO, _ratio_color(risk)),
        _row("In day ranges", _known(risk["ranges"], lambda value: f"{value:,.1f}"), RANGES),
        _row("At this volatility", _known(risk["time_s"], lasting), TIME, _time_color(risk)),
        _funding(risk["funding"], position, risk, zone, now_ms),
        _next(risk["next_funding"], position["quote"], now_ms),
    ]


def lasting(seconds: float) -> str:
    """Write a time that is a measure only: about two figures, and no more than a month."""
    if seconds > LONGEST_S:
        return "over 30 d"
    return "~" + (fmt.duration(seconds) if seconds < 3_600 else fmt.duration(seconds // 60 * 60))


def _known(figure: dict[str, Any], write: Callable[[float], str]) -> Node:
    if figure["value"] is None:
        return span("muted", fmt.UNKNOWN, title=f"Not known: {figure['reason']}.")
    return span("", write(figure["value"]), title=figure["basis"])


def _row(name: str, value: Node, title: str, color: str = "", *, is_whole: bool = False) -> Node:
    shown = span(f"value {color}".strip(), value)
    hint = value.get("title")
    return div(
        "pair whole" if is_whole else "pair",
        span("muted", name),
        shown,
        title=f"{title} {hint}" if hint else title,
        key=name,
    )


def _ratio_color(risk: Risk) -> str:
    share = risk["ratio"]["value"]
    return "orange strong" if share is not None and share >= NEAR_RATIO else ""


def _time_color(risk: Risk) -> str:
    seconds = risk["time_s"]["value"]
    return "orange strong" if seconds is not None and seconds < SOON_S else ""


def _funding(funding: dict[str, Any] | None, position: Position, risk: Risk, zone: tzinfo, now_ms: float) -> Node:
    if funding is None or not funding["is_certain"]:
        reason = "no funding was read since the start" if funding else "its opening was not seen"
        return _row("Funding so far", span("muted", fmt.UNKNOWN, title=f"Not known: {reason}."), FUNDING, is_whole=True)
    since = fmt.clock(risk["opened_ms"], zone, today=now_ms, digits=0)
    first = "opened" if risk["is_whole"] else "known only from"
    title = f"{FUNDING} {funding['count']} since {since}, {first} then."
    if funding["told"] < funding["count"]:
        title += f" {funding['count'] - funding['told']} follow from its margin, which nothing else moved."
    amount = fmt.in_currency(fmt.rounded(funding["amount"], signed=True), funding["currency"])
    unit = fmt.visible(funding["currency"] or "?", 12)
    color = cards.signed_color(funding["amount"])
    return _row("Funding so far", span("", span(color, amount), span("unit", f" {unit}")), title, is_whole=True)


def _next(following: dict[str, Any], quote: str, now_ms: float) -> Node:
    if following["amount"] is None:
        return _row(
            "Next funding", span("muted", fmt.UNKNOWN, title=f"Not known: {following['reason']}."), NEXT, is_whole=True
        )
    amount = span(cards.signed_color(following["amount"]), fmt.rounded(following["amount"], signed=True))
    rate = f"rate {float(following['rate']) * 100:+.4f} %".replace("-", fmt.MINUS)
    rest = following["at_ms"]
    when = None if rest is None else span("unit nowrap", span("", " in "), span("", until=rest))
    known = "" if rest is not None else " When is not known before two fundings were seen."
    shown = span("nowrap", amount, span("unit", f" {quote}"), when)
    return _row("Next funding", shown, f"{NEXT} {rate}.{known}", is_whole=True)


def protection(position: Position, risk: Risk | None, now_ms: float) -> Node:
    """Build the foot of a card: stop and target with their distance, or since when there is no stop."""
    stop, target = position["stop"], position["target"]
    distances = risk or {}
    if stop:
        lead = span("", f"Stop {fmt.number(stop)}", _away(distances.get("stop_distance")))
    else:
        since = distances.get("bare_since_ms")
        lead = span("yellow", span("", "⚠ No stop"), *([span("", " for "), age(since, "")] if since else []))
    before = _bare_before(distances, now_ms) if stop else None
    aim = span("", f" · Target {fmt.number(target)}", _away(distances.get("target_distance")) if target else None)
    return div("foot muted", lead, before, aim, title=_bare_title(distances, now_ms))


def _away(share: float | None) -> Node | None:
    return None if share is None else span("", f", {fmt.percent(share)} away", title=STOP)


def _bare_before(risk: Risk, now_ms: float) -> Node | None:
    bare_s = (risk.get("bare_ms") or 0.0) / 1000
    return span("", f" · {fmt.duration(bare_s)} unprotected before") if bare_s >= 1 else None


def _bare_title(risk: Risk, now_ms: float) -> str | None:
    if risk.get("opened_ms") is None:
        return None
    open_s = (now_ms - risk["opened_ms"]) / 1000
    seen = "since it was opened" if risk["is_whole"] else "since it is known"
    return f"Without a stop for {fmt.duration((risk['bare_ms'] or 0.0) / 1000)} of {fmt.duration(open_s)} {seen}."
