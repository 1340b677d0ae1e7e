"""The Alerts page: notices, the rules they come from, where they go, and trying a rule on the past."""

from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import FeedError
from coindcx_feed.ui import alert_figures, alert_form, bell, cards, nodes, page, view
from coindcx_feed.ui import format as fmt

EVERY_S: Final = 1.0
DAYS: Final = {1: "last day", 7: "last 7 days", 30: "last 30 days", 365: "last year"}
PAGES: Final = ("positions", "balances", "feed")

Plain = dict[str, Any]


def render() -> None:
    """Draw the page."""
    page.begin("Alerts")
    state = st.session_state
    _leave(state.pop("alert-place", None))
    if state.pop("alert-loaded", None) is not None:
        alert_form.load(state["alert-draft"], state)
    troubles()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="alert-bar"):
        unread()
        st.button("Mark all read", icon=":material/done_all:", on_click=_mark_read, key="alert-read")
        bell.choices()
    notices()
    _rules_and_form()


def _leave(place: str | None) -> None:
    # A page cannot be left from inside a callback.
    if place in PAGES or place == "events":
        st.switch_page(f"pages/{place}.py")


def _mark_read() -> None:
    page.service().alerts.mark_read()


def _turn() -> int:
    turn: int = st.session_state.get("alert-turn", 0)
    return turn


@page.part(EVERY_S)
def troubles() -> None:
    """Say what is the matter, if anything."""
    found = alert_figures.troubles(page.service().alerts.state())
    if found:
        nodes.show(found, key="alert-troubles")


@page.part(EVERY_S)
def unread() -> None:
    """Count what was not read yet."""
    nodes.show(alert_figures.unread_line(page.service().alerts.brief()), key="alert-unread")


@page.part(EVERY_S)
def notices() -> None:
    """List the newest notices."""
    if "alert-place" in st.session_state:
        st.rerun()  # only the page itself can be left for another
    found, now_ms = page.service().alerts.newest(alert_figures.SHOWN), page.service().status()["now_ms"]
    with st.container(height=330 if len(found) > 5 else "content", border=False, key="alert-list"):
        listed = alert_figures.notices(found, page.zone(), now_ms, _turn())
        nodes.show(listed, key="alert-notices", now_ms=now_ms, on_select=_notice_pressed)


def _notice_pressed() -> None:
    what, _, rest = str(st.session_state["alert-notices"]["selected"]).partition(":")
    name = rest.partition(":")[0]
    st.session_state["alert-turn"] = _turn() + 1
    if what == "event" and name.isdigit():
        view.choose(int(name))
        st.session_state["alert-place"] = "events"
    elif what == "page":
        st.session_state["alert-place"] = name


def _rules_and_form() -> None:
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        rules()
    with grid.cell(column_span=2):
        if st.session_state.get("alert-draft") is not None:
            with st.container(border=True, key="alert-form"):
                _form()
        else:
            destinations()
            fatigue()


@page.part(2.0)
def rules() -> None:
    """List the rules with their switches."""
    if st.session_state.pop("alert-again", False):
        st.rerun()  # the form belongs to the page, not to this part
    state, draft = page.service().alerts.state(), st.session_state.get("alert-draft")
    head = cards.head("Rules", f"{sum(rule['enabled'] for rule in state['rules'])} of {len(state['rules'])} on")
    listed = alert_figures.rules(state, draft["id"] if draft else None, _turn())
    nodes.show([head, *listed], key="alert-rules", on_select=_rule_pressed)
    if state["locked"] is None:
        st.button("New rule", icon=":material/add:", key="alert-new", on_click=_edit, args=(alert_form.NEW,))
    _problem("alert-switch-problem")


def _rule_pressed() -> None:
    state, desk = st.session_state, page.service().alerts
    what, _, rest = str(state["alert-rules"]["selected"]).partition(":")
    rule_id = rest.partition(":")[0]
    state["alert-turn"] = _turn() + 1
    if what in ("on", "off"):
        _try(lambda: desk.switch(rule_id, what == "on"), "alert-switch-problem")
    elif what == "edit":
        _edit(next((rule for rule in desk.state()["rules"] if rule["id"] == rule_id), alert_form.NEW))


def _edit(rule: Plain) -> None:
    state = st.session_state
    state["alert-draft"], state["alert-loaded"], state["alert-again"] = rule, True, True
    state["alert-rehearsed"] = state["alert-problem"] = None


