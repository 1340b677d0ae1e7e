"""The tick of a grid: it is a position, while rows move; a browser repeats an old one until it has heard the new."""

import time
from collections.abc import Callable
from typing import Final

import streamlit as st

ECHO_S: Final = 2.0
"""After so long a browser has heard where the tick is, or is so late that a press is the likelier cause."""


class Placements:
    """Where the tick of one grid was put, as far as the browser may not know it yet.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._row: int | None = None
        self._left: list[tuple[int | None, float]] = []

    def place(self, row: int | None, told: int | None) -> None:
        """Note that the tick is put on a row, ``None`` for none.

        Args:
            told: Where the browser says that it is now. What came before is past then: its messages come in order.
        """
        if told == self._row and all(old != told for old, _ in self._left):
            self._left.clear()
        if row != self._row:
            now = self._clock()
            self._left = [(old, at) for old, at in self._left if at > now - ECHO_S]
            self._left.append((self._row, now))
            self._row = row

    def is_echo(self, row: int | None) -> bool:
        """Say whether a choice is only where the tick stood before. A press on just that row is taken for one, too:
        better than to choose what nobody pressed.
        """
        since = self._clock() - ECHO_S
        return row != self._row and any(old == row and at > since for old, at in self._left)


def place(key: str, row: int | None) -> None:
    """Put the tick of a grid on a row, before the grid is drawn."""
    _placements(key).place(row, clicked(key))
    st.session_state[key] = {"selection": {"rows": [] if row is None else [row], "columns": [], "cells": []}}


def clicked(key: str) -> int | None:
    """Return the row that the browser names."""
    rows = st.session_state[key]["selection"]["rows"] if key in st.session_state else []
    return int(rows[0]) if rows else None


def is_echo(key: str) -> bool:
    """Say, inside an ``on_select`` callback, whether nobody pressed anything."""
    return _placements(key).is_echo(clicked(key))


def _placements(key: str) -> Placements:
    found: Placements = st.session_state.setdefault(f"{key}-placements", Placements())
    return found
