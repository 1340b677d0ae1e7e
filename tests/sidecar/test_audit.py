"""Audit lines: one per event, nothing forged, few; counts exact."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.sidecar.audit import LINES_PER_S, Audit, one_line


def test_T15_an_event_is_one_line_with_kind_client_and_reason(caplog: pytest.LogCaptureFixture) -> None:
    """Foreign text stays inside its quotes."""
    caplog.set_level(logging.INFO)
    Audit().note("origin", "10.0.0.1:5", 'was "x"\nkind=fake', status=403)
    assert caplog.messages == ["kind=origin client=10.0.0.1:5 status=403 reason=\"was 'x'\\nkind=fake\""]


@given(st.text(max_size=1000))
def test_T15_no_text_forges_a_line(text: str) -> None:
    """Printable ASCII of a bounded length, without a closing quote."""
    line = one_line(text)
    assert line.isascii()
    assert line.isprintable()
    assert '"' not in line
    assert len(line) < 4000


def test_counts_are_exact_and_lines_are_few(caplog: pytest.LogCaptureFixture) -> None:
    """A flood costs some lines a second; the next line says how many had none."""
    caplog.set_level(logging.INFO)
    now = [5.0]
    audit = Audit(lambda: now[0])
    for _ in range(1000):
        audit.note("token", "x", "wrong")
    audit.note("host", "x", "foreign")
    assert len(caplog.messages) == LINES_PER_S + 1
    now[0] += 1
    audit.note("token", "x", "wrong")
    assert f"without_line={1000 - LINES_PER_S}" in caplog.messages[-1]
    assert audit.counts == {"token": 1001, "host": 1}
    assert audit.total == 1002
