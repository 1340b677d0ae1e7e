"""Strip of states, proofs, figures and log of the Feed page. Pure."""

from datetime import tzinfo
from typing import Any, Final

from coindcx_feed.ui import cards, clock_skew
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, age, div, node, span

Status = dict[str, Any]

HOUR_MS: Final = 3_600_000
LEAST_MS: Final = 300_000
LABEL_PERCENT: Final = 5.0
LOG_LINES: Final = 60
PATTERNS: Final = {
    "live": "s-live",
    "quiet": "s-quiet",
    "stale": "s-stale",
    "starting": "s-waiting",
    "connecting": "s-waiting",
    "reconnecting": "s-waiting",
    "rejected": "s-ended",
    "stopped": "s-ended",
}


def strip(states: list[dict[str, Any]], now_ms: float, started_ms: float, zone: tzinfo) -> list[Node | None]:
    """Build the strip of the last hour, or since the start: pattern and word per state, nothing before the start."""
    window_ms = min(HOUR_MS, max(LEAST_MS, now_ms - started_ms))
    begin = now_ms - window_ms
    parts, good_ms, unwanted_ms = [], 0.0, 0.0
    for state in states:
        from_ms, to_ms = max(state["from_ms"], begin), now_ms if state["to_ms"] is None else state["to_ms"]
        if to_ms <= begin:
            continue
        left, width = (from_ms - begin) / window_ms * 100, (to_ms - from_ms) / window_ms * 100
        good_ms += to_ms - from_ms if state["state"] in ("live", "quiet") else 0
        unwanted_ms += to_ms - from_ms if state.get("is_on_demand") else 0
        parts.append(_part(state, left, width, zone, now_ms))
    watched_ms = now_ms - max(begin, started_ms) - unwanted_ms
    share = fmt.percent(good_ms / watched_ms if watched_ms > 0 else None)
    right = (
        f"live or quiet {share} of {fmt.duration(watched_ms / 1000)} running · times in {fmt.zone_name(zone, now_ms)}"
    )
    count = 5 if window_ms < 2 * LEAST_MS else 6
    ticks = [span("", fmt.clock(begin + window_ms * step / count, zone, digits=-1)) for step in range(count + 1)]
    return [
        cards.head(f"Connection, last {round(window_ms / 60_000)} minutes", right),
        div("strip", *parts, role="img", label=right),
        div("scale", *ticks),
        _legend(),
    ]


def _part(state: dict[str, Any], left: float, width: float, zone: tzinfo, now_ms: float) -> Node:
    name = "not watching" if state.get("is_on_demand") else state["state"]
    from_text = fmt.clock(state["from_ms"], zone, today=now_ms, digits=0)
    reason = f": {fmt.visible(state['reason'])}" if state["reason"] and not state.get("is_on_demand") else ""
    if state.get("proof"):
        reason = f", proven by {state['proof']}"
    solid = name in ("live", "quiet", "stale")
    word = name if solid and width >= LABEL_PERCENT else ""
    title = f"{name} from {from_text}{reason}"
    return div(
        f"part {PATTERNS.get(name, 's-unknown')}", word, left=left, width=width, title=title, key=str(state["from_ms"])
    )


def _legend() -> Node:
    names = (
        ("s-live", "live"),
        ("s-quiet", "quiet, proven by heartbeat"),
        ("s-stale", "stale"),
        ("s-waiting", "connecting or reconnecting"),
        ("s-ended", "rejected or stopped"),
        ("s-unknown", "not running, or not watching on demand"),
    )
    return div("legend small muted", *(span("", span(f"key {cls}"), span("", text)) for cls, text in names))


def proofs(status: Status, zone: tzinfo) -> list[Node | None]:
    """Build the two facts apart, the wire is alive and private events would arrive, and how far the clock is off."""
    now_ms, transport, account = status["now_ms"], status["transport"], status["account"]
    rows = [
        _proof(
            "Transport",
            transport["proof"] or "nothing yet",
            transport["age_s"],
            now_ms,
            f"expected every {transport['limit_s']:g} s",
        ),
        _proof(
            "Account", account["fact"], account["age_s"], now_ms, "proven by a private frame or a matching signed read"
        ),
        _clock(status.get("clock_skew")),
    ]
    since = fmt.clock(status["state_since_ms"], zone, today=now_ms, digits=0)
    counters = status["counters"]
    counts = f"{_times(counters['connects'], 'connection')}, {_times(status['joins'], 'private join')}"
    session = f"{counts} · state since {since}"
    return [div("section", cards.head("What is proven", session), node("table", "grid", node("tbody", "", *rows)))]


