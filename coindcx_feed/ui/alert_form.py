"""The form of one rule: choices only, no code. It holds plain data; the service decides whether that is a rule."""

from collections.abc import MutableMapping
from typing import Any, Final

import streamlit as st

from coindcx_feed.alerts.fields import FIELDS, FORMULAS, OP_WORDS, OPS, SUBJECTS, Field
from coindcx_feed.alerts.rules import SEVERITIES
from coindcx_feed.ui import filters, page, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.alert_figures import WAY_WORDS
from coindcx_feed.ui.bell import GLYPHS

Plain = dict[str, Any]
State = MutableMapping[Any, Any]

ANY: Final = ""
"""Stands for no condition: every event that the filter lets through."""
WITHIN: Final = {60: "1 min", 300: "5 min", 900: "15 min", 1_800: "30 min", 3_600: "1 h"}
FLAGS: Final = {"1": "yes", "0": "no"}
SUBJECT_WORDS: Final = {
    "event": "an event",
    "position": "a position",
    "balance": "a balance",
    "feed": "the connection",
    "quirk": "the exchange's slips",
}
NEW: Final[Plain] = {
    "id": "",
    "name": "My rule",
    "subject": "event",
    "filter": {"types": ["order"]},
    "condition": None,
    "hold_s": 0,
    "cooldown_s": 60,
    "severity": "info",
    "channels": ["toast"],
    "enabled": True,
}


def load(rule: Plain, state: State) -> None:
    """Put a rule into the widgets' state, before they are drawn."""
    condition = rule["condition"] or {"field": ANY, "op": "above", "value": "", "within_s": None}
    values = {
        "id": rule["id"],
        "name": rule["name"],
        "subject": rule["subject"],
        "text": rule["filter"].get("text", ""),
        "field": condition["field"],
        "op": condition["op"],
        "value": str(condition["value"]),
        "within": condition["within_s"] or 300,
        "hold": rule["hold_s"],
        "cooldown": rule["cooldown_s"],
        "severity": rule["severity"],
        "channels": list(rule["channels"]),
        "enabled": rule["enabled"],
        # Parts of the filter that the form does not show stay as they are.
        "rest": {name: rule["filter"][name] for name in ("price_min", "price_max") if name in rule["filter"]},
    }
    values |= {name: list(rule["filter"].get(name, ())) for name in filters.LISTS}
    state.update({f"rule-{name}": value for name, value in values.items()})


def held(state: State) -> Plain:
    """Return what the widgets hold as plain data of a rule."""
    subject = state["rule-subject"]
    parts = filters.LISTS if subject == "event" else ("pairs",) if subject in ("position", "balance") else ()
    wanted: Plain = {name: list(state.get(f"rule-{name}") or ()) for name in parts}
    if subject == "event":
        wanted |= {"text": (state.get("rule-text") or "").strip(), **state.get("rule-rest", {})}
    return {
        "id": state["rule-id"],
        "name": state["rule-name"] or "",
        "subject": subject,
        "filter": {name: part for name, part in wanted.items() if part},
        "condition": _condition(state, subject),
        "hold_s": int(state.get("rule-hold") or 0) if subject != "event" else 0,
        "cooldown_s": int(state["rule-cooldown"] or 0),
        "severity": state["rule-severity"],
        "channels": list(state["rule-channels"]),
        "enabled": bool(state["rule-enabled"]),
    }


def _condition(state: State, subject: str) -> Plain | None:
    name = state.get("rule-field", ANY)
    field = FIELDS[subject].get(name)  # type: ignore[index]  # the choice is one of the table's subjects
    if field is None:
        return None
    typed = filters.typed_number(state.get("rule-value"))
    within = state["rule-within"] if field.kind == "move" else None
    return {"field": name, "op": state["rule-op"], "value": typed, "within_s": within}


