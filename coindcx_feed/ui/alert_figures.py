"""The Alerts page as nodes: notices, rules, destinations, what a rehearsal found. Pure: plain data in, nodes out."""

from datetime import tzinfo
from typing import Any, Final

from coindcx_feed.ui import cards
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.bell import COLORS, GLYPHS
from coindcx_feed.ui.nodes import Node, age, div, node, span

SHOWN: Final = 60
WAY_WORDS: Final = {"toast": "toast", "browser": "notification", "sound": "sound"}
PLACES: Final = {"position": "positions", "balance": "balances", "feed": "feed", "quirk": "feed"}
"""Page that shows what a notice without an event is about."""

Plain = dict[str, Any]


def severity_chip(severity: str) -> Node:
    return cards.chip(f"{GLYPHS[severity]} {severity}", COLORS[severity])


def notices(found: list[Plain], zone: tzinfo, now_ms: float, turn: int) -> list[Node | None]:
    """Build the list, newest first.

    Args:
        turn: Makes every link different from the one before, so that the same one can be followed twice.
    """
    if not found:
        text = "A rule speaks when what it looks for happens. Below they stand, with what each of them looks for."
        return [cards.empty("No notice yet", text)]
    rows = [_notice(notice, zone, now_ms, turn) for notice in found[:SHOWN]]
    heads = [node("th", "", name) for name in ("severity", "time", "notice", "")]
    return [node("table", "grid notices", node("thead", "", node("tr", "", *heads)), node("tbody", "", *rows))]


def _notice(notice: Plain, zone: tzinfo, now_ms: float, turn: int) -> Node:
    repeats = f" ×{fmt.count(notice['times'])}" if notice["times"] > 1 else ""
    quiet = span("muted small", " in quiet hours") if notice["is_quiet"] else None
    head = span("text strong" if not notice["is_read"] else "text", fmt.visible(notice["name"], 60))
    lead = span("", None if notice["is_read"] else span("blue", "● "), head, span("muted", repeats), quiet)
    what = div("text muted", fmt.trimmed(fmt.visible(notice["text"], 240)))
    at = span("nowrap", fmt.clock(notice["last_ms"], zone, today=now_ms, digits=0))
    when = span("", at, span("muted small", " "), age(notice["last_ms"], "muted small nowrap", ago=True))
    cells = (severity_chip(notice["severity"]), when, div("", lead, what), _link(notice, turn))
    return node("tr", "", *(node("td", "", cell) for cell in cells), key=str(notice["number"]))


def _link(notice: Plain, turn: int) -> Node:
    if notice["subject"] == "event" and notice["seq"] is not None:
        title = "Show this event on the Events page"
        return _button(f"seq {notice['seq']:,}", f"event:{notice['seq']}:{turn}", title)
    place = PLACES.get(notice["subject"], "feed")
    return _button(place, f"page:{place}:{turn}", f"Open the page {place.capitalize()}")


def _button(text: str, select: str, title: str | None = None, *, pressed: bool | None = None) -> Node:
    return node("button", "copy nowrap", text, select=select, title=title, pressed=pressed, key=text)


def unread_line(brief: Plain) -> list[Node | None]:
    """Build the words above the list."""
    if not brief["newest"]:
        return [div("small muted", "none since the start")]
    unread, newest = fmt.count(brief["unread"]), fmt.count(brief["newest"])
    parts = (span("strong", unread), span("muted", " unread of "), span("strong", newest))
    return [div("small", *parts, span("muted", " since the start · newest first"))]


def rules(state: Plain, chosen: str | None, turn: int) -> list[Node | None]:
    """Build one row per rule: switch, what it looks for, how loud it is, what it did, and the way to change it."""
    rows = [_rule(rule, chosen, turn, is_locked=state["locked"] is not None) for rule in state["rules"]]
    heads = [node("th", "", name) for name in ("", "rule", "how", "since the start", "")]
    return [node("table", "grid rules", node("thead", "", node("tr", "", *heads)), node("tbody", "", *rows))]


def _rule(rule: Plain, chosen: str | None, turn: int, *, is_locked: bool) -> Node:
    is_on = rule["enabled"]
    word = "off" if is_on else "on"
    switch: Node = _button("● on" if is_on else "○ off", f"{word}:{rule['id']}:{turn}", f"Switch {word}", pressed=is_on)
    name = span("text strong" if is_on else "text muted", fmt.visible(rule["name"], 60))
    what = div("text muted small", fmt.visible(rule["what"], 240))
    change = _button("edit", f"edit:{rule['id']}:{turn}", "Change or rehearse this rule", pressed=rule["id"] == chosen)
    shown = span("muted", "● on" if is_on else "○ off") if is_locked else switch
    cells = (shown, div("", name, what), _loudness(rule), _record(rule), change)
    return node("tr", "", *(node("td", "", cell) for cell in cells), key=rule["id"])


def _loudness(rule: Plain) -> Node:
    ways = " · ".join(WAY_WORDS.get(name, name) for name in rule["channels"]) or "list only"
    pause = f"at most every {_time(rule['cooldown_s'])}" if rule["cooldown_s"] else ""
    return div(
        "", severity_chip(rule["severity"]), div("muted small text", ways), div("muted small", pause) if pause else None
    )


