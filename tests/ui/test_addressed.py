"""A choice in the address, and runs that bring an address of before."""

from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st

from coindcx_feed.ui import addressed


class Page:
    """Stands for the session: what the address holds, as the run at hand was told, and what is remembered."""

    def __init__(self) -> None:
        self.query_params: dict[str, str] = {}
        self.session_state: dict[str, Any] = {}


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    made = Page()
    monkeypatch.setattr(st, "query_params", made.query_params)
    monkeypatch.setattr(st, "session_state", made.session_state)
    return made


def test_address_of_before_a_choice_does_not_undo_it(page: Page) -> None:
    """Two presses at once: the run of the second was asked for with the address of before the first."""
    page.query_params["order"] = "a"
    addressed.choose("order", "b")
    page.query_params["order"] = "a"  # what the second run brings
    assert addressed.chosen("order") == "b"
    assert page.query_params["order"] == "b"


def test_first_choice_survives_an_address_without_one(page: Page) -> None:
    """The address named nothing before."""
    addressed.choose("order", "b")
    page.query_params.clear()
    assert addressed.chosen("order") == "b"


def test_another_address_is_followed(page: Page) -> None:
    """A link, or going back after a while."""
    page.query_params["order"] = "a"
    addressed.choose("order", "b")
    page.query_params["order"] = "c"
    assert addressed.chosen("order") == "c"
    value, before, at = page.session_state["address-order"]
    page.session_state["address-order"] = (value, before, at - addressed.ECHO_S)
    page.query_params["order"] = "a"
    assert addressed.chosen("order") == "a"
