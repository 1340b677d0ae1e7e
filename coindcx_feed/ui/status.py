"""The status line of every page, its notices and the window title. Pure: plain data in, nodes out."""

from datetime import tzinfo
from typing import Any, Final

from coindcx_feed.ui import clock_skew
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, age, div, node, span

Status = dict[str, Any]
Gap = dict[str, Any]

LAMPS: Final = {"Live": ("●", "green"), "Reconnecting": ("◌", "yellow"), "Disconnected": ("✕", "red")}
PAGE_LIMIT_S: Final = 6.0
"""Without news from the server for so long the page says that it is out of date."""

_FACTS: Final = {
    "none": "no key: market data only",
    "unproven": "not proven",
    "joined": "joined",
    "proven": "proven",
}


def window_title(status: Status, page: str, unread: int = 0) -> str:
    """Return the title of the browser's window: unread notices and state first, because tabs show little more."""
    glyph, _ = LAMPS[status["label"]]
    mode = "" if status["mode"] == "live" else f" · {status['mode'].upper()}"
    badge = f"({fmt.count(unread)}) " if unread else ""
    return f"{badge}{glyph} {status['label']} · {page}{mode}"


def status_nodes(status: Status, gaps: list[Gap], zone: tzinfo) -> list[Node | None]:
    """Build the line and, under it, whatever needs an action."""
    cells = [
        _mode(status),
        _following(status),
        _lamp(status),
        _state(status),
        _transport(status),
        _account(status),
        _last_event(status, zone),
    ]
    cells += [_delay(status), _kept(status), div("cell spring"), _gaps(status, gaps, zone)]
    alarm = {"Live": "", "Reconnecting": " alarm-yellow", "Disconnected": " alarm-red"}[status["label"]]
    return [div(f"status{alarm}", *cells, role="status", label="Feed status"), *notices(status, zone)]


def _cell(name: str, *values: Node | None, cls: str = "", title: str | None = None) -> Node:
    return div(f"cell {cls}".strip(), span("name", name), *values, title=title, key=name)


def _mode(status: Status) -> Node | None:
    mode = status["mode"]
    if mode == "live":
        return None
    title = {
        "demo": "Simulated exchange. No real account, no real money.",
        "unknown": "The feed that is followed has not said yet what it is.",
    }.get(mode)
    return div("cell hatch", mode.upper(), title=title or f"Not the exchange itself: {mode}")


def _following(status: Status) -> Node | None:
    following = status.get("following")
    if following is None:
        return None
    owner = f"(owned by {following['owner']})" if following["owner"] else ""
    title = "Events, numbers, times and state are those of another process, which joins the exchange."
    address = fmt.visible(following["address"])
    shown = span("" if following["is_up"] else "yellow", address)
    return _cell("following", shown, span("muted wide", owner) if owner else None, title=title)


def _lamp(status: Status) -> Node:
    glyph, color = LAMPS[status["label"]]
    return div(f"cell lamp {color}", span("", glyph), span("", status["label"]))


def _state(status: Status) -> Node:
    calm = status["connected"]
    since = age(status["state_since_ms"], "muted" if calm else "yellow")
    return _cell("state", span("", status["state"]), since, title=f"since {fmt.utc(status['state_since_ms'])}")


def _transport(status: Status) -> Node:
    transport = status["transport"]
    if transport["age_s"] is None:
        return _cell("proof of life", span("muted", "none yet"))
    at_ms = status["now_ms"] - transport["age_s"] * 1000
    title = (
        f"Last {transport['proof'] or 'frame'} at {fmt.utc(at_ms)}; expected at least every {transport['limit_s']:g} s"
    )
    return _cell("proof of life", age(at_ms, "", warn_s=transport["limit_s"]), title=title)


def _account(status: Status) -> Node:
    account = status["account"]
    fact = "none" if not status["has_credentials"] else account["fact"]
    title = "What proves that private events would arrive: a private frame, or a signed read that matches."
    at_ms = None if account["age_s"] is None else status["now_ms"] - account["age_s"] * 1000
    color = "" if fact in ("joined", "proven") else "yellow"
    return _cell("account", span(color, _FACTS.get(fact, fact)), age(at_ms, "muted wide"), title=title)


def _last_event(status: Status, zone: tzinfo) -> Node:
    at_ms = status["last_event_ms"]
    if at_ms is None:
        return _cell("last event", span("muted", "none yet"))
    shown = fmt.clock(at_ms, zone, today=status["now_ms"])
    cls = "muted" if status["connected"] else "yellow"
    return _cell("last event", span("wide", shown), age(at_ms, cls, ago=True), title=fmt.utc(at_ms))


def _delay(status: Status) -> Node | None:
    delay = status["delay"]
    if delay is None:
        return None
    title = f"From the exchange's stamp to here, last {delay['count']} events. The clocks' difference is in it."
    p50, p95 = fmt.milliseconds(delay["p50_ms"]), fmt.milliseconds(delay["p95_ms"])
    name = "exchange → here"
    if status.get("following"):
        name = "exchange → there"
        title = f"From the exchange's stamp to the process that is followed, last {delay['count']} events."
    return _cell(name, span("", p50), span("muted", f"p95 {p95}"), cls="wide", title=title)


def _kept(status: Status) -> Node:
    title = "Account events in memory; the oldest make room for new ones."
    values = (span("", fmt.count(status["kept"])), span("muted", f"of {fmt.count(status['capacity'])}"))
    return _cell("kept", *values, title=title)