def _record(rule: Plain) -> Node:
    if rule["failures"]:
        text = f"⚠ failed {fmt.count(rule['failures'])} times ({rule['failure']})"
        return span("red small", text, title="The other rules are not affected; the log says when it began.")
    if not rule["fired"]:
        return span("muted", fmt.UNKNOWN)
    held = f", {fmt.count(rule['held_back'])} held back" if rule["held_back"] else ""
    return span("small", f"{fmt.count(rule['fired'])} ×{held}")


def _time(seconds: int) -> str:
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def channels(state: Plain, zone: tzinfo, now_ms: float, turn: int) -> list[Node | None]:
    """Build one row per destination of the settings, with what came of the last sending."""
    head = cards.head("Destinations", "named in the settings")
    if not state["channels"]:
        text = "None. COINDCX_ALERT_TELEGRAM and COINDCX_ALERT_WEBHOOKS name where notices may be sent."
        return [head, node("p", "muted", text)]
    rows = [_channel(channel, zone, now_ms, turn) for channel in state["channels"]]
    heads = [node("th", "", name) for name in ("name", "last sending", "sent", "failed", "")]
    return [head, node("table", "grid", node("thead", "", node("tr", "", *heads)), node("tbody", "", *rows))]


def _channel(channel: Plain, zone: tzinfo, now_ms: float, turn: int) -> Node:
    last: Node = span("muted", "nothing sent yet")
    if channel["last_ms"] is not None:
        at = fmt.clock(channel["last_ms"], zone, today=now_ms, digits=0)
        glyph, color = ("●", "green") if channel["is_good"] else ("✕", "red")
        text = fmt.visible(channel["last"], 120)
        last = span("", span(color, f"{glyph} "), span("text", text), span("muted small", f" {at}"))
    waiting = f", {channel['waiting']} waiting" if channel["waiting"] else ""
    lost = channel["failed"] + channel["dropped"]
    test = _button("test", f"test:{channel['name']}:{turn}", "Send a message that says that it is a test")
    cells = (channel["name"], last, f"{fmt.count(channel['sent'])}{waiting}", fmt.count(lost), test)
    return node("tr", "", *(node("td", "", cell) for cell in cells), key=channel["name"])


def quiet_line(state: Plain) -> str:
    """Say in one line what is done against fatigue."""
    quiet, group_s = state["quiet"], state["group_s"]
    grouped = f"repeats within {_time(group_s)} are one notice" if group_s else "repeats are not grouped"
    if quiet is None:
        return f"{grouped} · no quiet hours"
    return f"{grouped} · quiet from {quiet['start']} to {quiet['end']} ({fmt.visible(quiet['zone'], 60)})"


def troubles(state: Plain) -> list[Node | None]:
    """Build what a reader should know: nothing is raised here, or a book that was not understood."""
    found: list[Node | None] = []
    if state["locked"]:
        found.append(_trouble("Nothing is raised here, and rules cannot be changed.", state["locked"]))
    elif not state["is_running"]:
        found.append(_trouble("Alerts are not running.", "the feed does not run, or they failed; the log says which"))
    if state["note"]:
        found.append(_trouble("The book of rules was not understood as a whole.", state["note"]))
    if state["missed"]:
        text = f"{fmt.count(state['missed'])} events were overwritten before they were looked at"
        found.append(_trouble("A burst was larger than what is kept in memory.", text))
    return found


def _trouble(title: str, text: str) -> Node:
    line = fmt.visible(text, 400)
    shown = f"{line[:1].upper()}{line[1:]}{'' if line.endswith('.') else '.'}"
    return div("notice", node("p", "strong", title), node("p", "text", shown), key=title)


def rehearsed(found: Plain, days: int, zone: tzinfo) -> Node:
    """Build the line that says what a rule would have told."""
    if found["why"] is not None:
        why = f"{found['why'][:1].upper()}{found['why'][1:]}."
        return div("notice plain", node("p", "strong", "Cannot be rehearsed."), node("p", "", why))
    times = {0: "never", 1: "once"}.get(found["fired"], f"{fmt.count(found['fired'])} times")
    last = "the last day" if days == 1 else f"the last {fmt.count(days)} days"
    details = [f"{fmt.count(found['looked_at'])} stored events looked at"]
    if found["fired"]:
        first, newest = (fmt.clock(found[name], zone, today=0, digits=0) for name in ("first_ms", "last_ms"))
        details.insert(0, f"first {first}" + (f", last {newest}" if found["fired"] > 1 else ""))
    if found["held_back"]:
        details.append(f"{fmt.count(found['held_back'])} more held back by the cool-down")
    if not found["is_whole"]:
        upto = fmt.clock(found["upto_ms"], zone, today=0, digits=0)
        details.append(f"stopped at its time limit, at events of {upto}")
    strong = node("p", "strong", f"Would have fired {times} in {last}.")
    return div("notice plain", strong, node("p", "", " · ".join(details)))