def _times(count: int, name: str) -> str:
    return f"{fmt.count(count)} {name}{'' if count == 1 else 's'}"


def _proof(name: str, fact: str, age_s: float | None, now_ms: float, note: str) -> Node:
    when = age(None if age_s is None else now_ms - age_s * 1000, "", ago=True) or span("muted", fmt.UNKNOWN)
    cells = (
        node("td", "strong nowrap", name),
        node("td", "", fmt.visible(fact, 60)),
        node("td", "nowrap", when),
        node("td", "right muted", note),
    )
    return node("tr", "", *cells, key=name)


def _clock(skew: dict[str, Any] | None) -> Node:
    note = "this machine's clock less the exchange's, from the dates of signed reads; it is in every delay shown"
    fact = span("muted", "not known: no signed read yet")
    if skew is not None:
        shown = f"{clock_skew.offset(skew)} {clock_skew.uncertainty(skew)}"
        fact = span("yellow" if clock_skew.is_off(skew) else "", shown)
    samples = span("muted", "" if skew is None else f"{skew['samples']} replies")
    cells = (node("td", "strong nowrap", "Clock"), node("td", "nowrap", fact), node("td", "nowrap", samples))
    return node("tr", "", *cells, node("td", "right muted", note), key="Clock")


def figures(status: Status, feed: dict[str, Any], zone: tzinfo) -> Node:
    """Build the strip of six figures."""
    counters, delay = status["counters"], status["delay"]
    recent = sum(int(feed["rates"][kind][-3:-1].sum()) for kind in ("order", "position", "balance"))
    sidecar = status["sidecar"]
    delay_value = "–" if delay is None else f"{delay['p50_ms']:,.0f} / {delay['p95_ms']:,.0f}".replace("-", fmt.MINUS)
    delay_note = (
        "no event with a stamp yet"
        if delay is None
        else f"p99 {fmt.milliseconds(delay['p99_ms'])} of last {delay['count']}"
    )
    return div(
        "section",
        cards.figures(
            [
                cards.figure(
                    "Account events",
                    cards.with_unit(f"{recent / 60:.1f}", "per s"),
                    f"{fmt.count(recent)} in the last full minute",
                ),
                cards.figure(
                    "Delay p50 / p95",
                    cards.with_unit(delay_value, "ms"),
                    delay_note,
                ),
                cards.figure(
                    "Ring",
                    cards.with_unit(f"{100 * status['kept'] / status['capacity']:.1f}", "%"),
                    f"{fmt.count(status['kept'])} of {fmt.count(status['capacity'])} events",
                ),
                _sidecar(sidecar),
                cards.figure(
                    "Duplicates · late",
                    f"{fmt.count(counters['duplicates'])} · {fmt.count(counters['late'])}",
                    "not shown · marked late",
                ),
                _quarantine(counters["quarantined"], feed["quarantine"], zone, status["now_ms"]),
            ]
        ),
    )


def _sidecar(sidecar: dict[str, Any]) -> Node:
    if sidecar["error"] or not sidecar["url"]:
        return cards.figure(
            "Sidecar clients", "–", fmt.visible(sidecar["error"] or "not running here", 90), color="yellow"
        )
    if sidecar["clients"] is None:
        return cards.figure("Sidecar clients", "–", f"scripts read {sidecar['url'].split('/api/')[0]}")
    return cards.figure("Sidecar clients", str(sidecar["clients"]), sidecar["url"].split("/api/")[0])


def _quarantine(count: int, entries: list[dict[str, Any]], zone: tzinfo, now_ms: float) -> Node:
    note = "every frame understood"
    if entries:
        at = fmt.clock(entries[0]["at_ms"], zone, today=now_ms, digits=-1)
        note = f"{fmt.visible(entries[0]['reason'], 60)}, {at}"
    return cards.figure("Quarantine", fmt.count(count), note, color="yellow" if count else "")


def log(lines: list[str]) -> list[Node | None]:
    """Build the newest lines, newest first."""
    shown = [node("li", "text", fmt.visible(line, 400)) for line in reversed(lines[-LOG_LINES:])]
    head = cards.head("Log", "newest first, times of this machine; payloads and secrets are never logged")
    listed = node("ul", "log", *shown, scrolls=True, label="Log") if shown else node("p", "muted", "No lines yet.")
    return [head, listed]