def _gaps(status: Status, gaps: list[Gap], zone: tzinfo) -> Node | None:
    found, away_s = gaps_today(gaps, status["now_ms"], zone)
    if not found:
        return None
    title = "Times away from the exchange since midnight; listed on the Feed page."
    values = (span("", str(found)), span("muted", fmt.duration(away_s)))
    return _cell("gaps today", *values, cls="last wide", title=title)


def gaps_today(gaps: list[Gap], now_ms: float, zone: tzinfo) -> tuple[int, float]:
    """Count the gaps that began today and the seconds they lasted; an open one lasts until now.

    Time in which nobody wanted to watch is left out, as in *complete %*.
    """
    today = fmt.moment(now_ms, zone).date()
    lasted = [
        ((now_ms if gap["to_ms"] is None else gap["to_ms"]) - gap["from_ms"]) / 1000
        for gap in gaps
        if fmt.moment(gap["from_ms"], zone).date() == today and not gap.get("is_on_demand")
    ]
    return len(lasted), sum(lasted)


def notices(status: Status, zone: tzinfo) -> list[Node | None]:
    """Build one notice per thing that someone should know or do, most serious first."""
    found: list[Node | None] = []
    if status["owner"]:
        found.append(
            _notice("bad", "Another process watches this account; this one does not connect.", status["owner"])
        )
    if status["mode"] == "custom":
        text = (
            "Orders, positions and balances here are what that host says. Check COINDCX_STREAM_URL and COINDCX_API_URL."
        )
        found.append(_notice("", "Custom upstream: not the exchange's own hosts.", text))
    replay = status.get("replay")
    if replay is not None:
        found.append(_replay_notice(replay, status, zone))
    elif not status["owner"]:
        found.append(_state_notice(status, zone))
    outage = (status.get("store") or {}).get("outage")
    if outage is not None:
        found.append(_outage_notice(outage, status, zone))
    skew = status.get("clock_skew")
    if skew is not None and clock_skew.is_off(skew):
        text = f"It is {clock_skew.offset(skew)}: delays are wrong by as much. Set this machine's clock."
        found.append(_notice("plain", "This machine's clock is wrong.", text))
    if status["sidecar"]["error"]:
        text = fmt.visible(status["sidecar"]["error"])
        found.append(_notice("plain", "Scripts cannot connect; the dashboard itself is not affected.", text))
    return found


def _outage_notice(outage: dict[str, Any], status: Status, zone: tzinfo) -> Node:
    since = fmt.clock(outage["since_ns"] / 1e6, zone, today=status["now_ms"], digits=0)
    text = (
        f"Since {since}: {fmt.visible(outage['reason'])}. "
        f"{fmt.count(outage['waiting'])} wait in memory and are stored when it is back."
    )
    lost = f" {fmt.count(outage['lost'])} found no room and are lost to the log." if outage["lost"] else ""
    return _notice("bad", "New events are not stored.", text + lost)


def _replay_notice(replay: dict[str, Any], status: Status, zone: tzinfo) -> Node:
    def clock(at_ms: float | None) -> str:
        return fmt.UNKNOWN if at_ms is None else fmt.clock(at_ms, zone, today=status["now_ms"], digits=0)

    speed = replay["speed"]
    pace = f"at {speed}×" if speed[:1].isdigit() else f"at speed {speed}"
    span_ = f"{fmt.count(replay['shown'])} events, {replay['phase']} {pace}, now at {clock(replay['position_ms'])}"
    reason = fmt.visible(replay["reason"] or "")
    return _notice("", "A replay of the log: nothing here comes from the exchange now.", span_, reason)


def _state_notice(status: Status, zone: tzinfo) -> Node | None:
    state, reason = status["state"], fmt.visible(status["reason"] or "")
    retry = _retry(status)
    if state == "rejected" and status.get("following"):
        return _notice(
            "bad", "The feed to be followed refused. Nothing here will change until it accepts.", reason, retry
        )
    if state == "rejected":
        return _notice("bad", "The exchange refused the credentials.", reason, retry)
    if state == "stopped" and reason.startswith("not watching"):
        return _notice("plain", "Not watching the exchange now.", reason)
    if state == "stopped":
        return _notice("bad", "The feed has stopped. Nothing here will change until it is started again.", reason)
    if state in ("stale", "reconnecting"):
        known = _known_at(status, zone)
        after = "Orders may have filled meanwhile; the gap will be listed on the Feed page."
        return _notice("", known, reason, retry, after)
    if state in ("starting", "connecting") and reason:
        return _notice("plain", "Not connected yet.", reason, retry)
    return None


def _known_at(status: Status, zone: tzinfo) -> str:
    age_s = status["transport"]["age_s"]
    if age_s is None:
        return "Nothing has been received yet."
    at = fmt.clock(status["now_ms"] - age_s * 1000, zone, today=status["now_ms"], digits=0)
    return f"What you see is the last state known at {at}, not now."


def _retry(status: Status) -> Node | None:
    if status["next_try_ms"] is None or status["next_try_ms"] <= status["now_ms"]:
        return None
    return span("", span("", "Next try in "), span("", until=status["next_try_ms"]))


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}{'' if line.endswith(('.', '…')) else '.'}"


def _notice(kind: str, title: str, *lines: str | Node | None) -> Node:
    kept = [line for line in lines if line]
    texts: list[str | Node | None] = []
    for line in kept:
        text = line if not isinstance(line, str) else _sentence(line)
        texts.append(span("text", text) if isinstance(text, str) else text)
        texts.append(span("", " "))
    body = node("p", "", *texts) if texts else None
    return div(f"notice {kind}".strip(), node("p", "strong", title), body, key=title)
