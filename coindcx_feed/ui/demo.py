"""Placing and cancelling orders on the embedded exchange. In any other mode none of it is drawn, and none works."""

import time
from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import FeedError
from coindcx_feed.ui import cards, nodes, page
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import div, node, span

SHOWN_S: Final = 20
REPEAT_S: Final = 1.0


def place_order() -> None:
    """Draw the form."""
    with (
        st.popover("Place order", icon=":material/add:", key="place-order"),
        st.form("place-order-form", border=False, clear_on_submit=False),
    ):
        st.caption("On the simulated exchange only. No code here can reach a real account.")
        st.segmented_control("Side", ("buy", "sell"), default="buy", required=True, key="new-side")
        st.selectbox("Pair", page.service().status()["pairs"], key="new-pair")
        st.text_input("Quantity", value="0.05", max_chars=30, key="new-quantity")
        st.text_input("Price", max_chars=30, key="new-price", placeholder="empty: market order")
        st.text_input("Leverage", max_chars=6, key="new-leverage", placeholder="empty: the position's own")
        # A callback, because a run may be stopped for the next one: with the order placed and the answer not kept.
        st.form_submit_button("Place on the simulator", type="primary", width="stretch", on_click=_place)


def _place() -> None:
    state = st.session_state
    typed = [(state[f"new-{name}"] or "").replace(",", "").strip() for name in ("quantity", "price", "leverage")]
    if not typed[0] or fmt.decimal(typed[0]) is None:
        _answer({"ok": False, "message": f"quantity: expected a number like 0.05, was {fmt.visible(typed[0], 40)!r}"})
        return
    order = (state["new-side"], state["new-pair"], typed[0], typed[1] or None, typed[2] or None)
    if _is_repeat(order):
        return
    try:
        _answer(page.service().place_order(*order))
    except FeedError as error:
        _answer({"ok": False, "message": str(error)})


def _is_repeat(order: tuple[str | None, ...]) -> bool:
    # A press is now and then delivered twice; nobody means the same order twice within a second.
    before, st.session_state["demo-order"] = st.session_state.get("demo-order"), (order, time.monotonic())
    return before is not None and before[0] == order and time.monotonic() - before[1] < REPEAT_S


def cancel_order(order_id: str) -> None:
    """Draw the button that cancels one order."""
    st.button("Cancel order", icon=":material/close:", key="cancel-order", on_click=_cancel, args=(order_id,))


def _cancel(order_id: str) -> None:
    try:
        _answer(page.service().cancel_order(order_id))
    except FeedError as error:
        _answer({"ok": False, "message": str(error)})


def _answer(answer: dict[str, Any]) -> None:
    st.session_state["demo-answer"] = {**answer, "at_ms": page.service().status()["now_ms"]}


@page.part(page.STEADY_S)
def last_answer() -> None:
    """Show what the simulator said to the last order, for a while."""
    answer, now_ms = st.session_state.get("demo-answer"), page.service().status()["now_ms"]
    if answer is None or now_ms - answer["at_ms"] > SHOWN_S * 1000:
        return
    lead = cards.chip("● done", "green") if answer["ok"] else cards.chip("✕ refused", "red")
    line = div("chips", lead, span("text", fmt.visible(str(answer["message"]), 300)))
    nodes.show([div("notice plain", node("p", "", line))], key="demo-answer-line")