def draw() -> None:
    """Draw the widgets of the rule that was loaded."""
    state = st.session_state
    st.text_input("Name", key="rule-name", max_chars=60)
    st.selectbox("Looks at", SUBJECTS, format_func=lambda name: SUBJECT_WORDS[name], key="rule-subject")
    subject = state["rule-subject"]
    _filter(subject)
    _draw_condition(subject)
    columns = st.columns(2)
    columns[0].number_input("Cool-down, s", 0, 604_800, step=30, key="rule-cooldown")
    if subject != "event":
        columns[1].number_input("Must hold for, s", 0, 604_800, step=10, key="rule-hold")
    st.segmented_control(
        "Severity",
        SEVERITIES,
        format_func=lambda name: f"{GLYPHS[name]} {name}",
        key="rule-severity",
        required=True,
    )
    names = [*dict.fromkeys([*page.service().alerts.channel_names(), *state["rule-channels"]])]
    words = {**WAY_WORDS}
    st.multiselect("Goes out by", names, format_func=lambda name: words.get(name, name), key="rule-channels")
    st.toggle("Switched on", key="rule-enabled")


def _filter(subject: str) -> None:
    seen = page.service().seen()
    if subject == "event":
        row = st.columns(2)
        _several(row[0], "Types", filters.TYPES, "types", theme.type_label)
        _several(row[1], "Sides", filters.SIDES, "sides", theme.side_label)
        _several(row[0], "Pairs", seen["pairs"], "pairs", fmt.visible)
        _several(row[1], "Statuses", [*theme.STATUS_GLYPHS, *seen["statuses"]], "statuses", theme.status_label)
        st.text_input("Words in id or message", key="rule-text", max_chars=100)
    elif subject == "position":
        _several(st, "Pairs", [name for name in seen["pairs"] if "_" in name], "pairs", fmt.visible)
    elif subject == "balance":
        _several(st, "Currencies", [name for name in seen["pairs"] if "_" not in name], "pairs", fmt.visible)


def _several(where: Any, label: str, offered: Any, name: str, words: Any) -> None:
    key = f"rule-{name}"
    options = list(dict.fromkeys([*offered, *(st.session_state.get(key) or ())]))
    where.multiselect(label, options, format_func=words, key=key, placeholder="all")


def _draw_condition(subject: str) -> None:
    state = st.session_state
    fields: dict[str, Field] = FIELDS[subject]  # type: ignore[index]  # the choice is one of the table's subjects
    names = [*([ANY] if subject == "event" else []), *fields]
    if state.get("rule-field") not in names:
        state["rule-field"] = names[0]
    st.selectbox("Condition", names, format_func=lambda name: field_words(fields.get(name)), key="rule-field")
    field = fields.get(state["rule-field"])
    if field is None:
        return
    formula = FORMULAS.get(state["rule-field"])
    row = st.columns([2, 2, 2] if field.kind == "move" else 2)
    if state.get("rule-op") not in OPS[field.kind]:
        state["rule-op"] = OPS[field.kind][0]
    row[0].selectbox("is", OPS[field.kind], format_func=lambda op: OP_WORDS[op], key="rule-op")
    if field.kind == "flag":
        if state.get("rule-value") not in FLAGS:
            state["rule-value"] = "1"
        row[1].selectbox("Value", [*FLAGS], format_func=lambda value: FLAGS[value], key="rule-value")
    else:
        row[1].text_input(f"Value{f', {field.unit}' if field.unit else ''}", key="rule-value", max_chars=30)
    if field.kind == "move":
        within = list(dict.fromkeys([*WITHIN, state["rule-within"]]))
        row[2].selectbox("within", within, format_func=lambda s: WITHIN.get(s, f"{s} s"), key="rule-within")
    if formula:
        st.caption(formula)


def field_words(field: Field | None) -> str:
    """Name a field as the list of choices does."""
    if field is None:
        return "no condition: every match"
    return f"{field.label}, {field.unit}" if field.unit else field.label