def _try(call: Any, where: str) -> bool:
    try:
        call()
    except FeedError as error:
        st.session_state[where] = str(error)
        return False
    st.session_state[where] = None
    return True


def _problem(where: str) -> None:
    text = st.session_state.get(where)
    if text:
        st.warning("This was not done.")
        st.code(fmt.visible(text, 400), language=None, wrap_lines=True)


def _form() -> None:
    state, draft = st.session_state, st.session_state["alert-draft"]
    nodes.show([cards.head("Change a rule" if draft["id"] else "New rule")], key="alert-form-head")
    alert_form.draw()
    _problem("alert-problem")
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="alert-form-buttons")
    row.button("Save", type="primary", on_click=_save, key="alert-save")
    row.button("Cancel", on_click=_close, key="alert-cancel")
    if draft["id"]:
        word = "Reset" if draft["is_built_in"] else "Delete"
        row.button(word, on_click=_remove, args=(draft["id"],), key="alert-remove")
    row.selectbox(
        "Past", DAYS, index=1, format_func=lambda days: DAYS[days], key="alert-days", label_visibility="collapsed"
    )
    if row.button("Rehearse", icon=":material/history:", key="alert-rehearse", help="Run it over the durable log."):
        _rehearse(int(state["alert-days"]))
    found = state.get("alert-rehearsed")
    if found is not None:
        nodes.show([alert_figures.rehearsed(found["found"], found["days"], page.zone())], key="alert-rehearsal")


def _rehearse(days: int) -> None:
    state = st.session_state
    state["alert-rehearsed"] = state["alert-problem"] = None
    try:
        with st.spinner("Reading the log…"):
            found = page.service().alerts.rehearse(alert_form.held(state), days)
        state["alert-rehearsed"] = {"found": found, "days": days}
    except FeedError as error:
        st.warning("This rule cannot be rehearsed as it stands.")
        st.code(fmt.visible(str(error), 400), language=None, wrap_lines=True)


def _save() -> None:
    if _try(lambda: page.service().alerts.save(alert_form.held(st.session_state)), "alert-problem"):
        _close()


def _remove(rule_id: str) -> None:
    if _try(lambda: page.service().alerts.remove(rule_id), "alert-problem"):
        _close()


def _close() -> None:
    st.session_state["alert-draft"] = None


@page.part(EVERY_S)
def destinations() -> None:
    """List the destinations with what came of the last sending."""
    state, now_ms = page.service().alerts.state(), page.service().status()["now_ms"]
    shown = alert_figures.channels(state, page.zone(), now_ms, _turn())
    nodes.show(shown, key="alert-channels", on_select=_channel_pressed)
    _problem("alert-test-problem")


def _channel_pressed() -> None:
    what, _, rest = str(st.session_state["alert-channels"]["selected"]).partition(":")
    st.session_state["alert-turn"] = _turn() + 1
    if what == "test":
        _try(lambda: page.service().alerts.test(rest.rpartition(":")[0]), "alert-test-problem")


@page.part(None)
def fatigue() -> None:
    """Say what is done against fatigue, and let it be changed."""
    state = page.service().alerts.state()
    line = nodes.div("small muted", alert_figures.quiet_line(state))
    nodes.show([cards.head("Against fatigue"), line], key="alert-quiet-line")
    if state["locked"] is not None:
        return
    quiet = state["quiet"] or {"start": "22:00", "end": "07:00", "zone": st.context.timezone or "UTC"}
    with st.popover("Grouping and quiet hours", icon=":material/bedtime:"), st.form("alert-quiet", border=False):
        st.caption("In quiet hours only critical notices go out; the others are listed, and counted afterwards.")
        is_on = st.toggle("Quiet hours", value=state["quiet"] is not None, key="quiet-on")
        row = st.columns(2)
        start = row[0].text_input("From", value=quiet["start"], max_chars=5, key="quiet-start")
        end = row[1].text_input("To", value=quiet["end"], max_chars=5, key="quiet-end")
        zone = st.text_input("Zone", value=quiet["zone"], max_chars=60, key="quiet-zone")
        group_s = st.number_input(
            "Group repeats within, s", 0, 3_600, value=state["group_s"], step=10, key="quiet-group"
        )
        if st.form_submit_button("Save", type="primary"):
            hours = {"start": start, "end": end, "zone": zone} if is_on else None
            if _try(lambda: page.service().alerts.set_quiet(int(group_s), hours), "alert-quiet-problem"):
                st.rerun()
        _problem("alert-quiet-problem")
